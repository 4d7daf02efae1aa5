"""Every request of the phones' interface in every outcome; each reply is judged by the document."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import aiohttp

from radius_push.attempts import Lateness
from radius_push.factors import portal_sign_in, question
from radius_push.model import Down, PersonKey, Proved, Right, Secret, Wrong
from radius_push.portal_store import PortalSignIn
from radius_push.ports import StoreDown
from radius_push.shapes import Enrollment
from radius_push.test_phone import SoftwarePhone, _text
from radius_push.waking import Ring
from tests.factors.signing import Pen
from tests.web import phone_api_document as document
from tests.web.fingers import Finger, a_finger, adding_challenge
from tests.web.house import APPS, BOB, USUAL, House, open_house
from tests.web.test_phone import answer_fields, nonce
from tests.web.test_phone_push import ADDRESS

PATHS = sorted(document.DOCUMENT["paths"])
POSTS = [path for path in PATHS if path != "/api/config"]
SIGNED = {
    "/api/stream": "stream",
    "/api/questions": "questions",
    "/api/woken": "woken",
    "/api/contest": "contest",
    "/api/invite": "invite",
    "/api/confirm": "confirm",
    "/api/push": "push",
    "/api/push-token": "push_token",
    "/api/receipt": "receipt",
    "/api/biometric": "biometric",
    "/api/test": "test",
    "/api/test-answer": "test_answer",
    "/api/notice": "notice",
}
NO_FINGER: dict[str, str | None] = {"client_data": None, "attestation": None}
OF_NONE = {"question": "none", "person": "staff:nobody", "client": "fw1", "address": None}
MORE: dict[str, dict[str, str | None]] = {
    "/api/contest": OF_NONE,
    "/api/confirm": {"invitation": "0" * 16, "code": "000000"},
    "/api/push": ADDRESS,
    "/api/push-token": {"channel": "fcm", "token": "t0ken:of-an_app"},
    "/api/receipt": {"channel": "fcm", "kind": "request", "id": "none", "what": "received"},
    "/api/test-answer": {"test": "none"},
    "/api/notice": {"notice": "none", "answer": "seen"},
    "/api/biometric": NO_FINGER,
}


class Played:
    """What was said so far, each reply judged by the document."""

    def __init__(self) -> None:
        self.words: set[tuple[str, str]] = set()
        self.outcomes: set[tuple[str, str]] = set()

    async def post(self, house: House, path: str, body: object = None, **how: Any) -> dict[str, Any]:
        """`how`: for aiohttp."""
        how = how if "data" in how else {"json": body, **how}
        method = "GET" if path == "/api/config" else "POST"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, house.origin + path, **how) as response,
        ):
            if response.status == 200 and response.content_type == "text/event-stream":
                return {}
            told: dict[str, Any] = await response.json()
            self.judge(path, response.status, told)
            if response.status == 200:
                for name, value in document.headers_of(path).items():
                    assert response.headers.getall(name) == [value], f"{path}: {name}"
                if isinstance(body, dict):
                    assert document.request_mistakes(path, body) == []
            return told

    def judge(self, path: str, status: int, told: dict[str, Any]) -> None:
        responses = document.operation(path)["responses"]
        assert str(status) in responses, f"{path}: {status} {told} is not documented"
        assert document.mistakes(document.reply_schema(path, status), told) == [], f"{path}: {told}"
        if status == 200:
            self.outcomes.add((path, str(told.get("outcome", ""))))
        else:
            self.words.add((path, told["error"]))

    async def says(self, house: House, phone: SoftwarePhone, path: str, **more: object) -> dict[str, Any]:
        return await self.post(house, path, await said(house, phone, path, **more))


async def said(house: House, phone: SoftwarePhone, path: str, **more: object) -> dict[str, str]:
    """A right request, but for what is given."""
    fields: dict[str, object] = {
        "version": 1,
        "purpose": SIGNED[path],
        "origin": house.origin,
        "device": phone.enrolled.device,
        "nonce": await nonce(house),
    }
    return phone.sign({**fields, **MORE.get(path, {}), **more})


async def enrolling(house: House, pen: Pen, **changes: str) -> dict[str, str]:
    fields = {"version": 1, "purpose": "enrol", "origin": house.origin, "nonce": await nonce(house)}
    payload = json.dumps({**fields, "public_key": _text(pen.public), "name": "Pixel"})
    body = {"token": "A" * 22, "payload": payload, "signature": _text(pen.sign(payload))}
    return {**body, **changes}


async def right_body(house: House, phone: SoftwarePhone, path: str) -> dict[str, str]:
    match path:
        case "/api/nonce":
            return {}
        case "/api/enrol":
            return await enrolling(house, Pen())
        case "/api/answer":
            asked = await house.ask()
            return phone.sign(answer_fields(house, phone, question.card(asked)))
        case "/api/sign-in-answer":
            return sign_in_answer(phone, await house.portal_sign_in())
        case _:
            return await said(house, phone, path)


def sign_in_answer(phone: SoftwarePhone, asked: PortalSignIn, **changes: Any) -> dict[str, str]:
    fields = portal_sign_in.statement(
        asked, device=phone.enrolled.device, origin=phone.enrolled.origin, purpose="portal_approve"
    )
    return phone.sign({**fields, **changes})


# --- the plays ---------------------------------------------------------------------------------------


async def what_every_request_is_refused_with(played: Played, folder: Path) -> None:
    async with (
        open_house(folder, limits=replace(USUAL, body_seconds=0.05)) as house,
        await house.phone() as phone,
    ):
        for path in PATHS:
            await played.post(house, path, {}, headers={"Host": "elsewhere.example"})
        for path in POSTS:
            await played.post(house, path, {}, headers={"Origin": "https://elsewhere.example"})
            await played.post(house, path, data=b"{}", headers={"Content-Type": "text/plain"})
            await played.post(house, path, {"unknown": "field"})
            await played.post(house, path, {"payload": "x" * 9000})
            await played.post(house, path, data=octets(9000), headers=JSON)
            await played.post(house, path, data=b'{"a": "1", "a": "2"}', headers=JSON)
            await played.post(house, path, data=b"\xff", headers=JSON)
            await half_a_body(played, house, path)
            if path != "/api/nonce":
                body = await right_body(house, phone, path)
                house.store.__dict__.update(device=failing(StoreDown), redeem=failing(StoreDown))
                await played.post(house, path, body)
                house.store.__dict__.update(device=failing(RuntimeError), redeem=failing(RuntimeError))
                await played.post(house, path, await again(house, phone, path, body))
                for name in ("device", "redeem"):
                    del house.store.__dict__[name]


JSON = {"Content-Type": "application/json"}


async def octets(count: int) -> Any:
    """In chunks, without saying how many."""
    for _ in range(count // 1000):
        yield b" " * 1000


async def half_a_body(played: Played, house: House, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.side.port)
    host = house.origin.removeprefix("http://")
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 9"
    writer.write(f"{head}\r\n\r\n{{".encode())
    status = int((await reader.readline()).split()[1])
    rest = await reader.readuntil(b"}")
    played.judge(path, status, json.loads(rest.partition(b"\r\n\r\n")[2]))
    writer.transport.abort()


def failing(failure: type[Exception]) -> Callable[..., Awaitable[None]]:
    async def fail(*_: object, **__: object) -> None:
        raise failure

    return fail


async def again(house: House, phone: SoftwarePhone, path: str, body: dict[str, str]) -> dict[str, str]:
    """With a fresh nonce, where one is needed."""
    if path in {"/api/answer", "/api/sign-in-answer"}:
        return body
    return await right_body(house, phone, path)


async def enrolment(played: Played, folder: Path) -> None:
    async with open_house(folder, devices_per_user=1) as house:
        pen, other = Pen(), Pen()
        forged = await enrolling(house, pen)
        await played.post(house, "/api/enrol", {**forged, "signature": _text(other.sign("else"))})
        invited = await house.invite()
        good = await enrolling(house, pen, token=invited.token)
        await played.post(house, "/api/enrol", good)
        await played.post(house, "/api/enrol", good)  # its nonce is spent
        typed = await enrolling(house, other)
        del typed["token"]
        code = (await house.invite(BOB)).code
        await played.post(house, "/api/enrol", {**typed, "code": code.lower()})
        await (await house.phone(person=replace(BOB, key=replace(BOB.key, id="c")))).close()
        second = await house.invite(replace(BOB, key=replace(BOB.key, id="c")))
        await played.post(house, "/api/enrol", await enrolling(house, Pen(), token=second.token))
        for _ in range(11):
            await played.post(house, "/api/enrol", await enrolling(house, Pen()))


async def what_was_sent(played: Played, folder: Path) -> None:
    async def prove(_: PersonKey, __: str, password: Secret) -> Proved:
        said: dict[bytes, Proved] = {b"right": Right(), b"wrong": Wrong()}
        return said.get(password.reveal(), Down("not now"))

    async with open_house(folder, devices_per_user=5, prove=prove) as house:
        invited = await house.invite(sent=True, asks_code=False)
        for words in ({}, {"password": "later"}, {"password": "wrong"}, {"password": "right"}):
            body = await enrolling(house, Pen(), token=invited.token, **words)
            told = await played.post(house, "/api/enrol", body)
        assert told["state"] == "active"


async def notices(played: Played, folder: Path) -> None:
    async with open_house(folder, devices_per_user=5) as house, await house.phone() as phone:
        for _ in range(3):
            await (await house.phone()).close()
        state = await played.says(house, phone, "/api/questions")
        seen, wrong, gone = (notice["id"] for notice in state["notices"])
        await played.says(house, phone, "/api/notice", notice=seen)
        await played.says(house, phone, "/api/notice", notice=seen)
        await played.says(house, phone, "/api/notice", notice=wrong, answer="remove")
        await house.remove_device((await house.store.devices())[-1].id)
        await played.says(house, phone, "/api/notice", notice=gone, answer="remove")


async def phones_that_may_not(played: Played, folder: Path) -> None:
    async with open_house(folder, devices_per_user=5) as house:
        removed, restored = await house.phone(), await house.phone()
        pending = await SoftwarePhone.enrol(await house.link())
        await house.remove(removed)
        with sqlite3.connect(folder / "state.db") as rows:
            rows.execute("UPDATE devices SET state = 'restored' WHERE id = ?", (restored.enrolled.device,))
        rows.close()
        for path in POSTS:
            if path in {"/api/nonce", "/api/enrol", "/api/stream", "/api/questions"}:
                continue
            for phone in (pending, removed, restored):
                await played.post(house, path, await right_body(house, phone, path))
        for phone in (pending, removed, restored):
            state = await played.says(house, phone, "/api/questions")
            assert state["questions"] == state["tests"] == state["closed"] == []
        stranger = SoftwarePhone(pending._key, replace(pending.enrolled, device="0" * 32))
        for path in (*SIGNED, "/api/answer", "/api/sign-in-answer"):
            await played.post(house, path, await right_body(house, stranger, path))
            if path in SIGNED:
                await played.says(house, pending, path, nonce="A" * 64)
        for phone in (pending, removed, restored):
            await phone.close()


async def requests_of_a_good_phone(played: Played, folder: Path) -> None:
    async with open_house(folder) as house, await house.phone() as phone:
        await played.post(house, "/api/config", None)
        await played.post(house, "/api/nonce", {})
        assert (await played.says(house, phone, "/api/woken"))["push"]["seen_at"]
        for changes in ({}, {}, {"endpoint": "https://elsewhere.example/"}, dict.fromkeys(ADDRESS)):
            await played.says(house, phone, "/api/push", **changes)
        await tokens_and_receipts(played, house, phone)
        asked = [await played.says(house, phone, "/api/test") for _ in range(4)]
        await house.ask(address=None)
        open_one = await played.says(house, phone, "/api/questions")
        assert open_one["tests"]
        assert open_one["questions"]
        for _ in range(2):
            await played.says(house, phone, "/api/test-answer", test=asked[0]["test"])


async def tokens_and_receipts(played: Played, house: House, phone: SoftwarePhone) -> None:
    apns = {"channel": "apns", "token": "0Aff"}
    assert (await played.says(house, phone, "/api/push-token", **apns))["error"] == "push_service"
    house.side.use(Enrollment(), (), None, push=APPS)
    await played.post(house, "/api/config", None)
    for changes in (apns, apns, {**apns, "token": None}):
        await played.says(house, phone, "/api/push-token", **changes)
    await house.store.begin_rings(Ring(phone.enrolled.device, "fcm", "request", "none", None, 0.0, 7))
    for _ in range(2):
        await played.says(house, phone, "/api/receipt")


async def fingers(played: Played, folder: Path) -> None:
    async with open_house(folder) as house, await house.phone() as phone:

        async def answer(finger: Finger | None) -> str:
            body = phone.sign(answer_fields(house, phone, card))
            told = await played.post(
                house, "/api/answer", body | (finger.used(body["payload"]) if finger else {})
            )
            return str(told.get("error", told.get("outcome")))

        await house.ask(biometrics="required")
        card = (await played.says(house, phone, "/api/questions"))["questions"][0]
        assert await answer(None) == "biometrics_missing"
        finger = await a_finger(house, phone)
        assert await answer(None) == "biometrics_needed"
        assert await answer(Finger(house.origin)) == "biometrics_failed"
        assert await answer(finger) == "approved"
        new = Finger(house.origin)
        for right in (True, False):
            fresh = await nonce(house)
            made = new.made(adding_challenge(phone, fresh if right else "another"))
            said = dict(zip(("client_data", "attestation"), map(_text, made), strict=True))
            told = await played.says(house, phone, "/api/biometric", nonce=fresh, **said)
            assert told.get("outcome", told.get("error")) == ("waiting" if right else "biometrics_failed")
        state = await played.says(house, phone, "/api/questions")
        assert state["device"]["credential"] == _text(finger.id)
        assert state["device"]["waiting_credential"] == _text(new.id)
        assert (await played.says(house, phone, "/api/biometric"))["outcome"] == "removed"


async def what_fingers_guard(played: Played, folder: Path) -> None:
    """Each request about phones: from a phone without, without it, with another's, and with the right one."""
    async with (
        open_house(folder, devices_per_user=5) as house,
        await house.phone() as phone,
        await house.phone() as without,
    ):
        house.side.use(Enrollment(devices_per_user=5), (), None, "required")
        finger = await a_finger(house, phone)
        added = await house.phone()
        for each in (phone, without):
            assert (await played.says(house, each, "/api/questions"))["device"]["guarded"]

        async def body_of(by: SoftwarePhone, path: str) -> dict[str, str]:
            if path == "/api/sign-in-answer":
                return sign_in_answer(by, await house.portal_sign_in())
            more = {}
            if path == "/api/notice":
                state = await played.says(house, by, "/api/questions")
                more = {"notice": state["notices"][-1]["id"], "answer": "remove"}
            return await said(house, by, path, **more)

        async def plays(path: str) -> dict[str, Any]:
            body = await body_of(without, path)
            assert (await played.post(house, path, body))["error"] == "biometrics_missing"
            for used, word in ((None, "needed"), (Finger(house.origin), "failed")):
                body = await body_of(phone, path)
                body |= used.used(body["payload"]) if used else {}
                assert (await played.post(house, path, body))["error"] == f"biometrics_{word}"
            body = await body_of(phone, path)
            return await played.post(house, path, body | finger.used(body["payload"]))

        assert await plays("/api/sign-in-answer") == {"outcome": "approved"}
        assert await plays("/api/notice") == {"outcome": "removed"}
        await added.close()
        assert "link" in await plays("/api/invite")
        for by, finger_of, word in (
            (without, None, "biometrics_missing"),
            (phone, None, "biometrics_needed"),
            (phone, Finger(house.origin), "biometrics_failed"),
            (phone, finger, "confirmed"),
        ):  # the invitation is of a time when none was needed
            house.side.use(Enrollment(devices_per_user=5), (), None, "optional")
            invited = await played.says(house, by, "/api/invite")
            house.side.use(Enrollment(devices_per_user=5), (), None, "required")
            async with await SoftwarePhone.enrol(invited["link"]) as new:
                about = {"invitation": invited["invitation"], "code": new.confirmation_code}
                body = await said(house, by, "/api/confirm", **about)
                body |= finger_of.used(body["payload"]) if finger_of else {}
                assert word in (await played.post(house, "/api/confirm", body)).values()


