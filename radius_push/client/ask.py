"""Ask a RADIUS server about one login, as a gateway would: the same packet again until it answers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from radius_push.model import MsChapV2, ProofName, Secret
from radius_push.radius.asking import CHANCE, read_reply, read_told, respond, write_request
from radius_push.radius.attributes import Attributes
from radius_push.radius.dictionary import Dictionary
from radius_push.radius.mschap import Told
from radius_push.radius.wire import MalformedPacket, NotAuthentic


class NobodyListens(OSError):
    """The server's machine says that nothing listens on that port (ICMP port unreachable)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said; both its seals are right."""

    code: int
    """2 is Access-Accept, 3 is Access-Reject."""
    attributes: Attributes
    """Name -> values as text."""
    octets: bytes = field(repr=False)
    seconds: float
    """From the first packet to the reply."""
    mschapv2: Told | None = None
    """What it says to a login by MS-CHAPv2, checked with the password."""


async def ask(
    *,
    server: tuple[str, int],
    secret: Secret,
    username: str,
    password: str | bytes,
    proof: ProofName = "pap",
    attributes: Iterable[tuple[str, str]] = (),
    timeout: float = 60.0,
    tries: int = 1,
    source: tuple[str, int] | None = None,
    message_authenticator: bool = True,
    wait_for_listener: bool = True,
    dictionary: Dictionary,
) -> Reply | None:
    """One login. Each of `tries` sends the same octets and waits `timeout` seconds; None after
    the last. What is not a right reply is ignored, as a forger's would have to be.

    A password given as octets is sent as it is (a gateway that speaks Latin-1). `source` is the
    address and port to speak from. A gateway goes on waiting where nothing listens (yet); without
    `wait_for_listener` that raises NobodyListens at once. ValueError for a request that can't be
    written, OSError if there is no socket to be had.
    """
    identifier, authenticator = secrets.randbelow(256), secrets.token_bytes(16)
    clear = Secret(password)
    response = respond(proof, username=username, password=clear, chance=secrets.token_bytes(CHANCE))
    request = write_request(
        identifier=identifier,
        authenticator=authenticator,
        secret=secret,
        username=username,
        password=clear if response is None else None,
        response=response,
        attributes=attributes,
        message_authenticator=message_authenticator,
        dictionary=dictionary,
    )
    loop = asyncio.get_running_loop()
    started = loop.time()

    def read(datagram: bytes) -> Reply | None:
        try:
            code, texts = read_reply(
                datagram,
                identifier=identifier,
                authenticator=authenticator,
                secret=secret,
                dictionary=dictionary,
            )
        except (MalformedPacket, NotAuthentic):
            return None
        told = None
        if isinstance(response, MsChapV2):
            told = read_told(datagram, response, password=clear, secret=secret, authenticator=authenticator)
        return Reply(code, texts, datagram, loop.time() - started, told)

    waiting = _Waiting(read, patient=wait_for_listener)
    transport, _ = await loop.create_datagram_endpoint(lambda: waiting, remote_addr=server, local_addr=source)
    try:
        for _ in range(tries):
            transport.sendto(request)
            await asyncio.wait({waiting.reply}, timeout=timeout)
            if waiting.reply.done():
                return waiting.reply.result()
        return None
    finally:
        transport.close()


class _Waiting(asyncio.DatagramProtocol):
    """Waits for the one datagram that can be read as the reply."""

    def __init__(self, read: Callable[[bytes], Reply | None], *, patient: bool) -> None:
        self._read = read
        self._patient = patient
        self.reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        reply = self._read(data)
        if reply is not None and not self.reply.done():
            self.reply.set_result(reply)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there, yet: a gateway would try again as well."""
        if isinstance(exc, ConnectionRefusedError) and not self._patient and not self.reply.done():
            self.reply.set_exception(NobodyListens())
