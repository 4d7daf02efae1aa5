"""A no that comes after a yes: the person looks again, and says that it was not them.

It changes no verdict: whoever was let in is in. It tells the administrator, and takes from the yes whatever
it could still open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from radius_push.factors.answer import AnswerRefused
from radius_push.factors.question import milliseconds
from radius_push.model import Device, Question, QuestionState

CONTEST_SECONDS = 300.0
"""After a yes, in which it can be taken back."""
MOST_RECENT = 5
"""Yeses that a phone is shown, the newest."""
FIELDS = frozenset({"question", "person", "client", "address"})
"""What a phone signs of the question, beside what each signed request holds."""

_YES = {QuestionState.APPROVED, QuestionState.TICKET, QuestionState.SPENT}


def can_be_contested(question: Question, now: float) -> bool:
    """Did somebody say yes to it a short time ago, and nobody that it was not them?"""
    return (
        question.state in _YES
        and question.contested_at is None
        and question.answered_at is not None
        and now < question.answered_at + CONTEST_SECONDS
    )


def compare(said: dict[str, str], question: Question) -> None:
    """The statement must name the very login. Raises AnswerRefused with the first field that differs."""
    expected = {
        "question": question.id,
        "person": str(question.person),
        "client": question.client,
        "address": question.address,
    }
    for name, value in expected.items():
        if said.get(name) != value:
            raise AnswerRefused(name)


def recent(questions: Iterable[Question], *, device: Device, now: float) -> list[dict[str, object]]:
    """The yeses of the last minutes as a phone is shown them, the newest first, also those taken back."""
    told = [question for question in questions if _is_told(question, now)]
    told.sort(key=lambda question: question.answered_at or 0.0, reverse=True)
    return [
        {
            "id": question.id,
            "login": question.login,
            "person": str(question.person),
            "account": question.account,
            "client": question.client,
            "address": question.address,
            "answered_at": milliseconds(question.answered_at or 0.0),
            "by_this_device": question.device == device.id,
            "contested": question.contested_at is not None,
        }
        for question in told[:MOST_RECENT]
    ]


def next_change(questions: Sequence[Question], *, now: float) -> float | None:
    """When the next of them is shown no more, by the clock alone (UTC seconds)."""
    return min((_until(each) for each in questions if _is_told(each, now)), default=None)


def _is_told(question: Question, now: float) -> bool:
    taken_back = question.contested_at is not None and question.answered_at is not None
    return can_be_contested(question, now) or (taken_back and now < _until(question))


def _until(question: Question) -> float:
    return (question.answered_at or 0.0) + CONTEST_SECONDS
