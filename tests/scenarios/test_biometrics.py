"""Logins of a profile that asks for a fingerprint or face, from the gateway's packet to its answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from radius_push import enrollment, events
from radius_push.model import Reason
from radius_push.test_phone import PhoneRefused, SoftwarePhone
from tests.scenarios.house import ACCEPT, REJECT, SETTINGS, House, house
from tests.scenarios.turned import run
from tests.web.fingers import Finger, approve, set_up

REQUIRED = SETTINGS.replace("    timeout: 45s\n", "    timeout: 45s\n    biometrics: required\n")


async def a_finger(h: House, phone: SoftwarePhone) -> Finger:
    """Set up, and confirmed by whoever sits at the desk."""
    finger, store = Finger(phone.enrolled.origin), h.server.store
    await set_up(phone, finger)
    device = await store.device(phone.enrolled.device)
    assert device is not None
    code = enrollment.confirmation_code(device.invitation, device.public_key, finger.mark)
    now = h.server.clock.now()
    assert await enrollment.confirm_credential(store, device.id, code, by="t", now=now) == "confirmed"
    return finger


def test_a_person_without_a_finger_rings_nobody_and_the_reason_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=REQUIRED) as h:
            phone = await h.phone()
            await set_up(phone, Finger(phone.enrolled.origin))  # nobody has confirmed it
            reply = await h.ask()
            assert reply is not None
            assert (reply.code, reply.attributes) == (REJECT, {"Reply-Message": ("Sign-in refused.",)})
            (refused,) = h.of(events.Rejected)
            assert refused.reason is Reason.NO_BIOMETRICS
            assert refused.detail == "no phone with a fingerprint or face, which staff-push requires"
            assert h.of(events.Asked) == []

    run(story())


def test_a_login_is_let_in_by_the_finger_and_not_by_the_key_alone(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=REQUIRED) as h:
            phone, other = await h.phone(), await h.phone()
            finger = await a_finger(h, phone)
            asking = asyncio.ensure_future(h.ask())
            card = await phone.next_question(seconds=30)
            assert card["biometrics"] == "required"
            for refused, word in ((phone, "biometrics_needed"), (other, "biometrics_missing")):
                with pytest.raises(PhoneRefused) as why:
                    await refused.answer(card, approve=True)
                assert why.value.word == word
            assert await approve(phone, card, finger) == "approved"
            reply = await asking
            assert reply is not None
            assert reply.code == ACCEPT

    run(story())


def test_a_phone_without_one_still_says_no(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=REQUIRED) as h:
            phone, other = await h.phone(), await h.phone()
            await a_finger(h, phone)
            asking = asyncio.ensure_future(h.ask())
            await other.answer_next(approve=False, seconds=30)
            reply = await asking
            assert reply is not None
            assert (reply.code, reply.attributes["Reply-Message"]) == (REJECT, ("You said no.",))

    run(story())


def test_a_late_yes_with_the_finger_lets_the_next_try_in(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=REQUIRED) as h:
            phone = await h.phone()
            finger = await a_finger(h, phone)
            await h.ask()
            card = await phone.next_question(seconds=10)
            assert await approve(phone, card, finger) == "approved_late"
            reply = await h.ask()
            assert reply is not None
            assert reply.code == ACCEPT

    run(story())
