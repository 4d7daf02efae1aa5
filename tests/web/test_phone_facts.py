"""What a card says of the address: facts for the person, and nothing of the phone's own address stays."""

from __future__ import annotations

import logging
from contextlib import aclosing
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from radius_push import events
from radius_push.model import Address, Place, QuestionState
from radius_push.ports import StoreDown
from radius_push.test_phone import SoftwarePhone
from radius_push.web.phone_facts import MOST_REMEMBERED, FactsOf
from tests.factors.signing import a_question
from tests.web.house import ALICE, BOB, House, open_house

LOOPBACK = (ip_network("127.0.0.0/8"),)
PLACE = Place({"en": "Vienna", "de": "Wien"}, {"en": "Austria"}, "AT")
PHONE = "203.0.113.77"
NOTHING = {
    "network": None,
    "place": None,
    "same_network_as_this_phone": None,
    "same_address_as_last_login": None,
    "not_from_here": False,
}


class OnePlace:
    """Knows where everybody is, and remembers of whom it was asked."""

    def __init__(self) -> None:
        self.asked: list[Address] = []

    def find(self, address: Address) -> Place | None:
        self.asked.append(address)
        return PLACE


async def facts_of(phone: SoftwarePhone) -> dict[str, Any]:
    """Of the one card that the phone is shown."""
    async with aclosing(phone.questions()) as states:
        (card,) = (await anext(states)).questions
    facts: dict[str, Any] = card["facts"]
    return facts


async def test_a_public_address_has_its_place_in_each_language(tmp_path: Path) -> None:
    async with open_house(tmp_path, places=OnePlace()) as house, await house.phone() as phone:
        await house.ask(address="198.51.100.7")
        facts = await facts_of(phone)
        assert facts["network"] == "public"
        assert facts["place"] == {
            "city": {"en": "Vienna", "de": "Wien"},
            "country": {"en": "Austria"},
            "country_code": "AT",
        }


async def test_without_a_file_there_is_no_place_and_the_rest_is_there(house: House) -> None:
    async with await house.phone() as phone:
        await house.ask(address="198.51.100.7")
        assert await facts_of(phone) == NOTHING | {"network": "public", "same_network_as_this_phone": False}


@pytest.mark.parametrize(
    ("address", "network"), [("10.1.2.3", "private"), ("100.64.9.9", "shared"), ("127.0.0.1", "loopback")]
)
async def test_an_address_that_is_nowhere_says_what_it_is(tmp_path: Path, address: str, network: str) -> None:
    places = OnePlace()
    async with open_house(tmp_path, places=places) as house, await house.phone() as phone:
        await house.ask(address=address)
        facts = await facts_of(phone)
        assert (facts["network"], facts["place"], places.asked) == (network, None, [])


@pytest.mark.parametrize("address", [None, "console"])
async def test_of_an_unknown_address_nothing_is_told(tmp_path: Path, address: str | None) -> None:
    async with open_house(tmp_path, places=OnePlace()) as house, await house.phone() as phone:
        await house.let_in(address=address, at=house.clock.now() - 60)
        await house.ask(address=address)
        assert await facts_of(phone) == NOTHING


async def test_the_address_of_the_last_login_is_recognised(house: House) -> None:
    async with await house.phone() as phone:
        await house.let_in(address="198.51.100.7", at=house.clock.now() - 60)
        await house.ask(address="198.51.100.7")
        assert (await facts_of(phone))["same_address_as_last_login"] is True


async def test_another_last_address_is_not(house: House) -> None:
    async with await house.phone() as phone:
        await house.let_in(address="198.51.100.7", at=house.clock.now() - 60)
        await house.let_in(address="198.51.100.8", at=house.clock.now() - 30)
        await house.ask(address="198.51.100.7")
        assert (await facts_of(phone))["same_address_as_last_login"] is False


# --- the phone's own address -----------------------------------------------------------------------------


async def from_address(house: House, phone: SoftwarePhone, forwarded: str) -> dict[str, Any]:
    """What the phone is told once, when a proxy says where it comes from."""
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{house.origin}/api/nonce", json={}) as told:
            nonce = (await told.json())["nonce"]
        said = {"version": 1, "purpose": "questions", "origin": house.origin, "nonce": nonce}
        body = phone.sign(said | {"device": phone.enrolled.device})
        headers = {"X-Forwarded-For": forwarded}
        async with session.post(f"{house.origin}/api/questions", json=body, headers=headers) as told:
            (card,) = (await told.json())["questions"]
    facts: dict[str, Any] = card["facts"]
    return facts


async def test_the_phone_in_the_same_network_is_told_so(tmp_path: Path) -> None:
    async with open_house(tmp_path, trusted_proxies=LOOPBACK) as house, await house.phone() as phone:
        question = await house.ask(address=PHONE)
        assert (await from_address(house, phone, PHONE))["same_network_as_this_phone"] is True
        assert (await from_address(house, phone, "203.0.113.78"))["same_network_as_this_phone"] is False
        assert (await from_address(house, phone, "2001:db8::1"))["same_network_as_this_phone"] is None
        assert await phone.answer_next(approve=True, seconds=10) == "approved"
        assert await house.state(question) is QuestionState.APPROVED


