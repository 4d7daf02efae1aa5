"""What a phone is shown about one login, and what its answer to it must say.

On the wire to phones every time is UTC in whole milliseconds, so that no two languages can differ about
how a fraction is written; a value is text, a whole number or null.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from radius_push.factors.facts import Facts, shown
from radius_push.model import Biometrics, Credential, Device, DeviceState, Question, QuestionState, Trial
from radius_push.notices import Notice

VERSION = 1
"""Of everything a phone signs."""
NUMBER_MODE = "off"
"""No number has to be matched."""
LINGER = 1.5
"""Seconds after the end of a bar in which its row may not say so yet: a card stays where it is."""
CLOSED_SECONDS = 60.0
"""How long a phone is told what became of a question."""

IN_TIME, LATE, OVER = "no", "yes", "over"
"""What a phone signs of it. `over`: nobody can be let in by a yes, unless the gateway asks again."""

NO_BIOMETRICS = Biometrics()

_GAVE_UP = "~"
"""Behind it: how often."""

Purpose = Literal["approve", "deny"]
Value = str | int | None

_OUTCOMES = {
    # Its time is over, only the row does not say so yet.
    QuestionState.PENDING: "timed_out",
    QuestionState.LATE: "timed_out",
    QuestionState.TICKET: "approved_late",
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
    if question.state is QuestionState.LATE:
        return question.later_until is not None and now < question.later_until
    return question.state is QuestionState.PENDING and now < question.expires_at


def next_nonce(nonce: str) -> str:
    """Of the same question, once its gateway has given up: a yes to one try is none to another."""
    base, _, tries = nonce.partition(_GAVE_UP)
    return f"{base}{_GAVE_UP}{int(tries or 0) + 1}"


def is_of_another_try(nonce: Value, question: Question) -> bool:
    """Was it this question's, until a gateway gave up?"""
    if not isinstance(nonce, str) or nonce == question.nonce:
        return False
    return nonce.partition(_GAVE_UP)[0] == question.nonce.partition(_GAVE_UP)[0]


def is_late(question: Question) -> bool:
    """Has its gateway given up? Then a yes is for the next try alone."""
    return question.state is QuestionState.LATE


def lateness(question: Question) -> str:
    """What its card says of it."""
    if not is_late(question):
        return IN_TIME
    return LATE if question.late_counts else OVER


def ends_at(question: Question) -> float:
    """Until when it can be answered, as things stand: the gateway may yet ask again."""
    if question.state is QuestionState.LATE and question.later_until is not None:
        return question.later_until
    return question.expires_at


def outcome(question: Question) -> str:
    """What became of a question that is not open: approved, approved_late (the next try is let in), denied,
    timed_out or closed."""
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
        "biometrics": question.biometrics,
        "unanswered": question.unanswered,
        "nonce": question.nonce,
        "opened_at": milliseconds(question.opened_at),
        "ends_at": milliseconds(ends_at(question)),
        "late": lateness(question),
        "expires_at": milliseconds(question.closes_at),
    }


def statement(
    question: Question, *, device: str, origin: str, purpose: Purpose, late: str
) -> dict[str, Value]:
    """Every field that this device's answer must hold, with the one value it may have. `expires_at` is the
    question's last moment, which later tries of the gateway do not move. `late`: what the phone was shown."""
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
        "late": late,
        "expires_at": milliseconds(question.closes_at),
    }


def state(
    device: Device,
    questions: Sequence[Question],
    trials: Sequence[Trial] = (),
    *,
    now: float,
    notices: Sequence[Notice] = (),
    facts: Mapping[str, Facts] = MappingProxyType({}),
    biometrics: Biometrics = NO_BIOMETRICS,
    guarded: bool = False,
) -> dict[str, object]:
    """Everything that a phone shows, without the time: who it is, what it is asked, what became of it.
    Test requests stand apart, with nothing in them that could be answered like a question.

    `facts` by question: beside what is signed, never in it. A phone that is not active yet, or no more, is
    told only that. `guarded`: what it says of phones needs its fingerprint or face, too.
    """
    told = questions if device.state is DeviceState.ACTIVE else ()
    told = sorted(told, key=is_late)  # what somebody waits for comes first
    return {
        "device": {
            "id": device.id,
            "name": device.name,
            "account": device.username,
            "state": device.state.value,
            "credential": _id(biometrics.active),
            "waiting_credential": _id(biometrics.waiting),
            "guarded": guarded,
        },
        "questions": [
            {**card(question), "facts": shown(facts.get(question.id, Facts()))}
            for question in told
            if _is_shown(question, now)
        ],
        "closed": [
            {
                "id": question.id,
                "outcome": outcome(question),
                "by_this_device": question.device == device.id,
            }
            for question in told
            if not _is_shown(question, now) and now < _forgotten_at(question)
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
        "notices": [
            {"id": notice.id, "kind": notice.kind, "name": notice.name, "at": milliseconds(notice.at)}
            for notice in notices
            if device.state is DeviceState.ACTIVE
        ],
    }


def _id(credential: Credential | None) -> str | None:
    if credential is None:
        return None
    return base64.urlsafe_b64encode(credential.id).decode().rstrip("=")


def next_change(questions: Sequence[Question], trials: Sequence[Trial] = (), *, now: float) -> float | None:
    """When the state changes by the clock alone (UTC seconds); None: not by these."""
    ends = [
        _shown_until(question) if _is_shown(question, now) else _forgotten_at(question)
        for question in questions
        if _is_shown(question, now) or now < _forgotten_at(question)
    ]
    ends += [trial.expires_at for trial in trials if now < trial.expires_at]
    return min(ends, default=None)


def _is_shown(question: Question, now: float) -> bool:
    return is_open(question, now) or (
        question.state is QuestionState.PENDING and now < _shown_until(question)
    )


def _shown_until(question: Question) -> float:
    return ends_at(question) + (LINGER if question.state is QuestionState.PENDING else 0.0)


def _forgotten_at(question: Question) -> float:
    ended = ends_at(question) if question.closed_at is None else question.closed_at
    return ended + CLOSED_SECONDS
