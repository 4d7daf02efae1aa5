"""What the store keeps of phones: who has which, how they are woken, and how one becomes trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from radius_push.events import Event, Rang
from radius_push.model import (
    Assertion,
    Biometrics,
    Credential,
    Device,
    Invitation,
    Known,
    PersonKey,
    Trial,
)
from radius_push.waking import Channel, PushAddress, PushReach, Receipt, Ring, Speed

Redemption = Device | Literal["unknown", "expired", "spent", "too_many_devices", "password_needed"]
Confirmation = Literal["confirmed", "wrong", "given_up", "not_pending"]


class PhoneStore(Protocol):
    """That part of `ports.Store`; what is promised there holds here."""

    # devices

    async def devices_of(self, person: PersonKey, *, client: str = "") -> Sequence[Device]:
        """Their active devices, oldest first; asked in the turn of the client that they log in by."""

    async def devices(self) -> Sequence[Device]:
        """All that are not removed, for `radius-push devices`."""

    async def device(self, id: str) -> Device | None:
        """Also a removed one."""

    async def last_answers(self) -> Mapping[str, float]:
        """When each device that ever did said yes or no last, to a login or a sign-in to the portal: UTC
        seconds by device id."""

    async def people(self) -> Sequence[Known]:
        """Everybody who has or had a device, by name."""

    async def confirm_restored(self, id: str, *, by: str, at: float) -> bool:
        """A device that a backup brought back is trusted again. False if there is no such one."""

    async def remove_device(self, id: str, *, at: float, event: Event, alerts: Sequence[str] = ()) -> bool:
        """False if there is no such device, or it is removed already. `alerts`: addresses of administrators,
        who get a mail with it: its person says that it was not theirs."""

    # fingerprint or face

    async def biometrics_of(self, device: str) -> Biometrics:
        """What this phone has; of a removed one nothing."""

    async def biometrics(self, person: PersonKey | None = None) -> Mapping[str, Biometrics]:
        """By device id, of those that have any: this person's, or None: everybody's."""

    async def keep_credential(self, credential: Credential, *, at: float) -> bool:
        """It waits for the issuer, in place of an earlier one that did, with its event. False if the device
        is neither active nor pending, or another device has this credential: nothing is written."""

    async def confirm_credential(
        self, device: str, mark: bytes, *, right: bool, limit: int, by: str, at: float
    ) -> Confirmation:
        """The issuer typed a code for the credential of this mark, which waits on an active device: right
        makes it the one that counts; the `limit`-th wrong one forgets it (`given_up`)."""

    async def forget_credentials(self, device: str, *, by: str, at: float, missed: bool = False) -> bool:
        """The active one and one that waits. False if there is none. `missed`: the phone itself says so, and
        its person stays `guarded` by the active one; else no more, also by one that was missed."""

    async def guarded(self, person: PersonKey) -> bool:
        """Has a device of theirs a confirmed credential, or had it one until it said itself that it is gone?
        Devices count that are active, or were restored."""

    async def use_credential(self, device: str, assertion: Assertion) -> bool:
        """Count it: for what is no answer. False if the device is not active, this is not its active
        credential, or the counter does not go on: nothing is written."""

    # waking closed phones

    async def push_addresses_of(self, person: PersonKey) -> Sequence[PushAddress]:
        """Of their active devices."""

    async def keep_push_address(self, address: PushAddress, *, at: float, event: Event) -> bool:
        """In place of an earlier one of its channel. False if it is known already, or the device is not
        active: nothing is written. A browser or app that was added a second time is rung as this device only;
        an app's token takes away no other person's."""

    async def forget_push_address(
        self, device: str, channel: Channel, *, only: str | None, at: float, event: Event
    ) -> bool:
        """`only`: this `where`; None: whatever is there. False if there is none."""

    async def push_seen(self, device: str, *, at: float) -> None:
        """The device says that a push has just reached it."""

    async def push_reach(self, device: str | None = None) -> Mapping[str, PushReach]:
        """How each device that is not removed is reached, or this one, by id."""

    async def begin_rings(self, *rings: Ring) -> None:
        """These push services are about to be asked. Nobody's login waits for it: what is given first is
        written first, and before any receipt that comes after. Of a device and channel the last are kept."""

    async def ring_over(self, rang: Rang, *, at: float) -> None:
        """Write what came of it."""

    async def receive(self, receipt: Receipt, *, at: float) -> bool:
        """Count it, with its event. False if this device was not rung so, or not of late, or said it before:
        nothing is written."""

    async def push_speed(self, device: str | None = None) -> Mapping[str, Mapping[Channel, Speed]]:
        """How fast the last rings of each device were, or of this one, by id and channel."""

    async def open_trial(self, trial: Trial, *, most: int, since: float, event: Event) -> bool:
        """Write a test request and ring. False if this device opened `most` since then already."""

    async def trials_of(self, device: str, *, now: float) -> Sequence[Trial]:
        """Those that wait to be answered, oldest first."""

    async def answer_trial(self, trial: str, *, device: str, at: float, event: Event) -> bool:
        """False if it is not this device's, was answered, or is over."""

    # enrolment

    async def invite(
        self, invitation: Invitation, *, token: bytes, code: bytes, event: Event, mail: str | None = None
    ) -> None:
        """`token` and `code` are keyed hashes. Earlier open invitations of the person are closed. `mail`:
        where they are written to from now on; None: as before. Raises ClockBehind."""

    async def invitation(self, id: str) -> Invitation | None: ...

    async def invited_by(self, device: str) -> Invitation | None:
        """The open one that this phone made last: it may be over by the clock, or redeemed."""

    async def redeem(
        self,
        secret: bytes,
        device: Device,
        *,
        devices_per_user: int,
        origin: str,
        at: float,
        proved: bool = False,
    ) -> Redemption:
        """Spend the invitation whose token or code has this keyed hash: writes `device` (its
        person, username and invitation are filled in from the invitation) as pending, the event
        Redeemed and, at the first enrolment, keeps `origin`. A string says why not. `proved`: the
        person's password was; `password_needed` is said only if nothing else stands in the way. An
        invitation that asks for no code makes the device active."""

    async def confirm(
        self,
        invitation: str,
        *,
        right: bool,
        limit: int,
        by: str,
        at: float,
        credential: bytes | None = None,
        on: str | None = None,
    ) -> Confirmation:
        """The issuer typed a code: right makes the pending device active and closes the
        invitation; the `limit`-th wrong one removes the device and closes it (`given_up`). `credential`:
        the mark of that one whose code it was, too; another one that came meanwhile goes on waiting. `on`:
        the person's device that it was typed on, which alone is not told of what it did."""

    # the phone origin

    async def phone_origin(self) -> str | None:
        """Kept from the first enrolment on."""

    async def forget_phones(self, *, by: str, at: float) -> int:
        """Remove every device, open invitation and the kept origin. How many devices."""

    async def has_ever_had_a_device(self, person: PersonKey) -> bool: ...
