"""How it goes, in numbers for Prometheus: made from the evidence's events, and from what is only counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from radius_push import events
from radius_push.events import Event

# No family more for each, that says when it began.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves this one untyped

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)
"""Where the histograms look: a promise of two seconds has to be seen."""


class Metrics:
    """Counts each event of this process as it is written. Labels are words of our own: never a name, a
    device, an address or anything that somebody sent."""

    def __init__(self, *, version: str, server: str, held: Callable[[], int], counted: Mapping[str, int]):
        """`server`: its name in the settings. `held`: logins that are worked on now. `counted`: the counters
        of the whole process, read whenever somebody asks."""
        self._registry = registry = CollectorRegistry(auto_describe=False)
        self._rings = Counter(
            "radius_push_rings",
            "Rings of phones: what the push service made of each.",
            ("channel", "outcome"),
            registry=registry,
        )
        self._to_ring = Histogram(
            "radius_push_request_to_ring_seconds",
            "From a gateway's request, the password included, to the first try to ring a phone for it.",
            ("channel",),
            buckets=SECONDS,
            registry=registry,
        )
        self._to_answer = Histogram(
            "radius_push_ring_seconds",
            "From the first try to ring until the push service had answered for good.",
            ("channel",),
            buckets=SECONDS,
            registry=registry,
        )
        self._to_receipt = Histogram(
            "radius_push_ring_to_receipt_seconds",
            "From the first try to ring until the phone itself said that the push had come.",
            ("channel",),
            buckets=SECONDS,
            registry=registry,
        )
        self._logins = Counter(
            "radius_push_logins",
            "Logins that ended. The reason of an accept is its second factor.",
            ("verdict", "reason"),
            registry=registry,
        )
        self._verdicts = Histogram(
            "radius_push_login_seconds",
            "From a login's request to its verdict, the person's own time with it.",
            ("verdict",),
            buckets=SECONDS,
            registry=registry,
        )
        registry.register(_Now(version=version, server=server, held=held, counted=counted))

    def hear(self, at: float, event: Event) -> None:
        """An event that was just written, `at` in UTC seconds."""
        match event:
            case events.Rang():
                self._rang(event)
            case events.PushReceived(what="received"):
                self._to_receipt.labels(event.channel).observe(event.milliseconds / 1000)
            case events.Accepted():
                self._ended("accepted", event.method, at - event.arrived_at)
            case events.Rejected():
                self._ended("rejected", event.reason, at - event.arrived_at)
            case events.Unanswered():
                self._ended("unanswered", event.reason, at - event.arrived_at)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)

    def families(self) -> Iterator[Metric]:
        """Each with its name, kind and meaning, for the reference."""
        yield from self._registry.collect()

    def _rang(self, rang: events.Rang) -> None:
        self._rings.labels(rang.channel, rang.outcome).inc()
        self._to_answer.labels(rang.channel).observe(rang.milliseconds / 1000)
        if rang.login is not None:
            self._to_ring.labels(rang.channel).observe(rang.since_request / 1000)

    def _ended(self, verdict: str, reason: str, seconds: float) -> None:
        self._logins.labels(verdict, str(reason)).inc()
        # The clock may have been set back meanwhile.
        self._verdicts.labels(verdict).observe(max(0.0, seconds))


class _Now(Collector):
    """What is true at the moment of asking."""

    def __init__(self, *, version: str, server: str, held: Callable[[], int], counted: Mapping[str, int]):
        self._version = version
        self._server = server
        self._held = held
        self._counted = counted

    def collect(self) -> Iterator[Metric]:
        info = GaugeMetricFamily("radius_push_info", "Always 1.", labels=("version", "server"))
        info.add_metric((self._version, self._server), 1)
        yield info
        yield GaugeMetricFamily("radius_push_held", "Logins that are worked on or held now.", self._held())
        counted = CounterMetricFamily(
            "radius_push_counted", "How often what else is counted happened; see below.", labels=("what",)
        )
        for what, times in sorted(self._counted.items()):
            counted.add_metric((what,), times)
        yield counted
