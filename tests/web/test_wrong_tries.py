"""Guessing at codes is bounded, per neighbourhood and in all."""

from __future__ import annotations

from ipaddress import ip_address

from radius_push.web.wrong_tries import WINDOW, WrongTries, neighbourhood


def test_ten_wrong_tries_in_ten_minutes_and_no_more() -> None:
    tries = WrongTries()
    for _ in range(10):
        assert tries.admits("a", 0.0)
        tries.note("a", 0.0)
    assert not tries.admits("a", WINDOW - 1)
    assert tries.admits("b", WINDOW - 1)
    assert tries.admits("a", WINDOW)


def test_many_neighbourhoods_together_are_bounded_too() -> None:
    tries = WrongTries()
    for number in range(1000):
        assert tries.admits(str(number), 0.0)
        tries.note(str(number), 0.0)
    assert not tries.admits("another", 0.0)
    assert tries.admits("another", WINDOW)


def test_an_ipv6_user_is_their_whole_64() -> None:
    one, other = ip_address("2001:db8::1"), ip_address("2001:db8::ffff:1:2:3")
    assert neighbourhood(one) == neighbourhood(other)
    assert neighbourhood(one) != neighbourhood(ip_address("2001:db8:0:1::1"))
    assert neighbourhood(ip_address("::ffff:192.0.2.1")) == neighbourhood(ip_address("192.0.2.1"))
