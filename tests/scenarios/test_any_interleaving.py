"""Whatever packets, taps, time-outs and crashes come in whatever order: one approval lets in once, and only
its own attempt; a no lets nobody in."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from radius_push.model import PROOFS
from radius_push.test_phone import Card, SoftwarePhone
from tests.scenarios.interleaved import World
from tests.scenarios.ledger import Ledger
from tests.scenarios.three_gateways import AWAY, HOME, NEW, OLD, SOCKETS, Template

MEMORY = Path("/dev/shm")
"""A file there is as real to SQLite, and a write to it is not a matter of the disk."""


def often(*values: Any, usually: Any, weight: int = 4) -> st.SearchStrategy[Any]:
    return st.sampled_from([usually] * weight + list(values))


class Logins(RuleBasedStateMachine):
    """Each rule is one step."""

    template: Template
    steps = 0
    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.world = World(self.template.settings_in(self.folder), self.template.phones)
        self.ledger = Ledger(self.world)
        self.shown: list[Card] = []
        self.rows = sqlite3.connect(f"file:{self.folder}/state/radius-push.db?mode=ro", uri=True)

    def teardown(self) -> None:
        self.seen.update(self.ledger.seen)
        try:
            self.world.run(self.world.end())
        finally:
            self.rows.close()
            self.world.loop.close()
            shutil.rmtree(self.folder)

    def up(self) -> World:
        """The server, as long as it lives; else the next one."""
        if self.world.dead:
            self.world.run(self.world.come_back(after=0.0, crashed=True))
        return self.world

    # --- gateways ---------------------------------------------------------------------------------------

    @rule(
        who=often("carol", usually="alice", weight=3),
        password=often(OLD, NEW, "wrong", usually=None, weight=9),
        address=often(AWAY, None, usually=HOME, weight=6),
        gateway=often("fw1", "fw9", usually="fw2", weight=2),
        port=often(*range(1, SOCKETS), usually=0),
        proof=often(*PROOFS[1:], usually="pap"),
        sealed=often(False, usually=True, weight=9),
        again=often(True, usually=False, weight=9),
    )
    def tries(self, password: str | None, **how: Any) -> None:
        self._tries(password, **how)

    @rule(
        gateway=st.sampled_from(["fw1", "fw2"]), port=often(1, usually=0), proof=often("chap", usually="pap")
    )
    def tries_once_more(self, **how: Any) -> None:
        """As most gateways do."""
        self._tries(None, who="alice", address=HOME, sealed=True, again=False, **how)

    def _tries(self, password: str | None, **how: Any) -> None:
        world = self.up()
        world.run(world.send(world.write(password=password or world.rules[0], **how)))

    @rule(who=st.sampled_from(["carol", "alice"]), address=often(AWAY, usually=HOME, weight=2))
    def tries_in_its_place(self, who: str, address: str) -> None:
        """The gateway gives up what it asked last: under the same Identifier it asks for somebody else."""
        world = self.up()
        if world.requests:
            last = world.requests[-1]
            at = {"gateway": last.gateway.name, "port": last.port, "again": True}
            self._tries(None, who=who, address=address, proof="pap", sealed=True, **at)

    @rule(back=st.integers(0, 7))
    def repeats(self, back: int) -> None:
        """The same octets once more."""
        world = self.up()
        if back < len(world.requests):
            request = world.requests[-1 - back]
            # What was wrong before, and is right now, is no repetition.
            if {password for password, _ in request.rules | {world.rules}} == {request.password}:
                world.run(world.send(request))

    # --- people -----------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 7), hand=st.integers(0, 1), approve=often(False, usually=True, weight=3))
    def taps(self, which: int, hand: int, approve: bool) -> None:
        """On a card that is there now."""
        self.up()
        if self.shown:
            card = self.shown[which % len(self.shown)]
            hands = [each for each in self.world.phones if each.enrolled.person == card["person"]]
            self._answers(hands[hand % len(hands)], card, approve=approve)

    @rule(which=st.integers(0, 7), hand=st.integers(0, 1))
    def approves(self, which: int, hand: int) -> None:
        self.taps(which, hand, True)

    @rule(which=st.integers(0, 7), phone=st.integers(0, 2), approve=often(False, usually=True, weight=2))
    def signs_what_was_there(self, which: int, phone: int, approve: bool) -> None:
        """Any phone, on any card that was ever shown: signed in time and sent late, or never its own. Before
        all others those that say something else by now."""
        self.up()
        cards, now = list(self.ledger.cards.values()), {card["id"] for card in self.shown}
        cards = [each for each in cards if each["id"] in now and each not in self.shown] or cards[-8:]
        if cards:
            self._answers(self.world.phones[phone], cards[which % len(cards)], approve=approve)

    def _answers(self, phone: SoftwarePhone, card: Card, *, approve: bool) -> None:
        said = "approve" if approve else "deny"
        self.ledger.tap(phone.enrolled.device, card, said)
        self.world.run(self.world.tap(phone, card, approve=approve))

    @rule(really=often(True, usually=False, weight=6))
    def loses(self, really: bool) -> None:
        """One of her two phones, once: the one that said yes last, if any."""
        world = self.up()
        hers = [each for each in world.phones if each.enrolled.account == "alice"]
        said = [each.device for each in self.ledger.asked.values() if each.device]
        last = [each for each in hers if each.enrolled.device in said[-1:]]
        if really and not self.ledger.removed:
            world.run(world.remove((last or hers)[0]))

    # --- time, and the end of it ------------------------------------------------------------------------

    @rule()
    def nobody_answers(self) -> None:
        """Until the bar of what was asked last is over."""
        self.up().run(asyncio.sleep(16.0))

    @rule(seconds=st.sampled_from([0.5, 1.0, 2.0, 4.0, 6.0, 9.0, 12.0, 14.5, 15.0, 20.0, 30.0, 31.0, 61.0]))
    def passes(self, seconds: float) -> None:
        self.up().run(asyncio.sleep(seconds))

    @rule(
        after=st.sampled_from([0.0, 0.5, 5.0, 20.0]), crashed=st.booleans(), really=often(True, usually=False)
    )
    def restarts(self, after: float, crashed: bool, really: bool) -> None:
        if really:
            self.world.run(self.world.come_back(after=after, crashed=crashed))

    @rule(
        waited=st.sampled_from([0.0, 16.0, 30.0]),
        after=st.sampled_from([0.0, 5.0]),
        back=st.integers(0, 2),
        really=often(True, usually=False, weight=3),
    )
    def crashes_and_is_asked_again(self, waited: float, after: float, back: int, really: bool) -> None:
        """The gateway does not know, and repeats itself."""
        if not really:
            return
        world = self.up()
        world.run(asyncio.sleep(waited))
        self.holds()
        world.run(world.come_back(after=after, crashed=True))
        self.holds()
        self.repeats(back)

    @rule(
        which=st.integers(0, 7), hand=st.integers(0, 1), lost=st.booleans(), really=often(True, usually=False)
    )
    def crashes_behind_a_yes(self, which: int, hand: int, lost: bool, really: bool) -> None:
        """The answer is written, and nothing after it; then perhaps the phone is lost."""
        if not really:
            return
        self.up().crash_at_write(1, written=True)
        self.taps(which, hand, True)
        self.holds()
        self.up()
        self.holds()
        self.loses(lost)
        for back in range(3):
            self.holds()
            self.repeats(back)

    @rule(number=st.integers(1, 5), written=st.booleans(), really=often(True, usually=False, weight=3))
    def will_crash(self, number: int, written: bool, really: bool) -> None:
        if really:
            self.up().crash_at_write(number, written=written)

    @rule(
        password=often(NEW, usually=OLD, weight=2),
        seconds=often(60, usually=3600, weight=2),
        really=often(True, usually=False),
    )
    def are_reloaded(self, password: str, seconds: int, really: bool) -> None:
        """Her password is another one now, or the rules."""
        if really:
            world = self.up()
            world.run(world.use((password, seconds)))

    # --- what must hold ---------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        type(self).steps += 1
        if not self.ledger.look():
            return
        found = self.rows.execute("SELECT id, state, lane, coalesce(later_until, 0) FROM questions")
        self.ledger.lanes({id: (state, lane, until) for id, state, lane, until in found})
        if not self.world.dead:
            self.shown = [
                card for phone in self.world.phones for card in self.world.run(self.world.cards(phone))
            ]
            for card in self.shown:
                self.ledger.show(card)


MUST_BE_SEEN = {
    *("Asked", "joined, pending", "joined, late", "joined, approved"),
    *("approve", "approve, late", "deny"),
    *("let in by push", "let in by ticket", "let in by follow_on"),
    *(
        "came back, pending",
        "came back, approved",
        "came back, spent",
        "came back, denied",
        "came back, late",
    ),
    *(
        "timed_out",
        "denied_before",
        "not_answered_before",
        "too_many_waiting",
        "superseded",
    ),
    *("wrong_password", "replayed", "decided_otherwise", "device_removed", "Abandoned"),
}
"""A long play in which one of them did not happen has shown nothing of it."""


def play(folder: Path, *, examples: int, steps: int, seeded: int) -> type[Logins]:
    """The same steps under each seed. Raises AssertionError with the shortest story found in which something
    does not hold."""

    class OfThisTest(Logins):
        template = Template(folder)
        steps = 0
        seen: ClassVar[Counter[str]] = Counter()

    # What thousands of servers say of their ends would bury the story.
    logging.disable(logging.CRITICAL)
    try:
        run_state_machine_as_test(
            seed(seeded)(OfThisTest),
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        logging.disable(logging.NOTSET)
    return OfThisTest


def test_a_few_steps_in_any_order(tmp_path: Path) -> None:
    assert play(tmp_path, examples=6, steps=60, seeded=1).steps >= 300


@pytest.mark.slow
def test_a_hundred_thousand_steps_in_any_order(tmp_path: Path) -> None:
    # Under one seed most plays resemble each other.
    played = []
    for n in range(18):
        (folder := tmp_path / str(n)).mkdir()
        played.append(play(folder, examples=24, steps=250, seeded=n))
    assert sum(each.steps for each in played) >= 100_000
    seen = sum((each.seen for each in played), Counter[str]())
    assert seen.keys() >= MUST_BE_SEEN


@pytest.mark.slow
@pytest.mark.skipif("SEED" not in os.environ, reason="`make fuzz` plays what nobody has played before")
def test_ten_thousand_steps_of_a_seed(tmp_path: Path) -> None:
    play(tmp_path, examples=42, steps=250, seeded=int(os.environ["SEED"]))
