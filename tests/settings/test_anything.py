"""Promise: whatever stands anywhere in the settings, `load` gives settings or a SettingsError."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radius_push.settings import SettingsError, load
from tests.settings.files import ENVIRON, GOOD, written

EXTRA = """
  - {name: b, profile: refuse, authentication_profile: local, clients: [fw1],
     when: [{attribute: a, values: [b]},
     {user_address: [10.0.0.0/8]}], request: {Connect-Info: a}, until: 2027-01-01, reply: {Filter-Id: "{a}"}}
"""
SCALARS = st.sampled_from(
    [
        "",
        "x",
        "push",
        "none",
        "refuse",
        "fw1",
        "corp",
        "local",
        "1s",
        "/(/",
        "{",
        "10.0.0.0/8",
        "0",
        "{env: FW1}",
    ]
)
TREES = st.recursive(
    SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=2),
        st.dictionaries(
            st.sampled_from(["name", "file", "env", "attribute", "type", "x", "exact"]), below, max_size=2
        ),
    ),
    max_leaves=4,
)


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container with every key of it."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [place for key, below in inner for place in ((tree, key), *places(below))]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), TREES, st.booleans())
def test_anything_anywhere(tmp_path: Path, where: int, instead: Any, remove: bool) -> None:
    tree = yaml.load(GOOD.rstrip() + EXTRA, Loader=yaml.BaseLoader)  # makes texts only
    found = places(tree)
    container, key = found[where % len(found)]
    if remove:
        del container[key]
    else:
        container[key] = instead
    with contextlib.suppress(SettingsError):
        load(written(tmp_path, yaml.safe_dump(tree)), environ=ENVIRON)


def test_the_file_it_starts_from_is_good(tmp_path: Path) -> None:
    assert load(written(tmp_path, GOOD.rstrip() + EXTRA), environ=ENVIRON).policies[1].name == "b"
    with pytest.raises(SettingsError):
        load(tmp_path / "nowhere.yaml", environ=ENVIRON)