async def answers(played: Played, folder: Path) -> None:
    async with open_house(folder) as house, await house.phone() as one, await house.phone() as two:

        async def answer(phone: SoftwarePhone, card: dict[str, Any], purpose: str) -> str:
            body = phone.sign({**answer_fields(house, phone, card), "purpose": purpose})
            told = await played.post(house, "/api/answer", body)
            return str(told.get("error", told.get("outcome")))

        async def card_of(**ask: Any) -> tuple[Any, dict[str, Any]]:
            asked = await house.ask(**ask)
            state = await played.says(house, one, "/api/questions")
            return asked, next(card for card in state["questions"] if card["id"] == asked.id)

        for first, other in (("approve", "deny"), ("deny", "approve")):
            _, card = await card_of()
            past = {"approve": "approved", "deny": "denied"}[first]
            assert await answer(one, card, first) == past
            assert await answer(one, card, first) == past
            assert await answer(one, card, other) == f"{past}_before"
            assert await answer(two, card, first) == f"{past}_elsewhere"
        asked, card = await card_of()
        await house.give_up(asked)
        assert await answer(one, card, "approve") == "late"
        late = await played.says(house, one, "/api/questions")
        assert await answer(one, late["questions"][0], "approve") == "approved_late"
        assert await answer(two, late["questions"][0], "deny") == "approved_late_elsewhere"
        assert await answer(one, late["questions"][0], "deny") == "approved_late_before"
        asked, card = await card_of()
        await house.give_up(asked, late=Lateness(30.0, counts=False))
        over = next(
            each
            for each in (await played.says(house, one, "/api/questions"))["questions"]
            if each["id"] == asked.id
        )
        assert over["late"] == "over"
        assert await answer(one, over, "approve") == "late"
        assert await answer(one, over, "deny") == "denied"
        asked, card = await card_of()
        await house.time_out(asked)
        assert await answer(one, card, "approve") == "too_late"
        assert await answer(one, {**card, "id": "nobody's"}, "approve") == "unknown_question"
        shown = await played.says(house, one, "/api/questions")
        assert {each["outcome"] for each in shown["closed"]} >= {"approved", "denied", "timed_out"}


