"""LdapDirectory against a real slapd: whom it finds, what it reads, and whose password is right."""

from __future__ import annotations

import logging
import socket
import uuid

import pytest
from ldap3.utils.log import EXTENDED, OFF, set_library_log_detail_level

from radius_push.model import Ambiguous, Down, Person, Reason, Right, Secret, Unknown, Wrong
from tests.directory.directories import TurnedClock, known, opened
from tests.directory.slapd import (
    ALICE_PASSWORD,
    BASE,
    GROUPS,
    PEOPLE,
    SERVICE_PASSWORD,
    Slapd,
    group,
    person,
)


async def test_a_person_is_known_by_entry_uuid(slapd: Slapd) -> None:
    async with opened(slapd.profile()) as directory:
        alice = await known(directory, "alice")
    assert alice.key.id == str(uuid.UUID(alice.key.id))
    assert alice.entry == f"uid=alice,{PEOPLE}"
    assert alice.username == "alice"


async def test_a_renamed_person_is_the_same_person(own_slapd: Slapd) -> None:
    admin = own_slapd.admin()
    async with opened(own_slapd.profile()) as directory:
        before = await known(directory, "alice")
        assert admin.modify_dn(f"uid=alice,{PEOPLE}", "uid=alice2", delete_old_dn=True)
        assert await directory.find("alice") == Unknown()
        after = await known(directory, "alice2")
        assert after.key == before.key
        assert await directory.prove(after, Secret(ALICE_PASSWORD)) == Right()
    admin.unbind()


async def test_a_reused_name_is_another_person(own_slapd: Slapd) -> None:
    admin = own_slapd.admin()
    async with opened(own_slapd.profile()) as directory:
        before = await known(directory, "alice")
        assert admin.delete(f"uid=alice,{PEOPLE}")
        assert admin.add(*person("alice", userPassword="other"))
        assert (await known(directory, "alice")).key != before.key
    admin.unbind()


async def test_a_name_that_fits_two_entries_is_ambiguous(slapd: Slapd) -> None:
    async with opened(slapd.profile(user_filter="(mail={username})")) as directory:
        assert await directory.find("shared@example.test") == Ambiguous()
        assert isinstance(await directory.find("alice@example.test"), Person)


async def test_the_directorys_own_spelling_is_shown(slapd: Slapd) -> None:
    profile = slapd.profile(user_filter="(|(uid={username})(mail={username}))")
    async with opened(profile) as directory:
        assert (await known(directory, "ALICE@example.test")).username == "alice"
    async with opened(slapd.profile(user_filter="(mail={username})")) as directory:
        assert (await known(directory, "ALICE@example.test")).username == "alice@example.test"


async def test_groups_come_as_member_of(slapd: Slapd) -> None:
    async with opened(slapd.profile()) as directory:
        alice, zoe = await known(directory, "alice"), await known(directory, "zoe")
    assert f"cn=vpn,{GROUPS}" in alice.attributes["memberof"]
    assert "memberof" not in zoe.attributes
    assert alice.attributes["departmentnumber"] == ("IT",)
    assert alice.attributes["cn"] == ("Alice",)


async def test_a_bare_group_name_becomes_the_names_of_all_groups_called_so(slapd: Slapd) -> None:
    names = frozenset({"VPN", "twin", "no such", "alice", "v*"})
    async with opened(slapd.profile(), group_names=names) as directory:
        groups = (await known(directory, "zoe")).groups
    assert groups["vpn"] == (f"cn=vpn,{GROUPS}",)
    assert set(groups["twin"]) == {f"cn=twin,ou=east,{GROUPS}", f"cn=twin,ou=west,{GROUPS}"}
    assert (groups["no such"], groups["alice"], groups["v*"]) == ((), (), ())


async def test_group_names_are_looked_up_again_after_a_minute(own_slapd: Slapd) -> None:
    clock = TurnedClock()
    admin = own_slapd.admin()
    async with opened(own_slapd.profile(), group_names=frozenset({"vpn"}), clock=clock) as directory:
        await known(directory, "alice")
        assert admin.add(*group("vpn", "bob", under=f"ou=east,{GROUPS}"))
        clock.at += 59
        assert len((await known(directory, "alice")).groups["vpn"]) == 1
        clock.at += 2
        assert len((await known(directory, "alice")).groups["vpn"]) == 2
    admin.unbind()


async def test_groups_that_cannot_be_looked_up_are_down_not_absent(slapd: Slapd) -> None:
    profile = slapd.profile(group_base_dn=f"ou=nowhere,{BASE}")
    async with opened(profile, group_names=frozenset({"vpn"})) as directory:
        found = await directory.find("alice")
    assert isinstance(found, Down)
    assert "group_base_dn" in found.detail


