"""What a request with a right password meets: every rule of it, without a store or a clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radius_push.attempts import Rider
from radius_push.factors import joining
from radius_push.factors.joining import Crowd, Join, Open, Past, Skip, Waiting
from radius_push.model import QuestionState as State
from radius_push.model import Reason
from radius_push.shapes import RingLimit
from tests.factors.signing import NOW, a_question

MARK = b"what the rules say"
LIMIT = RingLimit(unanswered=5, within=600)
NOBODY = Crowd(in_vain=0, waiting=0, familiar=False)
HERE, ELSEWHERE = Waiting("192.0.2.1", 1645), Waiting("192.0.2.1", 1646)


def a_rider(at: float = NOW, **changes: object) -> Rider:
    made = Rider(
        packet=b"p",
        client="fw",
        source=HERE.source,
        source_port=HERE.source_port,
        proof="pap",
        arrived_at=at,
        until=at + 50,
        ends_at=at + 45,
        may_join=True,
        may_skip=True,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def past(state: State, *, waiting: Waiting | None = None, rang: bool = True, **changes: object) -> Past:
    """Opened at NOW, its bar until NOW + 45.25, its last moment NOW + 195.25."""
    question = a_question(state=state, **changes)
    return Past(question, MARK, rang=rang, followed=False, proofs=frozenset({"pap"}), waiting=waiting)


def late(**changes: object) -> Past:
    return past(State.LATE, later_until=NOW + 75.25, **changes)  # type: ignore[arg-type]


def ticket(**changes: object) -> Past:
    return past(State.TICKET, later_until=NOW + 110, device="d1", closed_at=NOW + 50, **changes)  # type: ignore[arg-type]


def spent(at: float = NOW + 10) -> Past:
    return past(State.SPENT, device="d1", closed_at=at)


def meet(*there: Past, at: float, crowd: Crowd = NOBODY, mark: bytes = MARK, **rider: object) -> object:
    met = joining.meet(a_rider(at, **rider), mark, there, crowd, LIMIT, at=at)
    match met:
        case Join(_, ends_at):
            return "join", ends_at - at
        case Skip(_, by):
            return by
        case Open(lane, rings):
            return "open", lane, rings
    return met


RINGS = ("open", 1, True)


def test_the_first_of_its_attempt_rings() -> None:
    assert meet(at=NOW) == RINGS


# --- joining -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waiting", "met"),
    [
        (HERE, ("join", 45)),  # where a gateway has one request at a time
        (ELSEWHERE, ("open", 2, True)),  # another sign-in
        (Waiting("192.0.2.2", 1645), ("open", 2, True)),
    ],
)
@pytest.mark.parametrize("state", [State.PENDING, State.APPROVED])
def test_a_retry_joins_and_another_sign_in_takes_the_next_lane(
    state: State, waiting: Waiting | None, met: object
) -> None:
    assert meet(past(state, waiting=waiting), at=NOW + 20) == met


def test_what_no_gateway_waits_for_any_more_is_joined_unless_it_is_answered() -> None:
    assert meet(past(State.PENDING), at=NOW + 20) == ("join", 45)
    assert meet(past(State.APPROVED, device="d1", closed_at=NOW + 10), at=NOW + 20) == ("open", 2, True)


def test_of_several_it_joins_the_one_of_its_own_socket() -> None:
    other, mine = past(State.PENDING, id="other", lane=2), past(State.PENDING, id="mine", waiting=HERE)
    met = joining.meet(a_rider(NOW + 5), MARK, [other, mine], NOBODY, LIMIT, at=NOW + 5)
    assert isinstance(met, Join)
    assert met.past.question.id == "mine"


def test_a_late_question_opens_again_until_its_window_ends() -> None:
    assert meet(late(), at=NOW + 75) == ("join", 45)
    assert meet(late(), at=NOW + 75.25) is Reason.NOT_ANSWERED_BEFORE


def test_however_many_join_a_question_has_a_last_moment() -> None:
    there = past(State.PENDING, expires_at=NOW + 190)
    assert meet(there, at=NOW + 180) == ("join", 15.25)
    assert meet(there, at=NOW + 194.5) == ("open", 2, True)


def test_whose_address_is_anybodys_word_joins_nothing() -> None:
    assert meet(past(State.PENDING, waiting=HERE), at=NOW, may_join=False) == ("open", 2, True)
    assert meet(late(), at=NOW + 50, may_join=False) is Reason.NOT_ANSWERED_BEFORE


def test_what_the_rules_decide_otherwise_joins_nothing() -> None:
    assert meet(past(State.PENDING, waiting=HERE), at=NOW, mark=b"another") == ("open", 2, True)


def test_three_lanes_and_no_more() -> None:
    there = [past(State.PENDING, lane=lane, waiting=ELSEWHERE) for lane in (3, 1, 2)]
    assert meet(*there, at=NOW + 1) is Reason.TOO_MANY_WAITING
    assert meet(*there[:2], at=NOW + 1) == ("open", 2, True)


def test_ten_wait_of_one_person_and_no_more() -> None:
    assert meet(at=NOW, crowd=Crowd(0, 10, familiar=True)) is Reason.TOO_MANY_WAITING


# --- a no goes before everything -------------------------------------------------------------------------


@pytest.mark.parametrize("other", [past(State.PENDING, waiting=HERE), ticket(), spent(), late()])
def test_after_a_no_nothing_lets_in_and_nothing_joins(other: Past) -> None:
    no = past(State.DENIED, device="d1", closed_at=NOW + 40)
    for order in ([no, other], [other, no]):
        assert meet(*order, at=NOW + 60, follow_on=300.0) is Reason.DENIED_BEFORE


# --- tickets and follow-on -----------------------------------------------------------------------------


def test_a_ticket_lets_in_until_its_end() -> None:
    assert meet(ticket(), at=NOW + 109) == "ticket"
    assert meet(ticket(), at=NOW + 110) != "ticket"


def test_a_ticket_of_a_wrong_clocks_future_lets_nobody_in() -> None:
    assert meet(ticket(), at=NOW - 1000) != "ticket"


@pytest.mark.parametrize("changes", [{"may_skip": False}, {"proof": "chap"}, {"mark": b"another"}])
@pytest.mark.parametrize("owed", ["ticket", "follow_on"])
def test_what_is_not_bound_to_it_is_let_in_by_nothing(owed: str, changes: dict[str, object]) -> None:
    there = ticket() if owed == "ticket" else spent()
    if owed == "follow_on" and "proof" in changes:
        pytest.skip("a portal and its gateway may speak differently")
    assert meet(there, at=NOW + 60 if owed == "ticket" else NOW + 12, follow_on=30.0, **changes) == RINGS  # type: ignore[arg-type]


def test_a_follow_on_comes_soon_and_once_and_where_it_is_declared() -> None:
    assert meet(spent(), at=NOW + 39, follow_on=30.0) == "follow_on"
    assert meet(spent(), at=NOW + 40, follow_on=30.0) == RINGS
    assert meet(spent(), at=NOW + 39) == RINGS
    assert meet(spent(), at=NOW + 9, follow_on=30.0) == RINGS  # before it: the clock went back
    assert meet(replace(spent(), followed=True), at=NOW + 39, follow_on=30.0) == RINGS


# --- how often it rings ----------------------------------------------------------------------------------


def unanswered(*ended: float) -> list[Past]:
    return [past(State.TIMED_OUT, closed_at=NOW + at) for at in sorted(ended, reverse=True)]


@pytest.mark.parametrize(
    ("ended", "seconds", "rings"),
    [
        ((0,), 60, True),
        ((0, 100), 219, False),
        ((0, 100), 220, True),
        ((0, 100, 300), 539, False),
        ((0, 100, 300), 540, True),
        (tuple(range(0, 12000, 1000)), 11000 + 3599, False),
        (tuple(range(0, 12000, 1000)), 11000 + 3600, True),
    ],
)
def test_who_never_answers_is_rung_ever_more_rarely(
    ended: tuple[float, ...], seconds: float, rings: bool
) -> None:
    assert meet(*unanswered(*ended), at=NOW + seconds) == ("open", 1, rings)


def test_what_did_not_ring_makes_the_pauses_no_longer() -> None:
    quiet = past(State.TIMED_OUT, closed_at=NOW + 90, rang=False)
    assert meet(quiet, *unanswered(0), at=NOW + 150) == RINGS


@pytest.mark.parametrize("said", [State.SPENT, State.DENIED, State.TICKET, State.APPROVED])
def test_an_answer_makes_them_short_again(said: State) -> None:
    answered = past(said, device="d1", closed_at=NOW + 800, lane=1)
    assert meet(answered, *unanswered(0, 100, 300), at=NOW + 900)[2] is True  # type: ignore[index]


@pytest.mark.parametrize(
    ("crowd", "met"),
    [
        (Crowd(4, 4, familiar=False), RINGS),
        (Crowd(5, 5, familiar=False), Reason.RUNG_TOO_OFTEN),
        (Crowd(5, 5, familiar=True), ("open", 1, False)),
    ],
)
def test_too_many_rings_in_vain_shut_out_no_familiar_address(crowd: Crowd, met: object) -> None:
    assert meet(at=NOW, crowd=crowd) == met
