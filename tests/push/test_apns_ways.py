"""The way to Apple: names, TLS, a proxy, and every way in which it is closed, with the mend."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from radius_push.push import tunnel
from radius_push.push.apns import ApnsDoor
from radius_push.push.tunnel import Found
from radius_push.push_shapes import Push
from radius_push.waking import Delivered, Unreachable
from tests.directory.certificates import Authority
from tests.push.apple import Apple, apple_service, tls_for
from tests.push.apple_doors import RealClock, open_door, send, settings_for

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def apple(authority: Authority) -> AsyncIterator[Apple]:
    async with apple_service(tls_for(authority)) as apple:
        yield apple


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that does something else than Apple."""
    open_now: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_now.add(task)
        try:
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            open_now.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(open_now):
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)
        await server.wait_closed()


async def refused(settings: Push, *, seconds: float = 10.0) -> Unreachable:
    async with open_door(settings) as door:
        outcome = await send(door, "ab" * 32, seconds=seconds)
    assert isinstance(outcome, Unreachable)
    return outcome


def at(settings: Push, port: int) -> Push:
    assert settings.apns is not None
    return replace(settings, apns=replace(settings.apns, url=f"https://localhost:{port}"))


# --- TLS -------------------------------------------------------------------------------------------


async def test_a_certificate_for_another_name_is_refused(authority: Authority) -> None:
    async with apple_service(tls_for(authority, "push.example")) as apple:
        outcome = await refused(settings_for(apple, authority.file))
        assert apple.asked == 0
    assert "certificate is refused here (Hostname mismatch" in outcome.detail
    assert outcome.retry_after is None


async def test_an_authority_that_nobody_named_is_refused(apple: Apple) -> None:
    outcome = await refused(settings_for(apple, None))
    assert "name its authority as methods.push.apns.ca_file" in outcome.detail
    assert outcome.retry_after is None
    assert apple.asked == 0


async def test_the_systems_authorities_are_believed_beside_ours(apple: Apple, authority: Authority) -> None:
    async with open_door(settings_for(apple, authority.file)) as door:
        assert door._lines is not None
        stats = door._lines._tls.cert_store_stats()
    assert stats["x509_ca"] >= len(ssl.create_default_context().get_ca_certs()) + 1


async def test_what_speaks_no_tls_is_named(apple: Apple, authority: Authority) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await reader.read()

    async with serving(greet) as port:
        outcome = await refused(at(settings_for(apple, authority.file), port))
    assert "TLS failed" in outcome.detail


async def test_what_speaks_no_http2_is_named(apple: Apple, authority: Authority) -> None:
    tls = tls_for(authority)
    tls.set_alpn_protocols(["http/1.1"])

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(old, tls) as port:
        outcome = await refused(at(settings_for(apple, authority.file), port))
    assert "speaks no HTTP/2" in outcome.detail


async def test_a_handshake_that_says_nothing_ends_with_the_login(apple: Apple, authority: Authority) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(silent) as port:
        outcome = await refused(at(settings_for(apple, authority.file), port), seconds=0.05)
    assert "no answer within" in outcome.detail


async def test_a_connection_without_apples_settings_is_none(authority: Authority) -> None:
    async with apple_service(tls_for(authority)) as apple:
        apple.no_settings = True
        outcome = await refused(settings_for(apple, authority.file), seconds=0.2)
    assert "no answer within" in outcome.detail


# --- names and ports -------------------------------------------------------------------------------


async def test_a_closed_port_is_named(apple: Apple, authority: Authority) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    outcome = await refused(at(settings_for(apple, authority.file), port))
    assert f"is TCP to its port {port} allowed to go out?" in outcome.detail
    assert outcome.retry_after == 1.0


async def test_the_next_address_is_taken_when_the_first_leads_nowhere(
    apple: Apple, authority: Authority
) -> None:
    def two(host: str, port: int) -> Found:
        kind = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
        return [(*kind, ("127.0.0.1", 1)), (*kind, ("127.0.0.1", port))]

    door = ApnsDoor(settings_for(apple, authority.file), clock=RealClock(), look_up=two)
    assert await send(door, apple.device()) == Delivered()
    await door.close()


