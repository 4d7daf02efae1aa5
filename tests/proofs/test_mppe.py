"""The keys of a link by the numbers of RFC 3079 3.5.3, and how RFC 2548 2.4.2 hides them."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push.model import Secret
from radius_push.proofs import mppe
from tests.vectors import rfc2759_9_2 as rfc

SECRET, AUTHENTICATOR, SALT = Secret("xyzzy5461"), bytes(range(16)), b"\x85\xe6"


def test_each_function_gives_what_the_rfc_prints() -> None:
    assert mppe.get_master_key(rfc.PASSWORD_HASH_HASH, rfc.NT_RESPONSE) == rfc.MASTER_KEY
    key = mppe.get_asymmetric_start_key(rfc.MASTER_KEY, is_send=True, is_server=True)
    assert key == rfc.SEND_START_KEY_128
    short = mppe.get_asymmetric_start_key(rfc.MASTER_KEY, length=8, is_send=True, is_server=True)
    assert short == rfc.SEND_START_KEY_40


def test_what_one_side_sends_with_the_other_receives_with() -> None:
    send, receive = mppe.start_keys(Secret(rfc.PASSWORD_HASH), rfc.NT_RESPONSE)
    assert send.reveal() == rfc.SEND_START_KEY_128
    assert send != receive
    for server_sends, key in ((True, send), (False, receive)):
        theirs = mppe.get_asymmetric_start_key(rfc.MASTER_KEY, is_send=not server_sends, is_server=False)
        assert theirs == key.reveal()


def test_a_hidden_key_is_salt_and_two_masked_blocks() -> None:
    key = Secret(bytes(range(16, 32)))
    hidden = mppe.hide(key, salt=SALT, secret=SECRET, authenticator=AUTHENTICATOR)
    first = hashlib.md5(b"xyzzy5461" + AUTHENTICATOR + SALT).digest()
    second = hashlib.md5(b"xyzzy5461" + hidden[2:18]).digest()
    clear = bytes(a ^ b for a, b in zip(hidden[2:], first + second, strict=True))
    assert hidden[:2] == SALT
    assert clear == b"\x10" + key.reveal() + bytes(15)


@given(
    key=st.binary(min_size=16, max_size=16),
    secret=st.binary(min_size=1, max_size=64),
    authenticator=st.binary(min_size=16, max_size=16),
    salt=st.integers(0x8000, 0xFFFF),
)
def test_whoever_knows_the_secret_uncovers_what_was_hidden(
    key: bytes, secret: bytes, authenticator: bytes, salt: int
) -> None:
    shared = Secret(secret)
    hidden = mppe.hide(Secret(key), salt=salt.to_bytes(2, "big"), secret=shared, authenticator=authenticator)
    assert len(hidden) == mppe.HIDDEN
    assert mppe.uncover(hidden, secret=shared, authenticator=authenticator) == Secret(key)


def test_octets_of_another_shape_or_secret_are_no_key() -> None:
    hidden = mppe.hide(Secret(bytes(16)), salt=SALT, secret=SECRET, authenticator=AUTHENTICATOR)
    assert mppe.uncover(hidden, secret=Secret("other"), authenticator=AUTHENTICATOR) is None
    assert mppe.uncover(hidden[:-1], secret=SECRET, authenticator=AUTHENTICATOR) is None


@pytest.mark.parametrize("salt", [b"", b"\x80", b"\x7f\xff", b"\x80\0\0"])
def test_a_salt_of_another_shape_is_not_used(salt: bytes) -> None:
    with pytest.raises(ValueError, match="highest bit"):
        mppe.hide(Secret(bytes(16)), salt=salt, secret=SECRET, authenticator=AUTHENTICATOR)
