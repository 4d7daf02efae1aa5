"""How long gateways wait, as tables: what arrives while a request is held, and what it tells (RFC 5080)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push.gateway import Series
from radius_push.model import Client
from radius_push.radius.patience import (
    ENOUGH,
    LEAST,
    MOST,
    MOST_OF_ONE,
    WORTH,
    Learned,
    Repeats,
    add,
    contradicts,
    learn,
    patience,
)

NOW = 1_790_000_000.0
ALICE, BOB = b"alice...", b"bob....."
CLIENT = Client("fw", (), (), ("push",), patience=60.0)


def seen(*repeats: float, held: float = 55.0, whose: bytes = ALICE, at: float = NOW) -> Series:
    """A request that came, came again so many seconds later, and was over after `held`."""
    heard = heard_at(*repeats)
    found = heard.series(1000.0 + held, at=at, whose=whose)
    assert found is not None
    return found


def heard_at(*repeats: float) -> Repeats:
    heard = Repeats(1000.0)
    for each in repeats:
        heard.again(1000.0 + each)
    return heard


def learned(*series: Series, now: float = NOW) -> Learned:
    found = learn(series, now)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("repeats", "waits", "tries"),
    [
        ((4, 8, 12, 16), 20.0, 5),
        ((5, 10), 15.0, 3),
        ((10,), 20.0, 2),
        ((2, 4.8, 8.72), 14.2, 4),  # strongSwan: 2 s, each 1.4 times longer
        ((2.1, 3.9, 6.2, 8.0), 10.0, 5),  # RFC 5080's tenth of chance is no growth
        ((0.3, 0.6, 0.9), 1.2, 4),
        ((1, 3, 7), 15.0, 4),  # doubled each time
    ],
)
def test_a_gateway_gives_up_one_interval_after_its_last_try(
    repeats: tuple[float, ...], waits: float, tries: int
) -> None:
    found = learned(seen(*repeats))
    assert found.waits == pytest.approx(waits, rel=0.06)
    assert found.tries == tries


@pytest.mark.parametrize(
    ("repeats", "over"),
    [
        ((4, 8, 12, 16), 22.0),
        ((2, 4.8, 8.72), 16.6),  # strongSwan, which gives up after 14.2 s
        ((5,), 19.75),  # the next interval may be twice as long
        ((1, 3, 7), 18.0),
        ((0.3, 0.6, 0.9), LEAST),
    ],
)
def test_a_gateway_that_falls_silent_has_given_up_an_interval_and_some_seconds_later(
    repeats: tuple[float, ...], over: float
) -> None:
    heard = heard_at(*repeats)
    assert heard.over_at(1000.0 + repeats[-1]) == pytest.approx(1000.0 + over, abs=0.02)
    series = heard.series(1000.0 + over, at=NOW, whose=ALICE)
    assert series is not None
    assert series.given_up


@given(st.floats(0, 1000))
def test_a_request_that_came_once_is_given_up_at_no_moment(held: float) -> None:
    assert heard_at().over_at(1000.0 + held) > 1000.0 + held


@pytest.mark.parametrize(
    ("repeats", "held"),
    [
        ((4, 8), 12.5),  # the next one is about to come
        ((20, 40), 55.0),
        ((10,), 30.0),  # the next one might come at 30 s, if the intervals double
    ],
)
def test_who_was_answered_while_he_asked_has_not_given_up(repeats: tuple[float, ...], held: float) -> None:
    assert not seen(*repeats, held=held).given_up
    assert learn([seen(*repeats, held=held)], NOW) is None


def test_one_long_try_tells_nothing() -> None:
    assert heard_at().series(1060.0, at=NOW, whose=ALICE) is None


def test_a_copy_made_by_the_network_is_no_try() -> None:
    assert seen(0.001, 4, 4.001, 8).tries == 3


def test_nothing_counts_before_the_third_time() -> None:
    short = [seen(4, 8, 12, 16, whose=whose) for whose in (ALICE, BOB, ALICE)]
    assert [patience(CLIENT, learn(short[:count], NOW), ALICE) for count in range(4)] == [60, 60, 60, 20]


def test_the_longest_counts_for_a_laptop_may_hang_up_early() -> None:
    found = learned(*[seen(4, whose=BOB)] * 3, seen(4, 8, 12, 16), *[seen(4, 8)] * 3)
    assert found.waits == 20.0


def test_a_lost_try_makes_no_gateway_more_patient() -> None:
    assert learned(seen(5, 10), seen(5, 10, whose=BOB), seen(10)).waits == 15.0


def test_who_still_asks_beyond_what_is_known_waits_longer() -> None:
    series = [seen(4, 8, whose=whose) for whose in (ALICE, BOB, BOB)]
    assert learned(*series).waits == 12.0
    longer = add(series, seen(4, 8, 12, 16, 20, held=21), NOW)
    assert learned(*longer).waits == 24.0
    assert add(series, seen(4, held=7), NOW) == tuple(series)


def test_never_under_ten_seconds_and_never_over_the_budget() -> None:
    quick = [seen(1, 2, whose=whose) for whose in (ALICE, BOB, ALICE)]
    assert patience(CLIENT, learn(quick, NOW), ALICE) == LEAST
    slow = [seen(30, 60, held=200, whose=whose) for whose in (ALICE, BOB, ALICE)]
    assert patience(CLIENT, learn(slow, NOW), ALICE) == 60.0


def test_what_the_settings_say_is_not_shortened() -> None:
    short = [seen(4, 8, whose=whose) for whose in (ALICE, BOB, ALICE)]
    assert patience(replace(CLIENT, patience_said=True), learn(short, NOW), ALICE) == 60.0


def test_one_person_alone_shortens_nobody_elses_time() -> None:
    mine = learn([seen(4, 8)] * 3, NOW)
    assert (patience(CLIENT, mine, ALICE), patience(CLIENT, mine, BOB)) == (12.0, 60.0)


def test_one_person_does_not_push_out_what_others_have_shown() -> None:
    series: tuple[Series, ...] = (seen(4, 8, 12, 16, whose=BOB),)
    for _ in range(100):
        series = add(series, seen(4), NOW)
    assert len(series) == 1 + MOST_OF_ONE
    assert learned(*series).waits == 20.0


def test_what_is_kept_is_bounded_to_the_newest() -> None:
    series: tuple[Series, ...] = ()
    for number in range(100):
        series = add(series, seen(4, whose=number.to_bytes(8), at=NOW + number), NOW + number)
    assert len(series) == MOST
    assert min(each.at for each in series) == NOW + 80


def test_after_a_week_the_gateway_is_asked_anew() -> None:
    old = [seen(4, 8)] * ENOUGH
    assert learn(old, NOW + WORTH) is not None
    assert learn(old, NOW + WORTH + 1) is None
    assert learn(old, NOW - WORTH - 1) is None  # the clock was wrong
    assert add(old, seen(4, 8, at=NOW + WORTH + 1), NOW + WORTH + 1)[:-1] == ()


@pytest.mark.parametrize(
    ("repeats", "ended", "so"),
    [
        ((), 15.0, True),  # one long try by now
        ((), 5.5, False),  # answered before the second try
        ((10,), 15.0, True),
        ((1, 2), 15.0, True),
        ((4.4, 8), 15.0, False),
    ],
)
def test_other_timers_than_are_known_are_a_contradiction(
    repeats: tuple[float, ...], ended: float, so: bool
) -> None:
    known, now = learned(seen(4, 8, 12, 16)), heard_at(*repeats)
    new = now.series(1000.0 + ended, at=NOW, whose=ALICE)
    assert contradicts(known, now, new, 1000.0 + ended) is so


_times = st.lists(st.floats(0.0, 120.0), max_size=60).map(sorted)


@given(st.lists(st.tuples(_times, st.floats(0.0, 130.0), st.sampled_from([ALICE, BOB])), max_size=30))
def test_whatever_arrives_the_patience_lies_between_ten_seconds_and_the_budget(
    logins: list[tuple[list[float], float, bytes]],
) -> None:
    series: tuple[Series, ...] = ()
    for repeats, more, whose in logins:
        heard = heard_at(*repeats)
        ended = 1000.0 + (repeats[-1] if repeats else 0.0) + more
        new = heard.series(ended, at=NOW, whose=whose)
        if new is not None:
            assert 0.0 < new.first <= new.last
            assert new.then > 0.0
            series = add(series, new, NOW)
    assert len(series) <= MOST
    assert all(one.at <= other.at for one, other in pairwise(series))
    assert LEAST <= patience(CLIENT, learn(series, NOW), ALICE) <= CLIENT.patience
