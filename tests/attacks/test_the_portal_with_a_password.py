"""Attacks on the page for people's own phones by somebody who has the password, or only the name."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.portal_house import Page, PortalHouse, portal_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PortalHouse]:
    async with portal_house(tmp_path) as house:
        yield house


def digits(page: Page) -> str:
    (found,) = re.findall(r'<p class="code">([0-9]{4})</p>', page.text)
    return str(found)


async def test_who_is_first_with_a_sign_in_is_told_from_the_person_by_the_digits(house: PortalHouse) -> None:
    phone, thief, person = await house.phone(), house.desk(source="127.0.0.9"), house.desk()
    stolen = await thief.signs_in()
    refused = await person.signs_in()
    # Nothing of what the person sees asks for a yes to the card, which is the thief's.
    assert "Say No on the phone" in refused.said
    assert 'class="code"' not in refused.text
    (card,) = (await phone.says("/api/questions", "questions"))["sign_ins"]
    assert card["code"] == digits(stolen)
    assert await house.answer(phone, approve=False) == "denied"
    mine = await person.signs_in()
    (card,) = (await phone.says("/api/questions", "questions"))["sign_ins"]
    assert card["code"] == digits(mine) != digits(stolen)
    assert await house.answer(phone) == "approved"
    assert (await person.get("/wait")).heading == "Your phones"
    assert (await thief.get("/wait")).heading == "Denied"
