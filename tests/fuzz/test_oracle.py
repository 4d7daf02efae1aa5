"""pyrad and we read the same from every valid packet, write what the other reads, and refuse the same bit."""

from __future__ import annotations

import random
import time

import pytest
from pyrad.packet import AuthPacket

from radius_push.model import Accepted, Reason, Rejected, Secret
from radius_push.proofs import pap
from radius_push.radius import mschap
from radius_push.radius.asking import read_reply, write_request
from radius_push.radius.packet import AccessRequest, MalformedPacket, NotAuthentic, write_reply
from radius_push.radius.wire import MOST_OCTETS, Code
from tests.fuzz.oracle import (
    Asked,
    Texts,
    Value,
    ask,
    believed_by_pyrad,
    password_octets,
    read_by_pyrad,
    reply_by_pyrad,
    some_values,
    spelled_by_pyrad,
    text_within,
    texts_by_pyrad,
    value_of,
    writable,
)
from tests.radius.packets import SECRET, dictionary, read

FAST, SLOW = 500, 33_334
"""Exchanges. Each is three packets: pyrad's request, our reply to it, and a request of ours."""
PACKETS = 3
_BESIDE = [
    ("MS-MPPE-Encryption-Policy", "Encryption-Allowed"),
    ("MS-MPPE-Encryption-Types", "RC4-128bit-Allowed"),
]
"""What an accepted MS-CHAPv2 login is told where the reply does not say it."""
FIRST_SEED = 0


def test_we_and_pyrad_agree() -> None:
    for number in range(FAST):
        _one_exchange(number)


