"""Places on the card, in a whole login: the file is read again by a reload, and a bad one harms nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from radius_push.settings import load
from radius_push.test_phone import SoftwarePhone
from tests.mmdb import ISTANBUL, VIENNA, write_mmdb
from tests.scenarios.house import ACCEPT, SETTINGS, House, house
from tests.scenarios.turned import run

WITH_PLACES = SETTINGS.replace("  store:", "  places: city.mmdb\n  store:", 1)


async def approved(h: House, phone: SoftwarePhone) -> dict[str, Any]:
    """A whole login: the facts of its card."""
    await asyncio.sleep(10)
    asking = asyncio.ensure_future(h.ask())
    card = await phone.next_question(seconds=20)
    facts: dict[str, Any] = card["facts"]
    assert await phone.answer(card, approve=True) == "approved"
    reply = await asking
    assert reply is not None
    assert reply.code == ACCEPT
    return facts


def test_a_reload_reads_the_file_again_and_a_bad_one_takes_only_the_places_away(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_PLACES) as h:
            phone = await h.phone()
            settings = tmp_path / "radius-push.yaml"
            assert (await approved(h, phone))["place"] is None  # no file yet, and the server serves

            file = tmp_path / "city.mmdb"
            write_mmdb(file, {"203.0.113.0/24": VIENNA}, built_at=h.server.clock.now())
            changes = await h.server.reload(load(settings, environ={}))
            assert changes[0].startswith("server.places: GeoLite2-City of 20")
            assert await h.server.reload(load(settings, environ={})) == ()
            facts = await approved(h, phone)
            assert facts["place"]["city"]["en"] == "Vienna"
            assert facts["same_address_as_last_login"] is True

            write_mmdb(file, {"203.0.113.0/24": ISTANBUL}, built_at=h.server.clock.now())
            assert (await approved(h, phone))["place"]["city"]["en"] == "Vienna"
            await h.server.reload(load(settings, environ={}))
            assert (await approved(h, phone))["place"]["city"]["en"] == "Istanbul"

            file.write_bytes(b"<html>")
            assert await h.server.reload(load(settings, environ={})) == (
                "server.places: can't be used, phones are shown no places; `radius-push check` says why",
            )
            assert (await approved(h, phone))["place"] is None

    run(story())