async def sign_ins_to_the_page(played: Played, folder: Path) -> None:
    async with open_house(folder) as house, await house.phone() as one, await house.phone() as two:
        path = "/api/sign-in-answer"
        asked = await house.portal_sign_in()
        (shown,) = (await played.says(house, one, "/api/questions"))["sign_ins"]
        assert shown == portal_sign_in.card(asked)
        for phone, purpose, outcome in (
            (one, "portal_approve", "approved"),
            (one, "portal_approve", "approved"),  # it had not heard
            (one, "portal_deny", "too_late"),
            (two, "portal_approve", "too_late"),
        ):
            told = await played.post(house, path, sign_in_answer(phone, asked, purpose=purpose))
            assert outcome in told.values()
        again = await house.portal_sign_in()
        denied = await played.post(house, path, sign_in_answer(one, again, purpose="portal_deny"))
        assert denied["outcome"] == "denied"
        unknown = await played.post(house, path, sign_in_answer(one, again, sign_in="nobody's"))
        assert unknown["error"] == "unknown_question"


async def yeses_taken_back(played: Played, folder: Path) -> None:
    async with open_house(folder) as house, await house.phone() as phone:
        await house.ask()
        await phone.answer_next(approve=True, seconds=10)
        (recent,) = (await played.says(house, phone, "/api/questions"))["recent"]
        about = {"question": recent["id"], **{name: recent[name] for name in ("person", "client", "address")}}
        assert (await played.says(house, phone, "/api/contest"))["error"] == "unknown_question"
        for _ in range(2):
            assert (await played.says(house, phone, "/api/contest", **about))["outcome"] == "contested"
        denied = await house.ask()
        await phone.answer_next(approve=False, seconds=10)
        about["question"] = denied.id
        assert (await played.says(house, phone, "/api/contest", **about))["error"] == "too_late"


