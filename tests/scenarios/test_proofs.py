"""Whole logins by CHAP and MS-CHAPv2: what the gateway is told, whoever they are and however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from radius_push import events
from radius_push.client import Reply
from radius_push.model import PROOFS, ProofName, Reason, Secret
from radius_push.proofs import mschapv2
from radius_push.radius.asking import CHANCE, respond, write_request
from radius_push.radius.mschap import Told
from radius_push.radius.packet import load_dictionary
from radius_push.server import Server
from radius_push.settings import load
from tests.scenarios.house import ACCEPT, PASSWORD, REJECT, SECRET, SETTINGS, House, house
from tests.scenarios.test_odd_packets import send
from tests.scenarios.turned import run

NT_HASH = mschapv2.nt_hash(Secret(PASSWORD))
assert NT_HASH is not None
OPEN = SETTINGS.replace(
    "  fw1:",
    """\
  lenient:
    addresses: [127.0.0.5]
    secret: "a-secret-of-22-octets!"
    profiles: [staff-push]
    patience: 60s
    accepts: [pap, chap, ms-chapv2]
    require_message_authenticator: no
  fw1:""",
).replace("patience: 60s}", "patience: 60s, accepts: [pap, chap, ms-chapv2]}")
USERS = f"""\
      carol: {{{{clear_password: {PASSWORD}, department: IT}}}}
      dave: {{{{nt_hash: {NT_HASH.reveal().hex()}, department: IT}}}}
