"""Canaries: secrets with names of their own go through whole logins; then everything that can be read is
searched for them - logs at every level, evidence, errors, reprs, tasks' names and the database file."""

from __future__ import annotations

import asyncio
import base64
import gc
import logging
import secrets
import traceback
from pathlib import Path

import pytest

from radius_push import enrollment, events
from radius_push.model import Person, Reason, Secret
from radius_push.ports import StoreDown
from radius_push.radius.packet import Arrival
from radius_push.test_phone import SoftwarePhone
from tests.scenarios.house import PASSWORD, SECRET, House, house
from tests.scenarios.turned import run

WRONG = "canary-wrong-password-7731"


class Broken:
    """A directory that fails in a way nobody foresaw, with the password in its message."""

    name = "staff"
    emergency = False

    async def find(self, username: str) -> Person:
        raise RuntimeError(f"canary {PASSWORD}")

    async def close(self) -> None:
        pass


async def live(h: House) -> list[str]:
    """Logins of every kind; the secrets that must not be seen afterwards."""
    found = await h.server.directories["staff"].find("alice")
    assert isinstance(found, Person)
    token, code_octets = secrets.token_bytes(16), secrets.token_bytes(5)
    shown = await enrollment.invite(
        h.server.store,
        person=found,
        lifetime=600,
        pepper=h.server.keys.pepper,
        by="test",
        now=h.server.clock.now(),
        token=token,
        code_octets=code_octets,
    )
    phone = await SoftwarePhone.enrol(enrollment.link(h.url, shown), name="phone")
    h.phones.append(phone)
    await enrollment.confirm(h.server.store, shown.invitation, "000000", by="test", now=h.server.clock.now())
    await enrollment.confirm(
        h.server.store, shown.invitation, phone.confirmation_code, by="test", now=h.server.clock.now()
    )
    for approve in (True, False):
        asking = asyncio.ensure_future(h.ask())
        await phone.answer_next(approve=approve, seconds=30)
        await asking
    await h.ask()
    for username, password in (("alice", WRONG), ("nobody", PASSWORD), ("bob", PASSWORD), ("alice", "\x00")):
        await h.ask(username, password)
    await h.ask(secret=Secret("canary-gateway-secret-22"), timeout=10)
    await crash(h)
    return [
        PASSWORD,
        WRONG,
        "canary-gateway-secret-22",
        SECRET.reveal().decode(),
        shown.token,
        shown.code,
        shown.code.replace("-", ""),
        token.hex(),
        h.server.keys.pepper.reveal().hex(),
        base64.b64encode(h.server.keys.pepper.reveal()).decode(),
        h.server.keys.try_login_secret.reveal().decode(),
        "$argon2id$",
    ]


async def crash(h: House) -> None:
    """One login that crashes, and one whose store is down."""
    h.server.directories["staff"], kept = Broken(), h.server.directories["staff"]  # type: ignore[assignment]
    await h.ask(timeout=5)
    h.server.directories["staff"] = kept
    record = h.server.store.record
    h.server.store.record = down  # type: ignore[method-assign]
    await h.ask("alice", WRONG, timeout=5)
    h.server.store.record = record  # type: ignore[method-assign]


async def down(*events: events.Event) -> None:
    raise StoreDown("no space left on device")


def seen(caplog: pytest.LogCaptureFixture, h: House, folder: Path) -> dict[str, str]:
    """Everything that somebody could read, by where."""
    told = "\n".join(repr(event) + str(events.fields(event)) for event in h.told)
    records = "\n".join(
        record.getMessage()
        + repr(record.args)
        + ("".join(traceback.format_exception(*record.exc_info)) if record.exc_info else "")
        for record in caplog.records
    )
    values = "\n".join(
        repr(thing)
        for thing in gc.get_objects()
        if str(type(thing).__module__).startswith("radius_push.") and not isinstance(thing, type)
    )
    files = {
        f"file {path.name}": path.read_bytes().decode("latin-1")
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "keys" and path.suffix != ".yaml"
    }
    return {"log": records, "evidence": told, "repr": values, **files}


def test_no_secret_is_in_any_log_error_evidence_repr_or_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    logging.getLogger("radius_push").propagate = True

    async def story() -> None:
        async with house(tmp_path) as h:
            canaries = await live(h)
            places = seen(caplog, h, tmp_path)
            assert {Reason.WRONG_PASSWORD, Reason.UNKNOWN_USER, Reason.DENIED, Reason.TIMED_OUT} <= {
                e.reason for e in h.of(events.Rejected)
            }, "the logins did not go as planned"
            assert h.server.counters["crashed"] == 1
            crashes = [e.detail for e in h.of(events.Unanswered) if e.reason is Reason.CRASHED]
            assert crashes == ["RuntimeError"]
            assert "crashed" in places["log"]
            assert "the store is down" in places["log"]
            assert len(places) > 3
            for where, text in places.items():
                found = [canary for canary in canaries if canary in text]
                assert not found, f"{where} shows {found}"

    run(story())


def test_the_canaries_would_be_found(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The search itself can fail: what is planted where it must not be is seen."""
    caplog.set_level(1)

    async def story() -> None:
        async with house(tmp_path) as h:
            logging.getLogger("radius_push.x").debug("someone logged %s", PASSWORD)
            (tmp_path / "leak.db").write_text(PASSWORD)
            places = seen(caplog, h, tmp_path)
            assert PASSWORD in places["log"]
            assert PASSWORD in places["file leak.db"]

    run(story())


def test_an_arrival_prints_without_its_password(tmp_path: Path) -> None:
    seen_by_the_desk: list[str] = []

    async def story() -> None:
        async with house(tmp_path) as h:
            log_in = h.server.log_in

            async def watch(arrival: Arrival) -> object:
                seen_by_the_desk.append(repr(arrival))
                return await log_in(arrival)

            h.server.log_in = watch  # type: ignore[method-assign,assignment]
            await h.ask("alice", WRONG)

    run(story())
    (text,) = seen_by_the_desk
    assert "alice" in text
    assert WRONG not in text
    assert SECRET.reveal().decode() not in text
