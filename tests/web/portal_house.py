"""A whole radius-push with a portal, in this process and in real time, and browsers of plain requests."""

from __future__ import annotations

import asyncio
import html
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import aiohttp

from radius_push import enrollment, events
from radius_push.client import Reply, ask
from radius_push.directory.local import hash_password
from radius_push.factors import portal_sign_in
from radius_push.model import Person, Secret
from radius_push.portal_store import PortalSignIn
from radius_push.radius.packet import load_dictionary
from radius_push.server import Server
from radius_push.settings import load
from radius_push.test_phone import SoftwarePhone
from tests.scenarios.house import free_port
from tests.web.house import Clock

PASSWORD = "correct horse"
SECRET = Secret("a-secret-of-22-octets!")
E = TypeVar("E")

SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["127.0.0.1:0"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
    portal: {{address: "127.0.0.1:{portal}", url: "http://127.0.0.1:{portal}"}}
  enrollment: {{devices_per_user: 2, self_service: [{self_service}]{networks}}}
  reject_delay: 0s
  trusted_proxies: [127.0.0.2]
methods: {{push: {{}}}}
clients:
  fw1: {{addresses: [127.0.0.1], secret: "a-secret-of-22-octets!", profiles: [staff-push], patience: 60s}}
authentication_profiles:
  staff:
    type: local
    users:
{users}
  others:
    type: local
    users:
      carol: {{password_hash: {hash!r}, department: IT}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff, others], timeout: 45s}}
policies:
  - {{name: it, profile: staff-push, authentication_profile: staff, attribute: department, values: [IT]}}
