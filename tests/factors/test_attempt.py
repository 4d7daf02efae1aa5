"""Two tries are one attempt only if everything that makes it is the same."""

from __future__ import annotations

import pytest

from radius_push.factors.attempt import attempt, tag
from radius_push.model import PersonKey, Secret

KEY, NT_HASH = Secret(b"k" * 32), Secret(b"n" * 16)
ALICE = PersonKey("staff", "alice")
HOME = "203.0.113.7"


def test_the_same_try_again_is_the_same_attempt() -> None:
    one, two = (attempt(KEY, ALICE, group="fw1", address=HOME, nt_hash=NT_HASH) for _ in range(2))
    assert one == two
    assert one is not None
    assert len(one) == 32


@pytest.mark.parametrize(
    ("key", "person", "group", "address", "nt_hash"),
    [
        (Secret(b"K" * 32), ALICE, "fw1", HOME, NT_HASH),
        (KEY, PersonKey("staff", "bob"), "fw1", HOME, NT_HASH),
        (KEY, PersonKey("other", "alice"), "fw1", HOME, NT_HASH),
        (KEY, ALICE, "fw2", HOME, NT_HASH),
        (KEY, ALICE, "fw1", "203.0.113.8", NT_HASH),
        (KEY, ALICE, "fw1", HOME, Secret(b"m" * 16)),
        (KEY, ALICE, "fw120", HOME.removeprefix("20"), NT_HASH),
    ],
)
def test_whatever_differs_makes_another_attempt(
    key: Secret, person: PersonKey, group: str, address: str, nt_hash: Secret
) -> None:
    other = attempt(key, person, group=group, address=address, nt_hash=nt_hash)
    assert other != attempt(KEY, ALICE, group="fw1", address=HOME, nt_hash=NT_HASH)


def test_what_is_not_known_equals_nothing() -> None:
    assert attempt(KEY, ALICE, group="fw1", address=None, nt_hash=NT_HASH) is None
    assert attempt(KEY, ALICE, group="fw1", address=HOME, nt_hash=None) is None


def test_a_tag_is_a_persons_own_and_not_an_attempt() -> None:
    mine = tag(KEY, ALICE, NT_HASH)
    assert mine != tag(KEY, PersonKey("staff", "bob"), NT_HASH)
    assert mine != attempt(KEY, ALICE, group="fw1", address=HOME, nt_hash=NT_HASH)
