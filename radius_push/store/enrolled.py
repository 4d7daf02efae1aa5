"""The store's methods about phones: each one transaction, which is written in `phones.py` and `push.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from radius_push.phone_store import Confirmation, Redemption
from radius_push.ports import ClockBehind
from radius_push.store import biometrics, phones, push, questions, rings
from radius_push.store.asking import CLOCK_MAY_JUMP, Questions, T
from radius_push.store.writer import Transaction, Work
from radius_push.waking import Channel, PushAddress, PushReach, Receipt, Ring, Speed


class Phones(Questions):
    """`phone_store.PhoneStore`, over one writer."""

    # --- devices -------------------------------------------------------------------------------------

    async def devices_of(self, person: PersonKey, *, client: str = "") -> Sequence[Device]:
        return await self._read(lambda rows: phones.active_of(rows, person), client=client)

    async def devices(self) -> Sequence[Device]:
        return await self._read(phones.all_there)

    async def device(self, id: str) -> Device | None:
        return await self._read(lambda rows: phones.read(rows, id))

    async def last_answers(self) -> Mapping[str, float]:
        return await self._read(questions.last_answers)

    async def people(self) -> Sequence[Known]:
        return await self._read(phones.people)

    async def remove_device(self, id: str, *, at: float, event: Event, alerts: Sequence[str] = ()) -> bool:
        return await self._write(lambda rows: phones.remove(rows, id, at=at, event=event, alerts=alerts))

    async def confirm_restored(self, id: str, *, by: str, at: float) -> bool:
        return await self._write(lambda rows: phones.confirm_restored(rows, id, by=by, at=at))

    async def has_ever_had_a_device(self, person: PersonKey) -> bool:
        return await self._read(lambda rows: phones.has_ever_had(rows, person))

    # --- fingerprint or face -------------------------------------------------------------------------

    async def biometrics_of(self, device: str) -> Biometrics:
        return (await self._read(lambda rows: biometrics.of_device(rows, device))).get(device, Biometrics())

    async def biometrics(self, person: PersonKey | None = None) -> Mapping[str, Biometrics]:
        return await self._read(lambda rows: biometrics.of_person(rows, person))

    async def keep_credential(self, credential: Credential, *, at: float) -> bool:
        return await self._write(lambda rows: biometrics.keep(rows, credential, at=at))

    async def confirm_credential(
        self, device: str, mark: bytes, *, right: bool, limit: int, by: str, at: float
    ) -> Confirmation:
        return await self._write(
            lambda rows: biometrics.confirm(rows, device, mark, right=right, limit=limit, by=by, at=at)
        )

    async def forget_credentials(self, device: str, *, by: str, at: float, missed: bool = False) -> bool:
        return await self._write(lambda rows: biometrics.forget(rows, device, by=by, at=at, missed=missed))

    async def guarded(self, person: PersonKey) -> bool:
        return await self._read(lambda rows: biometrics.guarded(rows, person))

    async def use_credential(self, device: str, assertion: Assertion) -> bool:
        return await self._write(lambda rows: biometrics.use(rows, device, assertion))

    # --- waking closed phones ------------------------------------------------------------------------

    async def push_addresses_of(self, person: PersonKey) -> Sequence[PushAddress]:
        return await self._read(lambda rows: push.addresses_of(rows, person))

    async def keep_push_address(self, address: PushAddress, *, at: float, event: Event) -> bool:
        return await self._write(lambda rows: push.keep(rows, address, at=at, event=event))

    async def forget_push_address(
        self, device: str, channel: Channel, *, only: str | None, at: float, event: Event
    ) -> bool:
        return await self._write(
            lambda rows: push.forget(rows, device, channel, only=only, at=at, event=event)
        )

    async def push_seen(self, device: str, *, at: float) -> None:
        await self._write(lambda rows: push.seen(rows, device, at=at))

    async def push_reach(self, device: str | None = None) -> Mapping[str, PushReach]:
        return await self._read(lambda rows: push.reached(rows, device))

    async def begin_rings(self, *begun: Ring) -> None:
        await self._beside_rings(lambda rows: rings.begin(rows, begun))

    async def ring_over(self, rang: Rang, *, at: float) -> None:
        await self._beside_rings(lambda rows: rings.over(rows, rang, at=at))

    async def receive(self, receipt: Receipt, *, at: float) -> bool:
        return await self._beside_rings(lambda rows: rings.receive(rows, receipt, at=at))

    async def push_speed(self, device: str | None = None) -> Mapping[str, Mapping[Channel, Speed]]:
        return await self._read(lambda rows: rings.speed(rows, device))

    async def _beside_rings(self, work: Work[T]) -> T:
        """One line for all of them, so that a receipt finds its ring; and none that a login waits for."""
        return await self._writer.run(work, writes=True, whose="whoever is rung", urgent=False)

    async def open_trial(self, trial: Trial, *, most: int, since: float, event: Event) -> bool:
        return await self._write(
            lambda rows: push.open_trial(rows, trial, most=most, since=since, event=event)
        )

    async def trials_of(self, device: str, *, now: float) -> Sequence[Trial]:
        return await self._read(lambda rows: push.trials_of(rows, device, now=now))

    async def answer_trial(self, trial: str, *, device: str, at: float, event: Event) -> bool:
        return await self._write(
            lambda rows: push.answer_trial(rows, trial, device=device, at=at, event=event)
        )

    # --- enrolment -----------------------------------------------------------------------------------

    async def invite(
        self, invitation: Invitation, *, token: bytes, code: bytes, event: Event, mail: str | None = None
    ) -> None:
        if behind := self.clock_behind():
            raise ClockBehind(
                f"the clock is {behind:.0f} s behind the latest evidence: set it right. If it is right, and "
                "was wrong before, start `serve` once with --trust-clock"
            )
        at = self._clock.now()
        await self._write(
            lambda rows: phones.invite(
                rows, invitation, token=token, code=code, mail=mail, at=at, event=event
            )
        )

    async def invitation(self, id: str) -> Invitation | None:
        return await self._read(lambda rows: phones.read_invitation(rows, id))

    async def invited_by(self, device: str) -> Invitation | None:
        return await self._read(lambda rows: phones.invited_by(rows, device))

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
        def work(rows: Transaction) -> Redemption:
            return phones.redeem(
                rows,
                secret,
                device,
                devices_per_user=devices_per_user,
                origin=origin,
                at=at,
                proved=proved,
                not_before=self._latest - CLOCK_MAY_JUMP,
            )

        return await self._write(work)

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
        return await self._write(
            lambda rows: phones.confirm(
                rows, invitation, right=right, limit=limit, by=by, at=at, credential=credential, on=on
            )
        )

    async def phone_origin(self) -> str | None:
        return await self._read(phones.phone_origin)

    async def forget_phones(self, *, by: str, at: float) -> int:
        return await self._write(lambda rows: phones.forget(rows, by=by, at=at))
