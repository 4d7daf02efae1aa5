"""What faces a Prometheus: the numbers of this process, and the listener where they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from radius_push import __version__
from radius_push.events import Event
from radius_push.observe.metrics import CONTENT_TYPE, Metrics
from radius_push.opening import CannotListen
from radius_push.ports import Clock
from radius_push.settings.more_servers import place as place_of
from radius_push.shapes import Settings
from radius_push.web.metrics_page import MetricsPage

OnEvent = Callable[[float, Event], None]


class MetricsDoor:
    """Open where the settings have `server.listen.metrics`; else nothing is measured."""

    def __init__(
        self, settings: Settings, *, clock: Clock, counters: Counter[str], held: Callable[[], int]
    ) -> None:
        self._settings = settings
        self._metrics: Metrics | None = None
        self._page: MetricsPage | None = None
        if settings.metrics is not None:
            metrics = Metrics(version=__version__, server=settings.name, held=held, counted=counters)
            self._metrics = metrics
            self._page = MetricsPage(
                settings.metrics,
                text=metrics.text,
                content_type=CONTENT_TYPE,
                clock=clock,
                counters=counters,
            )

    @property
    def port(self) -> int | None:
        """As bound."""
        return None if self._page is None else self._page.port

    def hearing(self, on_event: OnEvent) -> OnEvent:
        """Whoever is told of events, and the numbers with them."""
        metrics = self._metrics
        if metrics is None:
            return on_event

        def both(at: float, event: Event) -> None:
            metrics.hear(at, event)
            on_event(at, event)

        return both

    async def open(self) -> None:
        """Bind; who comes now waits for `welcome`. Raises CannotListen."""
        if self._page is None or self._settings.metrics is None:
            return
        try:
            await self._page.open()
        except OSError as problem:
            place = place_of(self._settings, "server.listen.metrics.address")
            raise CannotListen(place, self._settings.metrics, problem, udp=False) from problem

    def welcome(self) -> None:
        if self._page is not None:
            self._page.welcome()

    async def close(self) -> None:
        if self._page is not None:
            await self._page.close()
