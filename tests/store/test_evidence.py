"""The hash chain: whoever changes what was written is found out, at the row they changed."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from radius_push import events
from radius_push.ports import StoreDown
from radius_push.store import evidence, questions, sqlite
from radius_push.store.writer import Transaction
from tests.store.making import ALICE, NOW, STARTED, open_store


def change(path: Path, sql: str, *values: object) -> None:
    rows = sqlite3.connect(path)
    with rows:
        rows.execute(sql, values)
    rows.close()


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A closed store with nine rows of evidence."""
    path = tmp_path / "state.db"
    store = open_store(path)
    await store.record(*(events.Sent(f"login {number}") for number in range(1, 10)))
    await store.close()
    return path


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE evidence SET body = replace(body, 'login 4', 'login 5') WHERE number = 4", "row 4 is not"),
        ("UPDATE evidence SET body = replace(body, ':', ': ') WHERE number = 4", "row 4 is not"),
        ("UPDATE evidence SET at = at + 1 WHERE number = 7", "row 7 is not"),
        ("UPDATE evidence SET kind = 'accepted' WHERE number = 1", "row 1 is not"),
        ("UPDATE evidence SET hash = zeroblob(32) WHERE number = 3", "row 3 is not"),
        ("DELETE FROM evidence WHERE number = 2", "row 2 is missing"),
        ("DELETE FROM evidence WHERE number < 3", "row 1 is missing"),
        ("UPDATE evidence SET number = 20 WHERE number = 9", "row 9 is missing"),
        ("UPDATE evidence SET login = 'K7F2QX' WHERE number = 6", "row 6 is filed under what it does not"),
        ("UPDATE evidence SET login = NULL WHERE number = 6", "row 6 is filed under what it does not"),
        ("UPDATE evidence SET person = 'staff:alice' WHERE number = 6", "row 6 is filed under what"),
    ],
)
async def test_a_changed_row_is_found(path: Path, sql: str, said: str) -> None:
    change(path, sql)
    store = open_store(path)
    with pytest.raises(StoreDown, match=said):
        await store.verify_evidence()
    await store.close()


async def test_an_untouched_chain_is_whole_page_by_page(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "PAGE", 2)
    store = open_store(path)
    assert await store.verify_evidence() == 9
    assert [number async for number, *_ in store.evidence()] == list(range(1, 10))
    await store.close()


async def test_the_hash_is_what_the_docs_say(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state.db")
    await store.record(STARTED, events.Sent("Zoë"))
    rows = await store._evidence_after(0)
    await store.close()
    before = bytes(32)
    for number, at, kind, body, digest in rows:
        text = json.dumps([number, at, kind, json.loads(body)], sort_keys=True, separators=(",", ":"))
        before = hashlib.sha256(before + text.encode("ascii")).digest()
        assert (at, digest) == (NOW, before)


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (lambda rows: evidence.of_login(rows, "K7F2QX"), "evidence_of_login"),
        (lambda rows: evidence.last_login_of(rows, ALICE), "login_ends_of_person"),
        (lambda rows: evidence.last_address_of(rows, ALICE, before=NOW), "accepts_of_person"),
        (lambda rows: questions.last_answers(Transaction(rows, None)), "answers_of_device"),
    ],
)
def test_a_login_is_found_by_an_index(
    path: Path, read: Callable[[sqlite3.Connection], object], index: str
) -> None:
    rows = sqlite3.connect(path)
    rows.row_factory = sqlite3.Row
    asked: list[str] = []
    rows.set_trace_callback(asked.append)
    read(rows)
    rows.set_trace_callback(None)
    plan = [row["detail"] for row in rows.execute(f"EXPLAIN QUERY PLAN {asked[0]}")]
    rows.close()
    assert f"INDEX {index}" in str(plan)


async def test_rows_from_before_are_found_too(path: Path) -> None:
    """A store that was made when rows had no login column."""
    rows = sqlite3.connect(path)
    for index in ("evidence_of_login", "login_ends_of_person", "answers_of_device", "accepts_of_person"):
        rows.execute(f"DROP INDEX {index}")
    for column in ("login", "person"):
        rows.execute(f"ALTER TABLE evidence DROP COLUMN {column}")
    rows.execute("DELETE FROM _sqlite_migrations WHERE name IN ('0003_find_a_login', '0010_last_address')")
    rows.commit()
    rows.close()
    store = open_store(path)
    assert [row[0] for row in await store.evidence_of("login 4")] == [4]
    assert await store.verify_evidence() == 9
    await store.close()
