"""A whole server whose phones may name the push service of the test, and one gateway that asks it."""

from __future__ import annotations

import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from radius_push import enrollment, events
from radius_push.client import Reply, ask
from radius_push.directory.local import hash_password
from radius_push.model import Device, Person, Secret
from radius_push.radius.packet import load_dictionary
from radius_push.server import Server
from radius_push.settings import load

SECRET = Secret("a-secret-of-22-octets!")
PASSWORD = "correct horse"
ACCEPT, REJECT = 2, 3
SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["127.0.0.1:0"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
    {listen}
methods: {{push: {{contact: "mailto:vpn@example.com", allow_endpoints: ["{service}"]{apps}}}}}
clients:
  head-office:
    addresses: [127.0.0.1]
    secret: "a-secret-of-22-octets!"
    profiles: [staff-push]
    patience: 60s
authentication_profiles:
  staff: {{type: local, users: {{alice: {{password_hash: "{hash}"}}}}}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff], timeout: 40s}}
"""


@dataclass
class Site:
    server: Server
    url: str
    told: list[events.Event] = field(default_factory=list)

    async def log_in(self) -> Reply | None:
        return await ask(
            server=self.server.authentication[0],
            secret=SECRET,
            username="alice",
            password=PASSWORD,
            attributes=[("Calling-Station-Id", "203.0.113.7")],
            timeout=50,
            tries=1,
            source=("127.0.0.1", 0),
            dictionary=load_dictionary(),
        )

    async def invite(self) -> enrollment.Shown:
        found = await self.server.directories["staff"].find("alice")
        assert isinstance(found, Person)
        return await enrollment.invite(
            self.server.store,
            person=found,
            lifetime=600,
            pepper=self.server.keys.pepper,
            by="test",
            now=self.server.clock.now(),
            token=secrets.token_bytes(16),
            code_octets=secrets.token_bytes(5),
        )

    async def confirm(self, shown: enrollment.Shown) -> Device:
        """What the issuer does, of whom the newest device's digits are asked."""
        device = (await self.server.store.devices())[-1]
        code = enrollment.confirmation_code(device.invitation, device.public_key)
        word = await enrollment.confirm(
            self.server.store, shown.invitation, code, by="test", now=self.server.clock.now()
        )
        assert word == "confirmed"
        return device


@asynccontextmanager
async def open_site(
    folder: Path,
    *,
    push_service: str = "https://push.example",
    listen: str = "",
    apps: str = "",
) -> AsyncIterator[Site]:
    """`push_service`: the origin that phones may name, though it lies on this machine. `listen`: one key more
    of `server.listen`; `apps`: more of `methods.push`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    file = folder / "radius-push.yaml"
    hashed = hash_password(PASSWORD.encode(), cheap=True)
    written = {"phone": port, "service": push_service, "hash": hashed, "listen": listen, "apps": apps}
    file.write_text(SETTINGS.format(**written))
    told: list[events.Event] = []
    server = Server(load(file, environ={}), on_event=lambda _, event: told.append(event))
    await server.start()
    try:
        yield Site(server, f"http://localhost:{port}", told)
    finally:
        await server.stop()
