"""The patience meter: how long each gateway was seen to wait, and what the admin is told of it.

In memory, and written beside the sightings: a restart forgets nothing. What the figures mean is decided in
`radius/patience.py`.
"""

from __future__ import annotations

import hmac
import logging
import unicodedata
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from radius_push.gateway import SHORT_FOR_A_PERSON, Series
from radius_push.model import Client, Secret, Sighting
from radius_push.radius.patience import (
    LEAST,
    Learned,
    Repeats,
    add,
    contradicts,
    learn,
    patience,
)
from radius_push.radius.presets import PRESETS

logger = logging.getLogger("radius_push")

MOST_SOURCES = 2_000
"""Gateways that are remembered; of more, those of which nothing was learned for longest are dropped."""
CONTRADICTIONS = 3
"""So many requests in a row that show other timers: somebody has set the gateway anew."""
NEWS = 1.0
"""Seconds by which what is learned must change to be worth a line in the log."""

Source = tuple[str, str]
"""Client and address."""


@dataclass(slots=True)
class Known:
    """What is known of one gateway."""

    series: tuple[Series, ...] = ()
    contradictions: int = 0
    told: tuple[float, bool] | None = None
    """The seconds that the log has told, and whether they count for everybody."""


class PatienceMeter:
    """Told of every request that is over and was no replay. Time is an argument: UTC seconds."""

    def __init__(self, *, key: Secret) -> None:
        """`key`: under which names are told apart without being kept."""
        self._key = key
        self._known: OrderedDict[Source, Known] = OrderedDict()
        self._changed: set[Source] = set()

    def learned(self, client: str, source: str, now: float) -> Learned | None:
        known = self._known.get((client, source))
        return None if known is None else learn(known.series, now)

    def patient(self, client: Client, source: str, username: str | None, now: float) -> Client:
        """The client, with the patience that this gateway truly has for this name."""
        if (client.name, source) not in self._known:
            return client
        learned = self.learned(client.name, source, now)
        return replace(client, patience=patience(client, learned, self._whose(username)))

    def over(
        self, repeats: Repeats, client: Client, source: str, username: str | None, *, ended: float, now: float
    ) -> None:
        """A request was answered or let go at `ended`, on the clock that `repeats` knows."""
        new = repeats.series(ended, at=now, whose=self._whose(username))
        known = self._known.get((client.name, source))
        if new is None and known is None:
            return
        known = known or Known()
        before = known.series
        self._doubt(known, repeats, new, ended=ended, now=now)
        if new is not None:
            known.series = add(known.series, new, now)
        if known.series == before:
            return
        self._keep((client.name, source), known)
        self._tell(client, source, known, now)

    def _doubt(self, known: Known, repeats: Repeats, new: Series | None, *, ended: float, now: float) -> None:
        """Forget all, if the gateway has shown too often that it has other timers now."""
        learned = learn(known.series, now)
        if learned is None or not contradicts(learned, repeats, new, ended):
            known.contradictions = 0
            return
        known.contradictions += 1
        if known.contradictions >= CONTRADICTIONS:
            known.series, known.contradictions, known.told = (), 0, None

    def _keep(self, source: Source, known: Known) -> None:
        self._known[source] = known
        self._known.move_to_end(source)
        self._changed.add(source)
        if len(self._known) > MOST_SOURCES:
            gone, _ = self._known.popitem(last=False)
            self._changed.discard(gone)

    def _tell(self, client: Client, source: str, known: Known, now: float) -> None:
        learned = learn(known.series, now)
        if learned is None or not learned.enough or learned.waits >= client.patience:
            return
        said, everybody = known.told or (0.0, False)
        if abs(learned.waits - said) >= NEWS or everybody != learned.of_many:
            known.told = (learned.waits, learned.of_many)
            sentence = "%s (%s) %s. %s"
            logger.warning(sentence, client.name, source, in_words(learned), mend(client, learned))

    def _whose(self, username: str | None) -> bytes:
        """8 octets. Different spellings of one name are one: they make nobody look like two people."""
        name = unicodedata.normalize("NFKC", username or "").casefold()
        name = "".join(name.rpartition("\\")[2].partition("@")[0].split())
        return hmac.digest(self._key.reveal(), b"repeats of\0" + name.encode(), "sha256")[:8]

    def load(self, sightings: Iterable[Sighting]) -> None:
        """What an earlier run has learned. Before the first packet is heard."""
        for each in sorted(sightings, key=lambda each: each.last_at):
            if each.series:
                self._keep((each.client, each.source), Known(each.series))
        self._changed.clear()

    def news(self) -> Mapping[Source, tuple[Series, ...]]:
        """What was not `kept` yet."""
        return {source: self._known[source].series for source in self._changed}

    def kept(self, news: Mapping[Source, tuple[Series, ...]]) -> None:
        self._changed -= {
            source
            for source, series in news.items()
            if source not in self._known or self._known[source].series == series
        }


def in_words(learned: Learned) -> str:
    """`gives up after about 20 s: it asks 5 times, every 4 s (seen 3 times)`."""
    how = "the first time after" if learned.grows else "every"
    times = "once" if learned.seen == 1 else f"{learned.seen} times"
    return (
        f"gives up after about {learned.waits:.0f} s: it asks {learned.tries} times, {how} "
        f"{learned.interval:.1f} s (seen {times})".replace(".0 s", " s")
    )


def mend(client: Client, learned: Learned) -> str:
    """What the admin is to set, there and here."""
    if not client.patience_said:
        whose = "phones have" if learned.of_many else "the phone of the one person whose logins show it has"
        then = f"Once that is set, write `patience: {client.patience:g}s` here."
        return f"So {whose} less time. {to_set(client)} {then}"
    here = f"or write `patience: {max(LEAST, learned.waits):.0f}s`"
    return f"Phones ring for too long: the settings say {client.patience:g} s; {here}. {to_set(client)}"


def to_set(client: Client) -> str:
    """On the gateway, as its preset knows it."""
    preset = PRESETS[client.preset]
    return f"{preset.title}: {' '.join(preset.to_set)}"


def is_short(seconds: float) -> bool:
    """Too short for a person?"""
    return seconds < SHORT_FOR_A_PERSON
