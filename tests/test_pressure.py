"""Whose packets wait in the kernel: those of a client that has much undone, and nobody else's."""

from __future__ import annotations

import pytest

from radius_push.pressure import MOST_ASKING, MOST_OWED, Pressure


@pytest.mark.parametrize(("jobs", "presses"), [(MOST_OWED - 1, False), (MOST_OWED, True)])
def test_a_client_presses_by_what_the_store_owes_it(jobs: int, presses: bool) -> None:
    pressure = Pressure({"loud": jobs, "quiet": 0}.__getitem__)
    assert pressure.too_much("loud") is presses
    assert not pressure.too_much("quiet")


def test_a_client_presses_while_many_of_its_logins_ask_a_directory() -> None:
    pressure = Pressure(lambda _: 0)
    asking = [pressure.asking("loud") for _ in range(MOST_ASKING)]
    for each in asking:
        assert not pressure.too_much("loud")
        each.__enter__()
    assert pressure.too_much("loud")
    assert not pressure.too_much("quiet")
    asking[0].__exit__(None, None, None)
    assert not pressure.too_much("loud")


def test_a_login_that_crashes_asks_no_more() -> None:
    pressure = Pressure(lambda _: 0)
    for _ in range(MOST_ASKING):
        with pytest.raises(ValueError, match="crashed"), pressure.asking("loud"):
            raise ValueError("crashed")
    assert not pressure.too_much("loud")
