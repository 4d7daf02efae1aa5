"""A phone side that really listens, over a real store, and the people it needs."""

from __future__ import annotations

import asyncio
import base64
import secrets
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from radius_push import enrollment, events
from radius_push.attempts import Joined, Lateness, Opened
from radius_push.model import (
    BiometricsMode,
    Device,
    Network,
    Person,
    PersonKey,
    Question,
    QuestionState,
    Reason,
    Secret,
    Trial,
)
from radius_push.notices import Notice
from radius_push.portal_store import PortalSignIn
from radius_push.ports import Places
from radius_push.push_shapes import NO_APPS, Apns, Fcm, Push, Token
from radius_push.shapes import Endpoint, Enrollment, PhoneListener, RingLimit
from radius_push.store.sqlite import SqliteStore
from radius_push.test_phone import SoftwarePhone
from radius_push.web.phone import PhoneLimits, PhoneSide
from tests.store.making import a_rider, an_asked

ALICE = Person(PersonKey("staff", "alice-id"), "alice", "uid=alice", {})
BOB = Person(PersonKey("staff", "bob-id"), "bob", "uid=bob", {})
USUAL = PhoneLimits()
APPS = Push(
    apns=Apns("com.example.app", Token(Secret(b"unused"), "K" * 10, "T" * 10), "sandbox"),
    fcm=Fcm("example-project", "push@example.com", Secret(b"unused"), "1"),
)
"""The settings of an organisation that has an app of its own."""
PEPPER = Secret(b"p" * 32)


class Clock:
    """Real time, that can be turned forward."""

    def __init__(self) -> None:
        self.turned = 0.0

    def now(self) -> float:
        return time.time() + self.turned

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() + self.turned


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def until(true: Callable[[], bool]) -> None:
    """For what happens without a sign of its own; bound it by a time-out."""
    while not true():  # noqa: ASYNC110
        await asyncio.sleep(0)


@dataclass
class HeardRinger:
    """Rings nobody, and remembers who was to be rung."""

    public_key: str = base64.urlsafe_b64encode(b"\x04" + b"k" * 64).decode().rstrip("=")
    rung: list[Question] = field(default_factory=list)
    tried: list[tuple[Trial, Device]] = field(default_factory=list)
    noticed: list[Notice] = field(default_factory=list)
    signing_in: list[PortalSignIn] = field(default_factory=list)

    def ring(self, question: Question, requested_at: float) -> None:
        self.rung.append(question)

    def ring_trial(self, trial: Trial, device: Device) -> None:
        self.tried.append((trial, device))

    def ring_notice(self, notice: Notice) -> None:
        self.noticed.append(notice)

    def ring_sign_in(self, sign_in: PortalSignIn) -> None:
        self.signing_in.append(sign_in)

    def admits(self, endpoint: str) -> bool:
        return endpoint.startswith("https://push.example/")


LATE = Lateness(30.0, counts=True)


