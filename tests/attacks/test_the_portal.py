"""Attacks on the page for people's own phones: by other sites, by guessing, by what was signed elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from radius_push import events
from radius_push.directory.local import LocalDirectory
from radius_push.enrollment import TRIES
from radius_push.factors import portal_sign_in
from radius_push.model import PersonKey
from radius_push.test_phone import PhoneRefused
from radius_push.web.portal_signing_in import TRIES_OF_A_NAME, TRIES_SECONDS
from tests.web.house import until
from tests.web.portal_house import PASSWORD, SETTINGS, Desk, PortalHouse, portal_house, signed

FORMS = ["/sign-in", "/rename", "/remove", "/test", "/pair", "/pair/code", "/sign-out"]
ELSEWHERE = [
    {"Origin": "https://evil.example"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "null"},
    {"Origin": "null", "Sec-Fetch-Site": "none"},
    {},
]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PortalHouse]:
    async with portal_house(tmp_path) as house:
        yield house


def fields(desk: Desk, page_form: str, phone: str) -> dict[str, str]:
    return {
        "form": page_form,
        "username": "alice",
        "password": PASSWORD,
        "phone": phone,
        "name": "evil",
        "code": "000000",
    }


# --- other sites -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FORMS)
async def test_no_form_is_taken_from_another_site_or_without_its_token(house: PortalHouse, path: str) -> None:
    phone, desk, other = await house.phone(), house.desk(), house.desk()
    page = await (desk.get("/") if path == "/sign-in" else desk.is_in(phone=phone))
    form = page.form
    strangers = (await other.get("/")).form
    assert form != strangers
    before = len(house.told)
    right = fields(desk, form, phone.enrolled.device)
    for headers in ELSEWHERE:
        page = await desk.post(path, right, headers=headers)
        assert (page.status, page.heading) == (403, "That did not work"), headers
    for wrong in ({**right, "form": strangers}, {**right, "form": ""}, {**right, "form": form[:-1]}):
        assert (await desk.post(path, wrong)).status == 403
    del right["form"]
    assert (await desk.post(path, right)).status == 403
    assert len(house.told) == before
    device = await house.server.store.device(phone.enrolled.device)
    assert device is not None
    assert (device.name, device.state) == ("Pixel 7", "active")


async def test_a_form_that_is_none_is_not_read(house: PortalHouse) -> None:
    desk = house.desk()
    form = (await desk.get("/")).form
    own = {"Origin": house.url}
    for data, kind, status in (
        (b"{}", "application/json", 415),
        (b"form=a&form=b", "application/x-www-form-urlencoded", 400),
        (b"username=%ff", "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 20, "application/x-www-form-urlencoded", 400),
        (b"form=" + b"x" * 9000, "application/x-www-form-urlencoded", 413),
        (b"form=" + form.encode(), "application/x-www-form-urlencoded", 400),
    ):
        headers = {**own, "Content-Type": kind}
        async with desk.session.post(house.url + "/sign-in", data=data, headers=headers) as response:
            assert response.status == status, data


async def test_another_host_name_is_not_served(house: PortalHouse) -> None:
    assert (await house.desk(Host="evil.example").get("/")).status == 421
    assert (await house.desk(Host=house.phones_open.removeprefix("http://")).get("/")).status == 421


async def test_a_cookie_that_was_planted_is_no_session_and_becomes_none(house: PortalHouse) -> None:
    phone, desk, thief = await house.phone(), house.desk(), house.desk()
    await desk.signs_in()
    waiting = desk.cookies()["radius-push-portal"]
    assert await house.answer(phone) == "approved"
    await desk.get("/wait")
    inside = desk.cookies()["radius-push-portal"]
    assert inside != waiting
    for planted in (waiting, "A" * 43, "x", ""):
        thief.session.cookie_jar.update_cookies({"radius-push-portal": planted})
        for path in ("/wait", "/pair", "/"):
            assert "Signed in as" not in (await thief.get(path)).text
    # Its keyed hash alone is in the store.
    store = Path(house.server.settings.store)
    assert all(inside.encode() not in file.read_bytes() for file in store.parent.glob(f"{store.name}*"))


# --- guessing --------------------------------------------------------------------------------------------


async def test_an_unknown_name_and_a_wrong_password_get_the_same_and_cost_the_same(
    house: PortalHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[bytes] = []
    verify = LocalDirectory._verify

    def counted(self: LocalDirectory, id: str, password_hash: str, octets: bytes) -> object:
        hashed.append(octets)
        return verify(self, id, password_hash, octets)

    monkeypatch.setattr(LocalDirectory, "_verify", counted)
    desk, told = house.desk(), []
    for username in ("carol", "nobody", "x" * 300, "car\u200bol"):
        hashed.clear()
        page = await desk.signs_in(username, "wrong")
        told.append((page.status, page.text))
        assert len(hashed) == (0 if username.startswith(("x", "car\u200b")) else 1)
    assert len(set(told)) == 1
    reasons = [event.reason for event in house.of(events.PortalRefused)]
    assert reasons == ["wrong_password", "unknown_user", "unknown_user", "unknown_user"]


async def test_guesses_end_before_a_directory_would_lock_and_a_right_password_clears_them(
    house: PortalHouse,
) -> None:
    binds = watched(house)
    for n in range(TRIES_OF_A_NAME + 2):
        page = await house.desk(source=f"127.0.0.{n + 10}").signs_in("Alice", f"guess {n}")
        assert page.status == (403 if n < TRIES_OF_A_NAME else 429)
    assert len(binds) == TRIES_OF_A_NAME
    # Nobody is locked out of the VPN by that.
    login = asyncio.create_task(house.vpn())
    phone = await house.phone()
    reply = await login
    assert reply is not None
    login = asyncio.create_task(house.vpn())
    assert await phone.answer_next(approve=True, seconds=20) == "approved"
    reply = await login
    assert reply is not None
    assert reply.code == 2
    assert (await house.desk().signs_in()).status == 429
    house.clock.turned += TRIES_SECONDS
    assert (await house.desk().signs_in()).heading == "Answer on your phone"
    # A right one clears what was wrong before.
    for _ in range(2):
        for n in range(TRIES_OF_A_NAME - 1):
            await house.desk().signs_in("bob", f"guess {n}")
        assert (await house.desk().signs_in("bob")).heading == "Your phones"


async def test_guesses_from_one_address_end_whoever_they_are_about(house: PortalHouse) -> None:
    desk = house.desk()
    statuses = [(await desk.signs_in(f"user{n}", "guess")).status for n in range(11)]
    assert statuses == [403] * 10 + [429]
    assert (await house.desk(source="127.0.0.9").signs_in("bob")).heading == "Your phones"


async def test_a_password_that_was_wrong_a_moment_ago_is_not_tried_again(house: PortalHouse) -> None:
    binds = watched(house)
    reply = await house.vpn(password="old password")
    assert reply is not None
    await house.desk().signs_in("alice", "old password")
    await house.desk().signs_in("alice", "old password")
    assert binds == [b"old password"]


def watched(house: PortalHouse) -> list[bytes]:
    """The passwords that the directory of alice is asked to prove from now on."""
    asked: list[bytes] = []
    directory = house.server.directories["staff"]
    prove = directory.prove

    async def watching(person, proof):  # type: ignore[no-untyped-def]
        if person.key == PersonKey("staff", "alice"):
            asked.append(proof.reveal())
        return await prove(person, proof)

    directory.prove = watching  # type: ignore[method-assign]
    return asked


async def test_the_six_digits_are_guessed_five_times_and_no_more(house: PortalHouse) -> None:
    desk = house.desk()
    await desk.is_in()
    page = await desk.does("/pair")
    phone = await house.added(page.link)
    wrong = f"{(int(phone.confirmation_code) + 1) % 1_000_000:06d}"
    form = (await desk.get("/pair/code")).form
    for n in range(1, TRIES + 1):
        page = await desk.post("/pair/code", {"form": form, "code": wrong})
        assert page.status == 403
        assert (f"Tries left: {TRIES - n}." in page.text) == (n < TRIES)
    assert page.heading == "Nothing was added"
    page = await desk.post("/pair/code", {"form": form, "code": phone.confirmation_code})
    assert page.heading == "Nothing was added"
    assert not await house.server.store.has_ever_had_a_device(PersonKey("staff", "alice"))


async def test_with_the_password_alone_nobody_goes_on_once_there_is_a_phone(house: PortalHouse) -> None:
    thief = house.desk()
    await thief.is_in()
    page = await thief.does("/pair")
    stolen = await house.added(page.link)
    form = (await thief.get("/pair/code")).form
    await house.phone()  # the person's own, by an invitation
    page = await thief.post("/pair/code", {"form": form, "code": stolen.confirmation_code})
    assert page.path == "/?said=in_over"
    assert (await thief.signs_in()).heading == "Answer on your phone"


# --- what was signed elsewhere ---------------------------------------------------------------------------


async def test_a_yes_to_the_page_lets_nobody_in_to_the_vpn_and_the_other_way(house: PortalHouse) -> None:
    phone, desk = await house.phone(), house.desk()
    await desk.signs_in()
    login = asyncio.create_task(house.vpn())
    card = await phone.next_question(seconds=20)
    state = await phone.says("/api/questions", "questions")
    sign_in = await house.server.store.sign_in(state["sign_ins"][0]["id"])
    assert sign_in is not None
    page_yes, vpn_yes = signed(phone, sign_in), phone.signed_answer(card, approve=True)
    for path, body in (("/api/answer", page_yes), ("/api/sign-in-answer", vpn_yes)):
        with pytest.raises(PhoneRefused) as refused:
            await phone._wire.post(path, body)
        assert refused.value.word == "refused"
    # Nor with each other's ids, where everything else fits.
    page_says = portal_sign_in.statement(
        sign_in, device=phone.enrolled.device, origin=phone.enrolled.origin, purpose="portal_approve"
    )
    mixed = [
        ("/api/answer", {"question": sign_in.id}),
        ("/api/sign-in-answer", {"sign_in": card["id"]}),
    ]
    for path, changes in mixed:
        with pytest.raises(PhoneRefused) as refused:
            await phone._wire.post(path, phone.sign({**page_says, **changes}))
        assert refused.value.word in {"refused", "unknown_question"}
    assert await house.answer(phone) == "approved"
    assert not login.done()
    assert await phone.answer(card, approve=False) == "denied"
    reply = await login
    assert reply is not None
    assert reply.code == 3
    assert (await desk.get("/wait")).heading == "Your phones"


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "approve"},
        {"purpose": "test_answer"},
        {"origin": "https://evil.example"},
        {"page": "https://evil.example"},
        {"address": "203.0.113.99"},
        {"address": None},
        {"person": "staff:bob"},
        {"nonce": "another"},
        {"expires_at": 1},
        {"version": 2},
        {"more": "fields"},
    ],
    ids=str,
)
async def test_what_is_signed_must_be_what_was_asked(house: PortalHouse, changes: dict[str, object]) -> None:
    phone, desk = await house.phone(), house.desk()
    await desk.signs_in()
    (sign_in,) = await house.server.store.sign_ins_of(PersonKey("staff", "alice"), now=house.clock.now())
    with pytest.raises(PhoneRefused) as refused:
        await phone._wire.post("/api/sign-in-answer", signed(phone, sign_in, True, **changes))
    assert refused.value.word == "refused"
    assert (await desk.get("/wait")).heading == "Answer on your phone"


async def test_another_persons_phone_and_a_removed_one_say_nothing(house: PortalHouse) -> None:
    phone, bobs, desk = await house.phone(), await house.phone("bob"), house.desk()
    await desk.signs_in()
    (sign_in,) = await house.server.store.sign_ins_of(PersonKey("staff", "alice"), now=house.clock.now())
    assert (await bobs.says("/api/questions", "questions"))["sign_ins"] == []
    forged = bobs.sign(
        portal_sign_in.statement(
            sign_in, device=phone.enrolled.device, origin=phone.enrolled.origin, purpose="portal_approve"
        )
    )
    gone = events.DeviceRemoved("x", phone.enrolled.device, "test")
    await house.server.store.remove_device(phone.enrolled.device, at=house.clock.now(), event=gone)
    for who, body, word in (
        (bobs, signed(bobs, sign_in), "unknown_question"),
        (bobs, forged, "unknown_device"),
        (phone, signed(phone, sign_in), "removed"),
    ):
        with pytest.raises(PhoneRefused) as refused:
            await who._wire.post("/api/sign-in-answer", body)
        assert refused.value.word == word
    assert (await desk.get("/wait")).heading == "Answer on your phone"


async def test_a_yes_of_a_phone_that_was_removed_before_the_browser_came_is_none(house: PortalHouse) -> None:
    phone, desk = await house.phone(), house.desk()
    await desk.signs_in()
    await house.answer(phone)
    gone = events.DeviceRemoved("x", phone.enrolled.device, "test")
    await house.server.store.remove_device(phone.enrolled.device, at=house.clock.now(), event=gone)
    assert (await desk.get("/wait")).path == "/?said=in_over"


# --- hostile names ---------------------------------------------------------------------------------------

OURS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "link",
        "script",
        "body",
        "a",
        "header",
        "span",
        "form",
        "input",
        "img",
    ),
    *("button", "main", "h1", "h2", "p", "ul", "li", "dl", "div", "dt", "dd", "time", "label"),
}
"""The elements that the pages are made of."""


class Tags(HTMLParser):
    """What a browser would make of it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.seen.update(name for name, _ in attrs if name.startswith("on") or name == "style")
        self.seen.update(value for _, value in attrs if value and value.startswith("javascript:"))


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{reader.form}%s"


