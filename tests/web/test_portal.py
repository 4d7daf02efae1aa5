"""The portal as a browser without script sees it, over a whole server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from radius_push import events
from radius_push.model import Down, Secret
from radius_push.portal_store import IDLE_SECONDS, WHOLE_SECONDS
from radius_push.settings import load
from radius_push.shapes import Settings
from radius_push.web.portal_signing_in import SIGN_IN_SECONDS
from radius_push.web.portal_visit import Cookies
from tests.web.portal_house import PortalHouse, portal_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PortalHouse]:
    async with portal_house(tmp_path) as house:
        yield house


async def test_the_first_phone_is_added_by_the_password_alone_where_that_is_allowed(
    house: PortalHouse,
) -> None:
    desk = house.desk()
    page = await desk.is_in()
    assert "You have no phone yet." in page.text
    page = await desk.get("/pair")
    assert "#enrol=" not in page.text
    assert "<img" not in page.text
    page = await desk.post("/pair", {"form": page.form})
    assert "data:image/svg+xml;base64," in page.text
    assert (await desk.get("/pair/code")).heading == "No phone came yet"
    phone = await house.added(page.link)
    page = await desk.get("/pair/code")
    assert page.heading == "Type what the phone shows"
    assert "Pixel 7" in page.text
    page = await desk.post("/pair/code", {"form": page.form, "code": phone.confirmation_code})
    assert (page.heading, page.said) == ("Your phones", "Added. It is asked from now on.")
    assert "Pixel 7" in page.text
    login = asyncio.create_task(house.vpn())
    assert await phone.answer_next(approve=True, seconds=20) == "approved"
    reply = await login
    assert reply is not None
    assert reply.code == 2
    (confirmed,) = house.of(events.DeviceConfirmed)
    assert confirmed.by == "portal: alice"
    (entered,) = house.of(events.PortalSignedIn)
    assert (entered.username, entered.device, entered.address) == ("alice", None, "127.0.0.1")


async def test_whoever_has_a_phone_is_asked_on_it(house: PortalHouse) -> None:
    phone, desk = await house.phone(), house.desk()
    page = await desk.signs_in()
    assert (page.path, page.heading) == ("/wait", "Answer on your phone")
    assert '{"go": false}' in (await desk.get("/news")).text
    assert (await desk.get("/pair")).path == "/?said=in_over"
    assert await house.answer(phone) == "approved"
    assert '{"go": true}' in (await desk.get("/news")).text
    page = await desk.get("/wait")
    assert page.heading == "Your phones"
    assert "Signed in as alice" in page.text
    assert phone.enrolled.device in page.text
    assert [event.answer for event in house.of(events.PortalAnswered)] == ["approve"]
    assert [event.device for event in house.of(events.PortalSignedIn)] == [phone.enrolled.device]


async def test_a_no_and_a_minute_without_an_answer_let_nobody_in(house: PortalHouse) -> None:
    phone, desk = await house.phone(), house.desk()
    await desk.signs_in()
    assert await house.answer(phone, approve=False) == "denied"
    assert (await desk.get("/wait")).heading == "Denied"
    assert (await desk.signs_in()).heading == "Answer on your phone"
    house.clock.turned += SIGN_IN_SECONDS
    assert (await desk.get("/wait")).heading == "Nobody answered"
    assert (await desk.get("/pair")).path == "/?said=in_over"
    assert house.of(events.PortalSignedIn) == []


async def test_one_sign_in_waits_at_a_time_and_rings_in_vain_are_bounded(house: PortalHouse) -> None:
    await house.phone()
    desk, other = house.desk(), house.desk()
    assert (await desk.signs_in()).heading == "Answer on your phone"
    page = await other.signs_in()
    assert (page.status, page.said[:27]) == (429, "Your phones are asked alrea")
    for _ in range(4):
        house.clock.turned += SIGN_IN_SECONDS
        assert (await desk.signs_in()).heading == "Answer on your phone"
    house.clock.turned += SIGN_IN_SECONDS
    assert "too often" in (await desk.signs_in()).said
    reasons = [event.reason for event in house.of(events.PortalRefused)]
    assert reasons == ["one_waits", "rung_too_often"]


async def test_without_self_service_the_first_phone_needs_an_invitation(house: PortalHouse) -> None:
    desk = house.desk()
    page = await desk.signs_in("carol")
    assert (page.status, page.heading) == (403, "You need an invitation")
    assert (await desk.get("/pair")).path == "/?said=in_over"
    assert [event.reason for event in house.of(events.PortalRefused)] == ["needs_invitation"]


async def test_whoever_lost_all_their_phones_needs_an_invitation_too(house: PortalHouse) -> None:
    phone = await house.phone()
    gone = events.DeviceRemoved("x", phone.enrolled.device, "test")
    await house.server.store.remove_device(phone.enrolled.device, at=house.clock.now(), event=gone)
    page = await house.desk().signs_in()
    assert page.heading == "You need an invitation"


async def test_a_phone_is_renamed_tested_and_removed(house: PortalHouse) -> None:
    phone, second, desk = await house.phone(), await house.phone(), house.desk()
    await desk.is_in(phone=phone)
    id = second.enrolled.device
    page = await desk.does("/rename", phone=id, name="  Nokia\u202e\n 3310 ")
    assert (page.said, "Nokia 3310" in page.text) == ("Renamed.", True)
    assert (await desk.does("/rename", phone=id, name="Nokia 3310")).said == "It is called so already."
    (renamed,) = house.of(events.DeviceRenamed)
    assert (renamed.device, renamed.name, renamed.by) == (id, "Nokia 3310", "portal: alice")
    assert "on its way" in (await desk.does("/test", phone=id)).said
    (test,) = (await second.says("/api/questions", "questions"))["tests"]
    assert await second.says("/api/test-answer", "test_answer", test=test["id"]) == {"outcome": "answered"}
    for _ in range(2):
        await desk.does("/test", phone=id)
    assert "enough" in (await desk.does("/test", phone=id)).said
    assert "last phone" not in (await desk.get(f"/remove?phone={id}")).text
    assert id in (await desk.get("/")).text
    assert "Removed" in (await desk.does("/remove", phone=id)).said
    assert (await desk.get("/")).phone_ids() == [phone.enrolled.device]
    assert (await desk.does("/remove", phone=id)).said == "There is no such phone any more."
    removed = house.of(events.DeviceRemoved)
    assert [(event.device, event.by) for event in removed] == [(id, "portal: alice")]


async def test_removing_the_phone_that_let_one_in_ends_the_session(house: PortalHouse) -> None:
    phone, desk = await house.phone(), house.desk()
    await desk.is_in(phone=phone)
    assert "last phone" in (await desk.get(f"/remove?phone={phone.enrolled.device}")).text
    page = await desk.does("/remove", phone=phone.enrolled.device)
    assert page.said == "Removed: it can answer no more."
    assert 'name="password"' in page.text
    assert (await desk.get("/pair")).path == "/?said=in_over"


async def test_nobody_elses_phone_can_be_touched(house: PortalHouse) -> None:
    phone, bobs, desk = await house.phone(), await house.phone("bob"), house.desk()
    await desk.is_in(phone=phone)
    for path in ("/rename", "/test", "/remove"):
        page = await desk.does(path, phone=bobs.enrolled.device, name="mine")
        assert page.said == "There is no such phone any more."
    assert (await desk.get(f"/remove?phone={bobs.enrolled.device}")).path == "/?said=did_gone"
    device = await house.server.store.device(bobs.enrolled.device)
    assert device is not None
    assert (device.state, device.name) == ("active", "Pixel 7")


async def test_as_many_phones_as_one_may_have_and_no_more(house: PortalHouse) -> None:
    phone = await house.phone()
    await house.phone()
    desk = house.desk()
    page = await desk.is_in(phone=phone)
    assert "as many phones as you may (2)" in page.text
    assert (await desk.get("/pair")).path == "/"
    assert (await desk.does("/pair")).path == "/"
    assert len(house.of(events.Invited)) == 2


async def test_sessions_end_by_leaving_idle_and_in_any_case(house: PortalHouse) -> None:
    phone, desk = await house.phone(), house.desk()
    await desk.is_in(phone=phone)
    page = await desk.does("/sign-out")
    assert page.said == "You are signed out."
    assert list(desk.cookies()) == ["radius-push-visit"]
    await desk.is_in(phone=phone)
    house.clock.turned += IDLE_SECONDS + 1
    assert (await desk.get("/pair")).path == "/?said=in_over"
    await desk.is_in(phone=phone)
    for _ in range(3):
        house.clock.turned += WHOLE_SECONDS / 4
        assert (await desk.get("/pair")).path == "/pair"
    house.clock.turned += WHOLE_SECONDS / 4
    assert (await desk.get("/pair")).path == "/?said=in_over"
    assert len(house.of(events.PortalSignedOut)) == 1


async def test_the_scripts_questions_keep_no_session_alive(house: PortalHouse) -> None:
    phone, desk = await house.phone(), house.desk()
    await desk.is_in(phone=phone)
    for _ in range(3):
        house.clock.turned += IDLE_SECONDS / 3 + 1
        await desk.get("/news")
    assert (await desk.get("/pair")).path == "/?said=in_over"


async def test_an_invitation_that_ran_out_is_said(house: PortalHouse) -> None:
    desk = house.desk()
    await desk.is_in()
    assert (await desk.get("/pair/code")).path == "/pair"
    await desk.does("/pair")
    house.clock.turned += 590
    assert (await desk.get("/pair/code")).heading == "No phone came yet"
    assert '{"go": false}' in (await desk.get("/news")).text
    house.clock.turned += 11
    assert '{"go": true}' in (await desk.get("/news")).text
    assert (await desk.get("/pair/code")).heading == "Nothing was added"


@pytest.mark.parametrize(
    ("languages", "heading"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "Ihre Handys"),
        ("tr", "Telefonlarınız"),
        ("fr, es;q=0.3", "Tus teléfonos"),
        ("xx;q=1,;;,en;q=0.1,de;q=0", "Your phones"),
        ("", "Your phones"),
    ],
)
async def test_the_browsers_language_is_spoken(house: PortalHouse, languages: str, heading: str) -> None:
    page = await house.desk(Accept_Language=languages).get("/")
    assert page.heading == heading


async def test_every_answer_wears_the_headers(house: PortalHouse) -> None:
    desk = house.desk()
    for path in ("/", "/nowhere", "/news", "/wait", "/portal.css", "/portal.js"):
        headers = (await desk.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == ("no-cache" if "portal." in path else "no-store")


async def test_it_may_be_used_from_some_networks_alone(tmp_path: Path) -> None:
    async with portal_house(tmp_path, networks="10.0.0.0/8") as house:
        assert (await house.desk().get("/")).status == 403
        proxied = house.desk(source="127.0.0.2", X_Forwarded_For="10.1.2.3")
        assert (await proxied.get("/")).status == 200
        assert (await house.desk(X_Forwarded_For="10.1.2.3").get("/")).status == 403


async def test_a_reload_changes_whose_first_phone_needs_no_invitation_and_where_from(
    house: PortalHouse,
) -> None:
    desk = house.desk()
    changes = await house.server.reload(written_anew(house, "[staff]", "[others]"))
    assert changes == ("server.enrollment: changed (self_service)",)
    assert (await desk.signs_in()).heading == "You need an invitation"
    assert (await desk.signs_in("carol")).heading == "Your phones"
    narrow = "[others], portal_networks: [10.0.0.0/8]"
    await house.server.reload(written_anew(house, "[others]", narrow))
    assert (await desk.get("/")).status == 403


def written_anew(house: PortalHouse, before: str, after: str) -> Settings:
    file = Path(house.server.settings.file)
    file.write_text(file.read_text().replace(f"self_service: {before}", f"self_service: {after}"))
    return load(file, environ={})


async def test_a_directory_that_is_down_is_said_and_counts_as_no_try(
    house: PortalHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(username: str) -> Down:
        return Down("not here")

    for _ in range(5):
        monkeypatch.setattr(house.server.directories["staff"], "find", down)
        page = await house.desk().signs_in()
        assert (page.status, page.said[:37]) == (503, "Your password cannot be checked now. ")
        # Nobody else speaks for a name that the one which is down might know.
        assert (await house.desk().signs_in("carol")).status == 503
    monkeypatch.undo()
    assert (await house.desk().signs_in()).heading == "Your phones"
    assert {event.reason for event in house.of(events.PortalRefused)} == {"directory_down"}


def test_by_tls_the_cookies_are_the_hosts_own() -> None:
    cookies, response = Cookies(url="https://p.example", pepper=Secret(b"p" * 32)), web.Response()
    cookies.give_visit(response, "v" * 43)
    cookies.give_session(response, "s" * 43)
    for name in ("__Host-radius-push-visit", "__Host-radius-push-portal"):
        said = response.cookies[name]
        assert (said["secure"], said["httponly"], said["samesite"], said["path"]) == (
            True,
            True,
            "Strict",
            "/",
        )
        assert not said["domain"]
    assert cookies.mark("v" * 43) != cookies.mark("s" * 43)
    assert cookies.form("v" * 43) not in {"v" * 43, cookies.form("s" * 43)}
