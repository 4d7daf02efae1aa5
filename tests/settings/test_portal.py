"""`server.listen.portal`, and who may use it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from radius_push.settings import SettingsError, describe, load
from radius_push.settings.changes import differences, needs_restart
from radius_push.settings.more_servers import served_as
from radius_push.shapes import Settings
from tests.settings.files import ENVIRON, GOOD

PORTAL = '    portal: {address: "127.0.0.1:8444", url: "http://127.0.0.1:8444"}\n'
WITH = GOOD.replace("methods: {push", f"{PORTAL}methods: {{push", 1)


def read(folder: Path, text: str) -> Settings:
    file = folder / "radius-push.yaml"
    file.write_text(text)
    return load(file, environ=ENVIRON)


def enrolling(said: str) -> str:
    return WITH.replace("methods: {push", f"  enrollment: {{{said}}}\nmethods: {{push", 1)


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as error:
        read(folder, text)
    return str(error.value)


def test_there_is_none_unless_it_is_written(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD)
    assert settings.portal is None
    assert settings.enrollment.self_service == ()
    assert settings.enrollment.portal_networks == ()


def test_all_of_it_is_read(tmp_path: Path) -> None:
    settings = read(tmp_path, enrolling("self_service: [corp], portal_networks: [10.0.0.0/8]"))
    assert settings.portal is not None
    assert (str(settings.portal.endpoint), settings.portal.url) == ("127.0.0.1:8444", "http://127.0.0.1:8444")
    assert settings.enrollment.self_service == ("corp",)
    assert settings.enrollment.portal_networks == (ip_network("10.0.0.0/8"),)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("http://127.0.0.1:8444", "http://localhost:8444", "a port is no boundary for a browser"),
        ("http://127.0.0.1:8444", "http://localhost:8444", "a name of its own, as http://127.0.0.1:8444"),
        ("127.0.0.1:8444", "127.0.0.1:8443", "is where phones come in"),
        (', url: "http://127.0.0.1:8444"', "", "portal.url: is missing"),
        ("http://127.0.0.1:8444", "http://portal.example", "write https"),
        ('address: "127.0.0.1:8444"', 'adress: "127.0.0.1:8444"', "did you mean 'address'?"),
        (
            '    phone: {address: "127.0.0.1:8443", url: "http://localhost:8443"}\n',
            "",
            "is for phones, which have nowhere to come in",
        ),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in WITH
    assert said in mistake(tmp_path, WITH.replace(before, after))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("self_service: [crop]", "no authentication profile is called crop, did you mean 'corp'?"),
        ("self_service: [corp, corp]", "corp stands here twice"),
        ("portal_networks: [10.0.0.1/8]", "has host bits set"),
        ("selfservice: [corp]", "did you mean 'self_service'?"),
    ],
)
def test_who_may_add_a_first_phone_must_be_there(tmp_path: Path, said: str, sentence: str) -> None:
    assert sentence in mistake(tmp_path, enrolling(said))


@pytest.mark.parametrize("said", ["self_service: [corp]", "portal_networks: [10.0.0.0/8]"])
def test_what_changes_nothing_without_a_portal_is_said(tmp_path: Path, said: str) -> None:
    settings = read(tmp_path, enrolling(said).replace(PORTAL, ""))
    (warning,) = [each for each in settings.warnings if "changes nothing without a portal" in each]
    assert f"server.enrollment.{said.partition(':')[0]}" in warning


def test_who_may_use_it_is_reloaded_and_where_it_listens_is_not(tmp_path: Path) -> None:
    one, other = read(tmp_path, WITH), read(tmp_path, enrolling("self_service: [corp]"))
    assert needs_restart(one, other) == ()
    assert "server.enrollment: changed (self_service)" in differences(one, other)
    assert needs_restart(one, replace(one, portal=None)) == ("server.listen.portal",)


def test_the_first_server_alone_serves_it(tmp_path: Path) -> None:
    text = WITH.replace(
        "methods: {push", '  more_servers: {b: {authentication: ["127.0.0.1:1822"]}}\nmethods: {push', 1
    )
    assert served_as(read(tmp_path, text), "b").portal is None
    taken = text.replace('["127.0.0.1:1822"]', '["127.0.0.1:1822"], tcp: ["127.0.0.1:8444"]')
    assert "127.0.0.1:8444 is where server.listen listens" in mistake(tmp_path, taken)


def test_check_says_who_may_do_what_there(tmp_path: Path) -> None:
    said = describe(read(tmp_path, enrolling("self_service: [corp], portal_networks: [10.0.0.0/8]")))
    assert "  the portal: people of corp add their first phone with their password alone\n" in said
    assert "  the portal: nobody may use it but from 10.0.0.0/8" in said
    assert "the portal: " not in describe(read(tmp_path, WITH))
