"""Guessing at codes is bounded, per neighbourhood and in all."""

from __future__ import annotations

from ipaddress import ip_address

from radius_push.web.wrong_tries import WINDOW, WrongTries, neighbourhood


def test_ten_wrong_tries_in_ten_minutes_and_no_more() -> None:
    tries = WrongTries()
    assert all(tries.book("a", 0.0) for _ in range(10))
    assert tries.book("a", WINDOW - 1) is None
    assert tries.book("b", WINDOW - 1)
    assert tries.book("a", WINDOW)


def test_a_right_try_does_not_count() -> None:
    tries = WrongTries()
    for _ in range(50):
        booked = tries.book("a", 0.0)
        assert booked
        tries.strike(booked)


def test_many_neighbourhoods_together_are_bounded_too() -> None:
    tries = WrongTries()
    assert all(tries.book(str(n), 0.0) for n in range(1000))
    assert tries.book("another", 0.0) is None
    assert tries.book("another", WINDOW)


def test_an_ipv6_user_is_their_whole_64() -> None:
    one, other = ip_address("2001:db8::1"), ip_address("2001:db8::ffff:1:2:3")
    assert neighbourhood(one) == neighbourhood(other)
    assert neighbourhood(one) != neighbourhood(ip_address("2001:db8:0:1::1"))
    assert neighbourhood(ip_address("::ffff:192.0.2.1")) == neighbourhood(ip_address("192.0.2.1"))
