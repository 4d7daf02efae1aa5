"""An answer is believed only where it says exactly what was asked, in the device's own hand."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push.factors.answer import (
    AnswerRefused,
    Approve,
    Deny,
    TooLate,
    read_answer,
    read_payload,
    read_request,
    verify_signature,
)
from radius_push.factors.question import Value, statement
from radius_push.model import DeviceState, PersonKey, QuestionState
from tests.factors.signing import NOW, ORDER, ORIGIN, Pen, a_device, a_question, raw

RIGHT = statement(a_question(), device="d1", origin=ORIGIN, purpose="approve", late="no")
ALTERED: list[tuple[str, object]] = [
    ("version", 2),
    ("version", "1"),
    ("version", True),
    ("version", 1.0),
    ("purpose", "enrol"),
    ("purpose", "Approve"),
    ("purpose", None),
    ("origin", "https://mfa.example.org"),
    ("origin", ORIGIN + "/"),
    ("question", "q2"),
    ("person", "staff:bob-id"),
    ("device", "d2"),
    ("client", "fw2"),
    ("address", "198.51.100.8"),
    ("address", None),
    ("address", ""),
    ("number_mode", "match"),
    ("nonce", "m" * 22),
    ("nonce", 1),
    ("late", "No"),
    ("late", ""),
    ("late", None),
    ("late", 0),
    ("expires_at", 1_790_000_195_251),
    ("expires_at", "1790000195250"),
    ("expires_at", 1790000195.25),
    ("expires_at", None),
]


def say(payload: object) -> Approve | Deny:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return read_answer(text, question=a_question(), device=a_device(), origin=ORIGIN)


def test_what_was_asked_may_be_approved_or_denied() -> None:
    assert say(RIGHT) == Approve(late=False)
    assert say({**RIGHT, "purpose": "deny"}) == Deny()


LATE = a_question(state=QuestionState.LATE, later_until=NOW + 75, late_counts=True)
OVER = a_question(state=QuestionState.LATE, later_until=NOW + 75)


def test_a_yes_signed_in_time_is_none_when_it_is_late() -> None:
    with pytest.raises(TooLate):
        read_answer(json.dumps(RIGHT), question=LATE, device=a_device(), origin=ORIGIN)


def test_a_yes_to_the_next_try_is_one_also_if_that_has_come_meanwhile() -> None:
    for question in (LATE, a_question()):
        said = json.dumps({**RIGHT, "late": "yes"})
        answer = read_answer(said, question=question, device=a_device(), origin=ORIGIN)
        assert answer == Approve(late=True)


@pytest.mark.parametrize("late", ["no", "yes", "over"])
def test_where_nobody_can_be_let_in_by_it_a_late_yes_is_none(late: str) -> None:
    with pytest.raises(TooLate):
        read_answer(json.dumps({**RIGHT, "late": late}), question=OVER, device=a_device(), origin=ORIGIN)


@pytest.mark.parametrize("late", ["no", "yes", "over"])
def test_a_no_is_a_no_whenever_it_was_signed(late: str) -> None:
    said = json.dumps({**RIGHT, "purpose": "deny", "late": late})
    for question in (LATE, OVER, a_question()):
        assert read_answer(said, question=question, device=a_device(), origin=ORIGIN) == Deny()


def test_a_question_without_an_address_is_answered_with_null() -> None:
    question = a_question(address=None)
    text = json.dumps(statement(question, device="d1", origin=ORIGIN, purpose="deny", late="no"))
    assert read_answer(text, question=question, device=a_device(), origin=ORIGIN) == Deny()


@pytest.mark.parametrize(("field", "value"), ALTERED)
def test_an_answer_altered_in_one_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(AnswerRefused) as refused:
        say({**RIGHT, field: value})
    assert refused.value.field in {field, "payload"}


@pytest.mark.parametrize("field", sorted(RIGHT))
def test_an_answer_without_one_field_is_refused(field: str) -> None:
    with pytest.raises(AnswerRefused) as refused:
        say({name: value for name, value in RIGHT.items() if name != field})
    assert refused.value.field == field


def test_every_field_has_been_altered() -> None:
    assert {field for field, _ in ALTERED} == set(RIGHT)


def test_a_field_too_many_is_refused_and_not_repeated() -> None:
    with pytest.raises(AnswerRefused) as refused:
        say({**RIGHT, "<script>": "1"})
    assert refused.value.field == "unknown field"


@pytest.mark.parametrize("state", [DeviceState.PENDING, DeviceState.REMOVED])
def test_a_device_that_is_not_active_answers_nothing(state: DeviceState) -> None:
    with pytest.raises(AnswerRefused):
        read_answer(json.dumps(RIGHT), question=a_question(), device=a_device(state), origin=ORIGIN)


def test_somebody_elses_device_answers_nothing() -> None:
    device = a_device(person=PersonKey("staff", "bob-id"))
    with pytest.raises(AnswerRefused):
        read_answer(json.dumps(RIGHT), question=a_question(), device=device, origin=ORIGIN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"approve"',
        "{",
        '{"a": 1, "a": 1}',
        '{"a": 1.5}',
        '{"a": 1e3}',
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": true}',
        '{"a": []}',
        '{"a": {}}',
        '{"a": "\\ud800"}',
        '{"\\ud800": "a"}',
        '{"a": "\ud800"}',
        '{"a": 1} {}',
        '{"a": ' + "9" * 4000 + "}",
        '{"a": 12345678901234567}',
        "[" * 4000,
        '{"a": "' + "x" * 4096 + '"}',
    ],
)
def test_what_is_not_a_flat_object_of_text_and_whole_numbers_is_refused(text: str) -> None:
    with pytest.raises(AnswerRefused) as refused:
        read_payload(text)
    assert refused.value.field == "payload"


def test_a_duplicate_of_a_right_field_is_refused() -> None:
    text = json.dumps(RIGHT)
    with pytest.raises(AnswerRefused):
        say(text[:-1] + ', "purpose": "approve"}')


@given(st.text(max_size=300))
def test_any_text_at_all_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(AnswerRefused):
        read_payload(text)


# --- signed requests that are no answer ----------------------------------------------------------------

REQUEST: dict[str, Value] = {
    "version": 1,
    "purpose": "stream",
    "origin": ORIGIN,
    "nonce": "n",
    "device": "d1",
}


def test_a_signed_request_gives_its_own_fields() -> None:
    said = read_request(dict(REQUEST), purpose="stream", origin=ORIGIN, names=frozenset({"device"}))
    assert said == {"nonce": "n", "device": "d1"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 2),
        ("purpose", "approve"),
        ("origin", "https://x"),
        ("nonce", 1),
        ("device", None),
        ("x", "y"),
    ],
)
def test_a_signed_request_for_something_else_is_refused(field: str, value: str | int | None) -> None:
    with pytest.raises(AnswerRefused):
        read_request({**REQUEST, field: value}, purpose="stream", origin=ORIGIN, names=frozenset({"device"}))


# --- signatures -------------------------------------------------------------------------------------------


def test_the_devices_own_signature_over_the_very_text_is_right() -> None:
    pen = Pen()
    assert verify_signature(pen.public, "text é", pen.sign("text é"))
    assert not verify_signature(pen.public, "text e", pen.sign("text é"))
    assert not verify_signature(Pen().public, "text é", pen.sign("text é"))


def test_a_signatures_twin_is_right_too_so_nothing_is_spent_by_signature() -> None:
    pen = Pen()
    r, s = pen.numbers("text")
    assert verify_signature(pen.public, "text", raw(r, ORDER - s))


def test_garbage_is_no_signature() -> None:
    pen = Pen()
    r, s = pen.numbers("text")
    right = raw(r, s)
    wrong = [b"", right[:-1], right + b"\0", bytes(64), raw(0, s), raw(r, 0), raw(ORDER, s), raw(r, ORDER)]
    wrong += [b"\xff" * 64, raw(s, r), bytes([right[0] ^ 1]) + right[1:], right[:63] + bytes([right[63] ^ 1])]
    for signature in wrong:
        assert not verify_signature(pen.public, "text", signature)


def test_garbage_is_no_key() -> None:
    pen = Pen()
    for key in (
        b"",
        bytes(65),
        b"\4" + bytes(64),
        b"\4" + b"\xff" * 64,
        pen.public[:64],
        b"\5" + pen.public[1:],
    ):
        assert not verify_signature(key, "text", pen.sign("text"))


def test_a_key_has_one_spelling() -> None:
    pen = Pen()
    x, y = pen.public[1:33], pen.public[33:]
    compressed = bytes([2 + y[-1] % 2]) + x
    hybrid = bytes([6 + y[-1] % 2]) + x + y
    for key in (compressed, hybrid):
        assert not verify_signature(key, "text", pen.sign("text"))


def test_a_text_that_is_no_utf8_is_signed_by_nobody() -> None:
    pen = Pen()
    assert not verify_signature(pen.public, "\ud800", pen.sign("text"))
