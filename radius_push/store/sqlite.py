"""The store in one SQLite file: every method is one transaction, on disk when it returns.

What a transaction does is written in `questions.py`, `phones.py` and `evidence.py`; how many of them share
one commit is the matter of `writer.py`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar

from radius_push.events import ClockTrusted, Event, ServerStarted, ServerStopped
from radius_push.evidence import EvidenceRow
from radius_push.model import (
    PersonKey,
    Sighting,
    Stranger,
)
from radius_push.ports import Accounted, Bell, Clock, Closed, SeriesOf
from radius_push.sessions import News, Reset, Session
from radius_push.store import (
    beside,
    evidence,
    gateways,
    latest,
    retention,
    servers,
    sessions,
)
from radius_push.store.asking import CLOCK_MAY_JUMP
from radius_push.store.bells import EVIDENCE, person_topic
from radius_push.store.evidence import Row
from radius_push.store.file import lock_for, open_file
from radius_push.store.lock import StoreLock
from radius_push.store.posted import Post
from radius_push.store.signed_in import SignedIn
from radius_push.store.writer import OnEvent, Transaction, Writer

T = TypeVar("T")

PAGE = 500
"""Evidence rows read in one go."""


class SqliteStore(SignedIn, Post):
    """`ports.Store` over one file, which other processes may have open too."""

    def __init__(
        self, rows: sqlite3.Connection, *, clock: Clock, on_event: OnEvent, lock: StoreLock | None
    ) -> None:
        """For `open`."""
        self._lock = lock
        self._clock = clock
        self._latest = latest.latest(rows)
        self._on_event = on_event
        self._writer = Writer(rows, on_event=self._heard)

    @classmethod
    def open(cls, path: Path, *, clock: Clock, on_event: OnEvent, serves: str | None = None) -> SqliteStore:
        """Open the file, made if absent (its folder 0700, itself 0600). `serves`: as the server of that
        name, of which there is one at a time.

        `on_event` is called with the time of an event and the event, in order, in the event loop of whoever
        wrote it, once it is on disk. Raises StoreDown with a sentence for the admin.
        """
        lock = None if serves is None else lock_for(path, server=serves)
        try:
            return cls(open_file(path), clock=clock, on_event=on_event, lock=lock)
        except BaseException:
            if lock is not None:
                lock.release()
            raise

    def _heard(self, at: float, event: Event) -> None:
        self._latest = max(self._latest, at)
        self._on_event(at, event)

    def busy(self) -> int:
        """Jobs begun and not yet heard of: a turned test clock moves only when there are none."""
        return self._writer.busy()

    async def look(self) -> None:
        """Hear now, and not within 200 ms, what another process has changed: for a turned test clock."""
        await self._writer.look()

    async def close(self) -> None:
        await self._writer.close()
        if self._lock is not None:
            self._lock.release()

    def bell(self, person: PersonKey) -> AbstractAsyncContextManager[Bell]:
        return self._writer.bells.listen(person_topic(person))

    def owed(self, client: str) -> int:
        return self._writer.owed(client)

    # --- sessions ------------------------------------------------------------------------------------

    async def account(self, news: News, *, packet: bytes, most: int, may_open: bool = True) -> Accounted:
        return await self._write(
            lambda rows: sessions.account(rows, news, packet=packet, most=most, may_open=may_open),
            client=news.key.client,
        )

    async def reset_sessions(self, reset: Reset, *, packet: bytes, may_note: bool = True) -> Closed:
        return await self._write(
            lambda rows: sessions.reset(rows, reset, packet=packet, may_note=may_note), client=reset.client
        )

    async def sessions_before(
        self, number: int | None, *, live: bool, most: int
    ) -> Sequence[tuple[int, Session]]:
        return await self._read(lambda rows: sessions.newest(rows, live=live, before=number, most=most))

    # --- evidence ------------------------------------------------------------------------------------

    async def record(self, *events: Event) -> None:
        at = self._clock.now()

        def work(rows: Transaction) -> None:
            for event in events:
                rows.write(at, event)

        await self._write(work, events[0] if events else None)

    async def add(self, *events: tuple[float, Event]) -> None:
        whose = "whoever has a login"
        await self._writer.run(lambda rows: beside.add(rows, events), writes=True, whose=whose, urgent=False)

    async def evidence(self, *, after: int = 0) -> AsyncIterator[EvidenceRow]:
        while rows := await self._evidence_after(after):
            for number, at, kind, body, _ in rows:
                yield number, at, kind, json.loads(body)
                after = number

    def news(self) -> AbstractAsyncContextManager[Bell]:
        return self._writer.bells.listen(EVIDENCE)

    async def evidence_before(
        self, number: int | None, *, kinds: Collection[str], most: int
    ) -> Sequence[EvidenceRow]:
        return await self._read(lambda rows: evidence.before(rows.rows, number, kinds=kinds, most=most))

    async def evidence_of(self, login: str) -> Sequence[EvidenceRow]:
        return await self._read(lambda rows: evidence.of_login(rows.rows, login))

    async def last_login_of(self, person: PersonKey) -> EvidenceRow | None:
        return await self._read(lambda rows: evidence.last_login_of(rows.rows, person))

    async def last_address_of(self, person: PersonKey, *, before: float) -> str | None:
        return await self._read(lambda rows: evidence.last_address_of(rows.rows, person, before=before))

    async def was_let_in(
        self, person: PersonKey, *, clients: Collection[str], profile: str, since: float
    ) -> bool:
        def work(rows: Transaction) -> bool:
            until = self._clock.now() + CLOCK_MAY_JUMP
            return evidence.was_let_in(
                rows.rows, person, clients=clients, profile=profile, since=since, until=until
            )

        return await self._read(work)

    async def verify_evidence(self) -> int:
        head = await self._read(lambda rows: evidence.beginning(rows.rows))
        while rows := await self._evidence_after(head.number):
            head = evidence.follow(head, rows)
        await self._read(lambda rows: evidence.check_copies(rows.rows))
        return head.number

    async def _evidence_after(self, number: int) -> list[Row]:
        return await self._read(lambda rows: evidence.page(rows.rows, after=number, most=PAGE))

    async def let_go(self, before: float, *, at: float) -> bool:
        return await self._write(lambda rows: retention.let_go(rows, before, at=at))

    # --- who serves --------------------------------------------------------------------------------

    async def server_started(self, event: ServerStarted, *, names: Collection[str]) -> None:
        at = self._clock.now()
        await self._write(lambda rows: servers.started(rows, event, at=at, names=names))

    async def server_stopped(self, event: ServerStopped) -> None:
        at = self._clock.now()
        await self._write(lambda rows: servers.stopped(rows, event, at=at))

    async def servers(self) -> Mapping[str, int]:
        return await self._read(servers.serving)

    # --- what was seen of the gateways ---------------------------------------------------------------

    async def keep_sightings(
        self, sightings: Sequence[Sighting], strangers: Sequence[Stranger], series: SeriesOf
    ) -> None:
        await self._write(lambda rows: gateways.keep_sightings(rows, sightings, strangers, series))

    async def keep_tallies(self, tallies: Mapping[tuple[str, str], int], *, server: str) -> None:
        await self._write(lambda rows: servers.keep_tallies(rows, tallies, server=server))

    async def sightings(self) -> Sequence[Sighting]:
        return await self._read(gateways.sightings)

    async def strangers(self) -> Sequence[Stranger]:
        return await self._read(gateways.strangers)

    async def tallies(self) -> Mapping[tuple[str, str], int]:
        return await self._read(servers.tallies)

    async def latch(self, client: str, source: str, *, at: float) -> bool:
        return await self._write(lambda rows: gateways.latch(rows, client, source, at=at))

    async def unlatch(self, client: str, source: str | None, *, by: str, at: float) -> int:
        return await self._write(lambda rows: gateways.unlatch(rows, client, source, by=by, at=at))

    async def latches(self) -> Sequence[tuple[str, str]]:
        return await self._read(gateways.latches)

    # --- the clock -----------------------------------------------------------------------------------

    async def trust_clock(self, *, by: str) -> None:
        at = self._clock.now()
        ahead = max(0.0, self._latest - at)
        await self._write(lambda rows: latest.trust(rows, ClockTrusted(ahead, by), at=at))
        self._latest = at
