"""No login makes the store read all of its questions: each statement finds its rows by an index."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from radius_push.store import abandoned, attempts, evidence, portal, questions
from radius_push.store.file import open_file

STATEMENTS = [
    pytest.param(text, id=f"{module.__name__.rpartition('.')[2]}.{name}")
    for module in (abandoned, attempts, evidence, portal, questions)
    for name, text in vars(module).items()
    if isinstance(text, str) and re.match(r"\s*(SELECT|UPDATE)\b", text)
]


def test_they_are_found() -> None:
    assert isinstance(questions, ModuleType)
    assert len(STATEMENTS) >= 8


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_searches_and_never_scans(statement: str, tmp_path: Path) -> None:
    rows = open_file(tmp_path / "state.db")
    numbered = [int(number) for number in re.findall(r"\?(\d)", statement)]
    arguments = [None] * (max(numbered) if numbered else statement.count("?"))
    plan = [row["detail"] for row in rows.execute("EXPLAIN QUERY PLAN " + statement, arguments)]
    rows.close()
    assert not [step for step in plan if step.startswith("SCAN")], plan
