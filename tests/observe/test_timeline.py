"""Which events are of one login, when two logins drew the same code."""

from __future__ import annotations

from radius_push.evidence import EvidenceRow
from radius_push.model import Reason
from radius_push.observe.timeline import tell

AT = 1_790_000_000.0


def rows(*said: tuple[str, dict[str, object]], at: float = AT, first: int = 1) -> list[EvidenceRow]:
    return [(first + n, at + n, kind, {"login": "K7F2QX", **fields}) for n, (kind, fields) in enumerate(said)]


def kinds(told: list[EvidenceRow]) -> list[list[str]]:
    return [[step.kind for step in login.steps] for login in tell(told)]


Q1: dict[str, object] = {"question": "q1"}
Q2: dict[str, object] = {"question": "q2"}
PUSH = [("asked", Q1), ("answered", Q1), ("accepted", Q1), ("sent", {})]


def test_a_whole_login_is_one() -> None:
    (login,) = tell(rows(*PUSH))
    assert [step.kind for step in login.steps] == ["asked", "answered", "accepted", "sent"]
    assert (login.code, login.question, login.number, login.reason) == ("K7F2QX", "q1", 1, None)
    assert login.ended == AT + 2


def test_nothing_is_no_login() -> None:
    assert tell([]) == []


def test_two_that_drew_the_same_code_are_two() -> None:
    assert kinds(rows(*PUSH, ("asked", Q2), ("rejected", Q2))) == [
        ["asked", "answered", "accepted", "sent"],
        ["asked", "rejected"],
    ]
    assert kinds(rows(("rejected", {}), ("rejected", {}))) == [["rejected"], ["rejected"]]
    assert kinds(rows(("accepted", {}), ("sent", {}), ("accepted", {}), ("sent", {}))) == [
        ["accepted", "sent"],
        ["accepted", "sent"],
    ]


def test_another_question_is_another_login() -> None:
    assert kinds(rows(("asked", Q1), ("rejected", Q2))) == [["asked"], ["rejected"]]


def test_a_login_that_was_left_open_does_not_take_the_end_of_one_much_later() -> None:
    left = rows(("asked", Q1))
    later = rows(("rejected", {}), at=AT + 86400, first=9)
    assert kinds(left + later) == [["asked"], ["rejected"]]


def test_an_end_that_names_no_question_ends_the_open_login() -> None:
    """A server that stops, or crashes, notes that without the question."""
    (login,) = tell(rows(("asked", Q1), ("unanswered", {"reason": "server_stopped", "question": None})))
    assert login.reason is Reason.SERVER_STOPPED
    assert login.question == "q1"


def test_events_of_other_releases_are_part_of_it() -> None:
    (login,) = tell(rows(("asked", Q1), ("beckoned", Q1), ("rejected", {"reason": "moonless", **Q1})))
    assert [step.kind for step in login.steps] == ["asked", "beckoned", "rejected"]
    assert login.reason is None
    assert login.text("reason") == "moonless"


def test_it_begins_when_the_request_came_if_that_is_known() -> None:
    (login,) = tell(rows(("rejected", {"arrived_at": AT - 2.5})))
    assert login.began == AT - 2.5
    (login,) = tell(rows(("rejected", {})))
    assert login.began == AT


JOINED: tuple[str, dict[str, object]] = ("joined", {"client": "fw2", "was": "pending", **Q1})


def test_later_tries_of_one_question_are_one_login_and_an_accept_is_its_end() -> None:
    (login,) = tell(
        rows(
            ("asked", Q1),
            JOINED,
            ("unanswered", {"reason": "superseded", **Q1}),
            ("accepted", Q1),
            ("sent", {}),
        )
    )
    assert (login.end and login.end.kind, login.reason) == ("accepted", None)


def test_a_login_that_was_late_and_let_in_by_its_ticket_is_one() -> None:
    (login,) = tell(
        rows(
            ("asked", Q1),
            ("rejected", {"reason": "timed_out", **Q1}),
            ("answered", {"late": True, **Q1}),
            JOINED,
            ("accepted", {"method": "ticket", **Q1}),
            ("sent", {}),
        )
    )
    assert (login.reason, login.text("method")) == (None, "ticket")


def test_each_of_several_tries_may_end_without_naming_its_question() -> None:
    stopped: tuple[str, dict[str, object]] = ("unanswered", {"reason": "server_stopped", "question": None})
    (login,) = tell(rows(("asked", Q1), JOINED, stopped, stopped))
    assert login.reason is Reason.SERVER_STOPPED


def test_of_several_rejects_the_last_counts() -> None:
    (login,) = tell(
        rows(
            ("asked", Q1),
            ("rejected", {"reason": "timed_out", **Q1}),
            JOINED,
            ("rejected", {"reason": "denied", **Q1}),
        )
    )
    assert login.reason is Reason.DENIED


def test_what_is_written_beside_a_login_neither_ends_nor_splits_it_nor_says_who_answered() -> None:
    beside: list[tuple[str, dict[str, object]]] = [
        ("shown", {"device": "d2", **Q1}),
        ("push_received", {"device": "d2", **Q1}),
        ("repeated", {"times": 3}),
        ("beckoned", {}),
    ]
    (login,) = tell(rows(("asked", Q1), ("answered", {"device": "d1", **Q1}), ("accepted", Q1), *beside))
    assert login.text("device") == "d1"
    assert len(login.steps) == 7
