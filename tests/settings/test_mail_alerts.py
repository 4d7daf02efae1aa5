"""Whom of the administrators the settings let us write to."""

from __future__ import annotations

from pathlib import Path

import pytest

from radius_push.settings import describe
from tests.settings.files import GOOD, changed, good, mistakes, warnings

MAIL = "  mail: {host: mail.corp.example, from: vpn@corp.example, alerts: %s}\n"


def written(alerts: str) -> str:
    return changed(("server:\n", "server:\n" + MAIL % alerts))


@pytest.mark.parametrize("one", ["helpdesk@corp.example", "[helpdesk@corp.example]"])
def test_one_or_more_are_read(tmp_path: Path, one: str) -> None:
    mail = good(tmp_path, written(one)).mail
    assert mail is not None
    assert mail.alerts == ("helpdesk@corp.example",)


@pytest.mark.parametrize(
    ("alerts", "said"),
    [
        ("[helpdesk]", "server.mail.alerts"),
        ('["Helpdesk <helpdesk@corp.example>"]', "server.mail.alerts"),
        ('["a@corp.example\\r\\nBcc: all@corp.example"]', "server.mail.alerts"),
        ("[]", "server.mail.alerts"),
        ("[a@corp.example, A@corp.example]", "A@corp.example stands here twice"),
        (f"[{', '.join(f'a{n}@corp.example' for n in range(11))}]", "at most 10 addresses"),
    ],
)
def test_whatever_else_is_a_mistake(tmp_path: Path, alerts: str, said: str) -> None:
    assert any(said in each for each in mistakes(tmp_path, written(alerts)))


def test_a_page_of_this_machine_alone_is_worth_a_look_where_links_are_mailed(tmp_path: Path) -> None:
    text = written("helpdesk@corp.example").replace("push: {}", 'push: {contact: "mailto:vpn@corp.example"}')
    (warning,) = warnings(tmp_path, text)
    assert "server.listen.phone.url: is of this machine alone, and no phone can open a link" in warning
    for there in ("https://localhost:8443", "http://127.0.0.1:8443", '"http://[::1]:8443"'):
        assert warnings(tmp_path, text.replace('"http://localhost:8443"', there)) == [warning]
    assert warnings(tmp_path, text.replace("http://localhost:8443", "https://mfa.corp.example")) == []
    assert warnings(tmp_path, GOOD) == []


def test_check_says_who_takes_the_mails_and_who_is_told(tmp_path: Path) -> None:
    said = describe(good(tmp_path, written("[helpdesk@corp.example]")))
    assert (
        "  mails from vpn@corp.example through mail.corp.example:587, by STARTTLS; helpdesk@corp.example "
        in said
    )
