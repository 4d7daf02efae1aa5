"""A gateway that asks everything from one socket: another Identifier and Authenticator for each request."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable

from radius_push.client import Reply
from radius_push.model import ProofName, Secret
from radius_push.radius.asking import CHANCE, read_reply, respond, write_request
from radius_push.radius.packet import load_dictionary
from radius_push.radius.wire import MalformedPacket, NotAuthentic


class OneSocket(asyncio.DatagramProtocol):
    """Replies find their request by the Identifier."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self._waiting: dict[int, tuple[bytes, float, asyncio.Future[Reply]]] = {}
        self._next = 0

    @classmethod
    async def open(cls, server: tuple[str, int], *, source: str, secret: Secret) -> OneSocket:
        made = cls(secret)
        await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: made, remote_addr=server, local_addr=(source, 0)
        )
        return made

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def close(self) -> None:
        self._transport.close()

    async def ask(
        self,
        username: str,
        password: str | None,
        *,
        proof: ProofName = "pap",
        attributes: Iterable[tuple[str, str]] = (),
        message_authenticator: bool = True,
        timeout: float = 100.0,
    ) -> Reply | None:
        """None after `timeout` seconds. Without a password: it proves nothing."""
        loop = asyncio.get_running_loop()
        identifier, authenticator = self._next, secrets.token_bytes(16)
        self._next = (self._next + 1) % 256
        clear = None if password is None else Secret(password)
        response = (
            None
            if clear is None
            else respond(proof, username=username, password=clear, chance=secrets.token_bytes(CHANCE))
        )
        request = write_request(
            identifier=identifier,
            authenticator=authenticator,
            secret=self._secret,
            username=username,
            password=clear if response is None else None,
            response=response,
            attributes=attributes,
            message_authenticator=message_authenticator,
            dictionary=load_dictionary(),
        )
        future: asyncio.Future[Reply] = loop.create_future()
        self._waiting[identifier] = (authenticator, loop.time(), future)
        self._transport.sendto(request)
        await asyncio.wait({future}, timeout=timeout)
        return future.result() if future.done() else None

    def datagram_received(self, data: bytes, addr: object) -> None:
        authenticator, began, future = self._waiting[data[1]]
        try:
            code, texts = read_reply(
                data,
                identifier=data[1],
                authenticator=authenticator,
                secret=self._secret,
                dictionary=load_dictionary(),
            )
        except (MalformedPacket, NotAuthentic):
            return
        if not future.done():
            future.set_result(Reply(code, texts, data, asyncio.get_running_loop().time() - began))
