"""`radius-push try-login`: a login through the real socket, as a gateway would send it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import click

from radius_push.cli.invitation import plain
from radius_push.cli.options import (
    ask_password,
    config_option,
    could_not_run,
    json_option,
    load_settings,
    no_store,
    served_as,
    with_config,
)
from radius_push.model import PROOFS

if TYPE_CHECKING:
    from radius_push.client import Reply
    from radius_push.evidence import EvidenceRow
    from radius_push.model import Client, ProofName
    from radius_push.radius.packet import Dictionary
    from radius_push.store.sqlite import SqliteStore

VERDICTS = {2: "accepted", 3: "rejected"}
MOST_SINCE = 200
"""Other logins that may have ended while ours was held."""
ELSEWHERE = "the reason is in the log of `radius-push serve`"


class Address(click.ParamType[str]):
    name = "address"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return str(ip_address(str(value)))
        except ValueError:
            self.fail("write an address, as 203.0.113.7 or 2001:db8::7", param, ctx)


@dataclass(frozen=True, slots=True)
class Why:
    """What the evidence says of a login that was not accepted; the wire does not say it."""

    login: str
    reason: str
    details: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        yield f"reason: {self.reason} (login {self.login})"
        yield from (plain(detail) for detail in self.details)

    def and_next(self, config: Path) -> Iterator[str]:
        """The same, and which verb says what that means."""
        yield from self.lines()
        yield f"what it means, and what to do: radius-push trace {self.login}{with_config(config)}"


@click.command("try-login")
@click.argument("user")
@config_option
@json_option
@click.option("--address", type=Address(), help="The user's address, reported as such a gateway does.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 3600, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds to wait for the answer.",
)
@click.option(
    "--proof",
    type=click.Choice(PROOFS),
    default="pap",
    show_default=True,
    help="How the password is proved; the client must accept it.",
)
@click.option("--name", metavar="NAME", help="Ask this one of `server.more_servers`, not the first server.")
def try_login(
    *,
    user: str,
    config: Path,
    as_json: bool,
    address: str | None,
    timeout: float,
    proof: ProofName,
    name: str | None,
) -> None:
    """Ask the running server as a gateway does; the password is typed, or one line on standard input.

    Says why a login was refused, if it may read the store. Exit code 0: accepted. 1: rejected. 2: no answer.
    """
    from radius_push.client import NobodyListens
    from radius_push.opening import keys_of
    from radius_push.own_clients import speaking_as
    from radius_push.ports import DoorClosed
    from radius_push.radius.packet import load_dictionary

    settings = served_as(load_settings(config), name)
    dictionary = load_dictionary(settings.dictionaries)
    store = Path(settings.store)
    try:
        if not store.exists():
            no_store(store)
        server, client = speaking_as(settings, keys_of(settings, create=False))
    except (DoorClosed, OSError) as problem:
        could_not_run(str(problem))
    password = ask_password()
    if not as_json:
        click.echo(f"asking {server[0]} port {server[1]} as client {client.name} ...")
        if address is not None and ip_address(address) == ip_address(server[0]):
            click.echo(
                f"{address} is where this asks from, and a gateway's own address is never shown as a user's: "
                "phones will be shown none. Name another one, such as 203.0.113.7"
            )
    asking = Asking(
        server,
        client,
        user,
        password,
        address=address,
        timeout=timeout,
        proof=proof,
        dictionary=dictionary,
    )
    try:
        reply, why = asyncio.run(asking.and_why(store))
    except NobodyListens:
        could_not_run(f"nothing listens on {server[0]}:{server[1]}: start `radius-push serve`")
    except (OSError, ValueError) as problem:
        could_not_run(f"could not ask: {problem}")
    tell(reply, why, config, as_json=as_json)
    if reply is None:
        said = (
            "; ".join(why.and_next(config))
            if why
            else f"is a phone still asked, or the server stuck? {ELSEWHERE}"
        )
        could_not_run(f"no answer within {timeout:g} s: {said}")
    sys.exit(0 if let_in(reply) else 1)


@dataclass(frozen=True, slots=True)
class Asking:
    server: tuple[str, int]
    client: Client
    user: str
    password: str
    address: str | None
    timeout: float
    proof: ProofName
    dictionary: Dictionary
    """With what the admin's files add: the reply is shown by its names."""

    async def and_why(self, file: Path) -> tuple[Reply | None, Why | None]:
        """Ask; and if it was not accepted and the store may be read, what it says of this login."""
        from radius_push.ports import StoreDown
        from radius_push.server import LoopClock
        from radius_push.store.sqlite import SqliteStore

        try:
            store = SqliteStore.open(file, clock=LoopClock(), on_event=lambda _at, _event: None)
        except StoreDown:
            return await self._ask(seal=self.client.require_message_authenticator != "auto"), None
        try:
            before = await last_end(store)
            reply = await self._ask(seal=await self._seals(store))
            if reply is not None and reply.code == 2:
                return reply, None
            whys = await refusals(store, user=self.user, client=self.client.name, after=before)
            return reply, whys[0] if whys else None
        finally:
            await store.close()

    async def _seals(self, store: SqliteStore) -> bool:
        """Under `auto` as its gateway does: the first seal from an address would bind the gateway to it."""
        from radius_push.radius.seals import EVERY_SOURCE

        if self.client.require_message_authenticator != "auto":
            return True
        sources = {(self.client.name, self.server[0]), (self.client.name, EVERY_SOURCE)}
        return not sources.isdisjoint(await store.latches())

    async def _ask(self, *, seal: bool) -> Reply | None:
        from radius_push.client import ask
        from radius_push.radius.user_address import as_reported

        address = ip_address(self.address) if self.address else None
        reported = [] if address is None else [as_reported(address, client=self.client)]
        return await ask(
            server=self.server,
            secret=self.client.secrets[0],
            username=self.user,
            password=self.password,
            proof=self.proof,
            attributes=[("NAS-Identifier", "try-login"), *reported],
            timeout=self.timeout,
            tries=1,
            wait_for_listener=False,
            message_authenticator=seal,
            dictionary=self.dictionary,
            source=(self.server[0], 0) if ip_address(self.server[0]).is_loopback else None,
        )


