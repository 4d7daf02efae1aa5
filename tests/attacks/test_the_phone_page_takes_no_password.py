"""Whoever stands on the phone side must never learn, or try, a directory's password. It is taken in one
place, to redeem an invitation that was sent: `test_sent_invitations.py`."""

from __future__ import annotations

import re

import aiohttp
import pytest

from radius_push.web.phone_files import FOLDER
from tests.web.conftest import house as house
from tests.web.house import House


def test_no_page_asks_for_a_password() -> None:
    pages = [each for each in FOLDER.rglob("*") if each.suffix in {".html", ".js"}]
    assert len(pages) > 3
    for page in pages:
        text = page.read_text("utf-8").casefold()
        if page.name == "index.html":
            before, step, after = text.partition('<template id="password">')
            inside, _, rest = after.partition("</template>")
            assert step
            assert inside.count('type="password"') == 1
            text = before + rest
        for asks in ('type="password"', 'type = "password"', "current-password", "passwordcredential"):
            assert asks not in text, f"{page.name}: {asks}"
        # A browser's store of credentials holds passwords, too: it is asked for WebAuthn's alone.
        asked = re.findall(r"\.credentials\b(.{40})", text, re.DOTALL)
        assert all(re.match(r"\.(get|create)\(\{\s*publickey: \{\s", each) for each in asked), page.name


@pytest.mark.parametrize(
    "path", ["/api/nonce", "/api/stream", "/api/questions", "/api/answer", "/api/push", "/api/notice"]
)
async def test_a_password_that_is_sent_all_the_same_is_refused_unread(house: House, path: str) -> None:
    body = {"payload": "{}", "signature": "x", "token": "y", "password": "guess"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{house.origin}{path}", json=body) as got,
    ):
        assert (got.status, (await got.json())["error"]) == (400, "malformed")
