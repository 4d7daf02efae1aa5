"""The store's methods about the page for people's own phones: each a transaction, written in `portal.py`."""

from __future__ import annotations

from collections.abc import Sequence

from radius_push.events import Event
from radius_push.model import Assertion, PersonKey
from radius_push.portal_store import KeptDevice, Opening, PortalSession, PortalSignIn, SignInState
from radius_push.ports import ClockBehind
from radius_push.shapes import RingLimit
from radius_push.store import portal
from radius_push.store.enrolled import Phones


class SignedIn(Phones):
    """`portal_store.PortalStore`, over one writer."""

    async def open_sign_in(
        self, sign_in: PortalSignIn, *, mark: bytes, limit: RingLimit, event: Event
    ) -> Opening:
        self._expect_the_time()
        return await self._write(
            lambda rows: portal.open_sign_in(rows, sign_in, mark=mark, limit=limit, event=event)
        )

    async def sign_ins_of(self, person: PersonKey, *, now: float) -> Sequence[PortalSignIn]:
        return await self._read(lambda rows: portal.sign_ins_of(rows, person, now=now))

    async def sign_in(self, id: str) -> PortalSignIn | None:
        return await self._read(lambda rows: portal.read(rows, id))

    async def sign_in_of(self, mark: bytes) -> PortalSignIn | None:
        return await self._read(lambda rows: portal.read_of(rows, mark))

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
        if self.clock_behind():
            return None
        return await self._write(
            lambda rows: portal.answer(
                rows, id, device=device, approve=approve, assertion=assertion, at=at, event=event
            )
        )

    async def begin_portal_session(
        self, mark: bytes, session: PortalSession, *, approved: str | None, browser: bytes, event: Event
    ) -> bool:
        self._expect_the_time()
        return await self._write(
            lambda rows: portal.begin(rows, mark, session, approved=approved, browser=browser, event=event)
        )

    async def portal_session(self, mark: bytes, *, at: float, seen: bool) -> PortalSession | None:
        if self.clock_behind():
            return None
        if seen and await self._read(lambda rows: portal.must_be_seen(rows, mark, at=at)):
            return await self._write(lambda rows: portal.see(rows, mark, at=at))
        return await self._read(lambda rows: portal.find(rows, mark, at=at))

    async def end_portal_session(self, mark: bytes, *, at: float, event: Event) -> bool:
        return await self._write(lambda rows: portal.end(rows, mark, at=at, event=event))

    async def note_portal_invitation(
        self, mark: bytes, *, invitation: str | None, device: str | None = None
    ) -> None:
        await self._write(
            lambda rows: portal.note_invitation(rows, mark, invitation=invitation, device=device)
        )

    async def kept_devices_of(self, person: PersonKey) -> Sequence[KeptDevice]:
        return await self._read(lambda rows: portal.kept_devices_of(rows, person))

    async def rename_device(
        self, id: str, *, name: str, person: PersonKey | None, at: float, event: Event
    ) -> bool:
        return await self._write(
            lambda rows: portal.rename(rows, id, name=name, person=person, at=at, event=event)
        )

    def _expect_the_time(self) -> None:
        """What ends by the clock is not begun by a wrong one."""
        if behind := self.clock_behind():
            raise ClockBehind(
                f"the clock is {behind:.0f} s behind the latest evidence: nobody is signed in by it"
            )
