"""The store's methods about what is sent and told; their statements are in `sending.py` and `telling.py`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from radius_push.events import Event
from radius_push.model import Device, Invitation, Trial
from radius_push.notices import Mail, Notice
from radius_push.ports import Bell
from radius_push.store import sending, telling, trials
from radius_push.store.asking import Questions
from radius_push.store.bells import POST


class Post(Questions):
    """`post_store.PostStore`, over one writer."""

    async def open_invitations(self) -> Sequence[tuple[Invitation, Device | None]]:
        return await self._read(sending.open_ones)

    async def invitation_by(self, secret: bytes) -> Invitation | None:
        return await self._read(lambda rows: sending.by_secret(rows, secret))

    async def mailed(self, invitation: str, *, at: float, event: Event) -> bool:
        return await self._write(lambda rows: sending.mailed(rows, invitation, at=at, event=event))

    async def withdraw(self, invitation: str, *, at: float, event: Event) -> bool:
        return await self._write(lambda rows: sending.withdraw(rows, invitation, at=at, event=event))

    async def begin_password(self, invitation: str, *, most: int) -> bool:
        return await self._write(lambda rows: sending.begin_password(rows, invitation, most=most))

    async def password_not_asked(self, invitation: str) -> None:
        await self._write(lambda rows: sending.password_not_asked(rows, invitation))

    async def password_wrong(self, invitation: str, *, most: int, at: float) -> bool:
        return await self._write(lambda rows: sending.password_wrong(rows, invitation, most=most, at=at))

    async def notices_of(self, device: str) -> Sequence[Notice]:
        return await self._read(lambda rows: telling.notices_of(rows, device))

    async def notices_to_ring(self) -> Sequence[Notice]:
        return await self._write(telling.to_ring)

    async def ask_trial(self, trial: Trial, *, most: int, since: float, event: Event) -> bool:
        return await self._write(lambda rows: trials.ask(rows, trial, most=most, since=since, event=event))

    async def trials_to_ring(self, *, now: float) -> Sequence[tuple[Trial, Device]]:
        return await self._write(lambda rows: trials.to_ring(rows, now=now))

    async def dismiss_notice(self, notice: str, *, device: str) -> bool:
        return await self._write(lambda rows: telling.dismiss(rows, notice, device=device))

    def post(self) -> AbstractAsyncContextManager[Bell]:
        return self._writer.bells.listen(POST)

    async def mails_to_send(self, *, at: float, until: float, most: int) -> Sequence[Mail]:
        return await self._write(lambda rows: telling.to_send(rows, at=at, until=until, most=most))

    async def mail_sent(self, mail: Mail, *, at: float, event: Event) -> None:
        await self._write(lambda rows: telling.done(rows, mail, at=at, event=event))

    async def mail_put_off(self, mail: Mail, *, until: float) -> None:
        await self._write(lambda rows: telling.put_off(rows, mail, until=until))

    async def mail_given_up(self, mail: Mail, *, at: float, event: Event) -> None:
        await self._write(lambda rows: telling.done(rows, mail, at=at, event=event))
