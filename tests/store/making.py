"""What the tests of the store put into it: a clock they set, persons, questions, phones."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from radius_push import events
from radius_push.attempts import Met, Opened, Rider
from radius_push.events import Event
from radius_push.model import Device, DeviceState, Invitation, PersonKey, Question
from radius_push.ports import Store
from radius_push.shapes import DEFAULT_RING_LIMIT, RingLimit
from radius_push.store.sqlite import SqliteStore

NOW = 1_790_000_000.0
ALICE = PersonKey("corp-ldap", "uuid-of-alice")
BOB = PersonKey("corp-ldap", "uuid-of-bob")
ORIGIN = "https://mfa.example.com"
STARTED = events.ServerStarted("test", 1)


@dataclass
class SetClock:
    time: float = NOW

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass
class Log:
    """What reaches the log, in order."""

    events: list[Event] = field(default_factory=list)

    def __call__(self, at: float, event: Event) -> None:
        self.events.append(event)


def open_store(path: Path, clock: SetClock | None = None, log: Log | None = None) -> SqliteStore:
    return SqliteStore.open(path, clock=clock or SetClock(), on_event=log or Log())


def a_question(id: str = "q1", person: PersonKey = ALICE, **changes: object) -> Question:
    fields: dict[str, object] = {
        "login": f"login-of-{id}",
        "account": "alice",
        "client": "fw",
        "profile": "staff-push",
        "address": "198.51.100.7",
        "nonce": "n" * 22,
        "opened_at": NOW,
        "expires_at": NOW + 45,
        "closes_at": NOW + 195,
    }
    return Question(id=id, person=person, **{**fields, **changes})  # type: ignore[arg-type]


async def ask(store: Store, id: str = "q1", person: PersonKey = ALICE, **changes: object) -> Question:
    question = a_question(id, person, **changes)
    # Each from a port of its own: none is taken for another one's next try.
    rider = a_rider(
        f"packet {id}".encode(), at=question.opened_at, source_port=1024 + crc32(id.encode()) % 60000
    )
    met = await open_or_join(store, question, rider)
    assert isinstance(met, Opened)
    return question


def a_rider(packet: bytes = b"packet q1", *, at: float = NOW, **changes: object) -> Rider:
    fields: dict[str, object] = {
        "client": "fw",
        "source": "192.0.2.1",
        "source_port": 1645,
        "proof": "pap",
        "until": at + 50,
        "ends_at": at + 45,
        "may_join": True,
        "may_skip": True,
    }
    return Rider(packet, arrived_at=at, **{**fields, **changes})  # type: ignore[arg-type]


def an_asked(question: Question) -> events.Asked:
    return events.Asked(
        login=question.login,
        client=question.client,
        username=question.account,
        person=str(question.person),
        profile=question.profile,
        policy=None,
        address=question.address,
        question=question.id,
        devices=1,
        directories=(),
        trace=(),
        arrived_at=question.opened_at,
    )


async def open_or_join(
    store: Store,
    question: Question,
    rider: Rider | None = None,
    *,
    request: bytes | None = None,
    decision: bytes = b"",
    limit: RingLimit = DEFAULT_RING_LIMIT,
) -> Met:
    packet = f"packet {question.id}".encode()
    return await store.open_or_join(
        question,
        rider or a_rider(packet),
        request=request or packet,
        event=an_asked(question),
        decision=decision,
        limit=limit,
    )


def an_invitation(id: str = "i1", person: PersonKey = ALICE, expires_at: float = NOW + 600) -> Invitation:
    return Invitation(id, person, person.id.removeprefix("uuid-of-"), expires_at)


async def invite(
    store: Store, id: str = "i1", person: PersonKey = ALICE, expires_at: float = NOW + 600
) -> None:
    await store.invite(
        an_invitation(id, person, expires_at),
        token=f"token {id}".encode(),
        code=f"code {id}".encode(),
        event=events.Invited(str(person), "alice", id, "root", expires_at),
    )


def a_device(id: str = "d1") -> Device:
    return Device(
        id=id,
        person=PersonKey("-", "-"),
        username="",
        name="Pixel 7",
        public_key=b"\x04" + id.encode().ljust(64, b"."),
        state=DeviceState.PENDING,
        created_at=NOW,
        invitation="",
    )


async def redeem(store: Store, device: str = "d1", invitation: str = "i1", *, most: int = 2) -> object:
    return await store.redeem(
        f"token {invitation}".encode(), a_device(device), devices_per_user=most, origin=ORIGIN, at=NOW
    )


async def add_phone(store: Store, id: str = "d1", person: PersonKey = ALICE) -> None:
    """All the way: an active device."""
    await invite(store, f"invitation of {id}", person)
    assert isinstance(await redeem(store, id, f"invitation of {id}", most=99), Device)
    outcome = await store.confirm(f"invitation of {id}", right=True, limit=5, by="root", at=NOW)
    assert outcome == "confirmed"


async def kinds(store: Store) -> list[str]:
    """The evidence so far."""
    return [kind async for _, _, kind, _ in store.evidence()]