async def test_what_cannot_be_read_is_unread_and_not_absent(own_slapd: Slapd) -> None:
    admin = own_slapd.admin()
    big = person(
        "big",
        description=["x" * 1025],
        title=[f"title {n}" for n in range(1001)],
        userPassword="x",
        jpegPhoto=b"\xff\xd8\xff",
    )
    assert admin.add(*big), admin.result
    asked = frozenset({"description", "title", "jpegPhoto", "mobile"})
    async with opened(own_slapd.profile(), attributes=asked) as directory:
        found = await known(directory, "big")
    assert found.unread == {"description", "title", "jpegphoto"}
    assert found.attributes == {"cn": ("Big",)}
    admin.unbind()


async def test_an_answer_without_end_is_down(own_slapd: Slapd) -> None:
    admin = own_slapd.admin()
    huge = person("huge", description=[f"{n:03}" + "x" * 10_000 for n in range(250)], userPassword="x")
    assert admin.add(*huge), admin.result
    async with opened(own_slapd.profile(), attributes=frozenset({"description"})) as directory:
        found = await directory.find("huge")
        assert isinstance(found, Down)
        assert "larger than" in found.detail
        assert isinstance(await directory.find("alice"), Person)
    admin.unbind()


async def test_a_missing_id_is_down_with_the_mend(slapd: Slapd) -> None:
    async with opened(slapd.profile(id_attribute="employeeNumber")) as directory:
        found = await directory.find("alice")
    assert isinstance(found, Down)
    assert "id_attribute: employeeNumber is not readable" in found.detail


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"base_dn": f"ou=nowhere,{BASE}"}, "base_dn"),
        ({"bind_password": Secret("not it")}, "bind_dn"),
        ({"bind_dn": "not a dn"}, "bind_dn"),
        ({"user_filter": "(uid={username}"}, "search"),
        ({"urls": ("ldap://127.0.0.1:1",)}, "connecting"),
        ({"urls": ("ldap://nowhere.invalid",)}, "connecting"),
    ],
)
async def test_settings_that_do_not_fit_are_down_and_say_which(
    slapd: Slapd, change: dict[str, object], says: str
) -> None:
    async with opened(slapd.profile(**change)) as directory:
        found = await directory.find("alice")
    assert isinstance(found, Down)
    assert says in found.detail


async def test_this_slapd_calls_a_bind_without_a_password_a_success(slapd: Slapd) -> None:
    """The trap that the next test is about (RFC 4513, 5.1.2)."""
    dn = f"uid=alice,{PEOPLE}".encode()
    bind = b"\x02\x01\x03\x04" + bytes([len(dn)]) + dn + b"\x80\x00"
    message = b"\x02\x01\x01\x60" + bytes([len(bind)]) + bind
    with socket.create_connection((slapd.address, slapd.port), timeout=5) as line:
        line.sendall(b"\x30" + bytes([len(message)]) + message)
        assert line.recv(100)[7:10] == b"\x0a\x01\x00"  # resultCode success


@pytest.mark.parametrize("password", [b"", b"\0", b"a\0b", b"\xff\xfe", b"x" * 1025])
async def test_a_password_that_must_not_be_sent_is_not(slapd: Slapd, password: bytes) -> None:
    async with opened(slapd.profile()) as directory:
        alice = await known(directory, "alice")
        before = slapd.binds(alice.entry)
        assert isinstance(await directory.prove(alice, Secret(password)), Wrong)
    assert slapd.binds(alice.entry) == before


async def test_one_login_is_one_bind(slapd: Slapd) -> None:
    async with opened(slapd.profile()) as directory:
        alice = await known(directory, "alice")
        before = slapd.binds(alice.entry)
        assert isinstance(await directory.prove(alice, Secret("wrong")), Wrong)
        assert slapd.binds(alice.entry) == before + 1


async def test_an_entry_that_is_gone_by_now_is_wrong(own_slapd: Slapd) -> None:
    admin = own_slapd.admin()
    async with opened(own_slapd.profile()) as directory:
        alice = await known(directory, "alice")
        assert admin.delete(alice.entry)
        proved = await directory.prove(alice, Secret(ALICE_PASSWORD))
    assert isinstance(proved, Wrong)
    assert proved.reason is Reason.WRONG_PASSWORD
    admin.unbind()


async def test_no_password_is_in_any_log_however_talkative(
    slapd: Slapd, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    set_library_log_detail_level(EXTENDED)
    try:
        async with opened(slapd.profile()) as directory:
            alice = await known(directory, "alice")
            right = await directory.prove(alice, Secret(ALICE_PASSWORD))
            wrong = await directory.prove(alice, Secret("typed-canary-44"))
        async with opened(slapd.profile(bind_password=Secret("bind-canary-55"))) as directory:
            down = await directory.find("alice")
        seen = caplog.text + repr((alice, right, wrong, down, directory, vars(directory), slapd.profile()))
    finally:
        set_library_log_detail_level(OFF)
    assert "BIND" in caplog.text  # it did log
    for canary in (ALICE_PASSWORD, "typed-canary-44", "bind-canary-55", SERVICE_PASSWORD):
        assert canary not in seen
