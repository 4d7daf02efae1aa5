"""From settings to open directories: which of them nobody asks another after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from radius_push.opening import is_last, what_a_directory_knows
from radius_push.settings import load
from radius_push.shapes import MailServer, PhoneListener, Settings

TEXT = """
server: {store: "sqlite://db", listen: {authentication: ["127.0.0.1:1812"]}}
clients:
  one: {addresses: [127.0.0.1], secret: 0123456789abcdef, profiles: [local, ldap]}
  two: {addresses: [127.0.0.2], secret: 0123456789abcdef, profiles: [local]}
authentication_profiles:
  first: {type: local, users: {}}
  second: {type: local, users: {}}
  third: {type: local, users: {}}
profiles:
  local: {methods: [none], fallback_auth_profiles: [first]}
  ldap: {methods: [none], fallback_auth_profiles: [first, second]}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "settings.yaml").write_text(TEXT)
    return load(tmp_path / "settings.yaml", environ={})


def test_a_directory_is_last_if_no_client_asks_another_after_it(settings: Settings) -> None:
    assert [is_last(settings, name) for name in ("first", "second", "third")] == [False, True, True]


def test_a_directory_that_becomes_the_last_is_opened_anew(settings: Settings) -> None:
    fewer = replace(settings, clients={"two": settings.clients["two"]})
    assert is_last(fewer, "first")
    assert what_a_directory_knows(fewer, "first") != what_a_directory_knows(settings, "first")


def test_where_people_are_written_to_is_asked_for_where_they_add_phones_by_themselves(
    settings: Settings,
) -> None:
    mail = MailServer("127.0.0.1", port=25, security="none", sender="vpn@corp.example", attribute="rfc822")
    portal = PhoneListener(None, "http://127.0.0.1:1")
    without = what_a_directory_knows(settings, "first")
    assert what_a_directory_knows(replace(settings, mail=mail), "first") == without
    both = replace(settings, mail=mail, portal=portal)
    assert what_a_directory_knows(both, "first") != without
    other = replace(both, mail=replace(mail, attribute="mail"))
    assert what_a_directory_knows(other, "first") != what_a_directory_knows(both, "first")
