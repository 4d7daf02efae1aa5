"""A small lab of real peers: network namespaces, an ocserv gateway, openconnect, radius-push itself.

Everything lives in one temporary folder and in namespaces named after this process; what was started is
stopped by its process id.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RADIUS_PUSH = str(Path(sys.executable).with_name("radius-push"))
SECRET = "a-secret-of-the-lab-22"


def needed(*programs: str) -> None:
    """Real peers are the point of these tests: a missing one is a failure, with the mend."""
    missing = [
        program
        for program in programs
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is None
    ]
    assert not missing, f"not installed: {', '.join(missing)}; run `tools/setup ci`"


def free_port(kind: int = socket.SOCK_STREAM, host: str = "127.0.0.1") -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@dataclass
class Program:
    """A started program and what it has said so far."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_until_it_says(self, text: str, seconds: float = 20.0) -> None:
        wait_until(
            lambda: text in self.said() or self.process.poll() is not None,
            seconds,
            what=f"{text!r} in {self.log.name}",
        )
        assert text in self.said(), f"ended with {self.process.returncode}: {self.said()}"

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()


def wait_until(true: object, seconds: float, *, what: str) -> None:
    """Real peers have real time: look every 20 ms, at most `seconds`."""
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


@dataclass
class Lab:
    folder: Path
    programs: list[Program] = field(default_factory=list)

    def start(
        self, name: str, *command: str, namespace: str | None = None, stdin: bytes | None = None
    ) -> Program:
        log = self.folder / f"{name}-{len(self.programs)}.log"
        words = ["ip", "netns", "exec", namespace, *command] if namespace else list(command)
        with log.open("wb") as out:
            process = subprocess.Popen(
                words,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            )
        if stdin and process.stdin:
            process.stdin.write(stdin)
            process.stdin.close()
        program = Program(process, log)
        self.programs.append(program)
        return program

    def stop(self) -> None:
        for program in reversed(self.programs):
            program.stop()


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Network:
    """`client` (the person's laptop) <-> `gateway` <-> this machine, where radius-push listens."""

    client: str
    gateway: str
    client_address: str
    gateway_address: str
    """Where the laptop reaches the gateway."""
    gateway_inside: str
    """From where the gateway asks radius-push."""
    server_address: str


_networks = itertools.count()


@contextlib.contextmanager
def network() -> Iterator[Network]:
    k = next(_networks)
    n = (os.getpid() + k) % 100
    mark = f"rp{os.getpid() % 100000}n{k}"
    net = Network(
        client=f"{mark}-cli",
        gateway=f"{mark}-gw",
        client_address=f"10.99.{n}.2",
        gateway_address=f"10.99.{n}.1",
        gateway_inside=f"10.99.{100 + n}.1",
        server_address=f"10.99.{100 + n}.2",
    )
    in_gateway: Sequence[str] = ("ip", "-n", net.gateway)
    in_client: Sequence[str] = ("ip", "-n", net.client)
    try:
        run("ip", "netns", "add", net.client)
        run("ip", "netns", "add", net.gateway)
        run(
            "ip",
            "link",
            "add",
            f"{mark}a",
            "netns",
            net.gateway,
            "type",
            "veth",
            "peer",
            "name",
            f"{mark}b",
            "netns",
            net.client,
        )
        run("ip", "link", "add", f"{mark}r", "type", "veth", "peer", "name", f"{mark}s", "netns", net.gateway)
        run("ip", "addr", "add", f"{net.server_address}/24", "dev", f"{mark}r")
        run("ip", "link", "set", f"{mark}r", "up")
        for name, address in ((f"{mark}a", net.gateway_address), (f"{mark}s", net.gateway_inside)):
            run(*in_gateway, "addr", "add", f"{address}/24", "dev", name)
            run(*in_gateway, "link", "set", name, "up")
        run(*in_gateway, "link", "set", "lo", "up")
        run(*in_client, "addr", "add", f"{net.client_address}/24", "dev", f"{mark}b")
        run(*in_client, "link", "set", f"{mark}b", "up")
        run(*in_client, "link", "set", "lo", "up")
        yield net
    finally:
        for namespace in (net.client, net.gateway):
            pids = subprocess.run(
                ("ip", "netns", "pids", namespace), capture_output=True, text=True, check=False
            )
            for pid in pids.stdout.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            subprocess.run(("ip", "netns", "del", namespace), check=False, capture_output=True)
        subprocess.run(("ip", "link", "del", f"{mark}r"), check=False, capture_output=True)
