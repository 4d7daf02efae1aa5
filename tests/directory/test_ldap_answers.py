"""What the answer to a bind means: about the person, or about the directory."""

from __future__ import annotations

import pytest

from radius_push.directory.ldap_answers import what_a_bind_says
from radius_push.directory.ldap_connection import Result
from radius_push.model import Down, Reason, Right, Wrong


def _ad(code: str) -> str:
    return f"80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {code}, v2580"


def test_only_success_is_right() -> None:
    assert what_a_bind_says(Result(0, "")) == Right()
    for code in range(1, 130):
        assert what_a_bind_says(Result(code, "")) != Right()


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        ("52e", Reason.WRONG_PASSWORD, "wrong password"),
        ("525", Reason.WRONG_PASSWORD, "no such user"),
        ("530", Reason.ACCOUNT_CLOSED, "at this time"),
        ("531", Reason.ACCOUNT_CLOSED, "this machine"),
        ("532", Reason.ACCOUNT_CLOSED, "password has expired"),
        ("533", Reason.ACCOUNT_CLOSED, "disabled"),
        ("701", Reason.ACCOUNT_CLOSED, "account has expired"),
        ("773", Reason.ACCOUNT_CLOSED, "must be changed"),
        ("775", Reason.ACCOUNT_CLOSED, "locked"),
    ],
)
def test_active_directory_says_why(data: str, reason: Reason, words: str) -> None:
    said = what_a_bind_says(Result(49, _ad(data)))
    assert isinstance(said, Wrong)
    assert said.reason is reason
    assert words in said.detail
    assert data in said.detail


def test_an_unknown_reason_is_a_wrong_password_in_the_servers_words() -> None:
    assert what_a_bind_says(Result(49, "invalid")) == Wrong(detail="invalid")
    assert what_a_bind_says(Result(49, _ad("999"))) == Wrong(detail=_ad("999"))


@pytest.mark.parametrize("code", [19, 53])
def test_a_closed_account_is_wrong(code: int) -> None:
    said = what_a_bind_says(Result(code, "account locked"))
    assert isinstance(said, Wrong)
    assert said.reason is Reason.ACCOUNT_CLOSED
    assert "account locked" in said.detail


@pytest.mark.parametrize("code", [1, 2, 3, 7, 8, 10, 11, 12, 13, 14, 34, 50, 51, 52, 80, 90])
def test_what_is_not_about_the_person_is_down(code: int) -> None:
    assert isinstance(what_a_bind_says(Result(code, "words")), Down)


@pytest.mark.parametrize("code", [8, 13])
def test_a_server_that_wants_tls_says_the_mend(code: int) -> None:
    said = what_a_bind_says(Result(code, ""))
    assert isinstance(said, Down)
    assert "start_tls" in said.detail
