"""What the store keeps of invitations that were sent, and of what a person is to be told."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from radius_push.events import Event
from radius_push.model import Device, Invitation, Trial
from radius_push.notices import Mail, Notice

if TYPE_CHECKING:
    from radius_push.ports import Bell


class PostStore(Protocol):
    """That part of `ports.Store`; what is promised there holds here."""

    # invitations that were sent

    async def open_invitations(self) -> Sequence[tuple[Invitation, Device | None]]:
        """Those that are not closed, the newest last, with the phone that waits for its code."""

    async def invitation_by(self, secret: bytes) -> Invitation | None:
        """Whose token or code has this keyed hash."""

    async def mailed(self, invitation: str, *, at: float, event: Event) -> bool:
        """Its mail has left. False if there is no such invitation."""

    async def withdraw(self, invitation: str, *, at: float, event: Event) -> bool:
        """Close it: it is of no more use. False if it is closed already, or a phone has used it."""

    async def begin_password(self, invitation: str, *, most: int) -> bool:
        """Count one try before a directory is asked: however many come at once, no more than `most` may.
        False if they are used up, or it is closed."""

    async def password_not_asked(self, invitation: str) -> None:
        """The directory could not be asked: that try was none."""

    async def password_wrong(self, invitation: str, *, most: int, at: float) -> bool:
        """With its event. True if it was the last try: the invitation is closed."""

    # notices

    async def notices_of(self, device: str) -> Sequence[Notice]:
        """What this device's app shows, oldest first."""

    async def notices_to_ring(self) -> Sequence[Notice]:
        """Those for which nobody was rung yet: each is handed out once, to one server."""

    async def dismiss_notice(self, notice: str, *, device: str) -> bool:
        """It was seen. False if it is not this device's."""

    # test requests that no phone asked for

    async def ask_trial(self, trial: Trial, *, most: int, since: float, event: Event) -> bool:
        """As `open_trial`, and whichever server looks first rings the device."""

    async def trials_to_ring(self, *, now: float) -> Sequence[tuple[Trial, Device]]:
        """Those that were asked for so and are not over: each is handed out once, to one server."""

    # mails

    def post(self) -> AbstractAsyncContextManager[Bell]:
        """Rings when there is something to tell (in any process)."""

    async def mails_to_send(self, *, at: float, until: float, most: int) -> Sequence[Mail]:
        """Those that are due, each handed to one server: nobody else gets it before `until`."""

    async def mail_sent(self, mail: Mail, *, at: float, event: Event) -> None:
        """It is not sent again."""

    async def mail_put_off(self, mail: Mail, *, until: float) -> None:
        """It could not be sent now."""

    async def mail_given_up(self, mail: Mail, *, at: float, event: Event) -> None:
        """It is not tried again."""
