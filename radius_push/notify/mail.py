"""The door to the mail server: letters go in, and what became of each comes out. It never raises for them."""

from __future__ import annotations

import asyncio
import secrets
import smtplib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from radius_push.notify.smtp import Conversation, MailRefused
from radius_push.shapes import MailServer

BATCH_SECONDS = 60.0
"""For all that goes through one connection, from the look-up of its name on."""
MOST_TOGETHER = 20
"""Letters in one connection."""


@dataclass(frozen=True, slots=True)
class Letter:
    to: str
    """An address that `notices.mail_address` took."""
    subject: str
    """Of ours: nothing in it comes from elsewhere."""
    text: str = field(repr=False)
    """May hold the link of an invitation."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The server has it."""


@dataclass(frozen=True, slots=True)
class NotNow:
    detail: str


@dataclass(frozen=True, slots=True)
class Never:
    """It will not be taken another time either."""

    detail: str


Outcome = Taken | NotNow | Never


class MailDoor:
    """One batch at a time, in a thread of its own, each through a connection of its own."""

    def __init__(self, server: MailServer, *, seconds: float = BATCH_SECONDS) -> None:
        self._server = server
        self._seconds = seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mail")
        self._running: Future[None] | None = None

    async def send(self, letters: Sequence[Letter], *, at: float) -> list[Outcome]:
        """What became of each. Ends within `seconds`. `at`: what the mails say when they were written.

        Raises ValueError for more than MOST_TOGETHER.
        """
        if len(letters) > MOST_TOGETHER:
            raise ValueError("too many letters for one connection")
        batch = _Batch(self._server, [_message(letter, self._server, at) for letter in letters])
        late = await self._run(batch)
        unsaid = NotNow(batch.problem or late or "it closed the connection")
        return [*batch.outcomes, *[unsaid] * (len(letters) - len(batch.outcomes))]

    async def inspect(self) -> str:
        """Connect and log in, and send nothing. What is wrong in words; empty: nothing."""
        batch = _Batch(self._server, [])
        late = await self._run(batch)
        return batch.problem or late

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, batch: _Batch) -> str:
        """Why it was late, or empty."""
        if self._running is not None and not self._running.done():
            return "an earlier mail still hangs"
        self._running = self._thread.submit(batch.run)
        try:
            async with asyncio.timeout(self._seconds):
                await asyncio.shield(asyncio.wrap_future(self._running))
        except TimeoutError:
            return f"not done within {self._seconds:g} s"
        finally:
            if not self._running.done():
                batch.conversation.cut()
        return ""


class _Batch:
    """What one thread does; `outcomes` grows as it goes on."""

    def __init__(self, server: MailServer, messages: list[EmailMessage]) -> None:
        self.conversation = Conversation(server)
        self.outcomes: list[Outcome] = []
        self.problem = ""
        self._messages = messages

    def run(self) -> None:
        try:
            self.conversation.open()
            for message in self._messages:
                self.outcomes.append(self._send(message))
        except (MailRefused, OSError, smtplib.SMTPException, ValueError) as problem:
            self.problem = _in_words(problem)
        finally:
            self.conversation.close()

    def _send(self, message: EmailMessage) -> Outcome:
        try:
            self.conversation.send(message, to=str(message["To"]))
        except MailRefused as refused:
            return Never(str(refused)) if refused.for_ever else NotNow(str(refused))
        return Taken()


def _message(letter: Letter, server: MailServer, at: float) -> EmailMessage:
    message = EmailMessage(policy=SMTP)  # which refuses a header with a line break in it
    message["From"] = server.sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(at, UTC))
    message["Message-ID"] = f"<{secrets.token_hex(16)}@{server.sender.rpartition('@')[2]}>"
    # RFC 3834, 5: nobody's "I am on holiday" comes back.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, charset="utf-8", cte="quoted-printable")
    return message


def _in_words(problem: Exception) -> str:
    match problem:
        case MailRefused() | smtplib.SMTPServerDisconnected():
            return str(problem)
        case OSError():
            return problem.strerror or str(problem) or type(problem).__name__
    return type(problem).__name__
