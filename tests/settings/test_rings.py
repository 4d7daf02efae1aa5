"""What the settings say of rings: how many, and which names are nobody's."""

from __future__ import annotations

from pathlib import Path

import pytest

from radius_push.shapes import RingLimit
from tests.settings.files import changed, good, mistakes, warnings


def test_the_ring_limit_is_read_and_has_its_defaults(tmp_path: Path) -> None:
    assert good(tmp_path, changed()).ring_limit == RingLimit(unanswered=5, within=600)
    text = changed(("server:\n", "server:\n  ring_limit: {unanswered: 3, within: 1h}\n"))
    assert good(tmp_path, text).ring_limit == RingLimit(unanswered=3, within=3600)


def test_a_limit_of_no_rings_is_a_mistake(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, changed(("server:\n", "server:\n  ring_limit: {unanswered: 0}\n")))
    assert "server.ring_limit.unanswered" in said


@pytest.mark.parametrize(
    ("names", "read"), [("[Radius-Test]", {"radius-test"}), ("[a, ＢＣ]", {"a", "bc"}), ("0123", {"0123"})]
)
def test_probe_users_are_read_as_names_are_compared(tmp_path: Path, names: str, read: set[str]) -> None:
    text = changed(("    patience: 60s\n", f"    patience: 60s\n    probe_users: {names}\n"))
    assert good(tmp_path, text).clients["fw1"].probe_users == read


def test_a_probe_user_who_is_a_local_user_is_said(tmp_path: Path) -> None:
    text = changed(("    patience: 60s\n", "    patience: 60s\n    probe_users: [radius-test, Zoe]\n"))
    (said,) = warnings(tmp_path, text)
    assert "clients.fw1.probe_users: zoe is also a user of local, and is always refused here" in said
