"""What the guided fuzzer starts from and what it once found is played on every run: no promise is broken."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from radius_push.radius.packet import MalformedPacket, NotAuthentic
from tests.fuzz.guided import replies, requests, sealing
from tests.fuzz.guided.saved import FOLDER, saved
from tests.fuzz.guided.table import HARNESSES
from tests.radius.packets import AUTHENTICATOR, LENIENT, SECRET, read, signed

MUTATIONS = 20
"""Of each seed: enough to show that the mutator makes packets that are read."""


@pytest.fixture(autouse=True)
def _all_is_given_back() -> Iterator[None]:
    yield
    for harness in HARNESSES.values():
        harness.close()


@pytest.mark.parametrize("name", HARNESSES)
def test_no_seed_breaks_a_promise(name: str) -> None:
    harness = HARNESSES[name]
    for octets in harness.seeds():
        harness.play(octets)
        harness.play(harness.mend(octets) if harness.mend else octets[:-1])


@pytest.mark.parametrize("name", HARNESSES)
def test_nothing_saved_breaks_a_promise(name: str) -> None:
    for octets in saved(name):
        HARNESSES[name].play(octets)


def test_every_saved_file_belongs_to_a_harness() -> None:
    assert {path.stem for path in FOLDER.glob("*.hex")} == set(HARNESSES)


def test_a_mended_request_is_read_as_sealed() -> None:
    broken = bytearray(signed((1, b"alice")))
    broken[-1] ^= 1
    with pytest.raises(NotAuthentic):
        read(bytes(broken))
    assert read(requests.mend(bytes(broken))).username == "alicd"


def test_a_mended_reply_is_believed() -> None:
    replies.play(replies.mend(signed((1, b"alice"))))
    mended = replies.mend(signed((1, b"alice")))
    assert sealing.is_answer(mended, secret=SECRET.reveal(), request_authenticator=AUTHENTICATOR)


def test_mutations_get_behind_the_seal() -> None:
    rng = random.Random(0)
    behind = 0
    for seed in HARNESSES["datagram"].seeds():
        for _ in range(MUTATIONS):
            mutated = requests.mend(sealing.shuffled(seed, rng, lambda octets, most: octets[:most], 4096))
            HARNESSES["datagram"].play(mutated)
            try:
                behind += read(mutated, LENIENT).authentic
            except (MalformedPacket, NotAuthentic):
                continue
    assert behind > 100


def test_the_door_stays_shut_for_a_broken_seal() -> None:
    broken = bytearray(signed((1, b"alice")))
    broken[-1] ^= 1
    requests.play_door(bytes(broken))
