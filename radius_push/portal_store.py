"""What the store keeps of the page for people's own phones: who asks to sign in there, and who is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from radius_push.events import Event
from radius_push.model import Assertion, Device, PersonKey
from radius_push.shapes import RingLimit

IDLE_SECONDS = 600.0
"""After so long without a page a session is over."""
WHOLE_SECONDS = 1800.0
"""And after so long whatever happens."""
MOST_SESSIONS = 5
"""Of one person; one more ends the oldest."""


class SignInState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"  # the browser has not come for its session yet
    DENIED = "denied"
    SPENT = "spent"  # the one session was opened


@dataclass(frozen=True, slots=True)
class PortalSignIn:
    """A sign-in to the page, about which a person's phones are asked. No login stands behind it: no answer to
    it lets anybody in to a VPN."""

    id: str
    person: PersonKey
    account: str
    """The name the person knows themselves by."""
    page: str
    """The origin of the page."""
    address: str | None
    """Where the browser comes from, as the page sees it."""
    nonce: str
    opened_at: float
    expires_at: float
    state: SignInState = SignInState.PENDING
    device: str | None = None
    """The device that answered."""


@dataclass(frozen=True, slots=True)
class PortalSession:
    """A browser in which somebody is signed in to the page."""

    person: PersonKey
    account: str
    device: str | None
    """The phone that stands behind it: it is over when that is removed. None: somebody who never had one, and
    then it is over as soon as they have."""
    opened_at: float
    invitation: str | None = None
    """The one that was shown in it last."""


@dataclass(frozen=True, slots=True)
class KeptDevice:
    """A device of a person, with what is known of it."""

    device: Device
    answered_at: float | None
    """When it last said yes or no, to a login or a sign-in to the portal; None: never."""
    rung: bool = field(kw_only=True)
    """It can be woken when its app is closed."""


Opening = Literal["opened", "one_waits", "rung_too_often"]


class PortalStore(Protocol):
    """That part of `ports.Store`; what is promised there holds here. A `mark` is the keyed hash of what a
    browser holds."""

    async def open_sign_in(
        self, sign_in: PortalSignIn, *, mark: bytes, limit: RingLimit, event: Event
    ) -> Opening:
        """Write it and ring, for the browser of that mark. Not while another one of this person waits, nor
        when `limit` of them came to nothing. Raises ClockBehind."""

    async def sign_ins_of(self, person: PersonKey, *, now: float) -> Sequence[PortalSignIn]:
        """Those that wait to be answered, oldest first."""

    async def sign_in(self, id: str) -> PortalSignIn | None: ...

    async def sign_in_of(self, mark: bytes) -> PortalSignIn | None:
        """The one that this browser waits for."""

    async def answer_sign_in(
        self,
        id: str,
        *,
        device: str,
        approve: bool,
        at: float,
        event: Event,
        assertion: Assertion | None = None,
    ) -> SignInState | None:
        """It is pending and not over, and the device is active and the same person's; an `assertion` must be
        by its active credential, with a counter that goes on, and is counted with it. The state it is in now;
        None if not so: nothing is written."""

    async def begin_portal_session(
        self, mark: bytes, session: PortalSession, *, approved: str | None, browser: bytes, event: Event
    ) -> bool:
        """A session, which takes the place of those that are over. `approved`: the sign-in that allows it,
        spent with it; it must be that of `browser`, and the device that said yes `session.device` and still
        active. False if not so: nothing is written. Raises ClockBehind."""

    async def portal_session(self, mark: bytes, *, at: float, seen: bool) -> PortalSession | None:
        """If it is not over. `seen`: a person did something in it."""

    async def end_portal_session(self, mark: bytes, *, at: float, event: Event) -> bool:
        """False if there is none."""

    async def note_portal_invitation(
        self, mark: bytes, *, invitation: str | None, device: str | None = None
    ) -> None:
        """What is shown in this session now. `device`: the phone that stands behind it from now on, if none
        did."""

    async def kept_devices_of(self, person: PersonKey) -> Sequence[KeptDevice]:
        """Those that are not removed, oldest first."""

    async def rename_device(
        self, id: str, *, name: str, person: PersonKey | None, at: float, event: Event
    ) -> bool:
        """False if there is no such device that is not removed (of `person`, where one is named), or it is
        called so already."""