async def another_phone(played: Played, folder: Path) -> None:
    async with open_house(folder, devices_per_user=2) as house, await house.phone() as phone:
        for right in (False, True):
            invited = await played.says(house, phone, "/api/invite")
            state = await played.says(house, phone, "/api/questions")
            assert state["adding"]["invitation"] == invited["invitation"]
            new = await SoftwarePhone.enrol(invited["link"])
            about = {"invitation": invited["invitation"]}
            for _ in range(0 if right else 5):
                await played.says(house, phone, "/api/confirm", **about, code="x")
            told = await played.says(house, phone, "/api/confirm", **about, code=new.confirmation_code)
            assert told.get("outcome", told.get("error")) == ("confirmed" if right else "too_late")
            await new.close()
        assert (await played.says(house, phone, "/api/invite"))["error"] == "too_many_devices"
        await house.remove(new)
        for _ in range(4):
            last = await played.says(house, phone, "/api/invite")
        assert last["error"] == "too_many_tries"
        house.side.use(Enrollment(by_phone=False), (), None)
        assert (await played.says(house, phone, "/api/invite"))["error"] == "issuer_only"
        assert (await played.says(house, phone, "/api/questions"))["adding"] is None


async def a_phone_on_the_laptop(played: Played, folder: Path) -> None:
    proxies = (ip_network("127.0.0.0/8"),)
    async with open_house(folder, trusted_proxies=proxies) as house, await house.phone() as phone:
        asked = await house.ask(address="203.0.113.9", not_from_login_address=True)
        body = phone.sign(answer_fields(house, phone, question.card(asked)))
        told = await played.post(house, "/api/answer", body, headers={"X-Forwarded-For": "203.0.113.9"})
        assert told["error"] == "login_address"


