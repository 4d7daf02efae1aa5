"""What a request with a right password meets: an open question, a yes that is owed to it, a no, or nothing.

Pure: the store reads what there is, asks here, and writes what is decided in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from radius_push.attempts import Rider, Without
from radius_push.model import ProofName, Question, QuestionState, Reason
from radius_push.shapes import RingLimit

NO_COUNTS = 60.0
"""Seconds for which a deny, or a time-out, speaks for the next tries of its attempt."""
TICKET_SECONDS = 60.0
"""How long a yes that came late lets the next try in: time to type a password once more."""
MOST_LANES = 3
"""Sign-ins of one attempt that wait beside each other."""
MOST_WAITING = 10
"""Questions of one person that wait, of whatever attempts; from where they are known, those from there."""
SHORTEST_BAR = 1.0
"""Nobody can answer in less."""
LONGEST_BACKOFF = 3600.0
"""Seconds after which an attempt that nobody answers rings once more."""

_WAITING = {QuestionState.PENDING, QuestionState.APPROVED, QuestionState.LATE}
_SAID = {QuestionState.APPROVED, QuestionState.SPENT, QuestionState.DENIED, QuestionState.TICKET}


@dataclass(frozen=True, slots=True)
class Waiting:
    """The newest request of a question for which a gateway still waits."""

    source: str
    source_port: int


@dataclass(frozen=True, slots=True)
class Past:
    """A question of the same attempt."""

    question: Question
    decision: bytes
    """The mark of what the rules said when it was asked."""
    rang: bool
    followed: bool
    """A follow-on has been let in by it."""
    proofs: frozenset[ProofName]
    """By which its requests proved the password."""
    waiting: Waiting | None
    """None: no gateway waits for it."""
    phone_there: bool = True
    """The phone that answered it is still this person's: a yes of one that was removed lets nobody in."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """This person's other questions, of whatever attempts."""

    in_vain: int
    """Rings of the last `RingLimit.within` seconds that nobody answered, those that wait among them."""
    waiting: int
    """From this place alone, if it is familiar."""
    familiar: bool
    """The person was let in from there lately."""


@dataclass(frozen=True, slots=True)
class Join:
    """Wait for this question, until then at most."""

    past: Past
    ends_at: float


@dataclass(frozen=True, slots=True)
class Skip:
    """Nobody is asked: it was said already."""

    past: Past
    by: Without


@dataclass(frozen=True, slots=True)
class Open:
    """Ask."""

    lane: int
    rings: bool


def meet(
    rider: Rider, decision: bytes, past: Sequence[Past], crowd: Crowd, limit: RingLimit, *, at: float
) -> Join | Skip | Open | Reason:
    """`decision`: the mark of what the rules say of this request. `past`: what there is of its attempt, the
    newest first; empty if nobody can tell. A no goes before everything."""
    if any(_denied(each, at) for each in past):
        return Reason.DENIED_BEFORE
    if rider.may_skip and (skip := _skip(rider, decision, past, at)):
        return skip
    if rider.may_join and (join := _join(rider, decision, past, at)):
        return join
    if any(_not_answered(each, at) for each in past):
        return Reason.NOT_ANSWERED_BEFORE
    taken = {each.question.lane for each in past if each.question.state in _WAITING}
    if len(taken) >= MOST_LANES or crowd.waiting >= MOST_WAITING:
        return Reason.TOO_MANY_WAITING
    too_often = crowd.in_vain >= limit.unanswered
    if too_often and not crowd.familiar:
        return Reason.RUNG_TOO_OFTEN
    lane = next(number for number in range(1, MOST_LANES + 1) if number not in taken)
    return Open(lane, rings=not too_often and at >= _rings_again(past))


def _denied(past: Past, at: float) -> bool:
    said = past.question.closed_at
    # A row of a future further off than this was written under a wrong clock: it mutes nobody until then.
    return past.question.state is QuestionState.DENIED and said is not None and abs(at - said) < NO_COUNTS


def _not_answered(past: Past, at: float) -> bool:
    over = past.question.state in {QuestionState.LATE, QuestionState.TIMED_OUT}
    return over and abs(at - _ended(past.question)) < NO_COUNTS


def _ended(question: Question) -> float:
    return question.expires_at if question.closed_at is None else question.closed_at


def _skip(rider: Rider, decision: bytes, past: Sequence[Past], at: float) -> Skip | None:
    for each in past:
        question = each.question
        if each.decision != decision or not each.phone_there:
            continue  # it would be let in with other rights, or after less than the rules ask for
        until, said = question.later_until, question.closed_at
        match question.state:
            case QuestionState.TICKET if until is not None and 0 < until - at <= TICKET_SECONDS:
                if rider.proof in each.proofs:
                    return Skip(each, "ticket")
            case QuestionState.SPENT if said is not None and 0 <= at - said < rider.follow_on:
                if not each.followed:
                    return Skip(each, "follow_on")
    return None


def _join(rider: Rider, decision: bytes, past: Sequence[Past], at: float) -> Join | None:
    found = None
    for each in past:
        ends_at = min(rider.ends_at, each.question.closes_at)
        if each.decision != decision or not _is_open(each.question, at) or ends_at - at < SHORTEST_BAR:
            continue
        if each.waiting == Waiting(rider.source, rider.source_port):
            return Join(each, ends_at)  # the same gateway, where it has one request at a time
        # A yes for which no gateway waits any more is no ticket: nobody was told that it would be one.
        if each.waiting is None and each.question.state is not QuestionState.APPROVED and found is None:
            found = Join(each, ends_at)
    return found


def _is_open(question: Question, at: float) -> bool:
    if question.state is QuestionState.LATE:
        return question.later_until is not None and at < question.later_until
    return question.state in _WAITING


def _rings_again(past: Sequence[Past]) -> float:
    """When an attempt that nobody answers may ring once more: ever later, so that a laptop that connects by
    itself all night wakes nobody."""
    rang = []
    for each in past:
        if each.question.state in _SAID or each.question.device is not None:
            break
        if each.rang and each.question.state not in _WAITING - {QuestionState.LATE}:
            rang.append(_ended(each.question))
    if not rang:
        return 0.0
    return max(rang) + min(NO_COUNTS * 2.0 ** (min(len(rang), 10) - 1), LONGEST_BACKOFF)
