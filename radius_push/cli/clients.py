"""`radius-push clients`: the VPN gateways, as the settings name them and as they were heard."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from radius_push.cli.columns import Columns, day_and_time
from radius_push.cli.enroll import issuer
from radius_push.cli.invitation import plain
from radius_push.cli.options import config_option, could_not_run, json_option, load_settings, with_store
from radius_push.cli.waiting import learned_values, patience_of, waiting
from radius_push.model import Client, Secret, Sighting, Stranger
from radius_push.ports import Clock, Store

HEADINGS = ("CLIENT", "SOURCE", "LAST HEARD", "MESSAGE-AUTHENTICATOR", "SECRET", "PATIENCE")
NEVER = "never heard"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the words ask for: nothing, or `unlatch NAME [SOURCE]`."""

    unlatch: str | None = None
    source: str | None = None

    @classmethod
    def parse(cls, words: Sequence[str]) -> Wanted:
        match list(words):
            case []:
                return cls()
            case ["unlatch", name]:
                return cls(unlatch=name)
            case ["unlatch", name, source]:
                return cls(unlatch=name, source=source)
        raise click.UsageError("either `clients`, or `clients unlatch NAME [SOURCE]`")


@dataclass(frozen=True, slots=True)
class Heard:
    """What the store knows of the gateways."""

    sightings: Sequence[Sighting]
    strangers: Sequence[Stranger]
    tallies: Mapping[tuple[str, str], int]
    latches: frozenset[tuple[str, str]]
    now: float

    @classmethod
    async def read(cls, store: Store, *, now: float) -> Heard:
        return cls(
            await store.sightings(),
            await store.strangers(),
            await store.tallies(),
            frozenset(await store.latches()),
            now,
        )


@click.command(options_metavar="[OPTIONS] [unlatch NAME [SOURCE]]")
@click.argument("words", nargs=-1, metavar="")
@config_option
@json_option
def clients(*, words: tuple[str, ...], config: Path, as_json: bool) -> None:
    """List the VPN gateways: when each address was last heard, whether it sends Message-Authenticator, which
    shared secret it uses, how long it really waits, what to set there if that is too short, and what was
    dropped since the server started. The newest few seconds may be missing.

    `unlatch NAME` lets a gateway with `require_message_authenticator: auto` send requests without one again
    (from SOURCE, or from all its addresses). It is in force within a few seconds."""
    wanted = Wanted.parse(words)
    settings = load_settings(config)
    named = settings.clients.get(wanted.unlatch or "")
    if wanted.unlatch is not None and named is None:
        known = ", ".join(settings.clients) or "there are none"
        could_not_run(f"no client is called {plain(wanted.unlatch)}; there are: {known}")
    from radius_push.opening import keys_of

    async def work(store: Store, clock: Clock) -> bool:
        if named is not None:
            return await _unlatch(store, named, wanted.source, at=clock.now(), as_json=as_json)
        key = keys_of(settings, create=False).tag
        _list(
            tuple(settings.clients.values()), await Heard.read(store, now=clock.now()), key, as_json=as_json
        )
        return True

    sys.exit(0 if with_store(config, work) else 1)


async def _unlatch(store: Store, client: Client, source: str | None, *, at: float, as_json: bool) -> bool:
    gone = await store.unlatch(client.name, source, by=issuer(), at=at)
    if as_json:
        click.echo(json.dumps({"client": client.name, "source": source, "unlatched": gone}))
    elif gone:
        what = "1 source" if gone == 1 else f"{gone} sources"
        click.echo(f"Unlatched {what} of {client.name}: requests without Message-Authenticator are taken.")
        if client.require_message_authenticator != "auto":
            rule = client.require_message_authenticator
            click.echo(f"That counts only under `auto`; the settings say {rule}.", err=True)
    else:
        click.echo(f"Nothing of {client.name} was latched.", err=True)
    return gone > 0


