"""`radius-push users`: the people who have or had a phone, and how their last login ended."""

from __future__ import annotations

import json
from pathlib import Path

import click

from radius_push.cli.columns import Columns, day_and_time
from radius_push.cli.options import config_option, json_option, with_store
from radius_push.evidence import EvidenceRow
from radius_push.model import DeviceState, Known
from radius_push.ports import Clock, Store

HEADINGS = ("USER", "PERSON", *(state.name for state in DeviceState), "LAST LOGIN", "VERDICT")


@click.command()
@config_option
@json_option
def users(*, config: Path, as_json: bool) -> None:
    """List the people who have or had a phone: how many of them, and how their last login ended."""

    async def work(store: Store, clock: Clock) -> list[tuple[Known, EvidenceRow | None]]:
        return [(each, await store.last_login_of(each.person)) for each in await store.people()]

    found = with_store(config, work)
    if as_json:
        for known, row in found:
            click.echo(json.dumps(_values(known, row)))
    elif found:
        click.echo(Columns(HEADINGS, [_cells(known, row) for known, row in found]).table())
    else:
        click.echo("Nobody has a phone yet: `radius-push enroll USER`.")


def _values(known: Known, row: EvidenceRow | None) -> dict[str, object]:
    _, at, verdict, fields = row or (0, None, None, dict[str, object]())
    return {
        "user": known.username,
        "person": str(known.person),
        "devices": {state.value: known.devices.get(state, 0) for state in DeviceState},
        "last_login": day_and_time(at),
        "verdict": verdict,
        "reason": fields.get("reason"),
        "login": fields.get("login"),
    }


def _cells(known: Known, row: EvidenceRow | None) -> tuple[str | None, ...]:
    values = _values(known, row)
    verdict = " ".join(str(word) for word in (values["verdict"], values["reason"]) if word)
    counts = (str(known.devices.get(state, 0)) for state in DeviceState)
    return (known.username, str(known.person), *counts, day_and_time(row[1] if row else None), verdict)
