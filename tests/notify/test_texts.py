"""What people read in their mails: the same in every language, and names that cannot play with it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import pytest

from radius_push.model import PersonKey
from radius_push.notices import AlertKind, Mail, NoticeKind, mail_address
from radius_push.notify import alarms
from radius_push.notify.texts import INVITATION, SUBJECTS, THEN_CODE, TOLD, invitation, plain, told
from radius_push.shapes import Language

LANGUAGES = get_args(Language)
MAIL = Mail(
    1,
    PersonKey("staff", "alice"),
    "alice",
    "alice@example.test",
    "device_added",
    "d1",
    "Pixel 7",
    1_790_000_000.0,
    1,
)


def fields(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_what_english_says(language: Language) -> None:
    assert fields(INVITATION[language]) == fields(INVITATION["en"])
    assert SUBJECTS[language].keys() == SUBJECTS["en"].keys()
    assert language in THEN_CODE
    for kind in get_args(NoticeKind):
        assert fields(TOLD[language][kind]) == {"account", "name", "when"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_administrators_are_told_the_same_in_every_language(language: Language) -> None:
    assert alarms.ALERT_SUBJECTS[language].keys() == set(get_args(AlertKind))
    facts = {"account", "code", "gateway", "address", "when"}
    assert fields(alarms.CONTESTED[language]) == facts
    assert fields(alarms.REMOVED[language]) == {"account", "name", "when"}
    mail = replace(MAIL, kind="contested", about="K7F2QX", name="fw1", login_address="203.0.113.7")
    letter = told(language, mail)
    for fact in ("alice", "K7F2QX", "fw1", "203.0.113.7", "2026-09-21 14:13 UTC"):
        assert fact in letter.text
    assert letter.to == "alice@example.test"
    unknown = told(language, replace(mail, login_address=None))
    assert alarms.NO_ADDRESS[language] in unknown.text
    assert "Pixel 7" in told(language, replace(MAIL, kind="removed_by_notice")).text


@pytest.mark.parametrize("kind", get_args(AlertKind))
def test_nothing_that_others_wrote_plays_with_an_alert(kind: AlertKind) -> None:
    evil = "x\r\nBcc: all@example.test\r\n\r\n\u202e{code}"
    mail = Mail(1, MAIL.person, evil, MAIL.address, kind, "K7F2QX", evil, MAIL.at, 1, evil)
    letter = told("en", mail)
    assert letter.subject == alarms.ALERT_SUBJECTS["en"][kind]
    assert letter.text.startswith("x Bcc: all@example.test {code}: ")
    assert "\r" not in letter.text
    assert "\u202e" not in letter.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_invitation_holds_the_link_the_page_and_the_code(language: Language) -> None:
    letter = invitation(
        language,
        to="alice@example.test",
        account="alice",
        page="https://mfa.example.test",
        link="https://mfa.example.test/#enrol=AAAA",
        code="ABCD-EFGH",
        expires_at=1_790_000_000.0,
        asks_code=True,
    )
    for fact in ("https://mfa.example.test/#enrol=AAAA\n", "ABCD-EFGH", "2026-09-21 14:13 UTC"):
        assert fact in letter.text
    assert THEN_CODE[language] in letter.text
    assert "AAAA" not in repr(letter)


def test_a_name_stays_in_its_place() -> None:
    evil = "Pixel\r\n\r\nSubject: x\u202e{account}"
    mail = told("en", Mail(1, MAIL.person, evil, MAIL.address, "device_added", "d1", evil, MAIL.at, 1))
    assert mail.subject == SUBJECTS["en"]["device_added"]
    assert mail.text.startswith("Pixel Subject: x{account}: the phone “Pixel Subject: x{account}” was added")
    assert plain("\x00") == "?"
    assert len(plain("x" * 10_000)) == 128


@pytest.mark.parametrize("good", ["alice@example.test", "a.b+c@x-y.example", "o'hara@e.x"])
def test_addresses_that_are_written_to(good: str) -> None:
    assert mail_address(good) == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "alice",
        "@example.test",
        "alice@",
        "alice@example.test\nBcc: eve@example.test",
        "alice@example.test\r\nRCPT TO:<eve@example.test>",
        "alice@example.test, eve@example.test",
        "Alice <alice@example.test>",
        '"a b"@example.test',
        "a..b@example.test",
        "zoë@example.test",
        "alice@exämple.test",
        "alice@-x.test",
        "alice@[127.0.0.1]",
        "a" * 65 + "@example.test",
        "alice@" + "a." * 125 + "test",
        "alice@example.test\x00",
        "alice@example.test ",
        "-oQ/tmp@example.test>",
    ],
)
def test_addresses_that_are_not(bad: str) -> None:
    assert mail_address(bad) is None