async def test_a_proxy_that_nobody_trusts_cannot_say_where_the_phone_is(house: House) -> None:
    async with await house.phone() as phone:
        await house.ask(address=PHONE)
        assert (await from_address(house, phone, PHONE))["same_network_as_this_phone"] is False


async def test_the_phones_address_is_neither_kept_nor_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_house(tmp_path, trusted_proxies=LOOPBACK) as house, await house.phone() as phone:
        await house.ask(address="198.51.100.7")
        await from_address(house, phone, PHONE)
        assert await phone.answer_next(approve=True, seconds=10) == "approved"
        assert PHONE not in repr(house.events)
    assert PHONE not in caplog.text
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("state.db*"))  # noqa: ASYNC240
    assert b"198.51.100.7" in kept
    assert PHONE.encode() not in kept


# --- bounds ----------------------------------------------------------------------------------------------


class Counted:
    """A store that says how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def last_address_of(self, person: object, *, before: float) -> str | None:
        self.asked += 1
        if before < 0:
            raise StoreDown("gone")
        return "198.51.100.7"


async def test_the_store_is_asked_once_for_a_question_and_memory_is_bounded() -> None:
    store = Counted()
    facts = FactsOf(store, None)  # type: ignore[arg-type]
    for _ in range(3):
        (told,) = (await facts.each([a_question()], phone=None)).values()
        assert told.same_address_as_last_login
    assert store.asked == 1
    many = [a_question(id=f"q{number}") for number in range(MOST_REMEMBERED + 5)]
    await facts.each(many, phone=ip_address(PHONE))
    assert len(facts._earlier) == MOST_REMEMBERED


async def test_bobs_logins_are_not_alices(house: House) -> None:
    async with await house.phone() as phone:
        await house.let_in(address="198.51.100.7", at=house.clock.now() - 60, person=BOB)
        await house.ask(ALICE, address="198.51.100.7")
        assert (await facts_of(phone))["same_address_as_last_login"] is None


# --- where no yes is taken from the login's own address ------------------------------------------------


async def answered_from(house: House, phone: SoftwarePhone, address: str, *, purpose: str) -> Any:
    """What this phone is told of its answer, when it comes from there."""
    async with aclosing(phone.questions()) as states:
        (card,) = (await anext(states)).questions
    body = phone.signed_answer(card, approve=purpose == "approve")
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            house.origin + "/api/answer", json=body, headers={"X-Forwarded-For": address}
        ) as response,
    ):
        return await response.json()


def shared(house: House) -> list[bool | None]:
    return [each.device_on_login_address for each in house.events if isinstance(each, events.Answered)]


@pytest.mark.parametrize(
    ("login", "phone_at", "same"),
    [
        (PHONE, PHONE, True),
        (PHONE, "198.51.100.1", False),
        ("2001:db8:1:2::5", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::5", "2001:db8:1:3::5", False),
        (PHONE, "2001:db8::1", None),
        (None, PHONE, None),
    ],
)
async def test_that_a_phone_shares_the_logins_address_is_evidence(
    tmp_path: Path, login: str | None, phone_at: str, same: bool | None
) -> None:
    async with open_house(tmp_path, trusted_proxies=LOOPBACK) as house, await house.phone() as phone:
        await house.ask(address=login)
        assert (await answered_from(house, phone, phone_at, purpose="approve"))["outcome"] == "approved"
        assert shared(house) == [same]


async def test_a_profile_can_take_no_yes_from_there_and_always_takes_a_no(tmp_path: Path) -> None:
    """A refused yes is no deny: the question stays open, and a yes from elsewhere is taken."""
    async with open_house(tmp_path, trusted_proxies=LOOPBACK) as house, await house.phone() as phone:
        question = await house.ask(address=PHONE, not_from_login_address=True)
        told = await answered_from(house, phone, PHONE, purpose="approve")
        assert told["error"] == "login_address"
        assert await house.state(question) is QuestionState.PENDING
        assert (await answered_from(house, phone, "198.51.100.1", purpose="approve"))["outcome"] == "approved"
        question = await house.ask(address=PHONE, not_from_login_address=True)
        assert (await answered_from(house, phone, PHONE, purpose="deny"))["outcome"] == "denied"


async def test_nobody_but_a_trusted_proxy_says_where_a_phone_is(house: House) -> None:
    """Else a browser on the laptop would claim to be elsewhere."""
    async with await house.phone() as phone:
        await house.ask(address=PHONE, not_from_login_address=True)
        assert (await answered_from(house, phone, PHONE, purpose="approve"))["outcome"] == "approved"
        assert shared(house) == [False]
