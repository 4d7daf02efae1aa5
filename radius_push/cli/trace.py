"""`radius-push trace CODE`: all that happened to one login, what it means and what to do next."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from radius_push import trace_code
from radius_push.cli.columns import day_and_time, shown
from radius_push.cli.options import config_option, json_option, with_store
from radius_push.model import Device
from radius_push.observe import logins as observed
from radius_push.observe import words
from radius_push.observe.logins import Outcome
from radius_push.observe.timeline import Login, Step, reason_of
from radius_push.ports import Clock, Store

LONGEST = 1000
"""Characters of what a directory or a policy had to say."""
WIDTH = 80
"""Columns of the page: what does not fit goes on below."""
OF_AN_ID = 8
"""Letters of a phone's id, as `radius-push devices` takes them."""
_TEXT_AT = 26
_LABELS = {
    "session_started": "session",
    "session_ended": "session",
    "came_back": "again",
    "try_joined": "joined",
}
"""What stands before an event that has a longer name."""
_TOLD_ELSEWHERE = {
    "login", "username", "person", "address", "question", "payload", "signature", "arrived_at", "packet",
    "directories", "trace",
}  # fmt: skip
"""Fields of an event that the timeline has in its first line, or that are of use only as evidence."""


Page = tuple[Outcome, Mapping[str, Device]]
"""How a login stands, and the phones that it speaks of."""


@click.command()
@click.argument("code")
@config_option
@json_option
def trace(*, code: str, config: Path, as_json: bool) -> None:
    """Tell the whole login with this CODE, which stands on the phone, in the log and behind a refusal.

    Letter case does not matter, nor do blanks, dashes and brackets; letters that are in no code are read as
    what they look like: O, I, L, Z, S, B and U as 0, 1, 1, 2, 5, 8 and V. Should two logins have the same
    code, both are told, the newer one first.
    """
    wanted = trace_code.read(code)

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
        click.echo(unknown(code, wanted), err=True)
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
    yield from _wrapped(headline(outcome), indent=4)
    yield ""
    yield from timeline(outcome.login, phones)
    means, do = meaning(outcome)
    yield ""
    yield from _wrapped(f"It means: {means}", indent=2)
    yield from _wrapped(f"What to do: {do}", indent=2)


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


def timeline(login: Login, phones: Mapping[str, Device]) -> Iterator[str]:
    """Each thing that happened, with the seconds since the request came."""
    address = login.text("address")
    yield f"  {day_and_time(login.began)}"
    came = f"of client {shown(login.text('client'))} for {shown(login.text('username'))}"
    at = f", who is at {shown(address)}" if address else ""
    yield from _told(0.0, "request", [came + at, *filter(None, [login.first("packet")])])
    said: tuple[str, ...] = ()
    # What goes beside a login is written a moment after it happened.
    for step in sorted(login.steps, key=_happened_at):
        after = _happened_at(step) - login.began
        for label, field in (("directory", "directories"), ("policy", "trace")):
            new = [text for text in step.texts(field) if text not in said]
            said += tuple(new)
            if new:
                yield from _told(after, label, new)
        yield from _told(after, _LABELS.get(step.kind, step.kind), told(step, phones))
        if (reason := reason_of(step)) is not None:
            yield from _told(None, "reply", [words.reply(reason)])


def _happened_at(step: Step) -> float:
    """Repeated packets are noted at the end, with the time of the last one."""
    last = step.fields.get("last_at") if step.kind == "repeated" else None
    return float(last) if isinstance(last, int | float) else step.at


def _told(after: float | None, label: str, texts: list[str]) -> Iterator[str]:
    time = "" if after is None else f"+{max(after, 0.0):.3f} s"
    first = f"  {time:>10}  {label:<10}  "
    for text in texts:
        yield from _wrapped(first + shown(text, longest=LONGEST), indent=_TEXT_AT)
        first = " " * _TEXT_AT


def _wrapped(text: str, *, indent: int) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        subsequent_indent=" " * indent,
        drop_whitespace=True,
        replace_whitespace=False,
        break_on_hyphens=False,
    )


def told(step: Step, phones: Mapping[str, Device]) -> list[str]:
    """One event in words, in one line or more."""
    phone = _name(step.text("device"), phones)
    match step.kind:
        case "asked":
            devices = step.fields.get("devices")
            return [f"{devices} phone{'' if devices == 1 else 's'} of {step.text('person')}; {_by(step)}"]
        case "rang":
            wait = f"after {step.fields.get('milliseconds')} ms"
            said = f"push to {phone}: {step.text('outcome')}, {wait}"
            return [said, *filter(None, [step.text("detail")])]
        case "shown":
            asleep = step.text("by") == "service_worker"
            return [f"on {phone}: " + ("the push woke its app" if asleep else "its app was open")]
        case "repeated":
            times = step.fields.get("times")
            by_now = "once more" if times == 1 else f"{times} more times by now"
            return [f"the gateway sent the same packet {by_now}, while it was held"]
        case "came_back":
            return [
                f"the same packet again, after its server had ended; the question is {step.text('state')}"
            ]
        case "abandoned":
            return [f"the gateway did not come back for the question, which was {step.text('state')}"]
        case "answered":
            late = ", when the gateway had given up" if step.fields.get("late") else ""
            return [f"{step.fields.get('answer')}, signed by {phone}{late}"]
        case "accepted":
            reply = [" = ".join(map(str, pair)) for pair in _pairs(step)]
            return [f"{_by(step)}; second factor: {step.text('method')}", *reply]
        case "rejected" | "unanswered":
            return [": ".join(filter(None, (step.text("reason"), step.text("detail"))))]
        case "sent":
            return ["the Access-Accept went out"]
        case "session_started":
            inside = ", ".join(step.texts("framed"))
            return [f"session {step.text('session')} of {step.text('nas')}{inside and f': {inside}'}"]
        case "session_ended":
            cause = ": ".join(filter(None, (step.text("by"), step.text("cause"))))
            return [f"session {step.text('session')} of {step.text('nas')}: {cause}"]
    return [_anything(step)]


def _anything(step: Step) -> str:
    """An event that has no words here yet is not lost."""
    rest = {name: value for name, value in step.fields.items() if name not in _TOLD_ELSEWHERE}
    return ", ".join(f"{name} {value}" for name, value in rest.items() if value not in (None, "", []))


def _by(step: Step) -> str:
    policy = step.text("policy")
    return f"profile {step.text('profile')}, by " + (
        f"policy {policy!r}" if policy else "none of the policies"
    )


def _name(device: str | None, phones: Mapping[str, Device]) -> str:
    known = phones.get(device or "")
    return f"{known.name!r} ({known.id[:OF_AN_ID]})" if known else device or "a phone"


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
    else:
        found = words.BY_PASSWORD_ALONE if login.text("method") == "none" else words.BY_PHONE
    return words.spoken(found.means), words.spoken(found.do)