async def test_names_are_text_wherever_they_stand(tmp_path: Path) -> None:
    hostile = SETTINGS.replace("      carol:", '      "<b onclick=alert(1)>":')
    async with portal_house(tmp_path, settings=hostile, self_service="others") as house:
        desk = house.desk()
        page = await desk.is_in("<b onclick=alert(1)>")
        pages = [page, await desk.does("/pair")]
        phone = await house.added(pages[1].link, name=HOSTILE[:64])
        pages.append(await desk.get("/pair/code"))
        pages.append(await desk.post("/pair/code", {"form": pages[2].form, "code": phone.confirmation_code}))
        id = phone.enrolled.device
        pages.append(await desk.does("/rename", phone=id, name=HOSTILE))
        pages.append(await desk.get(f"/remove?phone={id}"))
        pages.append(await desk.get(f"/?said={HOSTILE}"))
        pages.append(await desk.get(f"/remove?phone={HOSTILE}"))
        assert sum("&lt;script&gt;" in page.text for page in pages) >= 4
        for page in pages:
            assert "&lt;b onclick=alert(1)&gt;" in page.text
            tags = Tags()
            tags.feed(page.text)
            assert tags.seen <= OURS
            assert page.text.count("<script") == 1
            assert '<script src="/portal.js" type="module"></script>' in page.text
        refused = await house.desk().signs_in(HOSTILE, "x")
        assert "alert(1)" not in refused.text