"""
FW1, LAB, LENIENT = "127.0.0.1", "127.0.0.3", "127.0.0.5"
RESPONSES: list[ProofName] = ["chap", "ms-chapv2"]


@asynccontextmanager
async def open_house(folder: Path, settings: str = OPEN) -> AsyncIterator[House]:
    """alice and bob with password_hash, carol with clear_password, dave with nt_hash."""
    async with house(folder, settings=settings.replace("{users}\n", "{users}\n" + USERS)) as h:
        yield h


@dataclass
class Asking:
    """One gateway that asks by one proof."""

    h: House
    proof: ProofName
    source: str = FW1

    async def __call__(self, username: str, password: str = PASSWORD, **more: Any) -> Reply:
        reply = await self.h.ask(username, password, proof=self.proof, source=self.source, **more)
        assert reply is not None
        return reply


def rejected(reply: Reply, proof: ProofName, text: str = "Sign-in refused.") -> None:
    """A reject has the same shape whatever its reason."""
    assert (reply.code, reply.attributes) == (REJECT, {"Reply-Message": (text,)})
    expected = Told(success=False, keys=False, error=text) if proof == "ms-chapv2" else None
    assert reply.mschapv2 == expected


CAN = [(proof, name) for proof in PROOFS for name in ("carol", "dave") if (proof, name) != ("chap", "dave")]


@pytest.mark.parametrize(("proof", "name"), CAN)
@pytest.mark.parametrize("source", [FW1, LENIENT])
def test_who_proves_it_is_asked_and_let_in(tmp_path: Path, proof: ProofName, name: str, source: str) -> None:
    async def story() -> None:
        async with open_house(tmp_path) as h:
            phone = await h.phone(name)
            sealed = source == FW1
            asking = asyncio.ensure_future(Asking(h, proof, source)(name, message_authenticator=sealed))
            await phone.answer_next(approve=True, seconds=30)
            reply = await asking
            assert (reply.code, reply.attributes["Filter-Id"]) == (ACCEPT, ("IT",))
            told = Told(success=True, keys=True, error=None) if proof == "ms-chapv2" else None
            assert reply.mschapv2 == told
            assert ("MS-MPPE-Encryption-Policy" in reply.attributes) == (proof == "ms-chapv2")

    run(story())


@pytest.mark.parametrize("proof", RESPONSES)
def test_a_deny_and_nobody_at_all_are_rejects_with_their_texts(tmp_path: Path, proof: ProofName) -> None:
    async def story() -> None:
        async with open_house(tmp_path) as h:
            phone, ask = await h.phone("carol"), Asking(h, proof)
            asking = asyncio.ensure_future(ask("carol"))
            await phone.answer_next(approve=False, seconds=30)
            rejected(await asking, proof, "You said no.")
            await asyncio.sleep(61)
            rejected(await ask("carol"), proof, "Nobody tapped in 45 s.")
            assert [e.reason for e in h.of(events.Rejected)] == [Reason.DENIED, Reason.TIMED_OUT]

    run(story())


REFUSED = [
    ("carol", "wrong", Reason.WRONG_PASSWORD, "the password is wrong"),
    ("nobody", PASSWORD, Reason.UNKNOWN_USER, ""),
    ("alice", PASSWORD, Reason.PROOF_NOT_ACCEPTED, "alice has no "),
    ("carol", PASSWORD, Reason.NOT_ENROLLED, "no device"),
]


@pytest.mark.parametrize("proof", RESPONSES)
@pytest.mark.parametrize(("name", "password", "reason", "detail"), REFUSED)
def test_every_refusal_looks_the_same_and_comes_at_the_same_moment(
    tmp_path: Path, proof: ProofName, name: str, password: str, reason: Reason, detail: str
) -> None:
    async def story() -> None:
        async with open_house(tmp_path) as h:
            reply = await Asking(h, proof)(name, password)
            rejected(reply, proof)
            assert reply.seconds == pytest.approx(1.0, abs=0.05)
            (event,) = h.of(events.Rejected)
            assert event.reason is reason
            assert detail in f"{event.detail} {event.directories}"

    run(story())


@pytest.mark.parametrize("proof", RESPONSES)
def test_what_the_client_does_not_accept_is_refused_before_any_directory(
    tmp_path: Path, proof: ProofName
) -> None:
    async def story() -> None:
        async with open_house(tmp_path) as h:
            rejected(await Asking(h, proof, LAB)("carol"), proof)
            (event,) = h.of(events.Rejected)
            assert event.reason is Reason.PROOF_NOT_ACCEPTED
            assert event.directories == ()
            assert f"let the gateway use PAP, or add {proof} to `accepts` of client lab" in event.detail

    run(story())


def test_where_pap_is_not_accepted_a_right_password_is_no_way_in(tmp_path: Path) -> None:
    settings = OPEN.replace("accepts: [pap, chap, ms-chapv2]}", "accepts: [ms-chapv2]}")

    async def story() -> None:
        async with open_house(tmp_path, settings) as h:
            await h.phone("carol")
            rejected(await Asking(h, "pap")("carol"), "pap")
            (event,) = h.of(events.Rejected)
            assert "PAP is not accepted: let the gateway use MS-CHAPv2" in event.detail
            assert event.directories == ()

    run(story())


# --- nobody is known to have sent it -----------------------------------------------------------------


@pytest.mark.parametrize("proof", RESPONSES)
def test_an_unsealed_proof_that_is_wrong_is_counted_and_never_stored(
    tmp_path: Path, proof: ProofName
) -> None:
    async def story() -> None:
        async with open_house(tmp_path) as h:
            ask, before = Asking(h, proof, LENIENT), len(h.told)
            for name, password, _reason, _ in REFUSED[:3]:
                reply = await ask(name, password, message_authenticator=False)
                rejected(reply, proof)
                assert reply.seconds == pytest.approx(1.0, abs=0.05)
            assert len(h.told) == before
            for _, _, reason, _ in REFUSED[:3]:
                assert h.server.counters[reason] == 1

    run(story())


def login(
    proof: ProofName,
    *,
    username: str = "carol",
    password: str = PASSWORD,
    identifier: int = 9,
    sealed: bool = False,
    **more: Any,
) -> bytes:
    return write_request(
        identifier=identifier,
        authenticator=bytes((identifier,)) * 16,
        secret=SECRET,
        username=username,
        response=respond(proof, username="carol", password=Secret(password), chance=bytes(range(CHANCE))),
        message_authenticator=sealed,
        dictionary=load_dictionary(),
        **more,
    )


def altered(proof: ProofName) -> Iterator[bytes]:
    """The same proof in packets that whoever listened could make of it."""
    yield login(proof, identifier=10)
    yield login(proof, username="CAROL")
    yield login(proof, attributes=[("Calling-Station-Id", "198.51.100.9")])
    if proof == "ms-chapv2":
        yield login(proof, username="CORP\\carol")


@pytest.mark.parametrize("proof", RESPONSES)
@pytest.mark.parametrize("sealed", [True, False])
def test_a_proof_that_somebody_overheard_rings_no_second_time(
    tmp_path: Path, proof: ProofName, sealed: bool
) -> None:
    lenient = OPEN.replace("[127.0.0.1]", "[127.0.0.9]").replace("[127.0.0.5]", "[127.0.0.1]")

    async def story() -> None:
        async with open_house(tmp_path, lenient) as h:
            phone = await h.phone("carol")
            sending = asyncio.ensure_future(send(h, login(proof, sealed=sealed)))
            await phone.answer_next(approve=True, seconds=30)
            assert [datagram[0] for datagram in await sending] == [ACCEPT]
            await asyncio.sleep(120)
            assert [each for each in await send(h, *altered(proof)) if each[0] != REJECT] == []
            assert len(h.of(events.Asked)) == 1

    run(story())


# --- again and again -----------------------------------------------------------------------------------


def test_after_a_restart_the_accept_carries_its_keys_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_house(tmp_path) as h:
            phone = await h.phone("carol")
            asking = asyncio.ensure_future(Asking(h, "ms-chapv2")("carol", timeout=2.0, tries=20))
            await phone.next_question(seconds=10)
            endpoint = h.server.authentication[0]
            await h.server.stop()
            file = tmp_path / "radius-push.yaml"
            file.write_text(file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{endpoint[1]}"))
            again = Server(load(file, environ={}), clock=h.server.clock, on_event=h.hear)
            h.server = again
            await again.start()
            try:
                await phone.answer_next(approve=True, seconds=30)
                reply = await asking
                assert (reply.code, reply.mschapv2) == (ACCEPT, Told(success=True, keys=True, error=None))
                assert len(h.of(events.Asked)) == 1
            finally:
                await again.stop()

    run(story())


@pytest.mark.parametrize("proof", RESPONSES)
def test_a_recorded_packet_with_a_wrong_response_is_tried_once(tmp_path: Path, proof: ProofName) -> None:
    async def story() -> None:
        async with open_house(tmp_path) as h:
            packet = login(proof, sealed=True, password="mistyped")
            assert [each[0] for each in await send(h, packet)] == [REJECT]
            await asyncio.sleep(300)
            assert await send(h, packet) == []
            assert [e.reason for e in h.of(events.Unanswered)] == [Reason.REPLAYED]

    run(story())
