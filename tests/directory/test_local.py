"""Local users: their hashes, their attributes, and a flood of wrong passwords."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import MappingProxyType

import argon2
import pytest

from radius_push.directory.local import LocalDirectory, hash_password
from radius_push.model import Down, Right, Secret, Unknown, Wrong
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
    kinds = Counter(type(proved) for proved in await asyncio.gather(*flood))
    assert kinds.keys() == {Wrong, Down}
    assert await directory.prove(eve, Secret("e")) == Right()  # and it ends with the flood
    await directory.close()


async def test_a_full_queue_is_down_and_not_wrong() -> None:
    users = [f"user{n}" for n in range(20)]
    directory = _directory(**{user: hash_password(b"x", cheap=True) for user in users})
    people = [await known(directory, user) for user in users]
    proofs = [directory.prove(person, Secret("x")) for person in people for _ in range(60)]
    proved = await asyncio.gather(*proofs)
    assert {type(each) for each in proved} == {Right, Down}
    assert sum(each == Right() for each in proved) >= 256
    await directory.close()
