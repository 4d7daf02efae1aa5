"""`radius-push trace CODE`: all that happened to one login, what it means and what to do next."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from radius_push.cli.columns import day_and_time, shown
from radius_push.cli.options import config_option, json_option, with_store
from radius_push.observe import logins as observed
from radius_push.observe import words
from radius_push.observe.logins import Outcome
from radius_push.observe.timeline import Step
from radius_push.ports import Clock, Store

_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{6}")
_LOOK_ALIKE = str.maketrans("OIL", "011", " -")
LONGEST = 1000
"""Characters of what a directory or a policy had to say."""
_TOLD_ELSEWHERE = {
    "login", "username", "person", "client", "address", "question", "payload", "signature", "arrived_at",
}  # fmt: skip
"""Fields of an event that the timeline has in its first line, or that are of use only as evidence."""


@click.command()
@click.argument("code")
@config_option
@json_option
def trace(*, code: str, config: Path, as_json: bool) -> None:
    """Tell the whole login with this CODE, which stands on the phone and in the log.

    Letter case does not matter, and O, I and L are read as 0, 1 and 1. Should two logins have the same code,
    both are told, the newer one first.
    """
    wanted = code.upper().translate(_LOOK_ALIKE)

    async def work(store: Store, clock: Clock) -> list[Outcome]:
        found = await observed.of_code(store, wanted)
        return [await observed.outcome(store, login, now=clock.now()) for login in found]

    outcomes = with_store(config, work)
    for number, outcome in enumerate(outcomes):
        if as_json:
            click.echo(json.dumps(values(outcome)))
        else:
            click.echo(("\n" if number else "") + "\n".join(lines(outcome)))
    if not outcomes:
        click.echo(unknown(code, wanted), err=True)
        sys.exit(1)


def unknown(code: str, wanted: str) -> str:
    """Why there may be nothing under this code."""
    if not _CODE.fullmatch(wanted):
        return (
            f"{shown(code)} is no trace code: it has six letters and digits, as on the phone and behind "
            "`login=` in the log. `radius-push logins` lists the last ones."
        )
    return (
        f"No login has the code {wanted}. `radius-push logins` lists the last ones. Packets that never "
        "become a login (unknown client, wrong shared secret), and logins while the store is down, are in "
        "the log only."
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


def lines(outcome: Outcome) -> Iterator[str]:
    """The login as a page: what became of it, step by step, what it means, what to do."""
    yield headline(outcome)
    yield ""
    yield from timeline(outcome)
    means, do = meaning(outcome)
    yield ""
    yield f"It means: {means}"
    yield f"What to do: {do}"


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
    return f"{login.code}: {who}: {stands}{after}"


def timeline(outcome: Outcome) -> Iterator[str]:
    """Each thing that happened, with the seconds since the request came."""
    login = outcome.login
    address = login.text("address")
    came = f"a request of client {shown(login.text('client'))} for {shown(login.text('username'))}"
    yield f"  {day_and_time(login.began)}"
    yield _line(0.0, "request", came + (f", who is at {shown(address)}" if address else ""))
    said: tuple[str, ...] = ()
    for step in login.steps:
        after: float | None = step.at - login.began
        for label, field in (("directory", "directories"), ("policy", "trace")):
            for text in step.texts(field):
                if text not in said:
                    yield _line(after, label, text)
                    after = None
            said += step.texts(field)
        first, *more = told(step, outcome)
        yield _line(step.at - login.began, step.kind, first)
        yield from (_line(None, "", each) for each in more)


def _line(after: float | None, label: str, text: str) -> str:
    time = "" if after is None else f"+{max(after, 0.0):.3f} s"
    return f"  {time:>11}  {label:<10}  {shown(text, longest=LONGEST)}"


def told(step: Step, outcome: Outcome) -> list[str]:
    """One event in words, in one line or more."""
    policy = step.text("policy")
    by = f"profile {step.text('profile')}, by " + (f"policy {policy!r}" if policy else "none of the policies")
    phone = outcome.device.name if outcome.device else "a phone"
    reply = [" = ".join(map(str, pair)) for pair in _pairs(step)]
    match step.kind:
        case "asked":
            devices = step.fields.get("devices")
            return [f"{devices} phone{'' if devices == 1 else 's'} of {step.text('person')}; {by}"]
        case "rang":
            wait = f"after {step.fields.get('milliseconds')} ms"
            said = f"push to {step.text('device')}: {step.text('outcome')}, {wait}"
            return [said, *filter(None, [step.text("detail")])]
        case "came_back":
            return [
                f"the same packet again, after its server had ended; the question is {step.text('state')}"
            ]
        case "abandoned":
            return [f"the gateway did not come back for the question, which was {step.text('state')}"]
        case "answered":
            return [f"{step.fields.get('answer')}, signed by {phone!r} ({step.text('device')})"]
        case "accepted":
            return [f"{by}; second factor: {step.text('method')}", *reply]
        case "rejected" | "unanswered":
            return [": ".join(filter(None, (step.text("reason"), step.text("detail"))))]
        case "sent":
            return ["the Access-Accept went out"]
        case "not_heard":
            after = f"{step.fields.get('milliseconds')} ms after the answer"
            if step.text("what") == "new_try":
                return [f"the same sign-in came again {after}: perhaps the gateway did not take it"]
            return [f"the same packet came {after}: the gateway did not take it"]
        case "session_started":
            inside = ", ".join(step.texts("framed"))
            session = f"session {step.text('session')} of {step.text('nas')}{inside and f': {inside}'}"
            return [session, "the gateway started a session: the answer was heard"]
        case "session_ended":
            cause = ": ".join(filter(None, (step.text("by"), step.text("cause"))))
            return [f"session {step.text('session')} of {step.text('nas')}: {cause}"]
    rest = {name: value for name, value in step.fields.items() if name not in _TOLD_ELSEWHERE and value}
    return [", ".join(f"{name} {value}" for name, value in rest.items())]


def _pairs(step: Step) -> list[list[object]]:
    reply = step.fields.get("reply")
    return [pair for pair in reply if isinstance(pair, list)] if isinstance(reply, list) else []


def meaning(outcome: Outcome) -> tuple[str, str]:
    """What it means, and what to do next."""
    login, reason = outcome.login, outcome.login.reason
    if reason is not None:
        found = words.REASONS[reason]
    elif outcome.verdict != "accepted":
        found = words.WITHOUT_A_REASON.get(outcome.verdict, words.ANOTHER_RELEASE)
    elif login.step("sent") is None:
        found = words.NOT_SENT
    elif login.step("not_heard") is not None and login.step("session_started") is None:
        again = (login.step("not_heard") or login.steps[0]).text("what") == "new_try"
        found = words.TRIED_AGAIN if again else words.NOT_HEARD
    else:
        found = words.BY_PASSWORD_ALONE if login.text("method") == "none" else words.BY_PHONE
    return words.spoken(found.means), words.spoken(found.do)
