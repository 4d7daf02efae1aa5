"""A login's code, as it is made and as people type it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push import trace_code

NUMBERS = st.integers(0, trace_code.COUNT - 1)


@pytest.mark.parametrize("alike", ["0O", "1I", "1L", "2Z", "5S", "8B", "UV"])
def test_of_two_letters_that_look_alike_one_is_used_and_the_other_read_as_it(alike: str) -> None:
    (used,) = [letter for letter in alike if letter in trace_code.LETTERS]
    assert trace_code.read(alike) == used * 2


@given(NUMBERS, NUMBERS)
def test_another_number_is_another_code(one: int, other: int) -> None:
    codes = {trace_code.write(one), trace_code.write(other)}
    assert len(codes) == len({one, other})
    assert all(map(trace_code.is_code, codes))


@given(NUMBERS)
def test_a_code_is_read_as_people_write_it(number: int) -> None:
    code = trace_code.write(number)
    for typed in (code, code.lower(), f" {code[:3]} {code[3:]}", f"{code[:3]}-{code[3:]}", f"({code})"):
        assert trace_code.read(typed) == code


@given(st.text())
def test_whatever_is_typed_is_read(typed: str) -> None:
    assert trace_code.read(trace_code.read(typed)) == trace_code.read(typed)


@pytest.mark.parametrize("text", ["", "K7F2", "K7F2QXX", "K7F2Q!", "K7F2Qé", "K7F2QO"])
def test_what_is_no_code(text: str) -> None:
    assert not trace_code.is_code(text)