@pytest.mark.slow
def test_we_and_pyrad_agree_on_100_000_packets(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    for number in range(FAST, FAST + SLOW):
        _one_exchange(number)
    with capsys.disabled():
        print(f"\npyrad as the oracle: {SLOW * PACKETS} packets agree, {time.monotonic() - began:.0f} s")


def test_every_type_of_our_dictionary_takes_part() -> None:
    rng = random.Random(FIRST_SEED)
    assert {attribute.type for attribute in writable()} == {
        attribute.type for attribute in writable() if value_of(attribute, rng)
    }


def _one_exchange(number: int) -> None:
    rng = random.Random(number)
    asked = ask(rng, identifier=number % 256)
    request = _our_reading_is_pyrads(asked)
    _pyrad_reads_our_reply(rng, asked, request)
    _pyrad_reads_our_request(rng)
    _no_flipped_bit_is_believed(rng, asked)


def _our_reading_is_pyrads(asked: Asked) -> AccessRequest:
    request = read(asked.octets)
    oracle = read_by_pyrad(asked.octets)
    assert request.authentic
    assert oracle.verify_message_authenticator()
    assert request.identifier == oracle.id
    assert request.authenticator == oracle.authenticator
    assert request.username == _as_text(asked.username)
    assert _raw(oracle, 1) == (asked.username,)
    assert _raw(oracle, 24) == ((request.state,) if request.state is not None else ())
    assert request.state == asked.state
    assert request.proof == asked.proof
    assert request.proxy_states == _raw(oracle, 33) == asked.proxy_states
    _the_password_is_the_same(asked, request)
    ours = {name: texts for name, texts in request.attributes.items() if name != "User-Name"}
    assert ours == asked.texts
    theirs = texts_by_pyrad(oracle)
    del theirs["User-Name"]
    assert ours == theirs
    return request


def _the_password_is_the_same(asked: Asked, request: AccessRequest) -> None:
    if asked.password is None:
        assert request.hidden_password is None
        return
    assert request.hidden_password is not None
    uncovered = pap.decrypt(request.hidden_password, request.secret, request.authenticator)
    assert uncovered == asked.password.rstrip(b"\0")
    oracle = read_by_pyrad(asked.octets)
    assert oracle.PwDecrypt(request.hidden_password) == uncovered.decode("utf-8", "ignore")


def _pyrad_reads_our_reply(rng: random.Random, asked: Asked, request: AccessRequest) -> None:
    if rng.random() < 0.3:
        text = text_within(rng, rng.choice((20, 700)))
        octets = write_reply(request, Rejected(Reason.DENIED, text), dictionary=dictionary())
        reply = [("Reply-Message", text)]
        code = Code.ACCESS_REJECT
    else:
        # 100 octets are left for the NULs between filter rules.
        room = MOST_OCTETS - 138 - sum(2 + len(state) for state in request.proxy_states)
        success = mschap.PLACEHOLDER if request.proof == "ms-chapv2" else None
        reply = _as_pairs(_writable_values(rng, room - (160 if success else 0)))
        octets = write_reply(request, Accepted(tuple(reply), success), dictionary=dictionary())
        if success:
            said = {name for name, _ in reply}
            reply += [pair for pair in _BESIDE if pair[0] not in said]
        code = Code.ACCESS_ACCEPT
    answer = reply_by_pyrad(asked.octets, octets)
    assert answer is not None
    assert answer.code == code
    assert _raw(answer, 33) == request.proxy_states
    assert _in_one_piece(texts_by_pyrad(answer)) == _together(reply)
    _the_tags_are_the_same(answer, reply)
    flipped = _flipped(rng, octets)
    assert reply_by_pyrad(asked.octets, flipped) is None
    assert not _believed_by_us(flipped, request)
    assert _believed_by_us(octets, request)


def _pyrad_reads_our_request(rng: random.Random) -> None:
    username, password = text_within(rng, 60), password_octets(rng)
    authenticator, identifier = rng.randbytes(16), rng.randrange(256)
    pairs = _as_pairs(_writable_values(rng, MOST_OCTETS - 300))
    octets = write_request(
        identifier=identifier,
        authenticator=authenticator,
        secret=SECRET,
        username=username,
        password=Secret(password),
        attributes=pairs,
        dictionary=dictionary(),
    )
    oracle = read_by_pyrad(octets)
    assert oracle.verify_message_authenticator()
    assert (oracle.code, oracle.id, oracle.authenticator) == (1, identifier, authenticator)
    assert oracle["User-Name"] == [username]
    assert oracle.PwDecrypt(_raw(oracle, 2)[0]) == password.rstrip(b"\0").decode("utf-8", "ignore")
    theirs = texts_by_pyrad(oracle)
    del theirs["User-Name"]
    assert _in_one_piece(theirs) == _together(pairs)
    _the_tags_are_the_same(oracle, pairs)
    assert dict(read(octets).attributes) == texts_by_pyrad(oracle)


def _no_flipped_bit_is_believed(rng: random.Random, asked: Asked) -> None:
    flipped = _flipped(rng, asked.octets)
    assert not believed_by_pyrad(flipped)
    with pytest.raises((MalformedPacket, NotAuthentic)):
        read(flipped)


def _writable_values(rng: random.Random, room: int) -> list[Value]:
    """Of the random ones, those that can be written by name."""
    by_name = {attribute.name for attribute in writable()}
    return [value for value in some_values(rng, room) if value.name.partition(":")[0] in by_name]


def _as_pairs(values: list[Value]) -> list[tuple[str, str]]:
    return [(value.name, value.text) for value in values]


def _together(pairs: list[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Name without its tag -> texts, in order."""
    texts: dict[str, tuple[str, ...]] = {}
    for name, text in pairs:
        bare = name.partition(":")[0]
        texts[bare] = (*texts.get(bare, ()), text)
    return _in_one_piece(texts)


def _in_one_piece(texts: Texts) -> dict[str, tuple[str, ...]]:
    """A Reply-Message goes out in pieces; the rules of a NAS-Filter-Rule list are parted by a NUL."""
    whole = {name: "".join(map(_rule, texts.get(name, ()))) for name in ("Reply-Message", "NAS-Filter-Rule")}
    return {**texts, **{name: (said,) for name, said in whole.items() if said}}


def _rule(text: str) -> str:
    """Without the NUL before it, for which pyrad's text is octets."""
    return bytes.fromhex(text[4:]).decode() if text.startswith("0x00") else text


def _the_tags_are_the_same(packet: AuthPacket, pairs: list[tuple[str, str]]) -> None:
    # Tag 0 says "no tag" (RFC 2868 3.1), and pyrad gives both for it.
    for tagged in {name for name, _ in pairs if ":" in name and not name.endswith(":0")}:
        assert spelled_by_pyrad(packet, tagged) == tuple(text for name, text in pairs if name == tagged)


def _believed_by_us(reply: bytes, request: AccessRequest) -> bool:
    try:
        read_reply(
            reply,
            identifier=request.identifier,
            authenticator=request.authenticator,
            secret=SECRET,
            dictionary=dictionary(),
        )
    except (MalformedPacket, NotAuthentic):
        return False
    return True


def _flipped(rng: random.Random, octets: bytes) -> bytes:
    changed = bytearray(octets)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _as_text(username: bytes) -> str | None:
    """What the settings of the tests' client make of it: UTF-8, else Latin-1."""
    if not username:
        return None
    try:
        return username.decode("utf-8")
    except UnicodeDecodeError:
        return username.decode("latin-1")


def _raw(packet: AuthPacket, key: int) -> tuple[bytes, ...]:
    return tuple(packet.get(key, ()))
