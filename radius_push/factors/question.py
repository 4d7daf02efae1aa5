"""What a phone is shown about one login, and what its answer to it must say.

On the wire to phones every time is UTC in whole milliseconds, so that no two languages can differ about
how a fraction is written; a value is text, a whole number or null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from radius_push.model import Device, DeviceState, Question, QuestionState, Trial

VERSION = 1
"""Of everything a phone signs."""
NUMBER_MODE = "off"
"""No number has to be matched."""
CLOSED_SECONDS = 60.0
"""How long a phone is told what became of a question."""

Purpose = Literal["approve", "deny"]
Value = str | int | None

_OUTCOMES = {
    QuestionState.PENDING: "timed_out",  # its bar has run out, only the row does not say so yet
    QuestionState.APPROVED: "approved",
    QuestionState.SPENT: "approved",
    QuestionState.DENIED: "denied",
    QuestionState.TIMED_OUT: "timed_out",
    QuestionState.CLOSED: "closed",
}


def milliseconds(at: float) -> int:
    """UTC seconds as the phone gets them."""
    return round(at * 1000)


def is_open(question: Question, now: float) -> bool:
    """Can it be answered at `now`?"""
    return question.state is QuestionState.PENDING and now < question.expires_at


def outcome(question: Question) -> str:
    """What became of a question that is not open: approved, denied, timed_out or closed."""
    return _OUTCOMES[question.state]


def card(question: Question) -> dict[str, Value]:
    """What the phone is shown, and what it needs for its answer."""
    return {
        "id": question.id,
        "login": question.login,
        "person": str(question.person),
        "account": question.account,
        "client": question.client,
        "address": question.address,
        "number_mode": NUMBER_MODE,
        "unanswered": question.unanswered,
        "nonce": question.nonce,
        "opened_at": milliseconds(question.opened_at),
        "expires_at": milliseconds(question.expires_at),
    }


def statement(question: Question, *, device: str, origin: str, purpose: Purpose) -> dict[str, Value]:
    """Every field that this device's answer must hold, with the one value it may have."""
    return {
        "version": VERSION,
        "purpose": purpose,
        "origin": origin,
        "question": question.id,
        "person": str(question.person),
        "device": device,
        "client": question.client,
        "address": question.address,
        "number_mode": NUMBER_MODE,
        "nonce": question.nonce,
        "expires_at": milliseconds(question.expires_at),
    }


def state(
    device: Device, questions: Sequence[Question], trials: Sequence[Trial] = (), *, now: float
) -> dict[str, object]:
    """Everything that a phone shows, without the time: who it is, what it is asked, what became of it.
    Test requests stand apart, with nothing in them that could be answered like a question.

    A phone that is not active yet, or no more, is told only that.
    """
    shown = questions if device.state is DeviceState.ACTIVE else ()
    return {
        "device": {
            "id": device.id,
            "name": device.name,
            "account": device.username,
            "state": device.state.value,
        },
        "questions": [card(question) for question in shown if is_open(question, now)],
        "closed": [
            {
                "id": question.id,
                "outcome": outcome(question),
                "by_this_device": question.device == device.id,
            }
            for question in shown
            if not is_open(question, now) and now < _forgotten_at(question)
        ],
        "tests": [
            {
                "id": trial.id,
                "opened_at": milliseconds(trial.opened_at),
                "expires_at": milliseconds(trial.expires_at),
            }
            for trial in trials
            if device.state is DeviceState.ACTIVE and now < trial.expires_at
        ],
    }


def next_change(questions: Sequence[Question], trials: Sequence[Trial] = (), *, now: float) -> float | None:
    """When the state changes by the clock alone (UTC seconds); None: not by these."""
    ends = [
        question.expires_at if is_open(question, now) else _forgotten_at(question)
        for question in questions
        if is_open(question, now) or now < _forgotten_at(question)
    ]
    ends += [trial.expires_at for trial in trials if now < trial.expires_at]
    return min(ends, default=None)


def _forgotten_at(question: Question) -> float:
    ended = question.expires_at if question.closed_at is None else question.closed_at
    return ended + CLOSED_SECONDS
