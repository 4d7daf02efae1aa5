"""Latches of `require_message_authenticator: auto`: set by the first seal, each source by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radius_push.model import Required
from radius_push.radius.seals import Seals
from tests.radius.packets import STRICT

AUTO = replace(STRICT, require_message_authenticator="auto")


def test_a_source_that_has_sealed_once_must_always_seal() -> None:
    seals = Seals()
    assert not seals.required(AUTO, "10.0.0.1")
    assert seals.sealed(AUTO, "10.0.0.1") == "10.0.0.1"
    assert seals.required(AUTO, "10.0.0.1")
    assert seals.sealed(AUTO, "10.0.0.1") is None


def test_sources_and_clients_are_latched_each_by_itself() -> None:
    seals = Seals()
    seals.sealed(AUTO, "10.0.0.1")
    assert not seals.required(AUTO, "10.0.0.2")
    assert not seals.required(replace(AUTO, name="other"), "10.0.0.1")


@pytest.mark.parametrize(("rule", "required"), [("yes", True), ("no", False)])
def test_yes_and_no_need_no_latch(rule: Required, required: bool) -> None:
    seals, client = Seals(), replace(STRICT, require_message_authenticator=rule)
    assert seals.sealed(client, "10.0.0.1") is None
    assert seals.required(client, "10.0.0.1") is required


def test_a_client_with_too_many_sources_is_latched_as_a_whole() -> None:
    seals = Seals(most=2)
    assert [seals.sealed(AUTO, f"10.0.0.{n}") for n in (1, 2, 3)] == ["10.0.0.1", "10.0.0.2", "*"]
    assert seals.required(AUTO, "10.0.0.99")


def test_what_the_store_says_is_in_force() -> None:
    seals = Seals()
    seals.use([(AUTO.name, "10.0.0.1")])
    assert seals.required(AUTO, "10.0.0.1")
    seals.use([])
    assert not seals.required(AUTO, "10.0.0.1")
