"""A house that takes accounting, and gateways that report to it."""

from __future__ import annotations

import asyncio

from radius_push.radius.wire import Code, seal_request
from radius_push.sessions import Session
from tests.radius.reports import report as write_report
from tests.scenarios.house import SECRET, SETTINGS, House
from tests.scenarios.test_odd_packets import Wire

WITH_ACCOUNTING = SETTINGS.replace(
    'authentication: ["127.0.0.1:0"]', 'authentication: ["127.0.0.1:0"]\n    accounting: ["127.0.0.1:0"]'
)


def report(status: int | None, **more: object) -> bytes:
    return write_report(status, secret=SECRET, **more)  # type: ignore[arg-type]


async def tell(
    h: House, *datagrams: bytes, source: str = "127.0.0.1", server: tuple[str, int] | None = None
) -> list[int]:
    """Send them one after the other from one socket; the codes of what came back within 40 s."""
    wire = Wire()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: wire, local_addr=(source, 0), remote_addr=server or h.server.accounting[0]
    )
    try:
        for datagram in datagrams:
            transport.sendto(datagram)
            await asyncio.sleep(1)
        await asyncio.sleep(39)
    finally:
        transport.close()
    return [datagram[0] for datagram in wire.heard]


def status_server() -> bytes:
    return seal_request(
        identifier=1,
        authenticator=b"s" * 16,
        secret=SECRET,
        attributes=b"",
        sign=True,
        code=Code.STATUS_SERVER,
    )


async def sessions(h: House, *, live: bool = True) -> list[Session]:
    """Oldest first."""
    return [each for _, each in await h.server.store.sessions_before(None, live=live, most=100)][::-1]
