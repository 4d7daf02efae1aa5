"""What news make of a session, as tables: late, twice and in the wrong order."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from radius_push.sessions import Became, News, Session, SessionKey, Status, Traffic, meet

KEY = SessionKey("fw", "fw-1", "S1")
T = 1_790_000_000.0
Word = tuple[Literal["start", "interim", "stop"], float]


def news(
    status: str, at: float, *, seconds: int | None = None, user: str = "alice", heard: float | None = None
) -> News:
    kind = Status(status)
    assert kind in (Status.START, Status.INTERIM, Status.STOP)
    return News(
        KEY, kind, T + at, T + (at if heard is None else heard), username=user, traffic=Traffic(seconds)
    )  # fmt: skip


def play(*words: News) -> tuple[list[Session], list[str]]:
    """All sessions under the key, oldest first, and what became of each word."""
    sessions: list[Session] = []
    became: list[str] = []
    for word in words:
        met = meet(sessions[-1] if sessions else None, word)
        became.append(met.what if met else "-")
        if met is None:
            continue
        if met.closes:
            sessions[-1] = met.closes
        if met.is_new:
            sessions.append(met.session)
        else:
            sessions[-1] = met.session
    return sessions, became


def test_start_interim_stop() -> None:
    [session], became = play(news("start", 0), news("interim", 60, seconds=60), news("stop", 90, seconds=90))
    assert became == ["started", "went_on", "ended"]
    assert (session.started_at, session.ended_at, session.ended_by) == (T, T + 90, "stop")
    assert session.traffic.seconds == 90


@pytest.mark.parametrize(
    ("words", "became"),
    [
        # the same again, under another Authenticator
        ([news("start", 0), news("start", 0, heard=5), news("start", 4)], ["started", "-", "-"]),
        ([news("start", 0), news("stop", 9), news("stop", 9, heard=14)], ["started", "ended", "-"]),
        ([news("interim", 60, seconds=60)] * 2, ["started", "-"]),
        # in the wrong order
        ([news("stop", 90, seconds=90), news("start", 0, heard=95)], ["ended", "is_known"]),
        ([news("stop", 90), news("start", 95)], ["ended", "is_known"]),
        ([news("interim", 60, seconds=60), news("start", 0, heard=61)], ["started", "is_known"]),
        ([news("start", 0), news("interim", 90, seconds=90), news("interim", 60, seconds=60)],
         ["started", "went_on", "-"]),
        ([news("start", 0), news("stop", 90, seconds=90), news("interim", 60, seconds=60)],
         ["started", "ended", "-"]),
        ([news("start", 0), news("stop", 90), news("interim", 900, seconds=900)], ["started", "ended", "-"]),
    ],
)  # fmt: skip
def test_late_and_repeated_words_open_and_close_nothing(words: list[News], became: list[str]) -> None:
    sessions, heard = play(*words)
    assert heard == became
    assert len(sessions) == 1


def test_a_start_behind_its_stop_only_says_when_it_began() -> None:
    [session], _ = play(news("stop", 90), news("start", 0, heard=95))
    assert (session.started_at, session.started_told, session.ended_at) == (T, True, T + 90)


def test_a_word_without_a_start_tells_the_beginning_by_its_seconds() -> None:
    for status in ("interim", "stop"):
        [session], _ = play(news(status, 90, seconds=90))
        assert (session.started_at, session.started_told) == (T, False)


def test_an_id_that_is_given_out_again_is_another_session() -> None:
    sessions, became = play(news("start", 0), news("stop", 90), news("start", 1000))
    assert became == ["started", "ended", "started"]
    assert [each.ended_by for each in sessions] == ["stop", None]


def test_an_id_that_is_given_out_again_after_a_lost_stop_ends_the_one_before() -> None:
    for again in (news("start", 1000), news("start", 100, user="bob")):
        sessions, became = play(news("start", 0), again)
        assert became == ["started", "started"]
        assert [each.ended_by for each in sessions] == ["replaced", None]


def test_a_stop_of_the_one_before_does_not_end_the_next() -> None:
    sessions, became = play(news("start", 0), news("start", 1000), news("stop", 500, heard=1001))
    assert became == ["started", "started", "-"]
    assert sessions[-1].ended_at is None


def closed(by: Literal["on", "off"]) -> Session:
    [session], _ = play(news("start", 0), news("interim", 60, seconds=60))
    return replace(session, ended_at=T + 100, ended_by=by)


def become(session: Session, word: News) -> Became | None:
    return meet(session, word)


@pytest.mark.parametrize("by", ["on", "off"])
def test_a_session_that_was_concluded_to_be_over_lives_when_its_gateway_counts_on(
    by: Literal["on", "off"],
) -> None:
    alive = become(closed(by), news("interim", 120, seconds=120))
    assert alive is not None
    assert (alive.what, alive.is_new, alive.session.ended_at, alive.session.ended_by) == (
        "started", False, None, None,
    )  # fmt: skip
    # What it said before, played again, does not count on.
    assert become(closed(by), news("interim", 120, seconds=60)) is None
    assert become(closed(by), news("interim", 120)) is None
    ended = become(closed(by), news("stop", 99))
    assert ended is not None
    assert (ended.what, ended.session.ended_by, ended.session.ended_at) == ("ended", "stop", T + 99)


def test_after_a_boot_the_same_id_is_another_session_at_once() -> None:
    again = become(closed("on"), news("start", 101))
    assert again is not None
    assert (again.what, again.is_new) == ("started", True)
    late = become(closed("on"), news("start", 0, heard=102))
    assert late is None


def test_what_a_later_word_leaves_out_an_earlier_one_said() -> None:
    first = replace(news("start", 0), framed=("10.8.0.7",), port="tun0", address="203.0.113.7")
    second = replace(news("interim", 60, seconds=60), username=None)
    third = replace(news("stop", 90), traffic=Traffic(90, octets_in=5), cause="User-Request")
    [session], _ = play(first, second, third)
    assert (session.username, session.framed, session.port) == ("alice", ("10.8.0.7",), "tun0")
    assert (session.traffic, session.cause) == (Traffic(90, octets_in=5), "User-Request")
