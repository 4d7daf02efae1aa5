"""Local users by NT hash and clear password: what each proof needs, and what time must not tell."""

from __future__ import annotations

import pytest

from radius_push.directory.local import hash_password
from radius_push.model import Chap, MsChapV2, Proof, Reason, Right, Secret, Unknown, Wrong
from radius_push.proofs import chap, mschapv2
from radius_push.shapes import LocalProfile, LocalUser
from tests.directory.directories import known
from tests.directory.test_local import Held

PASSWORD = "pass wörd"
NT_HASH = mschapv2.nt_hash(Secret(PASSWORD))
CLEAR = LocalUser("clear", None, {}, clear_password=Secret(PASSWORD))
NT = LocalUser("nt", None, {}, nt_hash=NT_HASH)
BOTH = LocalUser("both", None, {}, nt_hash=NT_HASH, clear_password=Secret(PASSWORD))
HASHED = LocalUser("hashed", hash_password(PASSWORD.encode(), cheap=True), {})


def directory(*users: LocalUser, last: bool = True) -> Held:
    held = Held(LocalProfile("staff", {user.name: user for user in users}), last=last)
    held.go.set()
    return held


def chap_of(password: str) -> Chap:
    return Chap(5, b"challenge", chap.response(5, Secret(password), b"challenge"))


def mschapv2_of(password: str) -> MsChapV2:
    nt_hash = mschapv2.nt_hash(Secret(password))
    assert nt_hash is not None
    response = mschapv2.generate_nt_response(b"a" * 16, b"p" * 16, b"User", nt_hash.reveal())
    return MsChapV2(5, b"a" * 16, b"p" * 16, response, b"User")


PROOFS = [Secret, chap_of, mschapv2_of]
CAN = [
    *[(CLEAR, make) for make in PROOFS],
    *[(BOTH, make) for make in PROOFS],
    *[(NT, make) for make in (Secret, mschapv2_of)],
]


@pytest.mark.parametrize(("user", "make"), CAN, ids=lambda each: getattr(each, "name", None))
async def test_a_right_proof_is_right_without_a_thread_and_any_other_is_wrong(
    user: LocalUser, make: type[Secret]
) -> None:
    house = directory(user)
    person = await known(house, user.name)
    proved = await house.prove(person, make(PASSWORD))
    assert isinstance(proved, Right)
    assert proved.nt_hash in (None, NT_HASH)
    for wrong in (PASSWORD + "x", PASSWORD.upper(), "x"):
        assert await house.prove(person, make(wrong)) == Wrong(Reason.WRONG_PASSWORD)
    assert not house.given
    await house.close()


async def test_who_proves_an_nt_hash_is_known_by_it() -> None:
    house = directory(BOTH)
    person = await known(house, "both")
    for proof in (chap_of(PASSWORD), mschapv2_of(PASSWORD)):
        proved = await house.prove(person, proof)
        assert isinstance(proved, Right)
        assert proved.nt_hash == NT_HASH
        assert "Secret(...)" in repr(proved)
    await house.close()


@pytest.mark.parametrize(
    ("user", "proof", "needs"),
    [
        (NT, chap_of(PASSWORD), "nt has no clear_password"),
        (HASHED, chap_of(PASSWORD), "hashed has no clear_password"),
        (HASHED, mschapv2_of(PASSWORD), "hashed has no nt_hash or clear_password"),
    ],
)
async def test_what_a_user_has_no_secret_for_is_refused_and_said(
    user: LocalUser, proof: Proof, needs: str
) -> None:
    house = directory(user)
    proved = await house.prove(await known(house, user.name), proof)
    assert isinstance(proved, Wrong)
    assert proved.reason is Reason.PROOF_NOT_ACCEPTED
    assert needs in proved.detail
    await house.close()


async def test_the_hash_of_argon2_goes_before_what_lies_open() -> None:
    hashed = LocalUser("zoe", HASHED.password_hash, {}, clear_password=Secret("another"))
    house = directory(hashed)
    zoe = await known(house, "zoe")
    assert isinstance(await house.prove(zoe, Secret(PASSWORD)), Right)
    assert isinstance(await house.prove(zoe, Secret("another")), Wrong)
    assert len(house.given) == 2
    await house.close()


@pytest.mark.parametrize("proof", [Secret("wrong"), chap_of("wrong"), mschapv2_of("wrong")])
async def test_a_wrong_proof_costs_what_a_name_that_nobody_has_costs(proof: Proof) -> None:
    for others, cost in (((), 0), ((HASHED,), 1)):
        house = directory(CLEAR, NT, *others)
        assert await house.find("nobody") == Unknown()
        assert len(house.given) == cost
        for name in ("clear", "nt"):
            house.given.clear()
            assert isinstance(await house.prove(await known(house, name), proof), Wrong)
            assert len(house.given) == cost
        house.given.clear()
        await house.pretend("clear")  # the same wrong password again
        assert len(house.given) == cost
        await house.close()


async def test_where_others_are_asked_next_neither_costs_a_hash() -> None:
    house = directory(CLEAR, HASHED, last=False)
    assert await house.find("nobody") == Unknown()
    clear = await known(house, "clear")
    assert isinstance(await house.prove(clear, Secret("wrong")), Wrong)
    await house.pretend("clear")
    assert not house.given
    await house.close()


@pytest.mark.parametrize("password", [b"", b"a\0b", b"x" * 2000])
async def test_a_password_that_is_none_is_compared_with_nothing(password: bytes) -> None:
    house = directory(CLEAR, NT)
    for name in ("clear", "nt"):
        assert isinstance(await house.prove(await known(house, name), Secret(password)), Wrong)
    await house.close()
