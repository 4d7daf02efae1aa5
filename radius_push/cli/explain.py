"""`radius-push explain USER`: what a login would come to, step by step, and why."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import click

from radius_push import login
from radius_push.cli.invitation import plain
from radius_push.cli.options import config_option, could_not_run, json_option, load_settings
from radius_push.explanation import Explanation, Phones
from radius_push.model import PROOFS, Client, DeviceState, Person, PersonKey, ProofName, Secret
from radius_push.ports import DoorClosed
from radius_push.radius.packet import Arrival, Dictionary
from radius_push.shapes import Settings

EXIT_CODES = {"asked": 0, "accepted": 0, "rejected": 1, "unanswered": 2}


class ClockAt:
    """A wall clock that stands at one moment; waiting takes as long as ever."""

    def __init__(self, at: float) -> None:
        self._at = at

    def now(self) -> float:
        return self._at

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class Moment(click.ParamType[float]):
    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """`2027-06-30`, `2027-06-30T12:00`, `2027-06-30T12:00+02:00` -> UTC seconds."""
        if isinstance(value, float):
            return value
        try:
            found = datetime.fromisoformat(str(value))
            moment = found if found.tzinfo else found.replace(tzinfo=UTC)
            if not 1970 < moment.year < 9999:
                raise ValueError
            return moment.timestamp()
        except ValueError:
            self.fail("write 2027-06-30, or 2027-06-30T12:00 (UTC), or 2027-06-30T12:00+02:00", param, ctx)


class Pair(click.ParamType[tuple[str, str]]):
    name = "attribute=value"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not (name and equals and text):
            self.fail("write NAME=VALUE, as NAS-Identifier=vpn-1", param, ctx)
        return name, text


@click.command()
@click.argument("user")
@click.option("--client", "client_name", metavar="NAME", help="The gateway. Not needed if there is only one.")
@click.option("--address", help="The user's address, reported as such a gateway does.")
@click.option(
    "--request", "pairs", multiple=True, type=Pair(), help="An attribute of the request. May be repeated."
)
@click.option("--at", type=Moment(), help="Decide as at this moment: a day, or a day and time, UTC.")
@click.option(
    "--ask-password", is_flag=True, help="Also try the password (typed, or one line on standard input)."
)
@click.option(
    "--proof",
    type=click.Choice(PROOFS),
    help="How the gateway lets people prove who they are. Default: the first of these that it may.",
)
@config_option
@json_option
def explain(
    *,
    user: str,
    client_name: str | None,
    address: str | None,
    pairs: tuple[tuple[str, str], ...],
    at: float | None,
    ask_password: bool,
    proof: ProofName | None,
    config: Path,
    as_json: bool,
) -> None:
    """Say what a login of USER would come to, and why. Nobody is asked, and nothing is written.

    The same functions decide a real login. Without --ask-password the password is taken as right; with
    it, a wrong one counts at the directory. Exit code 0: asked or let in. 1: refused. 2: no answer.
    """
    from radius_push.explanation import imagine
    from radius_push.radius.packet import load_dictionary
    from radius_push.server import LoopClock

    settings = load_settings(config)
    client = _client(settings, client_name)
    attributes = [*pairs, *_address(address, pairs, client)]
    password = _password() if ask_password else None
    at = LoopClock().now() if at is None else at
    spoken = proof or _first_accepted(client)
    dictionary = load_dictionary(settings.dictionaries)
    try:
        arrival = imagine(
            user,
            client=client,
            attributes=attributes,
            password=password,
            proof=spoken,
            at=at,
            dictionary=dictionary,
        )
    except ValueError as problem:
        could_not_run(f"no gateway could send this: {problem}")
    try:
        told = asyncio.run(_explain(arrival, settings, proof=spoken, dictionary=dictionary))
    except (DoorClosed, OSError) as problem:
        could_not_run(str(problem))
    if as_json:
        click.echo(json.dumps(_values(told, attributes, dictionary=dictionary)))
    else:
        click.echo("\n".join(_lines(told, settings, dictionary=dictionary)))
    sys.exit(EXIT_CODES[told.verdict])


def _client(settings: Settings, name: str | None) -> Client:
    there_are = f"there are: {', '.join(settings.clients)}"
    if name is None:
        if len(settings.clients) > 1:
            raise click.UsageError(f"through which gateway? --client NAME; {there_are}")
        name = next(iter(settings.clients))
    if name not in settings.clients:
        raise click.UsageError(f"no client is called {name}; {there_are}")
    return settings.clients[name]


def _first_accepted(client: Client) -> ProofName:
    return next(name for name in PROOFS if name in client.accepts)


def _address(
    written: str | None, pairs: tuple[tuple[str, str], ...], client: Client
) -> list[tuple[str, str]]:
    from radius_push.radius.user_address import as_reported

    if written is None:
        return []
    try:
        reported = as_reported(ip_address(written), client=client)
    except ValueError:
        raise click.UsageError("--address takes an address, as 203.0.113.7") from None
    if any(name == reported[0] for name, _ in pairs):
        raise click.UsageError(f"--address is sent as {reported[0]}, which --request gives already")
    return [reported]


def _password() -> Secret:
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True)
        return Secret(typed)
    return Secret(sys.stdin.readline().rstrip("\r\n"))


async def _explain(
    arrival: Arrival, settings: Settings, *, proof: ProofName, dictionary: Dictionary
) -> Explanation:
    from radius_push import explanation
    from radius_push.doors import Grounds
    from radius_push.opening import open_directories, rules_of

    clock = ClockAt(arrival.at)
    directories = open_directories(settings, clock=clock)
    grounds = Grounds(
        settings=settings,
        rules=rules_of(settings),
        directories=directories,
        clock=clock,
        dictionary=dictionary,
    )
    store = Path(settings.store)
    try:
        return await explanation.explain(
            arrival, grounds, phones_of=lambda person: _phones(store, person), proof=proof
        )
    finally:
        for directory in directories.values():
            await directory.close()


async def _phones(file: Path, person: PersonKey) -> Phones | None:
    """From the store, if there is one: this verb makes none."""
    from radius_push.server import LoopClock
    from radius_push.store.sqlite import SqliteStore

    if not await asyncio.to_thread(file.exists):
        return None
    store = SqliteStore.open(file, clock=LoopClock(), on_event=lambda _at, _event: None)
    try:
        states = [device.state for device in await store.devices() if device.person == person]
        return Phones(
            states.count(DeviceState.ACTIVE),
            restored=states.count(DeviceState.RESTORED),
            biometrics=login.with_biometrics(await store.biometrics(person), await store.devices_of(person)),
        )
    finally:
        await store.close()


# --- what is said --------------------------------------------------------------------------------


def _lines(told: Explanation, settings: Settings, *, dictionary: Dictionary) -> Iterator[str]:
    story, person, choice = told.story, told.person, told.choice
    address = f"from {story.address}" if story.address else "user's address not told"
    yield f"{plain(story.username)} at {story.arrival.client.name}, {address}, {_moment(story.arrival.at)}"
    if story.arrival.client.require_message_authenticator != "yes":
        bears = "with a" if story.arrival.request.authentic else "without"
        yield f"as a packet {bears} Message-Authenticator: without one, what it says lets nobody in"
    yield from _part("Directories", story.directories)
    if person is not None:
        yield from _part(f"Person {plain(str(person.key))}", [f"entry: {person.entry}", *_attributes(person)])
    yield from _part("Policies", [*story.trace, *(f"{name}: not looked at" for name in told.not_looked_at)])
    if told.profile is not None:
        by = f"by policy {told.decided_by.name}" if told.decided_by else "by no policy"
        methods = [f"methods: {', '.join(choice.profile.methods)}"] if choice else []
        if choice and login.asks_biometrics(choice.profile):
            methods.append(f"biometrics: {choice.profile.biometrics}")
        yield from _part("Profile", [f"{told.profile}, {by}", *methods])
    reply = [f"{name} = {text} ({kind})" for name, text, kind in _reply(told, dictionary)]
    yield from _part("Reply", reply)
    if choice is not None and login.asks_phones(choice.profile):
        yield from _part("Phones", [_counted(told, settings)])
    yield ""
    yield f"Verdict: {plain(story.username)} {plain(told.sentence)}"


def _counted(told: Explanation, settings: Settings) -> str:
    phones, choice = told.phones, told.choice
    if phones is None:
        return f"none yet: there is no store at {settings.store}, `serve` makes it"
    required = choice is not None and login.asks_biometrics(choice.profile)
    able = f", {phones.biometrics} with a fingerprint or face" if required else ""
    waiting = f", and {phones.restored} to be confirmed since a restore" if phones.restored else ""
    return f"{phones.active}{able}{waiting}"


def _part(title: str, lines: list[str] | tuple[str, ...]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        yield from (f"  {plain(line)}" for line in lines)


def _attributes(person: Person) -> Iterator[str]:
    for name, values in sorted(person.attributes.items()):
        yield f"{name}: {'; '.join(values)}"
    for name in sorted(person.unread):
        yield f"{name}: could not be read"
    for name, groups in sorted(person.groups.items()):
        yield f"group {name}: {'; '.join(groups) or 'there is none'}"


def _reply(told: Explanation, dictionary: Dictionary) -> Iterator[tuple[str, str, str]]:
    for name, text in told.choice.reply if told.choice else ():
        known = dictionary.named(name.partition(":")[0])
        yield name, text, known.type if known else ""


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _values(
    told: Explanation, attributes: list[tuple[str, str]], *, dictionary: Dictionary
) -> dict[str, object]:
    story, person, choice = told.story, told.person, told.choice
    return {
        "user": story.username,
        "client": story.arrival.client.name,
        "address": story.address,
        "at": datetime.fromtimestamp(story.arrival.at, UTC).isoformat(timespec="seconds"),
        "request": attributes,
        "directories": story.directories,
        "person": None if person is None else str(person.key),
        "username": None if person is None else person.username,
        "entry": None if person is None else person.entry,
        "attributes": {} if person is None else dict(sorted(person.attributes.items())),
        "unread": [] if person is None else sorted(person.unread),
        "groups": {} if person is None else dict(sorted(person.groups.items())),
        "trace": story.trace,
        "not_looked_at": told.not_looked_at,
        "policy": told.decided_by.name if told.decided_by else None,
        "profile": told.profile,
        "methods": choice.profile.methods if choice else [],
        "reply": [
            {"name": name, "value": text, "type": kind} for name, text, kind in _reply(told, dictionary)
        ],
        "phones": told.phones.active if told.phones else None,
        "biometrics": choice.profile.biometrics if choice else None,
        "phones_with_biometrics": told.phones.biometrics if told.phones else None,
        "phones_to_confirm": told.phones.restored if told.phones else None,
        "seconds": told.seconds,
        "verdict": told.verdict,
        "reason": told.end.reason if told.end else None,
        "detail": told.end.detail if told.end else "",
        "says": told.sentence,
    }