@dataclass
class House:
    origin: str
    store: SqliteStore
    side: PhoneSide
    clock: Clock
    counters: Counter[str]
    events: list[events.Event] = field(default_factory=list)
    ringer: HeardRinger = field(default_factory=HeardRinger)
    riders: dict[str, bytes] = field(default_factory=dict)
    """Question -> the packet that waits for it."""

    async def invite(self, person: Person = ALICE, **how: Any) -> enrollment.Shown:
        """`how`: as of `enrollment.invite`."""
        return await enrollment.invite(
            self.store,
            person=person,
            lifetime=600.0,
            pepper=PEPPER,
            by="test",
            now=self.clock.now(),
            token=secrets.token_bytes(16),
            code_octets=secrets.token_bytes(5),
            **how,
        )

    async def link(self, person: Person = ALICE, **how: Any) -> str:
        return enrollment.link(self.origin, await self.invite(person, **how))

    async def confirm(self, phone: SoftwarePhone) -> None:
        word = await enrollment.confirm(
            self.store,
            phone.enrolled.invitation,
            phone.confirmation_code,
            by="test",
            now=self.clock.now(),
        )
        assert word == "confirmed"

    async def phone(self, person: Person = ALICE, *, name: str = "test phone") -> SoftwarePhone:
        """An active phone. Close it."""
        phone = await SoftwarePhone.enrol(await self.link(person), name=name)
        await self.confirm(phone)
        return phone

    async def device(self, phone: SoftwarePhone) -> Device:
        device = await self.store.device(phone.enrolled.device)
        assert device is not None
        return device

    async def remove(self, phone: SoftwarePhone) -> None:
        await self.remove_device(phone.enrolled.device)

    async def remove_device(self, id: str) -> None:
        event = events.DeviceRemoved(str(ALICE.key), id, "test")
        assert await self.store.remove_device(id, at=self.clock.now(), event=event)

    async def ask(
        self,
        person: Person = ALICE,
        *,
        seconds: float = 60.0,
        client: str = "fw1",
        address: str | None = "198.51.100.7",
        not_from_login_address: bool = False,
        biometrics: BiometricsMode = "optional",
    ) -> Question:
        """A login asks this person's phones."""
        now = self.clock.now()
        login = "".join(secrets.choice("ABCDEFGHJKMNPQRSTVWXYZ23456789") for _ in range(6))
        question = Question(
            id=secrets.token_urlsafe(16),
            login=login,
            person=person.key,
            account=person.username,
            client=client,
            profile="staff-push",
            address=address,
            nonce=secrets.token_urlsafe(16),
            attempt=secrets.token_bytes(32),
            opened_at=now,
            expires_at=now + seconds,
            closes_at=now + seconds + 150,
            not_from_login_address=not_from_login_address,
            biometrics=biometrics,
        )
        rider = a_rider(secrets.token_bytes(32), at=now, until=now + seconds + 5, ends_at=now + seconds)
        met = await self.store.open_or_join(
            question,
            rider,
            request=rider.packet,
            event=events.Asked(
                login=login,
                client=client,
                username=person.username,
                person=str(person.key),
                profile="staff-push",
                policy=None,
                address=address,
                question=question.id,
                devices=1,
                directories=(),
                trace=(),
                arrived_at=question.opened_at,
            ),
        )
        assert met == Opened(rings=True)
        self.riders[question.id] = rider.packet
        return question

    async def portal_sign_in(
        self, person: Person = ALICE, *, seconds: float = 60.0, address: str | None = "192.0.2.9"
    ) -> PortalSignIn:
        """Somebody signs in to the page for phones; the one that waits already, if there is one."""
        now = self.clock.now()
        if waiting := await self.store.sign_ins_of(person.key, now=now):
            return waiting[0]
        made = PortalSignIn(
            secrets.token_urlsafe(16),
            person.key,
            person.username,
            "https://my-phone.example",
            address,
            secrets.token_urlsafe(16),
            now,
            now + seconds,
        )
        event = events.PortalAsked(str(person.key), made.id, made.page, made.address)
        limit = RingLimit(100, 600.0)
        mark = secrets.token_bytes(32)
        assert await self.store.open_sign_in(made, mark=mark, limit=limit, event=event) == "opened"
        return made

    async def let_in(
        self, *, address: str | None, at: float, person: Person = ALICE, method: str = "push"
    ) -> None:
        """As if a login of theirs had been accepted then."""
        accepted = events.Accepted(
            login="EAR1ER",
            client="fw1",
            username=person.username,
            person=str(person.key),
            profile="staff-push",
            policy=None,
            method=method,
            question=None,
            device=None,
            address=address,
            reply=(),
            directories=(),
            trace=(),
            arrived_at=at,
        )
        assert await self.store.accept(None, at=at, event=accepted, request=secrets.token_bytes(32))

    async def time_out(self, question: Question) -> None:
        """What the login does at the end of its bar, where no late window is."""
        await self.store.close_question(
            question.id,
            expected=QuestionState.PENDING,
            state=QuestionState.TIMED_OUT,
            at=self.clock.now(),
            event=timed_out(question),
        )

    async def give_up(self, question: Question, *, late: Lateness = LATE) -> None:
        """What it does at the end of its bar: the gateway was told no."""
        packet, at = self.riders[question.id], self.clock.now()
        assert await self.store.end_of_bar(question.id, packet, late=late, at=at, event=timed_out(question))

    async def ask_again(self, question: Question, *, seconds: float = 60.0) -> None:
        """The gateway's next try."""
        now = self.clock.now()
        rider = a_rider(secrets.token_bytes(32), at=now, until=now + seconds + 5, ends_at=now + seconds)
        login = "AGA1NX"
        met = await self.store.open_or_join(
            replace(question, id=secrets.token_urlsafe(16), login=login),
            rider,
            request=rider.packet,
            event=an_asked(question),
        )
        assert isinstance(met, Joined)
        self.riders[question.id] = rider.packet

    async def state(self, question: Question) -> QuestionState:
        row = await self.store.question(question.id)
        assert row is not None
        return row.state


@asynccontextmanager
async def open_house(
    folder: Path,
    *,
    limits: PhoneLimits = USUAL,
    devices_per_user: int = 2,
    port: int | None = None,
    tls: tuple[str, str] | None = None,
    trusted_proxies: tuple[Network, ...] = (),
    ringer: HeardRinger | None = None,
    places: Places | None = None,
    prove: enrollment.Prove = enrollment.cannot_prove,
    push: Push = NO_APPS,
) -> AsyncIterator[House]:
    clock = Clock()
    counters: Counter[str] = Counter()
    seen: list[events.Event] = []
    ringer = ringer or HeardRinger()
    store = SqliteStore.open(folder / "state.db", clock=clock, on_event=lambda _, event: seen.append(event))
    port = port or free_port()
    origin = f"{'https' if tls else 'http'}://localhost:{port}"
    side = PhoneSide(
        PhoneListener(Endpoint(ip_address("127.0.0.1"), port), origin, *(tls or ())),
        store=store,
        clock=clock,
        pepper=PEPPER,
        enrollment=Enrollment(devices_per_user=devices_per_user),
        ringer=ringer,
        counters=counters,
        limits=limits,
        trusted_proxies=trusted_proxies,
        places=places,
        prove=prove,
        push=push,
    )
    await side.start()
    try:
        yield House(origin, store, side, clock, counters, seen, ringer)
    finally:
        await side.close()
        await store.close()


def timed_out(question: Question) -> events.Rejected:
    return events.Rejected(
        login=question.login,
        client=question.client,
        username=question.account,
        person=str(question.person),
        reason=Reason.TIMED_OUT,
        detail="",
        address=question.address,
        question=question.id,
        directories=(),
        trace=(),
        arrived_at=question.opened_at,
    )
