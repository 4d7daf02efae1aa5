"""Which logins there were and are: read from the evidence, newest or live."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from radius_push.evidence import EvidenceRow
from radius_push.model import Device, PersonKey, QuestionState
from radius_push.observe.timeline import ASKED, CONTESTED, ENDS, Login, tell
from radius_push.ports import Store

PAGE = 500
"""Evidence rows read in one go."""
LOOK_AGAIN = 5.0
"""Seconds after which news are looked for, should a bell have been missed."""
LINGER = 5.0
"""Seconds behind the end of its bar in which an open question may still be about to be closed."""

WAITING = "waiting"
UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which logins are of interest; what is None does not matter."""

    user: str | None = None
    """A name as typed, or a person key; letter case does not matter."""
    persons: frozenset[PersonKey] = frozenset()
    """Who else `user` means: everybody whom a directory spells so."""
    client: str | None = None
    since: float | None = None
    """UTC seconds."""

    def admits(self, row: EvidenceRow) -> bool:
        _, at, _, fields = row
        if self.since is not None and at < self.since:
            return False
        if self.client is not None and fields.get("client") != self.client:
            return False
        if self.user is None:
            return True
        person = str(fields.get("person"))
        names = (str(fields.get("username")).casefold(), person.casefold())
        return self.user.casefold() in names or any(str(each) == person for each in self.persons)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a login stands."""

    login: Login
    verdict: str
    """`accepted`, `rejected`, `unanswered`; `waiting` for a phone; `unfinished`: its server ended."""
    device: Device | None
    """The phone that answered."""
    seconds: float | None
    """From the request to the verdict, or until now."""

    @property
    def method(self) -> str | None:
        """The second factor that was used, or is waited for."""
        return self.login.text("method") or ("push" if self.login.question else None)

    @property
    def reason(self) -> str | None:
        """Why nobody was let in; what an earlier try of an accepted login was told is not one."""
        return None if self.verdict == "accepted" else self.login.text("reason")

    def values(self) -> dict[str, object]:
        """For JSON."""
        login = self.login
        return {
            "login": login.code,
            "began": login.began,
            "ended": login.ended,
            "user": login.text("username"),
            "person": login.text("person"),
            "client": login.text("client"),
            "address": login.text("address"),
            "verdict": self.verdict,
            "contested": login.contested,
            "reason": self.reason,
            "detail": login.text("detail"),
            "profile": login.text("profile"),
            "policy": login.text("policy"),
            "method": self.method,
            "device": login.text("device"),
            "phone": self.device.name if self.device else None,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
        }


async def wanted(store: Store, *, user: str | None, client: str | None, since: float | None) -> Wanted:
    """`user` also means whoever has a phone under that name, however they type it."""
    persons = () if user is None else await store.people()
    return Wanted(
        user=user,
        persons=frozenset(
            each.person for each in persons if each.username.casefold() == str(user).casefold()
        ),
        client=client,
        since=since,
    )


async def of_code(store: Store, code: str) -> list[Login]:
    """Every login with this trace code, newest first."""
    return tell(await store.evidence_of(code))[::-1]


async def phones(store: Store, login: Login) -> dict[str, Device]:
    """All that the login speaks of, by their ids."""
    ids = dict.fromkeys(id for step in login.steps if (id := step.text("device")))
    found = [await store.device(id) for id in ids]
    return {device.id: device for device in found if device is not None}


async def newest(store: Store, wanted: Wanted, *, most: int, upto: int) -> list[Login]:
    """The last `most` logins that are wanted, oldest first; an open one stands where it was asked.

    `upto`: the evidence number behind which `follow` tells.
    """
    found: dict[int, Login] = {}
    before = upto + 1
    while len(found) < most:
        rows = await store.evidence_before(before, kinds=(ASKED, *ENDS), most=PAGE)
        for row in rows:
            if len(found) < most and wanted.admits(row) and (login := await _told_by(store, row)):
                found.setdefault(login.number, login)
        if not rows or (wanted.since is not None and rows[-1][1] < wanted.since):
            break
        before = rows[-1][0]
    return list(found.values())[::-1]


async def follow(
    store: Store, wanted: Wanted, *, after: int, still_there: Callable[[], bool]
) -> AsyncIterator[Login]:
    """Logins as they are asked and as they end, from behind evidence number `after` on.

    Ends when the store is no longer `still_there`: nobody writes to one that was replaced.
    """
    async with store.news() as bell:
        while still_there():
            async for row in store.evidence(after=after):
                after = row[0]
                if (
                    row[2] in (ASKED, *ENDS, CONTESTED)
                    and wanted.admits(row)
                    and (login := await _told_by(store, row))
                ):
                    yield login
            await bell.wait(LOOK_AGAIN)


async def newest_number(store: Store) -> int:
    """Of the newest row that tells of a login; 0 if there is none."""
    rows: Sequence[EvidenceRow] = await store.evidence_before(None, kinds=(ASKED, *ENDS), most=1)
    return rows[0][0] if rows else 0


async def outcome(store: Store, login: Login, *, now: float) -> Outcome:
    """How a login stands at `now`, UTC seconds."""
    id = login.text("device")
    device = await store.device(id) if id else None
    accepted = login.end is not None and login.end.kind == "accepted"
    # Of several tries one may have ended while another waits.
    if not accepted and await _is_waiting(store, login, now=now):
        return Outcome(login, WAITING, device, seconds=max(0.0, now - login.began))
    if login.end is not None:
        return Outcome(login, login.end.kind, device, seconds=max(0.0, login.end.at - login.began))
    return Outcome(login, UNFINISHED, device, seconds=None)


async def _is_waiting(store: Store, login: Login, *, now: float) -> bool:
    if login.question is None:
        return False
    question = await store.question(login.question)
    return (
        question is not None
        and question.state in (QuestionState.PENDING, QuestionState.APPROVED)
        and now < question.expires_at + LINGER
    )


async def _told_by(store: Store, row: EvidenceRow) -> Login | None:
    """The login whose end this row is, or that has none yet: so each is told by one row at a time."""
    number, _, kind, fields = row
    for login in tell(await store.evidence_of(str(fields.get("login", "")))):
        if any(step.number == number for step in login.steps):
            return login if kind in (*ENDS, CONTESTED) or login.end is None else None
    return None
