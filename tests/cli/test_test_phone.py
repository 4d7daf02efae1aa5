"""The software phone at the command line, against a phone side that really listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from radius_push import enrollment
from radius_push.cli.test_phone import test_phone as verb
from radius_push.model import QuestionState
from radius_push.test_phone import SoftwarePhone
from tests.web.house import House, open_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as house:
        yield house


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "phones" / "phone.json"


async def run(*words: object) -> Result:
    """As from a shell: the verb has an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, verb, [str(word) for word in words])


async def enrolled(house: House, file: Path) -> None:
    shown = await house.invite()
    result = await run("enrol", enrollment.link(house.origin, shown), "--phone", file, "--json")
    code = json.loads(result.stdout)["confirmation_code"]
    word = await enrollment.confirm(house.store, shown.invitation, code, by="test", now=house.clock.now())
    assert (result.exit_code, word) == (0, "confirmed")


async def test_a_phone_enrols_by_link_and_approves(house: House, file: Path) -> None:
    await enrolled(house, file)
    question = await house.ask()
    result = await run("approve", "--phone", file, "--timeout", "10s")
    assert result.exit_code == 0
    assert result.stdout == f"approved: {question.login} alice at fw1 from 198.51.100.7\n"
    assert await house.state(question) is QuestionState.APPROVED


async def test_a_phone_denies_as_many_as_it_is_told_to(house: House, file: Path) -> None:
    await enrolled(house, file)
    questions = [await house.ask(), await house.ask(address=None)]
    result = await run("deny", "--phone", file, "--count", 2, "--json")
    assert [json.loads(line)["outcome"] for line in result.stdout.splitlines()] == ["denied", "denied"]
    assert {await house.state(question) for question in questions} == {QuestionState.DENIED}


async def test_waiting_shows_requests_and_answers_none(house: House, file: Path) -> None:
    await enrolled(house, file)
    questions = [await house.ask(), await house.ask()]
    result = await run("wait", "--phone", file, "--count", 2, "--json")
    assert {json.loads(line)["id"] for line in result.stdout.splitlines()} == {one.id for one in questions}
    assert {await house.state(question) for question in questions} == {QuestionState.PENDING}


async def test_a_typed_code_and_an_address_do_too(house: House, file: Path) -> None:
    shown = await house.invite()
    result = await run("enrol", "--code", shown.code, "--url", house.origin, "--phone", file)
    assert result.exit_code == 0
    assert result.stdout.startswith("alice: this phone's code is ")


async def test_nobody_asking_is_a_no(house: House, file: Path) -> None:
    await enrolled(house, file)
    result = await run("approve", "--phone", file, "--timeout", "50ms")
    assert (result.exit_code, result.stderr) == (1, "no request within 0.05 s\n")


async def test_a_wrong_link_is_a_no(house: House, file: Path) -> None:
    result = await run("enrol", f"{house.origin}/#enrol={'A' * 22}", "--phone", file)
    assert result.exit_code == 1
    with pytest.raises(FileNotFoundError):
        SoftwarePhone.load(file)


async def test_what_cannot_be_tried_says_why(file: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    for words in (
        ["approve", "--phone", file],
        ["approve", "--phone", broken],
        ["enrol", "https://mfa.example.com/", "--phone", file],
        ["enrol", f"http://localhost:1/#enrol={'A' * 22}", "--phone", file],
        ["enrol", "--code", "ABCD-EFGH", "--phone", file],
        ["approve", "--timeout", "60", "--phone", file],
    ):
        result = await run(*words)
        assert result.exit_code == 2
        assert result.stderr


async def test_a_file_without_a_phone_and_a_link_that_is_none_have_their_mend(file: Path) -> None:
    result = await run("approve", "--phone", file)
    assert result.stderr == (
        f"no phone in {file}: `radius-push test-phone enrol LINK` first, or --phone FILE\n"
    )
    result = await run("enrol", "http://localhost:8443", "--phone", file)
    assert "this is not an enrolment link" in result.stderr
    assert "https://mfa.example.com/#enrol=..." in result.stderr
