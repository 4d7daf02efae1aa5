"""Rings somebody's phones with a test request, through the server that runs, and tells what came of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from radius_push import events
from radius_push.evidence import EvidenceRow
from radius_push.model import Device, Trial
from radius_push.ports import Clock, Store
from radius_push.waking import PushReach

MOST_SECONDS = 60.0
"""A test request lives no longer."""
MOST_IN_A_MINUTE = 3
"""Of one device, those it asked for itself with them."""


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened to one phone's test."""

    device: Device
    after: float
    """Seconds since the test began."""
    what: str
    """`delivered`, `gone`, `unreachable` or `refused`, as the push service said; `received` or `opened`, as
    the phone did; `answered`."""
    channel: str | None = None
    detail: str = ""
    milliseconds: int | None = None
    """Of a ring: from the first try to the push service's answer."""


@dataclass(slots=True)
class Trying:
    """One phone, and what is known so far."""

    device: Device
    trial: Trial | None
    """None: it had three tests in this minute already."""
    services: tuple[str, ...]
    """Where its pushes go; none: only an open app shows the test."""
    news: list[News] = field(default_factory=list)

    @property
    def rung(self) -> bool:
        """Has any server rung it?"""
        return any(each.milliseconds is not None for each in self.news)

    @property
    def answered(self) -> bool:
        return any(each.what == "answered" for each in self.news)

    @property
    def reached(self) -> bool:
        """Does the phone itself say so?"""
        return any(each.what in {"received", "opened", "answered"} for each in self.news)

    @property
    def over(self) -> bool:
        """Nothing more is to be waited for: it answered, or no push service took any ring."""
        rings = [each for each in self.news if each.milliseconds is not None]
        lost = 0 < len(self.services) <= len(rings) and all(each.what != "delivered" for each in rings)
        return self.trial is None or self.answered or lost


async def ring_and_watch(
    devices: Sequence[Device],
    *,
    store: Store,
    clock: Clock,
    by: str,
    seconds: float,
    tell: Callable[[News], None],
) -> list[Trying]:
    """Ask for a test of each, and wait until nothing more is to come, `seconds` at most. Raises StoreDown."""
    before = await store.evidence_before(None, kinds=events.kinds(), most=1)
    reach = await store.push_reach()
    tries = [await _ask(device, reach.get(device.id), store=store, clock=clock, by=by) for device in devices]
    watch = _Watch(tries, store=store, last=before[0][0] if before else 0, tell=tell)
    end = clock.monotonic() + seconds
    async with store.news() as bell:
        while True:
            await watch.look()
            left = end - clock.monotonic()
            if left <= 0 or all(each.over for each in tries):
                return tries
            await bell.wait(min(left, 1.0))


async def _ask(device: Device, reach: PushReach | None, *, store: Store, clock: Clock, by: str) -> Trying:
    now = clock.now()
    trial = Trial(secrets.token_hex(16), device.id, opened_at=now, expires_at=now + MOST_SECONDS)
    asked = events.TrialAsked(str(device.person), device.id, trial.id, by=by)
    written = await store.ask_trial(trial, most=MOST_IN_A_MINUTE, since=now - 60, event=asked)
    return Trying(device, trial if written else None, () if reach is None else reach.services)


class _Watch:
    """Reads on in the evidence."""

    def __init__(
        self, tries: Sequence[Trying], *, store: Store, last: int, tell: Callable[[News], None]
    ) -> None:
        self._by_trial = {each.trial.id: each for each in tries if each.trial is not None}
        self._store = store
        self._last = last
        self._tell = tell

    async def look(self) -> None:
        async for row in self._store.evidence(after=self._last):
            self._last = row[0]
            self._read(row)
        await self._look_at_reach()

    def _read(self, row: EvidenceRow) -> None:
        _, at, kind, said = row
        trying = self._by_trial.get(str(said.get("question") or said.get("trial") or ""))
        if trying is None or trying.trial is None:
            return
        after = max(0.0, at - trying.trial.opened_at)
        match kind:
            case "rang":
                self._note(trying, _rang(trying.device, after, said))
            case "push_received":
                what, channel = str(said["what"]), str(said["channel"])
                self._note(trying, News(trying.device, after, what, channel))
            case "trial_answered":
                self._note(trying, News(trying.device, after, "answered"))

    async def _look_at_reach(self) -> None:
        """A browser says that a push woke it, and not which."""
        for trying in self._by_trial.values():
            said = any(each.what in {"received", "opened"} for each in trying.news)
            if trying.trial is None or said or not trying.rung:
                continue
            reach = (await self._store.push_reach(trying.device.id)).get(trying.device.id)
            if reach is not None and (reach.seen_at or 0.0) >= trying.trial.opened_at:
                after = (reach.seen_at or 0.0) - trying.trial.opened_at
                self._note(trying, News(trying.device, after, "received", "web_push"))

    def _note(self, trying: Trying, news: News) -> None:
        trying.news.append(news)
        self._tell(news)


def _rang(device: Device, after: float, said: dict[str, object]) -> News:
    channel, outcome, detail = (str(said[name]) for name in ("channel", "outcome", "detail"))
    milliseconds = said["milliseconds"]
    return News(device, after, outcome, channel, detail, milliseconds if isinstance(milliseconds, int) else 0)
