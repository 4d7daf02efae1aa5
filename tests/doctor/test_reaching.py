"""Each way out is tried as it is used: name, TCP, the proxy, TLS. What fails says what to mend."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from radius_push.doctor import finding, reaching
from radius_push.doctor.network import HERE, Line
from radius_push.doctor.reaching import try_line
from radius_push.tls import tls_with
from tests.directory.certificates import Authority

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LINE = Line("apns", "out", HERE, "push.example", 443, "tcp", "APNs", tls="tls")


def to_loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@asynccontextmanager
async def listening(handler: Handler = stay, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    visits: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        visits[task] = writer
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(visit, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in visits.values():
            writer.transport.abort()
        await asyncio.gather(*visits)
        await server.wait_closed()


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def serving(authority: Authority, *names: str, days: float = 2) -> ssl.SSLContext:
    issued = authority.issue(*names, days=days)
    return tls_with(str(issued.certificate), str(issued.key), place="test")


async def test_tls_with_the_right_name_is_well(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with listening(tls=serving(authority, "push.example")) as port:
        line = replace(LINE, port=port, ca=str(authority.file))
        found = await try_line(line, "push.example", proxy=None, look_up=to_loopback)
    assert found.what == "ok"
    assert "TLS and its certificate are right" in found.says


@pytest.mark.parametrize(
    ("name", "days", "known", "said"),
    [
        ("elsewhere.example", 2.0, True, "Hostname mismatch"),
        ("push.example", 2.0, False, "unable to get local issuer certificate"),
        ("push.example", -1.0, True, "certificate has expired"),
    ],
)
async def test_a_certificate_that_is_not_believed_is_told(
    tmp_path: Path, name: str, days: float, known: bool, said: str
) -> None:
    authority = Authority(tmp_path)
    async with listening(tls=serving(authority, name, days=days)) as port:
        # An authority's PEM may stand in the settings as text, too.
        ca = authority.file.read_text(encoding="ascii") if known else None
        line = replace(LINE, port=port, ca=ca)
        found = await try_line(line, "push.example", proxy=None, look_up=to_loopback)
    assert found.what == "wrong"
    assert said in found.says
    assert "opens TLS" in found.mend


async def test_what_nobody_depends_on_is_only_to_be_looked_at() -> None:
    line = replace(LINE, port=a_free_port())
    found = await try_line(line, "push.example", proxy=None, matters=False, look_up=to_loopback)
    assert (found.what, found.says.endswith("refused")) == ("warning", True)


async def test_a_name_that_nobody_knows_is_told() -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    found = await try_line(LINE, "push.example", proxy=None, look_up=nobody)
    assert (found.what, "its name is not found" in found.says) == ("wrong", True)
    assert "DNS servers" in found.mend


async def test_a_name_server_that_hangs_ends_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    over = threading.Event()
    monkeypatch.setattr(reaching, "SECONDS", 0.05)

    def hangs(host: str, port: int) -> list[str]:
        over.wait()
        return ["127.0.0.1"]

    found = await try_line(LINE, "push.example", proxy=None, look_up=hangs)
    over.set()
    assert (found.what, "no answer within" in found.says) == ("wrong", True)


async def test_a_server_that_says_nothing_ends_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "SECONDS", 0.1)
    async with listening() as port:
        found = await try_line(
            replace(LINE, port=port), "push.example", proxy=None, look_up=to_loopback
        )  # fmt: skip
    assert "no answer within" in found.says
    assert f"let {HERE} reach push.example:{port} by TCP" in found.mend
    assert finding.SECONDS == 10.0


async def test_it_is_no_tls_at_that_port() -> None:
    async def greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example\r\n")
        await stay(reader, writer)

    async with listening(greets) as port:
        found = await try_line(
            replace(LINE, port=port), "push.example", proxy=None, look_up=to_loopback
        )  # fmt: skip
    assert found.what == "wrong"
    assert "no TLS" in found.says


@asynccontextmanager
async def a_proxy(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Says `answer` to CONNECT, and goes on to the port that was asked for on this machine."""
    heard: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heard.append(head)
        writer.write(answer)
        if not answer.startswith(b"HTTP/1.1 200"):
            return writer.close()
        port = int(head.split(b" ")[1].rpartition(b":")[2])
        inner, outer = await asyncio.open_connection("127.0.0.1", port)

        async def copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
            try:
                while octets := await source.read(4096):
                    to.write(octets)
            except ConnectionError:
                pass
            finally:
                to.transport.abort()

        await asyncio.gather(copy(reader, outer), copy(inner, writer))
        return None

    async with listening(handle) as port:
        yield f"http://127.0.0.1:{port}", heard


async def test_through_the_proxy_the_name_is_the_proxys_matter(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    asked: list[str] = []

    def look_up(host: str, port: int) -> list[str]:
        asked.append(host)
        return [host]

    async with (
        listening(tls=serving(authority, "push.example")) as port,
        a_proxy(b"HTTP/1.1 200 Connection established\r\n\r\n") as (proxy, heard),
    ):
        line = replace(LINE, port=port, ca=str(authority.file), by_proxy=True)
        found = await try_line(line, "push.example", proxy=proxy, look_up=look_up)
    assert found.what == "ok"
    assert "through the proxy" in found.says
    assert asked == ["127.0.0.1"]
    assert heard[0].startswith(f"CONNECT push.example:{port} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize(
    ("answer", "said", "mend"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "answers 403", "let the proxy admit CONNECT to push.example:443"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "answers nonsense", "let the proxy admit"),
        (b"", "does not speak HTTP", "`server.outbound_proxy`"),
    ],
)
async def test_a_proxy_that_does_not_let_us_through_is_told(answer: bytes, said: str, mend: str) -> None:
    async with a_proxy(answer) as (proxy, _):
        line = replace(LINE, by_proxy=True)
        found = await try_line(line, "push.example", proxy=proxy, look_up=lambda host, port: [host])
    assert found.what == "wrong"
    assert said in found.says
    assert mend in found.mend


async def test_a_proxy_is_not_used_for_what_is_inside() -> None:
    async with listening() as port, a_proxy(b"HTTP/1.1 403 Forbidden\r\n\r\n") as (proxy, heard):
        line = replace(LINE, port=port, tls="", by_proxy=False)
        found = await try_line(line, "dc1.example.com", proxy=proxy, look_up=to_loopback)
    assert found.what == "ok"
    assert not heard
