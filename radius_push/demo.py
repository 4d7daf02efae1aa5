"""Whole logins on loopback, told as they happen: a gateway, the server, a phone, all on this machine.

Everything is real but the person: settings from a file, the server on its sockets, RADIUS packets, a phone
with its own key. It lives in a temporary folder and leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from radius_push import enrollment, events
from radius_push.client import ask
from radius_push.directory.local import hash_password
from radius_push.model import Person, PersonKey, Secret
from radius_push.radius.packet import load_dictionary
from radius_push.server import Server
from radius_push.settings import load
from radius_push.test_phone import SoftwarePhone

USER = "alice"
AWAY = "203.0.113.7"
"""An address of RFC 5737: where the demo's alice is."""
CODES = {2: "Access-Accept", 3: "Access-Reject"}

SETTINGS = """\
server:
  store: sqlite://state/demo.db
  listen:
    authentication: ["127.0.0.1:{radius}"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
methods: {{push: {{}}}}
clients:
  head-office: {{addresses: [127.0.0.1], secret: "{secret}", profiles: [staff-push], patience: 120s}}
  branch-office: {{addresses: [127.0.0.2], secret: "{secret}", profiles: [quick-push], patience: 20s}}
authentication_profiles:
  staff:
    type: local
    users:
      alice: {{password_hash: "{hash}", department: IT, email: alice@example.com}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff], timeout: 100s}}
  quick-push: {{methods: [push], fallback_auth_profiles: [staff], timeout: 3s}}
policies:
  - name: sales use nothing
    profile: refuse
    authentication_profile: staff
    attribute: department
    values: ["Sales*"]
  - name: IT uses push
    profile: staff-push
    authentication_profile: staff
    attribute: department
    values: ["IT", "Eng-*"]
    reply: {{Filter-Id: "{{department}}", Session-Timeout: 36000}}
  - name: IT in a hurry
    profile: quick-push
    authentication_profile: staff
    attribute: department
    values: [IT]
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """One login of the play."""

    title: str
    right_password: bool = True
    approve: bool | None = None
    """What the phone does; None: it is left alone."""
    person: str = ""
    """What a person who is the phone is told to do."""
    source: str = "127.0.0.1"
    ends: int = 3
    """The RADIUS code it must end with."""
    seconds: float = 110.0


SCENES = (
    Scene("Alice signs in and approves", approve=True, person="Your turn: tap Yes.", ends=2),
    Scene("Somebody types a wrong password: no phone rings", right_password=False),
    Scene("Somebody knows her password: Alice denies", approve=False, person="Your turn: tap No."),
    Scene(
        "Nobody answers: the profile's time-out (3 s here)",
        source="127.0.0.2",
        person="Let this one run out.",
    ),
)


async def play(*, person_there: bool) -> int:
    """Play all scenes; 0 if each ended as it should. `person_there`: first offer the phone to them."""
    with tempfile.TemporaryDirectory(prefix="radius-push-demo-") as folder:
        password = secrets.token_urlsafe(9)
        secret = Secret(secrets.token_urlsafe(24))
        settings = load(write_settings(Path(folder), password, secret), environ={})
        server = Server(settings, on_event=tell)
        await server.start()
        phone = None
        try:
            url = settings.phone.url if settings.phone else ""
            phone = await enrol(server, url, person_there=person_there)
            failed = [
                scene.title
                for scene in SCENES
                if not await act(scene, server, phone, password=password, secret=secret)
            ]
        finally:
            if phone is not None:
                await phone.close()
            await server.stop()
    for scene in failed:
        say(f"\nThis one did not end as planned: {scene}")
    if not failed:
        say("\nEvery login ended as planned. Next: your first gateway, in README.md.")
    return 1 if failed and not person_there else 0


def write_settings(folder: Path, password: str, secret: Secret) -> Path:
    file = folder / "radius-push.yaml"
    file.write_text(
        SETTINGS.format(
            radius=free_port(socket.SOCK_DGRAM),
            phone=free_port(socket.SOCK_STREAM),
            secret=secret.reveal().decode(),
            hash=hash_password(password.encode()),
        ),
        encoding="utf-8",
    )
    file.chmod(0o600)
    return file


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- the phone -------------------------------------------------------------------------------------


async def enrol(server: Server, url: str, *, person_there: bool) -> SoftwarePhone | None:
    """A phone for alice: the software phone, or None when a person's browser is the phone."""
    found = await server.directories["staff"].find(USER)
    if not isinstance(found, Person):
        raise RuntimeError("the demo's own user is not there")
    title("Alice gets a phone")
    shown = await enrollment.invite(
        server.store,
        person=found,
        lifetime=server.settings.enrollment.shown_code,
        pepper=server.keys.pepper,
        by="demo",
        now=server.clock.now(),
        token=secrets.token_bytes(16),
        code_octets=secrets.token_bytes(5),
    )
    link = enrollment.link(url, shown)
    if person_there and await person_is_the_phone(server, link, shown):
        return None
    phone = await SoftwarePhone.enrol(link, name="demo phone")
    code = phone.confirmation_code
    await enrollment.confirm(server.store, shown.invitation, code, by="demo", now=server.clock.now())
    row("phone", f"makes a key, shows the code {code}; the issuer types it: the phone is trusted")
    return phone


