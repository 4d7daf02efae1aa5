"""Local users: their hashes, their attributes, and a flood of wrong passwords."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from types import MappingProxyType

import argon2
import pytest

from radius_push.directory.local import LocalDirectory, _Familiar, hash_password
from radius_push.model import Down, Proved, Reason, Right, Secret, Unknown, Wrong
from radius_push.shapes import LocalProfile, LocalUser
from tests.directory.directories import known


def _directory(**hashes: str) -> LocalDirectory:
    attributes = MappingProxyType({"group_name": ("admins", "staff"), "username": ("forged",)})
    return LocalDirectory(
        LocalProfile("local-admins", {n.casefold(): LocalUser(n, h, attributes) for n, h in hashes.items()})
    )


def test_a_hash_is_argon2id_of_the_recommended_cost() -> None:
    parameters = argon2.extract_parameters(hash_password(b"correct horse"))
    assert parameters == argon2.profiles.RFC_9106_LOW_MEMORY
    assert parameters.type is argon2.Type.ID


def test_the_same_password_has_another_hash_each_time() -> None:
    assert hash_password(b"x", cheap=True) != hash_password(b"x", cheap=True)


@pytest.mark.parametrize("password", [b"", b"a\0b"])
def test_a_password_that_can_never_be_proved_is_not_hashed(password: bytes) -> None:
    with pytest.raises(ValueError, match="not empty"):
        hash_password(password)


async def test_a_password_of_full_cost_is_proved() -> None:
    directory = _directory(Zoë=hash_password("пароль".encode()))
    zoe = await known(directory, "ZOE\N{COMBINING DIAERESIS}")
    assert await directory.prove(zoe, Secret("пароль")) == Right()
    await directory.close()


async def test_a_person_carries_their_attributes_and_their_own_username() -> None:
    directory = _directory(Zoe="x")
    zoe = await known(directory, "zoe")
    assert zoe.attributes == {"group_name": ("admins", "staff"), "username": ("Zoe",)}
    assert (zoe.username, zoe.key.id, zoe.entry) == ("Zoe", "zoe", "zoe")
    assert await directory.find("zo") == Unknown()
    await directory.close()


@pytest.mark.parametrize("hash", ["", "!", "$argon2id$v=19$garbage", "$2b$12$abcdefghijklmnopqrstuv", "é"])
async def test_a_bad_hash_is_wrong_and_says_so(hash: str) -> None:
    directory = _directory(zoe=hash)
    proved = await directory.prove(await known(directory, "zoe"), Secret("x"))
    assert isinstance(proved, Wrong)
    assert "hash-password" in proved.detail
    assert not hash or hash not in proved.detail
    await directory.close()


async def test_a_flood_of_one_name_leaves_room_for_the_others() -> None:
    directory = _directory(eve=hash_password(b"e", cheap=True), zoe=hash_password(b"z", cheap=True))
    eve, zoe = await known(directory, "eve"), await known(directory, "zoe")
    flood = [asyncio.create_task(directory.prove(eve, Secret("wrong"))) for _ in range(1000)]
    await asyncio.sleep(0)
    assert await directory.prove(zoe, Secret("z")) == Right()
    reasons = Counter(proved.reason for proved in await asyncio.gather(*flood) if isinstance(proved, Wrong))
    assert reasons.keys() == {Reason.WRONG_PASSWORD, Reason.CROWDED_OUT}
    assert reasons.total() == 1000  # none is Down: the gateway must not take the server for dead
    assert await directory.prove(eve, Secret("e")) == Right()  # and it ends with the flood
    await directory.close()


class Held(LocalDirectory):
    """Its argon2 ends when the test says so; what it was given, in order."""

    def __init__(self, profile: LocalProfile, *, last: bool = True) -> None:
        super().__init__(profile, last=last)
        self.go, self.given = threading.Event(), list[bytes]()

    def _verify(self, id: str, password_hash: str, octets: bytes) -> Proved:
        self.given.append(octets)
        self.go.wait(10)
        return super()._verify(id, password_hash, octets)


def _held(*names: str, last: bool = True) -> Held:
    users = {name: LocalUser(name, hash_password(b"right", cheap=True), {}) for name in names}
    return Held(LocalProfile("staff", users), last=last)


async def test_a_password_that_was_right_before_waits_behind_no_flood() -> None:
    directory = _held("alice")
    alice = await known(directory, "alice")
    directory.go.set()
    assert await directory.prove(alice, Secret("right")) == Right()
    directory.go.clear()
    directory.given.clear()
    tasks = [asyncio.create_task(directory.prove(alice, Secret(f"old {n}"))) for n in range(3)]
    await asyncio.sleep(0)
    mine = asyncio.create_task(directory.prove(alice, Secret("right")))
    tasks += [asyncio.create_task(directory.prove(alice, Secret(f"new {n}"))) for n in range(30)]
    await asyncio.sleep(0)
    directory.go.set()
    assert await mine == Right()
    await asyncio.gather(*tasks)
    assert directory.given.index(b"right") == 2  # of two threads, the next
    await directory.close()


def test_guesses_are_told_the_familiar_password_no_faster_than_so_many_a_second() -> None:
    familiar = _Familiar()
    familiar.remember("alice", b"right")
    asked = [familiar.knows("alice", b"right", now=7.5) for _ in range(1000)]
    assert sum(asked) == 50
    assert familiar.knows("alice", b"right", now=8.0)
    assert not familiar.knows("bob", b"right", now=8.0)
    assert not familiar.knows("alice", b"wrong", now=8.0)


async def test_a_name_nobody_has_waits_and_costs_as_a_known_one() -> None:
    directory = _held("alice", "bob")
    bob = await known(directory, "bob")
    flood = [asyncio.create_task(directory.prove(bob, Secret(f"wrong {n}"))) for n in range(10)]
    await asyncio.sleep(0)
    nobody = asyncio.create_task(directory.find("nobody"))
    again = asyncio.create_task(directory.pretend("alice"))  # a wrong password that is remembered
    for _ in range(10):
        await asyncio.sleep(0)
    assert not nobody.done()
    assert not again.done()
    directory.go.set()
    assert await nobody == Unknown()
    await asyncio.gather(*flood, again)
    assert len(directory.given) == 12
    await directory.close()


async def test_a_name_nobody_has_costs_nothing_where_another_directory_is_asked_next() -> None:
    directory = _held("alice", last=False)
    assert await directory.find("nobody") == Unknown()
    assert not directory.given
    await directory.close()


async def test_the_hash_of_a_name_nobody_has_costs_as_most_hashes_do() -> None:
    cheap = [hash_password(b"x", cheap=True) for _ in range(2)]
    directory = _directory(a="broken", b=hash_password(b"x"), c=cheap[0], d=cheap[1])
    assert directory._decoy in cheap
    await directory.close()
    empty = _directory(a="broken")
    assert await empty.find("nobody") == Unknown()
    await empty.close()


async def test_a_full_line_is_neither_down_nor_remembered_as_a_wrong_password() -> None:
    users = [f"user{n}" for n in range(20)]
    directory = _directory(**{user: hash_password(b"x", cheap=True) for user in users})
    people = [await known(directory, user) for user in users]
    proofs = [directory.prove(person, Secret("x")) for person in people for _ in range(60)]
    proved = await asyncio.gather(*proofs)
    assert {each.reason for each in proved if isinstance(each, Wrong)} == {Reason.CROWDED_OUT}
    assert sum(each == Right() for each in proved) >= 256
    assert not any(isinstance(each, Down) for each in proved)
    await directory.close()
