"""The log: text for people, JSON for programs; nobody writes a second line into it, or an endless one."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import sys
import typing
from collections.abc import Iterator

import pytest

from radius_push import events
from radius_push.model import Reason
from radius_push.observe import log
from radius_push.observe.json_line import LONGEST, json_line
from radius_push.observe.log import JsonLines, TextLines, log_event

ANSWERED = events.Answered(
    "K7F2QX", "q1", "staff:alice", "d1", "approve", False, "the signed text", "c2lnbmF0dXJl"
)


def rejected(username: str = "alice", **changes: object) -> events.Rejected:
    said: dict[str, object] = {
        "client": "fw1",
        "person": None,
        "reason": Reason.UNKNOWN_USER,
        "detail": "",
        "address": None,
        "question": None,
        "directories": ("staff: does not know this name",),
        "trace": (),
        "arrived_at": 1_790_000_000.0,
    }
    return events.Rejected(login="K7F2QX", username=username, **{**said, **changes})  # type: ignore[arg-type]


class Kept(logging.Handler):
    """Lines as they would be written."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def written() -> Iterator[dict[str, Kept]]:
    logger = logging.getLogger("radius_push")
    kept = {"json": Kept(JsonLines()), "text": Kept(TextLines())}
    level = logger.level
    logger.setLevel(1)
    for handler in kept.values():
        logger.addHandler(handler)
    yield kept
    for handler in kept.values():
        logger.removeHandler(handler)
    logger.setLevel(level)


def test_an_event_is_one_json_object_with_its_fields(written: dict[str, Kept]) -> None:
    log_event(0.0, rejected())
    (line,) = written["json"].lines
    value = json.loads(line)
    assert list(value)[:5] == ["time", "level", "kind", "login", "client"]
    assert (value["level"], value["kind"], value["reason"]) == ("warning", "rejected", "unknown_user")
    assert value["directories"] == ["staff: does not know this name"]
    assert value["address"] is None
    assert value["time"].endswith("Z")


def test_text_stays_as_it_is(written: dict[str, Kept]) -> None:
    log_event(0.0, rejected())
    (line,) = written["text"].lines
    assert line.split(" ", 1)[1] == (
        "WARNING rejected login=K7F2QX client=fw1 username=alice reason=unknown_user "
        'directories="staff: does not know this name"'
    )


def test_settings_that_were_refused_are_a_warning(written: dict[str, Kept]) -> None:
    log_event(0.0, events.SettingsRefused(("radius-push.yaml:3:1: unknown key",)))
    assert json.loads(written["json"].lines[0])["level"] == "warning"


def test_a_signature_is_evidence_and_no_log(written: dict[str, Kept]) -> None:
    log_event(0.0, ANSWERED)
    for kept in written.values():
        (line,) = kept.lines
        assert "approve" in line
        for word in ("signed text", "c2lnbmF0dXJl", "payload", "signature"):
            assert word not in line


def test_a_plain_line_is_one_json_object_too(written: dict[str, Kept]) -> None:
    logging.getLogger("radius_push.listen").warning("%s: malformed packet", "fw1")
    (line,) = written["json"].lines
    value = json.loads(line)
    assert (value["level"], value["kind"], value["logger"], value["message"]) == (
        "warning",
        "message",
        "radius_push.listen",
        "fw1: malformed packet",
    )


def test_a_traceback_is_in_its_line_and_keeps_its_end(written: dict[str, Kept]) -> None:
    try:
        raise ValueError("x" * 20_000 + " the end")
    except ValueError:
        logging.getLogger("radius_push").exception("a fault")
    (line,) = written["json"].lines
    assert len(line) <= LONGEST
    assert json.loads(line)["exception"].endswith("the end")


@pytest.mark.parametrize(
    "name", ["a\nb", "a\r\nrejected login=FAKE00", "\x1b[31m", "\x00", "\u2028", "\u202e"]
)
def test_nobody_writes_a_second_line_by_their_name(written: dict[str, Kept], name: str) -> None:
    log_event(0.0, rejected(name))
    logging.getLogger("radius_push").warning("plain %s", name)
    for kept in written.values():
        for line in kept.lines:
            assert line.isprintable(), line
    assert json.loads(written["json"].lines[0])["username"] == name
    assert json.loads(written["json"].lines[1])["message"] == f"plain {name}"


@pytest.mark.parametrize("letter", ["a", "\x00", "\U0001f600"])
def test_no_line_is_longer_than_a_line_may_be(written: dict[str, Kept], letter: str) -> None:
    many = tuple(letter * 3000 for _ in range(3000))
    log_event(0.0, rejected(letter * 300, detail=letter * 100_000, directories=many, trace=many))
    logging.getLogger("radius_push").warning("%s", letter * 100_000)
    for line in written["json"].lines:
        assert len(line) <= LONGEST
        assert json.loads(line)["level"] == "warning"
    assert json.loads(written["json"].lines[0])["login"] == "K7F2QX"
    # Of text the message is bounded; escaping may lengthen it, ten letters for one.
    assert max(map(len, written["text"].lines)) <= 11 * log.LONGEST


def test_what_is_cut_shows_it() -> None:
    line = json_line(
        at=0, level="info", kind="x", fields={"one": "a" * 1001, "many": list(range(60)), "other": 1.5}
    )
    value = json.loads(line)
    assert (value["one"][-1], len(value["one"])) == ("…", 1000)
    assert (value["many"][-1], len(value["many"])) == ("… 10 more", 51)
    assert value["other"] == 1.5


def test_a_line_that_cannot_be_cut_enough_still_names_its_login() -> None:
    line = json_line(
        at=0, level="info", kind="x", fields={"login": "K7F2QX"} | {f"f{n}": n for n in range(2000)}
    )
    assert json.loads(line)["login"] == "K7F2QX"
    assert "too long" in json.loads(line)["cut"]


def test_no_event_has_a_field_that_the_line_has_itself() -> None:
    for event in typing.get_args(events.Event):
        names = {field.name for field in dataclasses.fields(event)}
        assert not names & {"time", "level", "kind", "message", "logger", "exception", "cut"}, event


async def test_what_libraries_say_is_in_the_same_form() -> None:
    """In a process of its own: setting up the log is for a whole process."""
    code = (
        "import logging; from radius_push.observe import log; log.set_up(form='json');"
        "log.logger.info('ready'); logging.getLogger('asyncio').warning('theirs');"
        "logging.getLogger('asyncio').info('too little'); log.logger.debug('too little')"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, lines = await process.communicate()
    assert said == b""
    values = [json.loads(line) for line in lines.splitlines()]
    assert [(value["logger"], value["message"]) for value in values] == [
        ("radius_push", "ready"),
        ("asyncio", "theirs"),
    ]