"""


@dataclass
class PortalHouse:
    url: str
    phones_open: str
    clock: Clock
    server: Server = field(init=False)
    told: list[events.Event] = field(default_factory=list)
    phones: list[SoftwarePhone] = field(default_factory=list)
    browsers: list[Desk] = field(default_factory=list)

    def desk(self, *, source: str = "127.0.0.1", **headers: str) -> Desk:
        """A browser of plain requests, closed with the house."""
        desk = Desk(self, source=source, headers=headers)
        self.browsers.append(desk)
        return desk

    async def person(self, username: str = "alice") -> Person:
        for directory in self.server.directories.values():
            found = await directory.find(username)
            if isinstance(found, Person):
                return found
        raise AssertionError(username)

    async def phone(self, username: str = "alice") -> SoftwarePhone:
        """As by `enroll`."""
        shown = await enrollment.invite(
            self.server.store,
            person=await self.person(username),
            lifetime=600,
            pepper=self.server.keys.pepper,
            by="test",
            now=self.clock.now(),
            token=secrets.token_bytes(16),
            code_octets=secrets.token_bytes(5),
        )
        return await self.added(enrollment.link(self.phones_open, shown), by="test")

    async def added(self, link: str, *, by: str | None = None, name: str = "Pixel 7") -> SoftwarePhone:
        """By a link; confirmed too, if `by` says who does that."""
        phone = await SoftwarePhone.enrol(link, name=name)
        self.phones.append(phone)
        if by is not None:
            word = await enrollment.confirm(
                self.server.store,
                phone.enrolled.invitation,
                phone.confirmation_code,
                by=by,
                now=self.clock.now(),
            )
            assert word == "confirmed"
        return phone

    async def answer(self, phone: SoftwarePhone, *, approve: bool = True) -> str:
        """What the phone is asked about the page, answered."""
        (card,) = (await phone.says("/api/questions", "questions"))["sign_ins"]
        sign_in = await self.server.store.sign_in(card["id"])
        assert sign_in is not None
        assert card == portal_sign_in.card(sign_in)
        outcome: str = (await phone._wire.post("/api/sign-in-answer", signed(phone, sign_in, approve)))[
            "outcome"
        ]
        return outcome

    async def vpn(self, username: str = "alice", password: str = PASSWORD) -> Reply | None:
        return await ask(
            server=self.server.authentication[0],
            secret=SECRET,
            username=username,
            password=password,
            proof="pap",
            attributes=(("Calling-Station-Id", "203.0.113.7"),),
            timeout=30.0,
            tries=1,
            source=("127.0.0.1", 0),
            message_authenticator=True,
            dictionary=load_dictionary(),
        )

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.told if isinstance(event, kind)]


def signed(
    phone: SoftwarePhone, sign_in: PortalSignIn, approve: bool = True, **changes: object
) -> dict[str, str]:
    fields = portal_sign_in.statement(
        sign_in,
        device=phone.enrolled.device,
        origin=phone.enrolled.origin,
        purpose="portal_approve" if approve else "portal_deny",
    )
    return phone.sign({**fields, **changes})


@dataclass
class Page:
    status: int
    text: str
    path: str
    headers: dict[str, str]

    @property
    def heading(self) -> str:
        return html.unescape(re.findall(r"<h1>(.*?)</h1>", self.text)[0])

    @property
    def form(self) -> str:
        """What its forms send back."""
        found = re.findall(r'name="form" value="([^"]*)"', self.text)
        return found[-1] if found else ""

    @property
    def said(self) -> str:
        found = re.findall(r'<p class="(?:wrong|done)" role="\w+">(.*?)</p>', self.text)
        return html.unescape(found[0]) if found else ""

    @property
    def link(self) -> str:
        return html.unescape(re.findall(r'value="([^"]*#enrol=[^"]*)"', self.text)[0])

    def phone_ids(self) -> list[str]:
        return re.findall(r'href="/remove\?phone=([0-9a-f]{32})"', self.text)


class Desk:
    """A browser: it keeps cookies, follows redirects, and says where its forms come from."""

    def __init__(self, house: PortalHouse, *, source: str, headers: dict[str, str]) -> None:
        self.house = house
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(local_addr=(source, 0)),
            cookie_jar=aiohttp.CookieJar(unsafe=True),
        )

    async def get(self, path: str = "/", **how: str) -> Page:
        return await self._ask("GET", path, {}, how)

    async def post(self, path: str, fields: dict[str, str], *, headers: dict[str, str] | None = None) -> Page:
        own = {"Origin": self.house.url, "Sec-Fetch-Site": "same-origin"}
        return await self._ask("POST", path, fields, own if headers is None else headers)

    async def _ask(self, method: str, path: str, fields: dict[str, str], headers: dict[str, str]) -> Page:
        async with self.session.request(
            method,
            self.house.url + path,
            data=fields if method == "POST" else None,
            headers={**self.headers, **headers},
        ) as response:
            return Page(response.status, await response.text(), response.url.path_qs, dict(response.headers))

    async def signs_in(self, username: str = "alice", password: str = PASSWORD) -> Page:
        """What comes of the form."""
        page = await self.get("/")
        return await self.post("/sign-in", {"form": page.form, "username": username, "password": password})

    async def is_in(self, username: str = "alice", *, phone: SoftwarePhone | None = None) -> Page:
        """Signed in, by a phone where there is one."""
        page = await self.signs_in(username)
        if phone is None:
            assert page.heading == "Your phones"
            return page
        assert page.heading == "Answer on your phone"
        assert await self.house.answer(phone) == "approved"
        return await self.get("/wait")

    async def does(self, path: str, **fields: str) -> Page:
        """Send a form of the page that is open."""
        page = await self.get("/")
        return await self.post(path, {"form": page.form, **fields})

    def cookies(self) -> dict[str, str]:
        return {each.key: each.value for each in self.session.cookie_jar}


@asynccontextmanager
async def portal_house(
    folder: Path,
    *,
    people: Sequence[str] = ("alice", "bob"),
    self_service: str = "staff",
    networks: str = "",
    settings: str = SETTINGS,
) -> AsyncIterator[PortalHouse]:
    hashed = hash_password(PASSWORD.encode(), cheap=True)
    users = "\n".join(f"      {name}: {{password_hash: {hashed!r}, department: IT}}" for name in people)
    phone, portal = free_port(), free_port()
    file = folder / "radius-push.yaml"
    file.write_text(
        settings.format(
            phone=phone,
            portal=portal,
            users=users,
            hash=hashed,
            self_service=self_service,
            networks=f", portal_networks: [{networks}]" if networks else "",
        )
    )
    house = PortalHouse(f"http://127.0.0.1:{portal}", f"http://localhost:{phone}", Clock())
    house.server = Server(
        load(file, environ={}), clock=house.clock, on_event=lambda _, event: house.told.append(event)
    )
    await house.server.start()
    try:
        yield house
    finally:
        await asyncio.gather(*(each.session.close() for each in house.browsers))
        for each in house.phones:
            await each.close()
        await house.server.stop()
