"""The doors of the house as Protocols: what the walks of a login and an enrolment await."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

from radius_push.attempts import Lateness, Met, Rider, Standing, Without
from radius_push.events import Asked, Event, ServerStarted, ServerStopped
from radius_push.evidence import EvidenceReader
from radius_push.gateway import Series
from radius_push.model import (
    Address,
    Assertion,
    Device,
    Earlier,
    Found,
    Person,
    PersonKey,
    Place,
    Proof,
    Proved,
    Question,
    QuestionState,
    Sighting,
    Stranger,
    Trial,
)
from radius_push.notices import Notice
from radius_push.phone_store import PhoneStore
from radius_push.portal_store import PortalSignIn, PortalStore
from radius_push.post_store import PostStore
from radius_push.sessions import News, Reset, Session
from radius_push.shapes import DEFAULT_RING_LIMIT, RingLimit


class DoorClosed(Exception):
    """An outside thing did not do its part. The walk answers with silence, never with an accept."""


class StoreDown(DoorClosed):
    """The store could not read or write."""


class ClockBehind(DoorClosed):
    """The clock is behind what was written already: what would expire by it is not handed out."""


class Clock(Protocol):
    """Time, so that a test can turn it."""

    def now(self) -> float:
        """UTC seconds since 1970: for rows and people."""

    def monotonic(self) -> float:
        """Seconds that never go back (the event loop's time): for waiting."""


class Directory(Protocol):
    """Who a person is, and whether their password is right. Never raises for an outage: `Down`."""

    name: str
    """The authentication profile's name."""
    emergency: bool

    async def find(self, username: str) -> Found:
        """Look up a name as typed (the directory does NFKC and case folding)."""

    async def prove(self, person: Person, proof: Proof) -> Proved:
        """Is this theirs? Never called with an empty password or one that holds NUL. What this directory
        cannot prove is `Wrong`."""

    async def pretend(self, username: str) -> None:
        """Wait as `prove` would for this name, to no effect, if else a busy server told who is known."""

    async def close(self) -> None:
        """Let go of connections and threads."""


class Bell(Protocol):
    """A hint that rows changed. The row is the truth: read it after every ring."""

    async def wait(self, seconds: float) -> None:
        """Return at the next ring, or after `seconds`."""


class Places(Protocol):
    """About where public addresses are, by a file of the admin's."""

    def find(self, address: Address) -> Place | None:
        """At once, and never raises. None: not known."""


class Ringer(Protocol):
    """A tap on the shoulder of closed phones, beside the walk: never waits, never raises."""

    @property
    def public_key(self) -> str:
        """base64url of the 65 octets that browsers subscribe with (RFC 8292, section 3.2)."""

    def ring(self, question: Question, requested_at: float) -> None:
        """Begin to wake the person's devices; it goes on by itself until the question's end.
        `requested_at`: when the gateway's request came, UTC seconds."""

    def ring_trial(self, trial: Trial, device: Device) -> None:
        """The same for a test request, and this device alone."""

    def ring_notice(self, notice: Notice) -> None:
        """The same for what a person is told of their phones, and the notice's device alone."""

    def ring_sign_in(self, sign_in: PortalSignIn) -> None:
        """The same for a sign-in to the page for phones, and all devices of the person."""

    def admits(self, endpoint: str) -> bool:
        """May a phone name this URL as its push service's?"""


Accounted = Literal["opened", "kept", "repeated", "old", "too_many", "too_many_today"]
Closed = int | Literal["repeated", "too_many_today"]
SeriesOf = Mapping[tuple[str, str], Sequence[Series]]
"""By client and source, the newest last."""


class Store(EvidenceReader, PhoneStore, PortalStore, PostStore, Protocol):
    """Everything that outlives a packet. Each method is one transaction that is on disk when it
    returns; every method may raise StoreDown. Events given to a method are written to the hash
    chain in that same transaction, and reach the log only after it."""

    def owed(self, client: str) -> int:
        """How much of this client's is not done yet: the clients take turns."""

    def bell(self, person: PersonKey) -> AbstractAsyncContextManager[Bell]:
        """Rings when this person's questions, devices or invitations change (in any process)."""

    async def record(self, *events: Event) -> None:
        """Write events that go with no other change."""

    async def add(self, *events: tuple[float, Event]) -> None:
        """What else is known of logins, each with its time, under the `login` that it names. Only beside
        evidence that is there: of a login that left none nothing is written, nor anything twice. Nobody
        waits for it: it may take a moment longer than others."""

    # questions

    async def open_or_join(
        self,
        question: Question,
        rider: Rider,
        *,
        request: bytes,
        event: Asked,
        decision: bytes = b"",
        limit: RingLimit = DEFAULT_RING_LIMIT,
    ) -> Met:
        """What a request with a right password meets, by `factors.joining`: `question` is written, with
        `event`; or the request joins one that waits already; or a yes is owed to it; or a reason says why
        nobody is asked. REPLAYED, and nothing is written, if `request` (hash of the octets) was seen before
        (within 24 h), or the rider's packet ever had a question. `decision` is the mark of what the rules
        said; see `earlier`."""

    async def earlier(self, packet: bytes, *, client: str = "") -> Earlier | None:
        """What an earlier walk of this packet has left, perhaps in another process; asked in the turn of the
        client that it came from."""

    async def sent(self, packet: bytes, *, login: str, at: float) -> None:
        """The Access-Accept of this packet has left: the event `sent`, and the first time also in the
        question's row. `login` is for a packet that had no question. Nobody waits for it: it may take a
        moment longer than others."""

    async def remember_request(self, request: bytes, at: float) -> bool:
        """For refusals without a question. False if it was seen before (within 24 h)."""

    async def question(self, id: str) -> Question | None: ...

    async def questions_of(self, person: PersonKey, *, closed_since: float) -> Sequence[Question]:
        """The pending ones and those that ended at or after `closed_since`, oldest first."""

    async def answer(
        self,
        question: str,
        *,
        device: str,
        approve: bool,
        at: float,
        event: Event,
        late: bool = False,
        nonce: str | None = None,
        assertion: Assertion | None = None,
    ) -> QuestionState | None:
        """One conditional UPDATE: the question is pending and not expired at `at`, or late and not over (then
        a yes counts only if the phone knew: `late`), still of this `nonce` for a yes, and the device is
        active and the same person's. A yes needs `assertion` where the question's biometrics are required;
        whatever it is given with must be the device's active credential, with a counter that goes on. A yes
        to a late one is a ticket. A no voids the tickets of its attempt. The state that it is in now; None if
        not so (somebody was faster, it is over): nothing is written."""

    async def contest(
        self,
        question: str,
        *,
        device: str,
        within: float,
        at: float,
        event: Event,
        alerts: Sequence[str] = (),
    ) -> bool:
        """A yes of the last `within` seconds was not the person's: from now on it lets nobody in, and no
        ticket of its attempt does. One conditional UPDATE, as `answer`; the verdict stays. False if there is
        no such yes, or it was contested: nothing is written. `alerts`: addresses of administrators, who get a
        mail with it."""

    async def wait_for_answer(self, question: str, packet: bytes, *, seconds: float) -> Standing:
        """Register interest, read the row, wait for the bell or the end, read again. Returns the
        row as soon as it is not pending, and if it is approved, as soon as it is this packet's turn; or as it
        stands after `seconds`."""

    async def standing(self, question: str, packet: bytes) -> Standing:
        """How it stands. Raises StoreDown if there is no such question."""

    async def end_of_bar(
        self, question: str, packet: bytes, *, late: Lateness, at: float, event: Event
    ) -> bool:
        """pending -> late (timed_out, where there is no window), if it is this packet's turn; all requests
        that waited for it are over. False if not so: nothing is written."""

    async def leave(self, question: str, packet: bytes, *, late: Lateness, at: float, event: Event) -> None:
        """The gateway of this packet is gone: it is the next one's turn. If there is none, the question goes
        to late as by `end_of_bar`."""

    async def close_question(
        self, question: str, *, expected: QuestionState, state: QuestionState, at: float, event: Event
    ) -> bool:
        """expected -> state, once. False if the row is in another state: nothing is written."""

    async def accept(
        self,
        question: str | None,
        *,
        at: float,
        event: Event,
        packet: bytes | None = None,
        by: Literal["push"] | Without = "push",
        request: bytes | None = None,
    ) -> bool:
        """The accept transaction, if there is a question and the device that answered it is still active: by
        `push` approved -> spent, if it is this packet's turn; by `ticket` ticket -> spent, if its time is not
        over; by `follow_on` a spent one, once. Without a question `request` is remembered, and must not have
        been seen before (`remember_request`). False if not so: nothing is written."""

    async def was_let_in(
        self, person: PersonKey, *, clients: Collection[str], profile: str, since: float
    ) -> bool:
        """Was a login of theirs accepted for one of these clients, with this profile, since then? What was
        only authorized is none. No, if the yes of any such login was taken back."""

    async def close_abandoned(self, at: float) -> int:
        """Close the questions for which no gateway has come back since an earlier process ended, each
        with its event. How many."""

    # sessions

    async def account(self, news: News, *, packet: bytes, most: int, may_open: bool = True) -> Accounted:
        """What `news` make of the session they are about, by `sessions.meet`, with its event and the login
        that it came from: one more was `opened`, or what is `kept` of a known one has changed. Nothing is
        written if this `packet` (hash of the octets) opened or closed a session before (`repeated`), if the
        news are `old`, if the client has `most` live sessions already and this were one more (`too_many`),
        or not `may_open` and this were a new one, also one that is over (`too_many_today`)."""

    async def reset_sessions(self, reset: Reset, *, packet: bytes, may_note: bool = True) -> Closed:
        """End the live sessions of that machine which began before. How many. Nothing is written if this
        `packet` did so within 24 h (`repeated`), or there are none and not `may_note`
        (`too_many_today`)."""

    async def sessions_before(
        self, number: int | None, *, live: bool, most: int
    ) -> Sequence[tuple[int, Session]]:
        """Newest first, each with its number: those before `number` (None: from the end)."""

    # evidence

    def news(self) -> AbstractAsyncContextManager[Bell]:
        """Rings when evidence was written (in any process)."""

    async def let_go(self, before: float, *, at: float) -> bool:
        """Delete a stretch of the oldest evidence, and the questions, devices, invitations and
        sessions that it was about; the chain goes on from there. True if there may be more to delete."""

    # who serves

    async def server_started(self, event: ServerStarted, *, names: Collection[str]) -> None:
        """A process serves from now on. `names`: of all the servers there may be."""

    async def server_stopped(self, event: ServerStopped) -> None:
        """It does so no more."""

    async def servers(self) -> Mapping[str, int]:
        """Process id by name, of those that started and did not stop; one that was killed is among them."""

    # what was seen of the gateways

    async def keep_sightings(
        self, sightings: Sequence[Sighting], strangers: Sequence[Stranger], series: SeriesOf
    ) -> None:
        """In place of what is known of the same ones; the oldest beyond a bound are forgotten. What repeated
        itself is of a source that is there, or of these."""

    async def keep_tallies(self, tallies: Mapping[tuple[str, str], int], *, server: str) -> None:
        """How often each counter of a client (or "": of nobody) went up since that server started: all of
        them, in place of its earlier ones. They are read as those of all servers together."""

    async def sightings(self) -> Sequence[Sighting]:
        """By client and source."""

    async def strangers(self) -> Sequence[Stranger]:
        """The newest first."""

    async def tallies(self) -> Mapping[tuple[str, str], int]: ...

    async def latch(self, client: str, source: str, *, at: float) -> bool:
        """From now on this source must seal; with its event. False if it must already."""

    async def unlatch(self, client: str, source: str | None, *, by: str, at: float) -> int:
        """It need not any more, or None: no source of this client; with an event. How many there were."""

    async def latches(self) -> Sequence[tuple[str, str]]:
        """(client, source)."""

    # the clock

    def clock_behind(self) -> float:
        """Seconds by which the clock is behind the latest evidence; 0 when it is not. While it is
        behind, nothing is handed out or taken that expires by it."""

    async def trust_clock(self, *, by: str) -> None:
        """The clock is right: what is written in its future was written under a wrong one."""

    async def close(self) -> None:
        """Finish what was begun and let go of the file."""
