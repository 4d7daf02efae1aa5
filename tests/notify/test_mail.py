"""Mails as a real mail server gets them, and servers that are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from radius_push.model import Secret
from radius_push.notify.mail import MOST_TOGETHER, Letter, MailDoor, Never, NotNow, Outcome, Taken
from radius_push.shapes import MailServer, Security
from tests.directory.certificates import Authority
from tests.notify.peer import PASSWORD, USER, evil_peer, mail_peer

AT = 1_790_000_000.0
PLAIN = MailServer("127.0.0.1", port=0, security="none", sender="vpn@example.test")
LETTER = Letter("alice@example.test", "Grüße", "Zeile eins\nöffnen: " + "x" * 200 + "\n")


async def send(server: MailServer, *letters: Letter, seconds: float = 20.0) -> list[Outcome]:
    door = MailDoor(server, seconds=seconds)
    try:
        return await door.send(letters or [LETTER], at=AT)
    finally:
        await door.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def test_a_mail_arrives_as_it_was_written() -> None:
    async with mail_peer() as peer:
        assert await send(replace(PLAIN, port=peer.port)) == [Taken()]
    (mail,) = peer.mails
    assert (mail["From"], mail["To"], mail["Subject"]) == ("vpn@example.test", LETTER.to, "Grüße")
    assert mail["Date"] == "Mon, 21 Sep 2026 14:13:20 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == LETTER.text
    assert peer.recipients == [LETTER.to]


async def test_many_letters_go_through_one_connection() -> None:
    letters = [replace(LETTER, to=f"user{number}@example.test") for number in range(MOST_TOGETHER)]
    async with mail_peer() as peer:
        assert await send(replace(PLAIN, port=peer.port), *letters) == [Taken()] * MOST_TOGETHER
        assert peer.sessions == 1
    with pytest.raises(ValueError, match="too many"):
        await send(PLAIN, *letters, LETTER)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_tls_comes_first_and_then_who_we_are(authority: Authority, security: Security) -> None:
    made = authority.issue("localhost", "127.0.0.1")
    files = (str(made.certificate), str(made.key))
    server = replace(
        PLAIN, security=security, ca_file=str(authority.file), user=USER, password=Secret(PASSWORD)
    )
    async with mail_peer(tls=files, implicit=security == "tls", asks_login=True) as peer:
        here = replace(server, port=peer.port)
        assert await send(here) == [Taken()]
        wrong = await send(replace(here, password=Secret("not it")))
        assert wrong == [NotNow("it does not take user and password (535)")]
        (stranger,) = await send(replace(here, ca_file=None))
        assert isinstance(stranger, NotNow)
        assert "certificate" in stranger.detail.lower()
        other_name = await send(replace(here, host="localhost", ca_file=None))
        assert isinstance(other_name[0], NotNow)
    assert len(peer.mails) == 1


async def test_a_server_without_starttls_gets_nothing() -> None:
    async with mail_peer() as peer:
        (outcome,) = await send(replace(PLAIN, port=peer.port, security="starttls"))
    assert isinstance(outcome, NotNow)
    assert "offers no STARTTLS" in outcome.detail
    assert peer.mails == []


async def test_one_address_that_is_refused_keeps_no_other_from_its_mail() -> None:
    async with mail_peer() as peer:
        peer.refuse = {"gone@example.test": "550 No such user", "full@example.test": "452 Full"}
        outcomes = await send(
            replace(PLAIN, port=peer.port),
            replace(LETTER, to="gone@example.test"),
            replace(LETTER, to="full@example.test"),
            LETTER,
        )
    never, later, taken = outcomes
    assert never == Never("it does not take the address: 550 No such user")
    assert later == NotNow("it does not take the address: 452 Full")
    assert taken == Taken()


async def test_nobody_there_is_said() -> None:
    async with mail_peer() as peer:
        pass
    assert await send(replace(PLAIN, port=peer.port)) == [NotNow("Connection refused")]


@pytest.mark.parametrize(
    ("says", "again"),
    [
        ([], b""),  # not a word
        ([], b"220-one more line\r\n"),  # a greeting without an end
        ([], b"x" * 4096),  # a line without an end
        ([b"220 hello\r\n"], b"250-X\r\n"),
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], b""),
    ],
)
async def test_a_server_that_never_comes_to_the_point_is_given_up(says: list[bytes], again: bytes) -> None:
    async with evil_peer(*says, again=again) as port:
        (outcome,) = await send(replace(PLAIN, port=port), seconds=0.5)
    assert isinstance(outcome, NotNow)


async def test_looking_sends_nothing() -> None:
    async with mail_peer() as peer:
        door = MailDoor(replace(PLAIN, port=peer.port))
        assert await door.inspect() == ""
        await door.close()
    assert peer.sessions == 1
    assert peer.mails == []


def test_a_header_takes_no_second_line(tmp_path: Path) -> None:
    from radius_push.notify.mail import _message

    with pytest.raises(ValueError, match=r"linefeed|carriage"):
        _message(replace(LETTER, subject="x\r\nBcc: eve@example.test"), PLAIN, AT)
