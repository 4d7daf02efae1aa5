"""The page that Prometheus reads: one path, few visitors at a time, nothing to be sent to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from aiohttp import web

from radius_push.ports import Clock
from radius_push.shapes import Endpoint, PhoneListener
from radius_push.web.front_door import FrontDoor
from radius_push.web.proxies import Proxies

PATH = "/metrics"
CONNECTIONS = 8
SECONDS = 5.0
"""For a request to have come, and for what was written to be taken."""
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class MetricsPage:
    """One listener, in clear text and for everybody who reaches it: so it belongs on this machine."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        text: Callable[[], bytes],
        content_type: str,
        clock: Clock,
        counters: Counter[str],
    ) -> None:
        self._text = text
        self._content_type = content_type
        self._door = FrontDoor(
            PhoneListener(endpoint, url=f"http://{endpoint}"),
            side="metrics",
            clock=clock,
            counters=counters,
            proxies=Proxies(()),
            connections=CONNECTIONS,
            per_neighbourhood=CONNECTIONS,
            header_seconds=SECONDS,
            body_seconds=SECONDS,
            write_seconds=SECONDS,
        )

    @property
    def port(self) -> int:
        """As bound."""
        return self._door.port

    async def open(self) -> None:
        """Bind; who comes now waits for `welcome`. Raises OSError."""
        await self._door.open(self._app)

    def welcome(self) -> None:
        self._door.welcome()

    async def close(self) -> None:
        await self._door.let_nobody_in()
        await self._door.clean_up()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=1)
        app.router.add_get(PATH, self._say, allow_head=False)
        return app

    async def _say(self, request: web.Request) -> web.Response:
        headers = {"Content-Type": self._content_type, **_HEADERS}
        return web.Response(body=self._text(), headers=headers)
