"""docs/examples/own_phone.py, which shares no code with us, is rung as an app of one's own is."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from radius_push import enrollment, events
from radius_push.model import QuestionState
from radius_push.push.message import of_question
from radius_push.shapes import Enrollment
from radius_push.waking import KINDS, AppChannel, Ring
from tests.store.making import NOW
from tests.web import phone_api_document as document
from tests.web.house import ALICE, APPS, PEPPER, House, open_house
from tests.web.test_phone import WAIT

OWN_PHONE = Path(__file__).parents[2] / "docs" / "examples" / "own_phone.py"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, push=APPS) as house:
        yield house


async def own_phone(folder: Path, *words: str) -> tuple[int | None, str]:
    """Its own process, and nothing of ours to import."""
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(OWN_PHONE), "--phone", str(folder / "own-phone.json"), *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(WAIT):
        said, _ = await run.communicate()
    return run.returncode, said.decode()


async def added(house: House, folder: Path) -> str:
    """Alice's. Its device id."""
    shown = await house.invite()
    ended, said = await own_phone(folder, "add", enrollment.link(house.origin, shown))
    assert ended == 0, said
    (code,) = re.findall(r"^\d{6}$", said, re.MULTILINE)
    word = await enrollment.confirm(house.store, shown.invitation, code, by="test", now=house.clock.now())
    assert word == "confirmed"
    (device,) = await house.store.devices_of(ALICE.key)
    return device.id


@pytest.mark.parametrize(
    ("channel", "token", "answer", "state"),
    [
        ("fcm", "dPx9:APA91b_own", "approve", QuestionState.APPROVED),
        ("apns", "0aff" * 16, "deny", QuestionState.DENIED),
    ],
)
async def test_it_registers_is_rung_says_so_and_answers(
    house: House, tmp_path: Path, channel: AppChannel, token: str, answer: str, state: QuestionState
) -> None:
    device = await added(house, tmp_path)
    register = ("register", "--channel", channel, token)
    assert await own_phone(tmp_path, *register) == (0, "kept\n")
    assert await own_phone(tmp_path, *register) == (0, "known\n")
    (address,) = await house.store.push_addresses_of(ALICE.key)
    assert (address.device, address.channel, address.where) == (device, channel, token)

    asked = await house.ask()
    await house.store.begin_rings(
        Ring(device, channel, "request", asked.id, asked.login, house.clock.now(), 12)
    )
    data = of_question(asked, requested_at=NOW, key=PEPPER, url=house.origin).for_app()
    payload = json.dumps(data if channel == "fcm" else {"aps": {}, "radius_push": data})
    assert await own_phone(tmp_path, "pushed", "--channel", channel, payload) == (
        0, "request: received, counted\n",
    )  # fmt: skip
    ended, said = await own_phone(tmp_path, "pushed", "--channel", channel, payload, "--answer", answer)
    assert ended == 0, said
    assert "request: received, not_counted" in said
    assert ("request: opened, counted" in said) is (answer == "approve")
    assert "address: 198.51.100.7 (reported by the gateway)" in said
    assert await house.state(asked) is state
    whats = [event.what for event in house.events if isinstance(event, events.PushReceived)]
    assert whats == (["received", "opened"] if answer == "approve" else ["received"])

    assert await own_phone(tmp_path, "register", "--channel", channel) == (0, "removed\n")
    assert await house.store.push_addresses_of(ALICE.key) == []


async def test_it_says_when_this_server_rings_no_such_app(house: House, tmp_path: Path) -> None:
    await added(house, tmp_path)
    house.side.use(Enrollment(), (), None)
    ended, said = await own_phone(tmp_path, "register", "--channel", "apns", "0aff")
    assert (ended, said) == (1, "This server rings no app by apns.\n")


# --- the page, whose Kotlin and Swift nobody compiles here ----------------------------------------------

PAGE = (OWN_PHONE.parents[1] / "how-to" / "your-own-app.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["kotlin", "swift"])
def test_the_pages_other_examples_say_what_the_interface_takes(language: str) -> None:
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert set(re.findall(r'"(/api/[a-z-]+)"', code)) == {
        "/api/nonce", "/api/push-token", "/api/receipt", "/api/questions", "/api/answer",
    } <= {path for _, path in document.operations()}  # fmt: skip
    schemas = document.DOCUMENT["components"]["schemas"]
    (copied,) = re.findall(r"for \(?name in (?:listOf)?[(\[]([^])]*)[])]", code)
    set_here = {"version", "purpose", "origin", "question", "device"}
    assert set(re.findall(r'"(\w+)"', copied)) | set_here == set(schemas["AnswerPayload"]["required"])
    assert all(f'"{name}"' in code for name in set_here)
    for shape in ("PushTokenPayload", "ReceiptPayload"):
        assert all(f'"{name}"' in code for name in schemas[shape]["required"])
    assert "**Not compiled here.**" in PAGE.partition(f"## {language.title()}\n")[2][:200]


def test_the_page_names_every_kind_of_push() -> None:
    (rows,) = re.findall(r"\| `kind` \|.*?\n\n", PAGE, re.DOTALL)
    kinds = set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in rows.splitlines()[2:] if row)))
    assert kinds == set(KINDS)
