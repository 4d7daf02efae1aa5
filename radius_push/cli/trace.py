"""`radius-push trace CODE`: all that happened to one login, what it means and what to do next."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from radius_push import trace_code
from radius_push.cli.columns import shown
from radius_push.cli.options import config_option, json_option, with_store
from radius_push.cli.timeline import timeline, wrapped
from radius_push.model import Device, Reason
from radius_push.observe import logins as observed
from radius_push.observe import words
from radius_push.observe.logins import Outcome
from radius_push.observe.timeline import Login
from radius_push.ports import Clock, Store

Page = tuple[Outcome, Mapping[str, Device]]
"""How a login stands, and the phones that it speaks of."""


@click.command()
@click.argument("code", nargs=-1, required=True)
@config_option
@json_option
def trace(*, code: tuple[str, ...], config: Path, as_json: bool) -> None:
    """Tell the whole login with this CODE, which stands on the phone, in the log and behind a refusal.

    Letter case does not matter, nor do blanks, dashes and brackets; letters that are in no code are read as
    what they look like: O, I, L, Z, S, B and U as 0, 1, 1, 2, 5, 8 and V. Should two logins have the same
    code, both are told, the newer one first.
    """
    typed = " ".join(code)  # as it was read out: with blanks, and nobody quotes them
    wanted = trace_code.read(typed)

    async def work(store: Store, clock: Clock) -> list[Page]:
        found = await observed.of_code(store, wanted)
        outcomes = [await observed.outcome(store, login, now=clock.now()) for login in found]
        return [(outcome, await observed.phones(store, outcome.login)) for outcome in outcomes]

    pages = with_store(config, work)
    for number, (outcome, phones) in enumerate(pages):
        if as_json:
            click.echo(json.dumps(values(outcome)))
        else:
            click.echo(("\n" if number else "") + "\n".join(lines(outcome, phones)))
    if not pages:
        click.echo(unknown(typed, wanted), err=True)
        sys.exit(1)


def unknown(code: str, wanted: str) -> str:
    """Why there may be nothing under this code."""
    if not trace_code.is_code(wanted):
        return (
            f"{shown(code)} is no trace code: it has six letters and digits, as on the phone and behind "
            "`login=` in the log. `radius-push logins` lists the last ones."
        )
    return (
        f"No login has the code {wanted}. `radius-push logins` lists the last ones. What is only counted "
        "(requests without Message-Authenticator and password that anybody could have sent, the same packet "
        "played over and over), and logins while the store is down, are in the log, now and then with their "
        "code; packets of no client and with a wrong shared secret have none."
    )


def values(outcome: Outcome) -> dict[str, object]:
    """The login for a program: how it stands, what that means, and its events without signatures."""
    login = outcome.login
    means, do = meaning(outcome)
    steps = [
        {
            "after": round(step.at - login.began, 3),
            "at": step.at,
            "kind": step.kind,
            "fields": {k: v for k, v in step.fields.items() if k not in ("payload", "signature")},
        }
        for step in login.steps
    ]
    return {**outcome.values(), "means": means, "do": do, "steps": steps}


# --- for people --------------------------------------------------------------------------------------


def lines(outcome: Outcome, phones: Mapping[str, Device]) -> Iterator[str]:
    """The login as a page: what became of it, step by step, what it means, what to do."""
    yield from wrapped(headline(outcome), indent=4)
    yield ""
    yield from timeline(outcome.login, phones)
    means, do = meaning(outcome)
    yield ""
    yield from wrapped(f"It means: {means}", indent=2)
    yield from wrapped(f"What to do: {do}", indent=2)


def headline(outcome: Outcome) -> str:
    login, seconds = outcome.login, outcome.seconds
    stands = {
        "accepted": "accepted",
        "rejected": f"rejected ({login.text('reason')})",
        "unanswered": f"not answered ({login.text('reason')})",
        observed.WAITING: "waiting for a phone",
        observed.UNFINISHED: "without an end",
    }[outcome.verdict]
    after = "" if seconds is None else f", {'for' if login.end is None else 'after'} {seconds:.1f} s"
    who = f"{shown(login.text('username'))} through {shown(login.text('client'))}"
    contested = ", and contested" if login.contested else ""
    return f"{login.code}: {who}: {stands}{after}{contested}"


def meaning(outcome: Outcome) -> tuple[str, str]:
    """What it means, and what to do next."""
    login, reason = outcome.login, outcome.login.reason
    if login.contested:
        found = words.CONTESTED
    elif reason is Reason.TIMED_OUT and said_yes_late(login):
        found = words.YES_TOO_LATE
    elif reason is not None:
        found = words.REASONS[reason]
    elif outcome.verdict != "accepted":
        found = words.WITHOUT_A_REASON.get(outcome.verdict, words.ANOTHER_RELEASE)
    elif login.step("sent") is None:
        found = words.NOT_SENT
    elif login.step("not_heard") is not None and login.step("session_started") is None:
        again = (login.step("not_heard") or login.steps[0]).text("what") == "new_try"
        found = words.TRIED_AGAIN if again else words.NOT_HEARD
    else:
        found = words.BY_METHOD.get(login.text("method") or "", words.BY_PHONE)
    return words.spoken(found.means), words.spoken(found.do)


def said_yes_late(login: Login) -> bool:
    answered = login.step("answered")
    return answered is not None and bool(answered.fields.get("late")) and answered.text("answer") == "approve"
