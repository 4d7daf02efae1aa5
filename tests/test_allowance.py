"""A client may write so much a day, and no other client pays for it."""

from __future__ import annotations

from radius_push.allowance import DAY, Allowance


def test_what_is_spent_comes_back_the_next_day() -> None:
    allowance = Allowance()
    for _ in range(3):
        assert allowance.is_left("fw", 0.0, most=3)
        allowance.spend("fw")
    assert not allowance.is_left("fw", DAY - 1, most=3)
    assert allowance.is_left("other", DAY - 1, most=3)
    assert allowance.is_left("fw", DAY, most=3)