async def refusals(store: SqliteStore, *, user: str, client: str, after: int) -> list[Why]:
    """The logins of this user by this client that were not accepted, of those written since, newest first."""
    found = []
    for number, _, _, body in await _ends(store, most=MOST_SINCE):
        if number > after and body.get("username") == user and body.get("client") == client:
            details = [body.get("detail"), *_texts(body.get("directories")), *_texts(body.get("trace"))]
            told = tuple(str(each) for each in details if each)
            found.append(Why(str(body.get("login")), str(body.get("reason")), told))
    return found


async def last_end(store: SqliteStore) -> int:
    """The number in the evidence of the last login that was not accepted; 0 if there is none."""
    return max((number for number, *_ in await _ends(store, most=1)), default=0)


async def _ends(store: SqliteStore, *, most: int) -> Sequence[EvidenceRow]:
    """How the last logins that were not accepted ended, newest first; nothing if it can't be read."""
    from radius_push.ports import StoreDown

    try:
        return await store.evidence_before(None, kinds=("rejected", "unanswered"), most=most)
    except StoreDown:
        return ()


def _texts(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def let_in(reply: Reply) -> bool:
    """Accepted, and by a server that knows the password, where that is shown."""
    return reply.code == 2 and (reply.mschapv2 is None or reply.mschapv2.success)


def _of_mschapv2(reply: Reply) -> dict[str, str]:
    """What the reply says beside its attributes; never a key."""
    told = reply.mschapv2
    if told is None:
        return {}
    if reply.code != 2:
        return {"MS-CHAP-Error": told.error or "missing"}
    return {
        "MS-CHAP2-Success": "right: the server knows the password, too"
        if told.success
        else "WRONG or missing",
        "MPPE keys": "both there" if told.keys else "WRONG or missing",
    }


def tell(reply: Reply | None, why: Why | None, config: Path, *, as_json: bool) -> None:
    verdict = "no answer" if reply is None else VERDICTS.get(reply.code, f"code {reply.code}")
    if as_json:
        answered: dict[str, object] = {}
        if reply is not None:
            answered = {"seconds": round(reply.seconds, 3), "reply": reply.attributes, **_of_mschapv2(reply)}
        known = {"login": why.login, "reason": why.reason, "details": why.details} if why else {}
        click.echo(json.dumps({"verdict": verdict, **answered, **known}))
    elif reply is not None:
        click.echo(f"{verdict} after {reply.seconds:.1f} s")
        for name, values in reply.attributes.items():
            for value in values:
                click.echo(f"  {name} = {plain(value)}")
        for name, said in _of_mschapv2(reply).items():
            click.echo(f"  {name}: {plain(said)}")
        if reply.code != 2:
            for line in why.and_next(config) if why else (ELSEWHERE,):
                click.echo(f"  {line}")