# --- a flood ---------------------------------------------------------------------------------------------


async def test_a_flooded_portal_keeps_no_login_waiting(house: PortalHouse) -> None:
    phone = await house.phone()
    desks = [house.desk(source=f"127.0.1.{n + 1}") for n in range(40)]
    forms = [(await desk.get("/")).form for desk in desks]

    async def floods(desk: Desk, form: str, n: int) -> list[int]:
        said = {"form": form, "username": f"user{n}", "password": "guess"}
        return [(await desk.post("/sign-in", said)).status for _ in range(5)]

    flood = asyncio.gather(*(floods(*each, n) for n, each in enumerate(zip(desks, forms, strict=True))))
    for _ in range(3):
        login = asyncio.create_task(house.vpn())
        assert await phone.answer_next(approve=True, seconds=20) == "approved"
        reply = await login
        assert reply is not None
        assert reply.code == 2
    statuses = {status for each in await flood for status in each}
    assert statuses <= {403, 429, 503}
    assert house.server.counters["portal_busy"] > 0


async def test_connections_to_the_portal_are_bounded_apart_from_the_phones(house: PortalHouse) -> None:
    port = house.server.portal_port
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
    _, turned_away = await asyncio.open_connection("127.0.0.1", port)
    try:
        phone = await house.phone()
        assert (await phone.says("/api/questions", "questions"))["questions"] == []
        await until(lambda: house.server.counters["portal_turned_away"] > 0)
        assert house.server.counters["phone_turned_away"] == 0
    finally:
        for _, writer in (*held, (None, turned_away)):
            writer.transport.abort()
