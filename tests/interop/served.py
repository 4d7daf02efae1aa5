"""radius-push as its admin runs it: a process of its own, with one person's software phone enrolled."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.interop.lab import RADIUS_PUSH, Lab, Program

PASSWORD = "correct horse"


@dataclass
class Served:
    lab: Lab
    server: Program
    config: Path
    phone: Path

    def tap(self, answer: str) -> Program:
        """A phone that waits for the next question: `approve` or `deny`."""
        return self.lab.start("phone", RADIUS_PUSH, "test-phone", answer, "--phone", str(self.phone))

    def count(self, kind: str) -> int:
        """How often the log tells of this event."""
        return len(re.findall(rf" {kind} login=", self.server.said()))

    def last(self, kind: str) -> str:
        """The log's newest line of this event."""
        lines = [line for line in self.server.said().splitlines() if f" {kind} login=" in line]
        assert lines, f"no {kind} in the log"
        return lines[-1]


def hashed(password: str = PASSWORD) -> str:
    return subprocess.run(
        [RADIUS_PUSH, "hash-password"], input=f"{password}\n", capture_output=True, text=True, check=True
    ).stdout.strip()


def serve(lab: Lab, settings: str, *, user: str = "alice") -> Served:
    """Start the server with these settings and enrol a phone for `user`."""
    config = lab.folder / "radius-push.yaml"
    config.write_text(settings)
    server = lab.start("radius-push", RADIUS_PUSH, "serve", "--config", str(config))
    server.wait_until_it_says("ready:")
    served = Served(lab, server, config, lab.folder / "phone.json")
    enrol(served, user)
    return served


def enrol(served: Served, user: str) -> None:
    with subprocess.Popen(
        [RADIUS_PUSH, "enroll", user, "--config", str(served.config), "--json", "--no-confirm"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as issuer:  # fmt: skip
        assert issuer.stdout
        link = json.loads(issuer.stdout.readline())["link"]
        done = subprocess.run(
            [RADIUS_PUSH, "test-phone", "enrol", link, "--phone", str(served.phone)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert json.loads(issuer.stdout.readline())["result"] == "confirmed"
        assert issuer.wait(20) == 0
