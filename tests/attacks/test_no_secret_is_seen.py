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
from click.testing import CliRunner

from radius_push import enrollment, events
from radius_push.cli import main
from radius_push.model import PROOFS, Person, Reason, Secret
from radius_push.observe.log import JsonLines, TextLines, log_event
from radius_push.ports import StoreDown
from radius_push.proofs import mschapv2
from radius_push.radius.packet import Arrival
from radius_push.test_phone import SoftwarePhone
from tests.scenarios.house import PASSWORD, SECRET, SETTINGS, House, house
from tests.scenarios.turned import run

WRONG = "canary-wrong-password-7731"
CLEAR = "canary-clear-password-4482"
NT_HASH = "ca7a51e0c0ffee00ca7a51e0c0ffee00"
NT_HASH_OF_CLEAR = mschapv2.nt_hash(Secret(CLEAR)) or Secret(b"")
OPEN = SETTINGS.replace("patience: 60s}", "patience: 60s, accepts: [pap, chap, ms-chapv2]}").replace(
    "{users}\n",
    f"{{users}}\n      carol: {{{{clear_password: {CLEAR}, department: IT}}}}\n"
    f"      dave: {{{{nt_hash: {NT_HASH}, department: IT}}}}\n",
)


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
    await h.phone("carol")
    for proof in PROOFS:
        for username, password in (("carol", CLEAR), ("carol", WRONG), ("dave", WRONG), ("alice", PASSWORD)):
            await h.ask(username, password, proof=proof)
    await h.ask(secret=Secret("canary-gateway-secret-22"), timeout=10)
    await crash(h)
    return [
        PASSWORD,
        WRONG,
        CLEAR,
        *(shown for each in (NT_HASH, NT_HASH_OF_CLEAR.reveal().hex()) for shown in octets_of(each)),
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


def octets_of(hash: str) -> tuple[str, ...]:
    """Sixteen octets as people, Python and files write them."""
    octets = bytes.fromhex(hash)
    return hash, hash.upper(), base64.b64encode(octets).decode(), repr(octets)[2:-1], octets.decode("latin-1")


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
    for each in h.told:
        log_event(0.0, each)
    lines = {
        f"log as {form}": "\n".join(formatter.format(record) for record in caplog.records)
        for form, formatter in (("text", TextLines()), ("json", JsonLines()))
    }
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
    return {**lines, "log": records, "evidence": told, "repr": values, **files}


def test_no_secret_is_in_any_log_error_evidence_repr_or_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    logging.getLogger("radius_push").propagate = True

    async def story() -> None:
        async with house(tmp_path, settings=OPEN) as h:
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
            assert '"kind": "rejected"' in places["log as json"]
            assert len(places) > 5
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
            for where in ("log", "log as text", "log as json"):
                assert PASSWORD in places[where]
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


def test_no_verb_that_tells_of_logins_shows_a_secret_or_a_signature(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=OPEN) as h:
            canaries = await live(h)
            answers = h.of(events.Answered)
            assert answers
            canaries += [each.signature for each in answers] + [each.payload for each in answers]
            config = ("--config", str(tmp_path / "radius-push.yaml"))
            codes = {code for each in h.told if (code := getattr(each, "login", None))}
            asked = [("logins",), ("users",), ("devices",), *(("trace", code) for code in codes)]
            for words in [*asked, *((*words, "--json") for words in asked)]:
                said = await asyncio.to_thread(CliRunner().invoke, main, [*words, *config])
                assert said.exit_code == 0
                found = [canary for canary in canaries if canary in said.output]
                assert not found, f"{words} shows {found}"

    run(story())