def _list(clients: Sequence[Client], heard: Heard, key: Secret, *, as_json: bool) -> None:
    if as_json:
        for client in clients:
            click.echo(json.dumps(_values(client, heard, key)))
        for stranger in heard.strangers:
            click.echo(json.dumps(_stranger(stranger)))
        return
    rows = [row for client in clients for row in _rows(client, heard, key)]
    click.echo(Columns(HEADINGS, rows).table())
    of_patience = (line for each in clients for line in waiting(each, heard.sightings, now=heard.now))
    for line in (*of_patience, *_counted(clients, heard), *_unknown(heard)):
        click.echo(line)


def _rows(client: Client, heard: Heard, key: Secret) -> Iterator[tuple[str | None, ...]]:
    found = [each for each in heard.sightings if each.client == client.name]
    if not found:
        networks = [str(network) for network in client.networks]
        certificates = (
            [f"certificate {name}" for name in client.certificate.names] if client.certificate else []
        )
        yield (
            client.name,
            ", ".join(networks + certificates),
            NEVER,
            client.require_message_authenticator,
            None,
            patience_of(client, None, now=heard.now),
        )
    for each in found:
        yield (
            client.name,
            each.source,
            day_and_time(each.last_at),
            _seal(client, each, heard),
            _secret(client, each, key),
            patience_of(client, each, now=heard.now),
        )


def _seal(client: Client, seen: Sighting, heard: Heard) -> str:
    if seen.sealed_at is None and seen.unsealed_at is None:
        return "inside TLS"
    sends = "sends it" if (seen.sealed_at or 0.0) > (seen.unsealed_at or 0.0) else "does not send it"
    latched = {(client.name, seen.source), (client.name, "*")} & heard.latches
    rule = client.require_message_authenticator
    return f"{sends} ({rule}{', latched' if rule == 'auto' and latched else ''})"


def _secret(client: Client, seen: Sighting, key: Secret) -> str | None:
    """Which one of the list the last packet's seal fitted: `1 of 2` is the newest."""
    from radius_push.gateways import secret_tag

    if seen.secret is None or (seen.unsealed_at or 0.0) > (seen.sealed_at or 0.0):
        return None  # without a seal nobody can tell
    for number, secret in enumerate(client.secrets, start=1):
        if secret_tag(secret, key) == seen.secret:
            return f"{number} of {len(client.secrets)}" + (" (newest)" if number == 1 else " (old)")
    return "one that is gone"


def _counted(clients: Sequence[Client], heard: Heard) -> Iterator[str]:
    for client in clients:
        counted = _tallies(client.name, heard)
        if counted:
            told = ", ".join(f"{counter} {times}" for counter, times in counted.items())
            yield f"{client.name} since the start: {told}"


def _unknown(heard: Heard) -> Iterator[str]:
    for stranger in heard.strangers:
        yield (
            f"{plain(stranger.source)} is no client: {stranger.packets} packets, "
            f"the last {day_and_time(stranger.last_at)}"
        )


def _tallies(client: str, heard: Heard) -> dict[str, int]:
    return {counter: times for (name, counter), times in sorted(heard.tallies.items()) if name == client}


def _values(client: Client, heard: Heard, key: Secret) -> dict[str, object]:
    return {
        "client": client.name,
        "addresses": [str(network) for network in client.networks],
        "preset": client.preset,
        "patience": client.patience,
        "patience_from": "settings" if client.patience_said else "preset",
        "require_message_authenticator": client.require_message_authenticator,
        "sources": [
            {
                "source": seen.source,
                "first_heard": day_and_time(seen.first_at),
                "last_heard": day_and_time(seen.last_at),
                "last_sealed": day_and_time(seen.sealed_at),
                "last_unsealed": day_and_time(seen.unsealed_at),
                "latched": bool({(client.name, seen.source), (client.name, "*")} & heard.latches),
                "secret": _secret(client, seen, key),
                **learned_values(client, seen, now=heard.now),
            }
            for seen in heard.sightings
            if seen.client == client.name
        ],
        "counted": _tallies(client.name, heard),
    }


def _stranger(stranger: Stranger) -> dict[str, object]:
    return {
        "stranger": stranger.source,
        "packets": stranger.packets,
        "first_heard": day_and_time(stranger.first_at),
        "last_heard": day_and_time(stranger.last_at),
    }
