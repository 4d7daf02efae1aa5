"""What a phone is shown: everything that is open, what became of the rest, nothing else."""

from __future__ import annotations

import pytest

from radius_push.factors.question import card, is_open, next_change, state
from radius_push.model import DeviceState, QuestionState, Trial
from tests.factors.signing import NOW, a_device, a_question


def test_a_card_carries_all_the_facts_and_no_profile() -> None:
    assert card(a_question()) == {
        "id": "q1",
        "login": "K7F2QX",
        "person": "staff:alice-id",
        "account": "alice",
        "client": "fw1",
        "address": "198.51.100.7",
        "number_mode": "off",
        "biometrics": "optional",
        "unanswered": 0,
        "nonce": "n" * 22,
        "opened_at": 1_790_000_000_000,
        "late": "no",
        "ends_at": 1_790_000_045_250,
        "expires_at": 1_790_000_195_250,
    }


def test_a_late_one_says_so_stays_until_its_window_ends_and_stands_last() -> None:
    late = a_question(id="a", state=QuestionState.LATE, later_until=NOW + 75, late_counts=True)
    cards = state(a_device(), [late, a_question(id="b")], now=NOW + 40)["questions"]
    said = [(card["id"], card["late"], card["ends_at"]) for card in cards]  # type: ignore[attr-defined]
    assert said == [("b", "no", 1_790_000_045_250), ("a", "yes", 1_790_000_075_000)]
    assert next_change([late], now=NOW + 74) == NOW + 75
    assert state(a_device(), [late], now=NOW + 75)["closed"] == [
        {"id": "a", "outcome": "timed_out", "by_this_device": False}
    ]


def test_all_open_questions_are_listed() -> None:
    shown = state(a_device(), [a_question(id="a"), a_question(id="b")], now=NOW)
    assert [card["id"] for card in shown["questions"]] == ["a", "b"]  # type: ignore[attr-defined]
    assert shown["closed"] == []


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (QuestionState.APPROVED, "approved"),
        (QuestionState.SPENT, "approved"),
        (QuestionState.TICKET, "approved_late"),
        (QuestionState.DENIED, "denied"),
        (QuestionState.TIMED_OUT, "timed_out"),
        (QuestionState.CLOSED, "closed"),
    ],
)
def test_what_became_of_a_question_is_told_for_a_minute(ended: QuestionState, told: str) -> None:
    question = a_question(state=ended, device="d1", closed_at=NOW + 5)
    shown = state(a_device(), [question], now=NOW + 64)
    assert shown["closed"] == [{"id": "q1", "outcome": told, "by_this_device": True}]
    assert shown["questions"] == []
    assert state(a_device(), [question], now=NOW + 65)["closed"] == []


def test_a_question_whose_bar_ran_out_is_over_soon_whatever_its_row_still_says() -> None:
    assert not is_open(a_question(), NOW + 45.25)
    assert state(a_device(), [a_question()], now=NOW + 46.7)["closed"] == []
    shown = state(a_device(), [a_question()], now=NOW + 46.75)
    assert shown["questions"] == []
    assert shown["closed"] == [{"id": "q1", "outcome": "timed_out", "by_this_device": False}]


@pytest.mark.parametrize("not_active", [DeviceState.PENDING, DeviceState.REMOVED])
def test_a_phone_that_is_not_active_is_shown_no_question(not_active: DeviceState) -> None:
    shown = state(a_device(not_active), [a_question()], now=NOW)
    assert shown["questions"] == shown["closed"] == []
    assert shown["device"] == {
        "id": "d1",
        "name": "Pixel",
        "account": "alice",
        "state": not_active.value,
        "credential": None,
        "waiting_credential": None,
        "guarded": False,
    }


def test_the_next_change_by_the_clock_is_the_nearest_end() -> None:
    ended = a_question(id="e", state=QuestionState.DENIED, closed_at=NOW)
    assert next_change([], now=NOW) is None
    assert next_change([a_question(), a_question(expires_at=NOW + 9)], now=NOW) == NOW + 10.5
    assert next_change([ended], now=NOW + 1) == NOW + 60
    assert next_change([ended], now=NOW + 60) is None


def test_a_test_request_stands_apart_and_ends_by_the_clock() -> None:
    trial = Trial("t1", "d1", opened_at=NOW, expires_at=NOW + 60)
    shown = state(a_device(), [], [trial], now=NOW)
    assert shown["questions"] == shown["closed"] == []
    assert shown["tests"] == [{"id": "t1", "opened_at": 1_790_000_000_000, "expires_at": 1_790_000_060_000}]
    assert next_change([], [trial], now=NOW) == NOW + 60
    assert state(a_device(), [], [trial], now=NOW + 60)["tests"] == []
    assert next_change([], [trial], now=NOW + 60) is None
    assert state(a_device(DeviceState.PENDING), [], [trial], now=NOW)["tests"] == []