async def the_stream(played: Played, folder: Path) -> None:
    limits = replace(USUAL, streams=3)
    async with (
        open_house(folder, limits=limits) as house,
        await house.phone() as one,
        await house.phone() as two,
    ):
        listening = [asyncio.create_task(events_of(house, one)) for _ in range(4)]
        await house.ask()
        ended, _ = await asyncio.wait(listening, return_when=asyncio.FIRST_COMPLETED)
        assert [kinds[-1] for kinds in [await each for each in ended]] == ["replaced"]
        assert (await played.says(house, two, "/api/stream"))["error"] == "busy"
        await house.remove(one)
        for kinds in await asyncio.gather(*listening):
            assert set(kinds) <= {"state", "replaced"}


async def events_of(house: House, phone: SoftwarePhone) -> list[str]:
    """Their kinds, until the server ends the stream."""
    heard = []
    body = await said(house, phone, "/api/stream")
    assert document.request_mistakes("/api/stream", body) == []
    async with (
        aiohttp.ClientSession() as session,
        session.post(house.origin + "/api/stream", json=body) as response,
    ):
        assert response.content_type == "text/event-stream"
        for name, value in document.headers_of("/api/stream").items():
            assert response.headers.getall(name) == [value]
        while event := await whole(response.content):
            lines = dict(line.split(": ", 1) for line in event.split("\n") if line)
            assert document.mistakes(document.event_schema(lines["event"]), json.loads(lines["data"])) == []
            heard.append(lines["event"])
    return heard


async def whole(content: aiohttp.StreamReader) -> str:
    try:
        return (await content.readuntil(b"\n\n")).decode()
    except asyncio.IncompleteReadError:
        return ""


PLAYS = (
    what_every_request_is_refused_with,
    enrolment,
    what_was_sent,
    notices,
    phones_that_may_not,
    requests_of_a_good_phone,
    fingers,
    what_fingers_guard,
    answers,
    sign_ins_to_the_page,
    yeses_taken_back,
    another_phone,
    a_phone_on_the_laptop,
    the_stream,
)
