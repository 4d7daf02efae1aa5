"""A real mail server of one's own, in this process: STARTTLS, TLS and AUTH; and one that is none."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "radius-push", "mail-canary-40c2"


@dataclass
class MailPeer:
    """What it took, and what it is to refuse."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    sessions: int = 0
    refuse: dict[str, str] = field(default_factory=dict)
    """Recipient -> reply."""

    async def handle_RCPT(  # noqa: N802  as aiosmtpd calls it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients += envelope.rcpt_tos
        return "250 OK"


def _authenticate(_: Any, __: Any, ___: Any, ____: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=good, handled=False)


@asynccontextmanager
async def mail_peer(
    *, tls: tuple[str, str] | None = None, implicit: bool = False, asks_login: bool = False
) -> AsyncIterator[MailPeer]:
    """`tls`: certificate and key, for STARTTLS, or from the first octet on (`implicit`)."""
    peer = MailPeer()
    context = None
    if tls is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*tls)

    def serve() -> SMTP:
        peer.sessions += 1
        with warnings.catch_warnings():
            # It sees no TLS that was there from the first octet on.
            warnings.simplefilter("ignore", UserWarning)
            return SMTP(
                peer,
                hostname="mail.example.test",
                tls_context=None if implicit else context,
                require_starttls=context is not None and not implicit,
                auth_required=asks_login,
                auth_require_tls=not implicit,
                authenticator=_authenticate,
            )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(serve, "127.0.0.1", 0, ssl=context if implicit else None)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def evil_peer(*says: bytes, again: bytes = b"") -> AsyncIterator[int]:
    """Says something, then `again` and again for ever; silent without. Its port."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for each in says:
                writer.write(each)
            while again:
                writer.write(again)
                await writer.drain()
                await asyncio.sleep(0)
            await asyncio.Event().wait()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
