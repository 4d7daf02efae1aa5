"""The documented interface of phones is the one that is spoken: every request is played in every outcome."""

from __future__ import annotations

import ast
import asyncio
import json
import re
from contextlib import aclosing
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from radius_push.enrollment import confirmation_code
from radius_push.factors import question
from radius_push.model import QuestionState
from radius_push.web import phone_api
from tests.web import phone_api_document as document
from tests.web.house import House
from tests.web.phone_api_plays import PATHS, PLAYS, POSTS, SIGNED, Played, right_body
from tests.web.test_phone import WAIT

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
async def test_every_documented_error_word_was_told_and_no_other(tmp_path: Path) -> None:
    played = Played()
    async with asyncio.timeout(6 * WAIT):
        for play in PLAYS:
            folder = tmp_path / play.__name__
            folder.mkdir()
            await play(played, folder)
    documented = {(path, word) for path in PATHS for word in document.words_of(path)}
    # Neither touches anything that could fail.
    unheard = {("/api/config", "fault"), ("/api/nonce", "fault")}
    assert documented - played.words == unheard
    assert played.words <= documented
    outcomes = {(path, word) for path in PATHS for word in outcome_words(path)}
    assert {each for each in played.outcomes if each[1]} == outcomes


def outcome_words(path: str) -> list[str]:
    if path == "/api/stream":
        return []
    name = document.reply_schema(path, 200)["$ref"].rpartition("/")[2]
    shape = document.DOCUMENT["components"]["schemas"][name]["properties"].get("outcome", {})
    return list(shape.get("enum", []))


# --- the document and the code ------------------------------------------------------------------------


async def test_every_path_of_the_server_is_documented_and_no_other(house: House) -> None:
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in house.side._app().router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/api/")
    }
    assert served - {("head", "/api/config")} == set(document.operations())


def test_every_error_word_of_the_code_is_on_the_page_with_its_status_and_no_other() -> None:
    page = (ROOT / "docs" / "reference" / "phone-api.md").read_text(encoding="utf-8")
    listed = page.partition("## Errors")[2]
    written = {
        (word, int(status)) for word, status in re.findall(r"^\| `(\w+)` \| (\d+) \|", listed, re.MULTILINE)
    }
    from_aiohttp = {("not_found", 404), ("method_not_allowed", 405)}
    assert written == refusals_of_the_code() | {("refused", 400)} | from_aiohttp


def refusals_of_the_code() -> set[tuple[str, int]]:
    folder = Path(phone_api.__file__).parent
    return {
        (word, int(str(call.args[0].value)))
        for file in folder.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Refusal"
        if isinstance(call.args[0], ast.Constant)
        for word in words(call.args[1])
    }


def words(argument: ast.expr) -> set[str]:
    """A word, or what an f-string makes of every outcome of an answered question."""
    match argument:
        case ast.Constant(value=str(word)):
            return {word}
        case ast.JoinedStr(values=[ast.FormattedValue(), ast.Constant(value=str(end))]):
            return {question._OUTCOMES[state] + end for state in phone_api._ANSWERED}
    raise AssertionError(f"a Refusal whose word cannot be read: {ast.dump(argument)}")


def test_what_became_of_a_question_is_said_in_the_documented_words() -> None:
    closed = document.DOCUMENT["components"]["schemas"]["Closed"]["properties"]["outcome"]["enum"]
    assert set(closed) == {question._OUTCOMES[state] for state in QuestionState}


@pytest.mark.parametrize("path", POSTS)
async def test_an_unknown_field_is_refused_by_the_server_and_by_the_document(house: House, path: str) -> None:
    played = Played()
    async with await house.phone() as phone:
        body = await right_body(house, phone, path)
        assert document.request_mistakes(path, body) == []
        wrong = {**body, "extra": "x"}
        assert "extra" in str(document.request_mistakes(path, wrong))
        assert (await played.post(house, path, wrong))["error"] == "malformed"
        if "payload" in body:
            inside = {**json.loads(body["payload"]), "extra": "x"}
            wrong = {**body, **phone.sign(inside)}
            assert "extra" in str(document.request_mistakes(path, wrong))
            assert (await played.post(house, path, wrong))["field"] == "unknown field"


@pytest.mark.parametrize("path", [*SIGNED, "/api/answer"])
async def test_a_field_that_is_left_out_is_refused_by_both(house: House, path: str) -> None:
    async with await house.phone() as phone:
        fields = json.loads((await right_body(house, phone, path))["payload"])
        for name in fields:
            wrong = phone.sign({other: fields[other] for other in fields if other != name})
            assert document.request_mistakes(path, wrong)
            assert "error" in await Played().post(house, path, wrong)


async def test_a_native_app_sends_no_origin_and_no_other_site_may_read_a_reply(house: House) -> None:
    async with aiohttp.ClientSession() as session:
        for origin, status in ((None, 200), (house.origin, 200), ("null", 403), ("https://app.example", 403)):
            headers = {} if origin is None else {"Origin": origin}
            async with session.post(f"{house.origin}/api/nonce", json={}, headers=headers) as response:
                assert response.status == status
                assert not [name for name in response.headers if name.startswith("Access-Control")]
        async with session.options(
            f"{house.origin}/api/nonce", headers={"Origin": "https://app.example"}
        ) as asked:
            assert asked.status == web.HTTPMethodNotAllowed.status_code


async def test_what_is_no_http_is_answered_in_plain_text_and_ends_the_connection(house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.side.port)
    writer.write(b"HELLO\r\n\r\n")
    async with asyncio.timeout(WAIT):
        told = (await reader.read()).decode()
    assert re.match(r"HTTP/1.[01] 400 ", told)
    assert "\r\nContent-Type: text/plain" in told
    writer.close()


def test_the_confirmation_code_on_the_page_is_the_one_that_the_server_computes() -> None:
    page = (ROOT / "docs" / "reference" / "phone-api.md").read_text(encoding="utf-8")
    code = confirmation_code("0123456789abcdef", b"\4" + b"k" * 64)
    assert f"it is `{code}`" in page
    with_a_finger = confirmation_code("0123456789abcdef", b"\4" + b"k" * 64, bytes(32))
    assert f"it is `{with_a_finger}`" in page


async def test_the_stream_of_the_software_phone_is_as_documented(house: House) -> None:
    async with asyncio.timeout(WAIT), await house.phone() as phone, aclosing(phone.questions()) as states:
        await anext(states)
        await house.ask()
        (card,) = (await anext(states)).questions
        assert document.mistakes({"$ref": "#/components/schemas/Card"}, card) == []
