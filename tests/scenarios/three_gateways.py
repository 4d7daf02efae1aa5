"""Three gateways, two people and three phones behind one address: what is interleaved in a property test."""

from __future__ import annotations

import shutil
import socket
from dataclasses import dataclass, field
from pathlib import Path

from radius_push.model import ProofName
from radius_push.settings import load
from radius_push.shapes import Settings
from radius_push.test_phone import SoftwarePhone
from tests.scenarios.house import SECRET, SETTINGS, house
from tests.scenarios.turned import run

HOME, AWAY = "203.0.113.7", "198.51.100.9"
OLD, NEW = "correct horse", "battery staple"


@dataclass(frozen=True, slots=True)
class Gateway:
    name: str
    source: str
    group: str
    patience: float
    follow_on: float


# fw1 and fw2 serve the same logins, fw9 does not; what comes through fw2 comes twice.
GATEWAYS = {
    each.name: each
    for each in (
        Gateway("fw1", "127.0.0.1", "edge", 20.0, 0.0),
        Gateway("fw2", "127.0.0.5", "edge", 30.0, 30.0),
        Gateway("fw9", "127.0.0.9", "fw9", 20.0, 0.0),
    )
}
SOCKETS = 3
"""Of each gateway."""
_CLIENTS = "\n".join(
    f"  {each.name}: {{{{addresses: [{each.source}], secret: {SECRET.reveal().decode()!r},"
    f" profiles: [staff-push], patience: {each.patience:g}s, accepts: [pap, chap, ms-chapv2],"
    f" follow_on: {each.follow_on:g}s, require_message_authenticator: no"
    + (f", group: {each.group}" if each.group != each.name else "")
    + "}}"
    for each in GATEWAYS.values()
)
_FW1 = next(line for line in SETTINGS.splitlines() if line.startswith("  fw1:"))
SITE = (
    SETTINGS.replace(_FW1, _CLIENTS)
    .replace(
        "{users}\n",
        "".join(f"      {n}: {{{{clear_password: {OLD}, department: IT}}}}\n" for n in ("alice", "carol")),
    )
    .replace("  enrollment:", "  ring_limit: {{unanswered: 1000, within: 2m}}\n  enrollment:")
)


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply, as it came off the wire."""

    at: float
    code: int
    session_timeout: tuple[str, ...]
    life: int
    """Of the server: which one said it."""
    octets: bytes = field(repr=False)


@dataclass(eq=False)
class Request:
    """One Access-Request, however often it is sent."""

    who: str
    password: str
    address: str | None
    gateway: Gateway
    port: int
    """Of which of the gateway's sockets."""
    proof: ProofName
    sealed: bool
    octets: bytes = field(repr=False)
    sent: list[float] = field(default_factory=list)
    """When; the first time counts."""
    lives: list[int] = field(default_factory=list)
    """Of the server, to which it was sent."""
    rules: set[tuple[str, int]] = field(default_factory=set)
    """That were in force when it was sent."""
    heard: list[Heard] = field(default_factory=list)
    superseded: tuple[int, float] | None = None
    """In which life of the server, and when, a sealed request with a right password came in its place."""
    has_rivals: bool = False
    """Others were sent under its Identifier while it may have waited."""
    taken_at: float | None = None
    """When it came for the time that the server wrote something of it. Before, nobody can know of it."""

    @property
    def attempt(self) -> tuple[str, str, str, str] | None:
        """What it equals, if anything."""
        return (self.address and (self.who, self.gateway.group, self.address, self.password)) or None

    @property
    def until(self) -> float:
        """When its gateway gives up."""
        since = next(at for at, life in zip(self.sent, self.lives, strict=True) if life == self.lives[-1])
        return (since if self.taken_at is None else self.taken_at) + self.gateway.patience


class Template:
    """A site whose phones are enrolled, to be copied: alice has two, carol one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.phones: list[SoftwarePhone] = []
        run(self._enrol())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        # The same port in every life: else no packet would be the same packet.
        text = (folder / "radius-push.yaml").read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}")
        self.texts = {
            (password, seconds): text.replace(OLD, password).replace("3600", str(seconds))
            for password in (OLD, NEW)
            for seconds in (3600, 60)
        }

    async def _enrol(self) -> None:
        async with house(self.folder, settings=SITE, people=()) as h:
            self.phones = [await h.phone(name) for name in ("alice", "alice", "carol")]

    def settings_in(self, folder: Path) -> dict[tuple[str, int], Settings]:
        shutil.copytree(self.folder / "state", folder / "state")
        made, file = {}, folder / "radius-push.yaml"
        for key, text in self.texts.items():
            file.write_text(text)
            made[key] = load(file, environ={})
        return made