async def test_a_dns_that_hangs_holds_up_nothing_else(apple: Apple, authority: Authority) -> None:
    ended = threading.Event()

    def hang(host: str, port: int) -> Found:
        ended.wait(30)
        raise OSError

    door = ApnsDoor(settings_for(apple, authority.file), clock=RealClock(), look_up=hang)
    try:
        outcomes = await asyncio.gather(*(send(door, "ab" * 32, seconds=0.05) for _ in range(20)))
        assert all(isinstance(outcome, Unreachable) for outcome in outcomes)
        # The loop's own threads are free.
        assert await asyncio.get_running_loop().run_in_executor(None, lambda: "free") == "free"
    finally:
        ended.set()
        await door.close()


# --- a proxy ---------------------------------------------------------------------------------------


def through(settings: Push, port: int) -> Push:
    return replace(settings, proxy=f"http://127.0.0.1:{port}")


async def test_through_a_proxy(apple: Apple, authority: Authority) -> None:
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        there, back = await asyncio.open_connection("127.0.0.1", apple.port)
        # Word for word another answer than the library waits for, and in two pieces.
        for piece in (b"HTTP/1.0 200 OK\r\nVia: ", b"a proxy\r\n\r\n"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(pipe(reader, back))
                both.create_task(pipe(there, writer))
        finally:
            back.transport.abort()

    async with serving(proxy) as port, open_door(through(settings_for(apple, authority.file), port)) as door:
        assert await send(door, apple.device()) == Delivered()
        assert await send(door, apple.device()) == Delivered()
    target = f"localhost:{apple.port}".encode()
    assert asked == [b"CONNECT " + target + b" HTTP/1.1\r\nHost: " + target + b"\r\n\r\n"]


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while octets := await reader.read(65536):
        writer.write(octets)
        await writer.drain()
    writer.transport.abort()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "the proxy answered 407; let it connect"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "the proxy answered 403; let it connect"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no answer of an HTTP proxy; look at server.outbound_proxy"),
        (b"HTTP/1.1 200 OK\r\n\r\nand more", "no answer of an HTTP proxy; look at server.outbound_proxy"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 9000, "no answer of an HTTP proxy"),
        (b"", "no answer of an HTTP proxy"),
    ],
    ids=["407", "403", "SSH", "more than asked", "endless", "nothing"],
)
async def test_a_proxy_that_does_not_let_us_through(
    apple: Apple, authority: Authority, answer: bytes, sentence: str
) -> None:
    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.write_eof()
        await reader.read()

    async with serving(proxy) as port:
        outcome = await refused(through(settings_for(apple, authority.file), port))
    assert sentence in outcome.detail
    assert apple.connected == 0


async def test_a_proxy_that_is_not_there_or_says_nothing(apple: Apple, authority: Authority) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    settings = settings_for(apple, authority.file)
    assert "look at server.outbound_proxy" in (await refused(through(settings, 1))).detail
    async with serving(silent) as port:
        assert "no answer within" in (await refused(through(settings, port), seconds=0.05)).detail


async def test_no_proxy_of_the_environment_is_used(
    apple: Apple, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    async with open_door(settings_for(apple, authority.file)) as door:
        assert await send(door, apple.device()) == Delivered()


async def test_the_log_of_the_way_names_no_secret(
    apple: Apple, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_door(settings_for(apple, authority.file)) as door:
        door.open()
        token = apple.device()
        assert await send(door, token) == Delivered()
        apple.connections[0].cut()
        await apple.until(lambda: not apple.connections)
    assert token not in caplog.text
    assert "bearer" not in caplog.text


def test_an_address_of_a_name_is_not_waited_for_long() -> None:
    assert tunnel.SECONDS_AN_ADDRESS < 10 / 2, "two of them fit into one try"
