"""Tells what waits in the store to be told: mails until they are taken, and rings for the other phones.

The row is the truth, the bell a hint. Each mail is handed to one server of several at a time; a mail whose
sender ended in the middle is sent once more rather than never.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from radius_push import events
from radius_push.hush import Hush, place_of
from radius_push.model import Device, Trial
from radius_push.notices import Mail, Notice
from radius_push.notify.mail import BATCH_SECONDS, MOST_TOGETHER, MailDoor, Never, NotNow, Outcome, Taken
from radius_push.notify.texts import told
from radius_push.ports import Clock, Store, StoreDown
from radius_push.shapes import MailServer

logger = logging.getLogger("radius_push.notify")

FIRST_PAUSE = 30.0
LONGEST_PAUSE = 3600.0
GIVE_UP_AFTER = 86400.0
"""Seconds after what it tells of."""
LEASE = 2 * BATCH_SECONDS
"""Seconds in which no other server sends it."""
LOOK_EVERY = 15.0


def pause(tries: int) -> float:
    """Seconds until the next try: twice as long each time."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (tries - 1))


class Outbox:
    """Goes on for ever beside the logins, none of which waits for it."""

    def __init__(
        self,
        server: MailServer | None,
        *,
        store: Store,
        clock: Clock,
        ring: Callable[[Notice], None],
        ring_trial: Callable[[Trial, Device], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._ring = ring
        self._ring_trial = ring_trial
        self._hush = Hush()
        self._server = server
        self._door = None if server is None else MailDoor(server)
        self._closing: set[asyncio.Task[None]] = set()

    def use(self, server: MailServer | None) -> None:
        """After a reload: another mail server from the next batch on."""
        if server == self._server:
            return
        old, self._server = self._door, server
        self._door = None if server is None else MailDoor(server)
        if old is not None:
            task = asyncio.create_task(old.close(), name="close the mail door")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def run(self) -> None:
        # Apart: a mail server that hangs must keep no phone from ringing.
        await asyncio.gather(self._keep(self.ring), self._keep(self.send))

    async def _keep(self, go_round: Callable[[], Awaitable[None]]) -> None:
        async with self._store.post() as bell:
            while True:
                try:
                    await go_round()
                except StoreDown as problem:
                    self._say("the store", f"nothing can be told now: {problem}")
                except Exception as fault:  # noqa: BLE001  a fault in telling ends neither it nor the logins
                    # The type and the place only: a message may hold an address.
                    self._say("a fault", f"telling failed: {type(fault).__name__} at {place_of(fault)}")
                await bell.wait(LOOK_EVERY)

    async def ring(self) -> None:
        """For all that nobody was rung for yet. Raises StoreDown."""
        for notice in await self._store.notices_to_ring():
            self._ring(notice)
        for trial, device in await self._store.trials_to_ring(now=self._clock.now()):
            self._ring_trial(trial, device)

    async def send(self) -> None:
        """Whatever is due, as long as the mail server takes any of it. Raises StoreDown."""
        taken = True
        while taken:
            now = self._clock.now()
            mails = await self._store.mails_to_send(at=now, until=now + LEASE, most=MOST_TOGETHER)
            taken = bool(mails) and await self._send(mails)

    async def close(self) -> None:
        if self._door is not None:
            await self._door.close()

    async def _send(self, mails: Sequence[Mail]) -> bool:
        """Was any taken?"""
        door, server = self._door, self._server
        if door is None or server is None:
            outcomes: Sequence[Outcome] = [NotNow("the settings name no mail server")] * len(mails)
        else:
            letters = [told(server.language, mail) for mail in mails]
            outcomes = await door.send(letters, at=self._clock.now())
        for mail, outcome in zip(mails, outcomes, strict=True):
            await self._note(mail, outcome)
        return any(isinstance(outcome, Taken) for outcome in outcomes)

    async def _note(self, mail: Mail, outcome: Outcome) -> None:
        now, person = self._clock.now(), str(mail.person)
        match outcome:
            case Taken():
                event = events.Mailed(person, mail.kind, mail.about, mail.tries)
                await self._store.mail_sent(mail, at=now, event=event)
            case NotNow(detail) if now + pause(mail.tries) < mail.at + GIVE_UP_AFTER:
                await self._store.mail_put_off(mail, until=now + pause(mail.tries))
                self._say("mail", f"a mail was not taken, and is tried again: {detail}")
            case NotNow(detail) | Never(detail):
                given_up = events.MailGivenUp(person, mail.kind, mail.about, mail.tries, detail)
                await self._store.mail_given_up(mail, at=now, event=given_up)

    def _say(self, subject: str, sentence: str) -> None:
        more = self._hush.due(subject, self._clock.monotonic())
        if more is not None:
            logger.warning("%s (%d more since the last line)", sentence, more)
