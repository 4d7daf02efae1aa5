"""How a phone becomes trusted, and every way in which it does not."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push import enrollment
from radius_push.enrollment import Redeemed, Refused, Shown
from radius_push.model import Device, DeviceState, Person, Secret
from radius_push.store.sqlite import SqliteStore
from tests.store.making import ALICE, NOW, ORIGIN, SetClock, kinds, open_store

PEPPER = Secret(b"p" * 32)
TOKEN = bytes(range(16))
CODE = b"\x08\x86\x42\x98\xe8"
KEY = b"\x04" + b"\x01" * 32 + b"\x02" * 32
PERSON = Person(ALICE, "alice", "uid=alice,ou=people,dc=example", {})


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def store(tmp_path: Path, clock: SetClock) -> AsyncIterator[SqliteStore]:
    store = open_store(tmp_path / "state.db", clock)
    yield store
    await store.close()


async def invite(store: SqliteStore, *, token: bytes = TOKEN, code: bytes = CODE) -> Shown:
    return await enrollment.invite(
        store,
        person=PERSON,
        lifetime=600,
        pepper=PEPPER,
        by="root",
        now=NOW,
        token=token,
        code_octets=code,
    )


async def redeem(
    store: SqliteStore,
    token_or_code: str,
    *,
    pepper: Secret = PEPPER,
    device: str = "d1",
    now: float = NOW,
    name: str = "Pixel 7",
) -> Redeemed | Refused:
    return await enrollment.redeem(
        store,
        token_or_code=token_or_code,
        public_key=KEY,
        name=name,
        device_id=device,
        pepper=pepper,
        devices_per_user=2,
        origin=ORIGIN,
        now=now,
    )


# --- the whole life ---------------------------------------------------------------------------


async def test_an_invited_phone_whose_code_is_typed_is_trusted(store: SqliteStore, clock: SetClock) -> None:
    shown = await invite(store)
    waiting = asyncio.create_task(
        enrollment.wait_for_phone(store, shown.invitation, person=ALICE, clock=clock)
    )
    redeemed = await redeem(store, shown.token)
    assert isinstance(redeemed, Redeemed)
    device = await waiting
    assert device == redeemed.device
    assert device.state is DeviceState.PENDING
    assert (device.person, device.username, device.name) == (ALICE, "alice", "Pixel 7")
    code = enrollment.confirmation_code(redeemed.invitation, KEY)
    typed = f" {code[:3]} {code[3:]} "
    assert await enrollment.confirm(store, shown.invitation, typed, by="root", now=NOW) == "confirmed"
    assert [active.id for active in await store.devices_of(ALICE)] == ["d1"]


@pytest.mark.parametrize("spelled", [str, str.lower, lambda code: code.replace("-", " "), "\t{} ".format])
async def test_the_typed_code_is_the_same_right_however_it_is_spelled(
    store: SqliteStore, spelled: object
) -> None:
    shown = await invite(store)
    assert isinstance(await redeem(store, spelled(shown.code)), Redeemed)  # type: ignore[operator]
    assert await redeem(store, shown.token, device="d2") == Refused("spent")
    assert await redeem(store, shown.code, device="d2") == Refused("spent")


async def test_a_phone_trusted_unseen_is_so_in_the_evidence(store: SqliteStore) -> None:
    shown = await invite(store)
    await redeem(store, shown.token)
    assert await enrollment.confirm_unseen(store, shown.invitation, by="root", now=NOW) == "confirmed"
    said = [fields["by"] async for _, _, kind, fields in store.evidence() if kind == "device_confirmed"]
    assert said == ["root, without a code"]


# --- what goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tried", ["", "AAAAAAAAAAAAAAAAAAAAAA", "0000-0000", "A" * 10_000, "ñandú", "\0" * 22]
)
async def test_what_nobody_was_given_is_unknown(store: SqliteStore, tried: str) -> None:
    await invite(store)
    assert await redeem(store, tried) == Refused("unknown")


async def test_a_token_has_one_spelling(store: SqliteStore) -> None:
    shown = await invite(store)
    other = shown.token[:-1] + chr(ord(shown.token[-1]) + 1)
    assert await redeem(store, other) == Refused("unknown")
    assert await redeem(store, f"{shown.token}==") == Refused("unknown")


async def test_another_pepper_opens_nothing(store: SqliteStore) -> None:
    shown = await invite(store)
    assert await redeem(store, shown.token, pepper=Secret(b"q" * 32)) == Refused("unknown")


async def test_an_invitation_ends_at_its_time(store: SqliteStore, clock: SetClock) -> None:
    shown = await invite(store)
    assert shown.expires_at == NOW + 600
    assert await redeem(store, shown.token, now=NOW + 600) == Refused("expired")
    clock.time = NOW + 600
    assert await enrollment.wait_for_phone(store, shown.invitation, person=ALICE, clock=clock) is None


async def test_a_newer_invitation_ends_the_wait_for_the_earlier(store: SqliteStore, clock: SetClock) -> None:
    first = await invite(store)
    waiting = asyncio.create_task(
        enrollment.wait_for_phone(store, first.invitation, person=ALICE, clock=clock)
    )
    await invite(store, token=b"t" * 16, code=b"c" * 5)
    assert await waiting is None
    assert await redeem(store, first.token) == Refused("spent")


async def test_the_fifth_wrong_code_gives_the_phone_up(store: SqliteStore) -> None:
    shown = await invite(store)
    await redeem(store, shown.token)
    right = enrollment.confirmation_code(shown.invitation, KEY)
    wrong = ["", "000000" if right != "000000" else "000001", right[:5], right + "0", "٠١٢٣٤٥\ud800"]
    outcomes = [await enrollment.confirm(store, shown.invitation, code, by="root", now=NOW) for code in wrong]
    assert outcomes == ["wrong"] * 4 + ["given_up"]
    assert await enrollment.confirm(store, shown.invitation, right, by="root", now=NOW) == "not_pending"
    assert await store.devices_of(ALICE) == []


async def test_nothing_is_confirmed_before_a_phone_came(store: SqliteStore) -> None:
    shown = await invite(store)
    assert await enrollment.confirm(store, shown.invitation, "000000", by="root", now=NOW) == "not_pending"
    assert await enrollment.confirm_unseen(store, shown.invitation, by="root", now=NOW) == "not_pending"
    assert await enrollment.confirm(store, "none", "000000", by="root", now=NOW) == "not_pending"


@pytest.mark.parametrize("key", [b"", KEY[:-1], b"\x02" + KEY[1:], KEY + b"\0"])
async def test_what_is_no_point_is_no_key(store: SqliteStore, key: bytes) -> None:
    shown = await invite(store)
    with pytest.raises(ValueError, match="65 octets"):
        await enrollment.redeem(
            store,
            token_or_code=shown.token,
            public_key=key,
            name="",
            device_id="d1",
            pepper=PEPPER,
            devices_per_user=2,
            origin=ORIGIN,
            now=NOW,
        )


# --- nothing is given away --------------------------------------------------------------------


async def test_token_and_code_are_nowhere_but_on_the_screen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store = open_store(tmp_path / "canary.db")
    shown = await invite(store)
    redeemed = await redeem(store, shown.token)
    await redeem(store, shown.code)
    evidence = [row async for row in store.evidence()]
    files = b"".join(path.read_bytes() for path in tmp_path.glob("canary.db*"))  # noqa: ASYNC240
    await store.close()
    files += (tmp_path / "canary.db").read_bytes()
    shows = repr((shown, redeemed, evidence)) + caplog.text
    words = [shown.token, shown.code, shown.code.replace("-", ""), TOKEN.hex(), CODE.hex()]
    assert [word for word in words if word in shows or word.encode() in files] == []
    raw = [TOKEN, CODE, PEPPER.reveal(), hashlib.sha256(TOKEN).digest()]
    assert [octets for octets in raw if octets in files] == []
    assert b"Pixel 7" in files


async def test_the_link_holds_the_token_in_its_fragment(store: SqliteStore) -> None:
    shown = await invite(store)
    link = enrollment.link(ORIGIN, shown)
    assert link == "https://mfa.example.com/#enrol=AAECAwQFBgcICQoLDA0ODw"
    assert link.index("#") < link.index(shown.token)
    assert len(shown.token) == 22


async def test_evidence_tells_the_enrolment(store: SqliteStore) -> None:
    shown = await invite(store)
    await redeem(store, shown.token)
    await enrollment.confirm(store, shown.invitation, "wrong", by="root", now=NOW)
    assert await kinds(store) == ["invited", "phone_origin_kept", "redeemed", "confirmation_failed"]


# --- codes and names --------------------------------------------------------------------------


def test_the_confirmation_code_is_what_the_phone_computes() -> None:
    # Computed apart: the first 8 octets of sha256("radius-push confirm v1" 00 id 00 key), modulo 10^6.
    text = b"radius-push confirm v1\x000123456789abcdef\x00" + KEY
    number = int(hashlib.sha256(text).hexdigest()[:16], 16) % 1_000_000
    assert enrollment.confirmation_code("0123456789abcdef", KEY) == f"{number:06d}" == "250856"


@given(st.binary(min_size=5, max_size=5))
def test_a_code_made_is_read_back_however_sloppily_typed(octets: bytes) -> None:
    code = enrollment._crockford(octets)
    sloppy = code.lower().replace("0", "o").replace("1", "l")
    assert enrollment.normal_code(f" {sloppy[:4]} – {sloppy[4:]}") == code


@given(st.text(max_size=80))
def test_a_normal_code_is_eight_of_crockfords_characters_or_none(text: str) -> None:
    code = enrollment.normal_code(text)
    assert code is None or (len(code) == 8 and set(code) <= set(enrollment.CROCKFORD))


@given(st.text(max_size=400))
def test_a_name_is_one_short_visible_line(text: str) -> None:
    name = enrollment.clean_name(text)
    assert 0 < len(name) <= 64
    assert name.isprintable()
    assert name == enrollment.clean_name(name)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Zoë's  Pixel\n7", "Zoë's Pixel 7"),
        ("\x1b[31mred\x07", "[31mred"),
        ("\u202egnp.exe", "gnp.exe"),
        ("", "phone"),
        ("\u200b \t", "phone"),
        ("x" * 500, "x" * 64),
    ],
)
def test_a_name_cannot_play_with_the_terminal(sent: str, kept: str) -> None:
    assert enrollment.clean_name(sent) == kept


async def test_the_store_keeps_the_cleaned_name(store: SqliteStore) -> None:
    shown = await invite(store)
    redeemed = await redeem(store, shown.token, name="\x1b[2J evil")
    assert isinstance(redeemed, Redeemed)
    assert isinstance(redeemed.device, Device)
    assert redeemed.device.name == "[2J evil"
