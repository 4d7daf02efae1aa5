"""What every directory promises to the walk of a login, whatever stands behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from radius_push.directory.local import LocalDirectory, hash_password
from radius_push.model import (
    Chap,
    Down,
    Found,
    MsChapV2,
    Person,
    Proof,
    Reason,
    Right,
    Secret,
    Unknown,
    Wrong,
)
from radius_push.ports import Directory
from radius_push.shapes import LocalProfile, LocalUser
from tests.directory.directories import known, opened
from tests.directory.slapd import ALICE_PASSWORD, BOB_PASSWORD, ZOE_PASSWORD, Slapd

_LOCAL_USERS: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "alice": (ALICE_PASSWORD, {"mobile": ("+49 1", "+49 2"), "mail": ("alice@example.test",)}),
    "bob": (BOB_PASSWORD, {"mail": ("bob@example.test",)}),
    "zoe": (ZOE_PASSWORD, {}),
}


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    server = Slapd()
    try:
        server.start(tmp_path_factory.mktemp("slapd") / "server")
        yield server
    finally:
        server.stop()


@pytest.fixture(params=["local", "ldap"])
async def directory(request: pytest.FixtureRequest) -> AsyncIterator[Directory]:
    if request.param == "local":
        users = {
            name: LocalUser(name, hash_password(password.encode(), cheap=True), attributes)
            for name, (password, attributes) in _LOCAL_USERS.items()
        }
        local: Directory = LocalDirectory(LocalProfile("corp", users))
        yield local
        await local.close()
    else:
        profile = request.getfixturevalue("slapd").profile(name="corp")
        async with opened(profile, attributes=frozenset({"mobile", "mail"})) as directory:
            yield directory


async def test_a_right_password_is_right(directory: Directory) -> None:
    alice = await known(directory, "alice")
    assert await directory.prove(alice, Secret(ALICE_PASSWORD)) == Right()


@pytest.mark.parametrize(
    "proof", [Chap(1, b"c", bytes(16)), MsChapV2(1, b"a" * 16, b"p" * 16, bytes(24), b"")]
)
async def test_what_it_has_no_secret_for_is_refused_and_proves_nothing(
    directory: Directory, proof: Proof
) -> None:
    proved = await directory.prove(await known(directory, "alice"), proof)
    assert isinstance(proved, Wrong)
    assert proved.reason is Reason.PROOF_NOT_ACCEPTED


@pytest.mark.parametrize(
    "password",
    [BOB_PASSWORD, ALICE_PASSWORD + " ", ALICE_PASSWORD.upper(), ALICE_PASSWORD[:-1], "*", "x" * 5000],
)
async def test_any_other_password_is_wrong(directory: Directory, password: str) -> None:
    alice = await known(directory, "alice")
    proved = await directory.prove(alice, Secret(password))
    assert isinstance(proved, Wrong)
    assert proved.reason is Reason.WRONG_PASSWORD


@pytest.mark.parametrize("password", [b"", b"\0", ALICE_PASSWORD.encode() + b"\0", b"\0" + b"x"])
async def test_an_empty_password_or_one_with_nul_is_never_right(
    directory: Directory, password: bytes
) -> None:
    alice = await known(directory, "alice")
    assert isinstance(await directory.prove(alice, Secret(password)), Wrong)


async def test_a_password_is_octets_not_letters(directory: Directory) -> None:
    zoe = await known(directory, "zoe")
    assert await directory.prove(zoe, Secret(ZOE_PASSWORD)) == Right()
    assert isinstance(await directory.prove(zoe, Secret(ZOE_PASSWORD.encode("cp1251", "replace"))), Wrong)


@pytest.mark.parametrize(
    "name",
    ["nobody", "", " ", "*", "al*", "alice)(uid=*", "alice*", "(alice)", "alice\\", "\\2a", "alice\0",
     "alice\n", "ali\x07ce", "a" * 300, "alice,ou=people", "\ud800"],
)  # fmt: skip
async def test_a_name_nobody_has_is_unknown(directory: Directory, name: str) -> None:
    assert await directory.find(name) == Unknown()


@pytest.mark.parametrize("name", ["alice", "ALICE", "Alice", "ａｌｉｃｅ", "ＡＬＩＣＥ", "ⓐlice"])
async def test_one_person_has_one_id_however_the_name_is_typed(directory: Directory, name: str) -> None:
    alice = await known(directory, "alice")
    typed = await known(directory, name)
    assert typed.key == alice.key
    assert typed.key.authentication_profile == "corp"
    assert typed.username == "alice"


async def test_attributes_are_found_by_casefolded_name_with_all_their_values(directory: Directory) -> None:
    alice = await known(directory, "alice")
    assert set(alice.attributes["mobile"]) == {"+49 1", "+49 2"}
    assert alice.attributes["mail"] == ("alice@example.test",)
    assert all(name == name.casefold() and values for name, values in alice.attributes.items())
    assert alice.unread == frozenset()


async def test_an_attribute_without_values_is_absent(directory: Directory) -> None:
    assert "mobile" not in (await known(directory, "bob")).attributes


async def test_people_differ(directory: Directory) -> None:
    assert (await known(directory, "alice")).key != (await known(directory, "bob")).key


async def test_a_closed_directory_is_down_and_does_not_raise(directory: Directory) -> None:
    alice = await known(directory, "alice")
    await directory.close()
    found: Found = await directory.find("alice")
    assert isinstance(found, Person | Down)
    assert isinstance(await directory.prove(alice, Secret(ALICE_PASSWORD)), Down)
