"""What an MS-CHAPv2 login is told: by RFC 2548 and 2759, octet by octet."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push.model import Accepted, MsChapSuccess, MsChapV2, Reason, Rejected, Secret
from radius_push.proofs import mppe
from radius_push.radius import mschap
from radius_push.radius.attributes import plain, values_of
from radius_push.radius.dictionary import Key
from radius_push.radius.packet import AccessRequest, ReplyNotComputed, check_reply, write_reply
from radius_push.radius.wire import open_packet
from tests.radius.packets import AUTHENTICATOR, SECRET, dictionary, read, signed
from tests.radius.test_proof import PROOF
from tests.vectors import rfc2759_9_2 as rfc

NT_HASH = Secret(rfc.PASSWORD_HASH)
SEND, RECEIVE = mppe.start_keys(NT_HASH, rfc.NT_RESPONSE)
SUCCESS = MsChapSuccess(rfc.AUTHENTICATOR_RESPONSE, SEND, RECEIVE)
KEYS: list[Key] = [(311, number) for number in (2, 7, 8, 16, 17, 26)]


def request(*attributes: tuple[int, bytes], identifier: int = 7) -> AccessRequest:
    more = mschap.request_attributes(PROOF)
    return read(signed((1, b"User"), *attributes, identifier=identifier, more=more))


def reply(verdict: Accepted | Rejected, to: AccessRequest | None = None) -> dict[Key, list[bytes]]:
    octets = write_reply(to or request(), verdict, dictionary=dictionary())
    return values_of(open_packet(octets).attributes, KEYS)


def told(octets: bytes, proof: MsChapV2 = PROOF, nt_hash: Secret = NT_HASH) -> mschap.Told:
    return mschap.read_told(
        open_packet(octets).attributes, proof, nt_hash=nt_hash, secret=SECRET, authenticator=AUTHENTICATOR
    )


def test_an_accept_shows_that_we_know_the_password_and_carries_the_keys() -> None:
    found = reply(Accepted((), SUCCESS))
    assert found[311, 26] == [b"\x07" + rfc.AUTHENTICATOR_RESPONSE]
    assert found[311, 7] == [b"\0\0\0\1"]
    assert found[311, 8] == [b"\0\0\0\4"]
    salts = []
    for number, key in ((16, SEND), (17, RECEIVE)):
        (hidden,) = found[311, number]
        salts.append(hidden[:2])
        first = hashlib.md5(SECRET.reveal() + AUTHENTICATOR + hidden[:2]).digest()
        assert bytes(a ^ b for a, b in zip(hidden[2:18], first, strict=True)) == b"\x10" + key.reveal()[:15]
        assert mppe.uncover(hidden, secret=SECRET, authenticator=AUTHENTICATOR) == key
    assert salts[0] != salts[1]
    assert all(salt[0] & 0x80 for salt in salts)
    assert (311, 2) not in found


def test_a_packet_that_reuses_an_authenticator_has_other_salts() -> None:
    one, other = (reply(Accepted((), SUCCESS), request(identifier=at)) for at in (1, 2))
    assert one[311, 16][0][:2] != other[311, 16][0][:2]
    again = reply(Accepted((), SUCCESS), request(identifier=1))
    assert again == one


def test_the_settings_may_say_which_encryption() -> None:
    said = (("MS-MPPE-Encryption-Policy", "2"), ("MS-MPPE-Encryption-Types", "6"))
    found = reply(Accepted(said, SUCCESS))
    assert found[311, 7] == [b"\0\0\0\2"]
    assert found[311, 8] == [b"\0\0\0\6"]


def test_an_accept_without_what_shows_our_knowledge_is_none() -> None:
    with pytest.raises(ReplyNotComputed, match="MS-CHAP2-Success"):
        write_reply(request(), Accepted(()), dictionary=dictionary())


def test_room_for_what_is_added_is_looked_at_before() -> None:
    full = (*[("Filter-Id", "x" * 253)] * 15, ("Filter-Id", "x" * 75))
    check_reply(full, dictionary=dictionary(), request=read(signed((1, b"User"))))
    with pytest.raises(ReplyNotComputed, match="longer than 4096"):
        check_reply(full, dictionary=dictionary(), request=request())
    write_reply(request(), Accepted(full[:14], SUCCESS), dictionary=dictionary())


def test_a_reject_says_691_in_the_form_of_the_rfc() -> None:
    (said,) = reply(Rejected(Reason.DENIED, "You said\nno."))[311, 2]
    assert said[0] == 7
    assert re.fullmatch(rb"E=691 R=0 C=[0-9A-F]{32} V=3 M=You said no\.", said[1:])


@given(text=st.text(max_size=400), states=st.lists(st.binary(max_size=253), max_size=14))
def test_every_reject_has_its_error_however_long_the_text(text: str, states: list[bytes]) -> None:
    asked = request(*((33, state) for state in states))
    octets = write_reply(asked, Rejected(Reason.DENIED, text), dictionary=dictionary())
    assert len(octets) <= 4096
    error = told(octets).error
    assert error is not None
    assert plain(text).encode("utf-8", "replace").decode().startswith(error)


def test_a_reject_of_another_proof_has_no_such_error() -> None:
    octets = write_reply(
        read(signed((1, b"User"), (3, bytes(17)))), Rejected(Reason.DENIED, "no"), dictionary=dictionary()
    )
    assert not values_of(open_packet(octets).attributes, KEYS)


def test_who_logs_in_believes_what_fits_their_password_and_nothing_else() -> None:
    octets = write_reply(request(), Accepted((), SUCCESS), dictionary=dictionary())
    assert told(octets) == mschap.Told(success=True, keys=True, error=None)
    assert told(octets, nt_hash=Secret(bytes(16))) == mschap.Told(success=False, keys=False, error=None)
    assert not told(octets, proof=replace(PROOF, identifier=8)).success
    bare = write_reply(read(signed((1, b"User"))), Accepted(()), dictionary=dictionary())
    assert told(bare) == mschap.Told(success=False, keys=False, error=None)
    no = write_reply(request(), Rejected(Reason.DENIED, "Not now, ë."), dictionary=dictionary())
    assert told(no) == mschap.Told(success=False, keys=False, error="Not now, ë.")