async def person_is_the_phone(server: Server, link: str, shown: enrollment.Shown) -> bool:
    """Offer the link; True once the person's browser is enrolled, False if they pressed Enter instead."""
    say("   You can be the phone: open this link in a browser on this machine,")
    say(f"\n       {link}\n")
    say("   or press Enter, and a software phone plays the part.")
    person = PersonKey("staff", USER)
    pressed = asyncio.ensure_future(typed_line())
    redeemed = asyncio.ensure_future(
        enrollment.wait_for_phone(server.store, shown.invitation, person=person, clock=server.clock)
    )
    await asyncio.wait({pressed, redeemed}, return_when=asyncio.FIRST_COMPLETED)
    device = redeemed.result() if redeemed.done() else None
    if device is None:
        redeemed.cancel()
        pressed.cancel()
        return False
    say(f"   {device.name} is waiting. Type the 6-digit code it shows:")
    typed = await pressed
    while True:
        word = await enrollment.confirm(
            server.store, shown.invitation, typed, by="demo", now=server.clock.now()
        )
        if word != "wrong":
            return word == "confirmed"
        say("   That is not the code it shows. Once more:")
        typed = await typed_line()


async def typed_line() -> str:
    """One line from the terminal, without a thread that could not be stopped."""
    line: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()

    def read() -> None:
        if not line.done():
            line.set_result(sys.stdin.readline().strip())

    loop.add_reader(sys.stdin.fileno(), read)
    try:
        return await line
    finally:
        loop.remove_reader(sys.stdin.fileno())


# --- a login ---------------------------------------------------------------------------------------


async def act(
    scene: Scene, server: Server, phone: SoftwarePhone | None, *, password: str, secret: Secret
) -> bool:
    """Play one login as its gateway and its phone; True if it ended as it should."""
    title(scene.title)
    if phone is None and scene.person:
        say(f"   {scene.person}")
    row("gateway", f"Access-Request from {scene.source}: User-Name {USER}, Calling-Station-Id {AWAY}")
    tapping = (
        asyncio.ensure_future(phone.answer_next(approve=scene.approve, seconds=scene.seconds))
        if phone is not None and scene.approve is not None
        else None
    )
    reply = await ask(
        server=server.authentication[0],
        secret=secret,
        username=USER,
        password=password if scene.right_password else "not-" + password,
        attributes=[("Calling-Station-Id", AWAY), ("NAS-Identifier", "demo")],
        timeout=scene.seconds,
        tries=1,
        source=(scene.source, 0),
        dictionary=load_dictionary(),
    )
    if tapping is not None:
        await tapping
    if reply is None:
        row("gateway", "got no answer")
        return False
    row("gateway", f"{CODES.get(reply.code, reply.code)} after {reply.seconds:.1f} s")
    for name, values in reply.attributes.items():
        for value in values:
            row("", f"  {name} = {value}")
    return reply.code == scene.ends


def tell(at: float, event: events.Event) -> None:
    """What the server wrote into its evidence, in the order in which it happened."""
    match event:
        case events.Asked():
            thinking(event.directories, event.trace)
            row("question", f"{event.login}: {event.client} asks for {event.username}, from {event.address}")
            row("", f"profile {event.profile}, on {event.devices} phone; the gateway waits")
        case events.Answered():
            row("phone", f"{event.answer}, signed by the phone's own key")
        case events.Accepted():
            row("evidence", f"accepted by policy {event.policy!r}, chained and on disk before the reply")
        case events.Rejected() if event.question is None:
            thinking(event.directories, event.trace)
            row("log", f"rejected: {event.reason} (the gateway is not told why)")
        case events.Rejected():
            row("log", f"rejected: {event.reason}")
        case _:
            pass


def thinking(directories: tuple[str, ...], trace: tuple[str, ...]) -> None:
    for said in directories:
        row("directory", said)
    for step in trace:
        row("policy", step)


def title(text: str) -> None:
    say(f"\n{text}")


def row(who: str, what: str) -> None:
    say(f"   {who:<10} {what}")


def say(text: str) -> None:
    print(text, flush=True)
