"""What `trace` prints of a login: each thing that happened, in words, on 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from radius_push.cli.columns import day_and_time, shown
from radius_push.model import Device
from radius_push.observe import words
from radius_push.observe.timeline import Login, Step, reason_of

LONGEST = 1000
"""Characters of what a directory or a policy had to say."""
WIDTH = 80
"""Columns of the page: what does not fit goes on below."""
OF_AN_ID = 8
"""Letters of a phone's id, as `radius-push devices` takes them."""
WITHOUT_A_RING = {
    "ticket": "the yes that came too late for the try before; no phone rang",
    "follow_on": "the yes of a moment before; no phone rang",
}
"""How a second factor is told that is not this try's own."""
_TEXT_AT = 26
_LABELS = {
    "session_started": "session",
    "session_ended": "session",
    "came_back": "again",
    "push_received": "receipt",
}
"""What stands before an event that has a longer name."""
_TOLD_ELSEWHERE = {
    "login", "username", "person", "address", "question", "payload", "signature", "arrived_at", "packet",
    "directories", "trace",
}  # fmt: skip
"""Fields of an event that the timeline has in its first line, or that are of use only as evidence."""


def timeline(login: Login, phones: Mapping[str, Device]) -> Iterator[str]:
    """Each thing that happened, with the seconds since the request came."""
    address = login.first("address")
    yield f"  {day_and_time(login.began)}"
    came = f"of client {shown(login.first('client'))} for {shown(login.first('username'))}"
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
        came_again = _came_again(step, login)
        if came_again is not None:
            yield from _told(
                came_again,
                "request",
                ["again: the person, or the gateway, tried once more", *filter(None, [step.text("packet")])],
            )
        yield from _told(after, _LABELS.get(step.kind, step.kind), told(step, phones))
        if (reason := reason_of(step)) is not None:
            yield from _told(None, "reply", [words.reply(reason)])


def _came_again(step: Step, login: Login) -> float | None:
    """When the request came that was let in without a ring, after an earlier one: seconds since that."""
    at = step.fields.get("arrived_at")
    if step.text("method") not in WITHOUT_A_RING or not isinstance(at, int | float) or at <= login.began:
        return None
    return float(at) - login.began


def _happened_at(step: Step) -> float:
    """Repeated packets are noted at the end, with the time of the last one."""
    last = step.fields.get("last_at") if step.kind == "repeated" else None
    return float(last) if isinstance(last, int | float) else step.at


def _told(after: float | None, label: str, texts: list[str]) -> Iterator[str]:
    time = "" if after is None else f"+{max(after, 0.0):.3f} s"
    first = f"  {time:>10}  {label:<10}  "
    for text in texts:
        yield from wrapped(first + shown(text, longest=LONGEST), indent=_TEXT_AT)
        first = " " * _TEXT_AT


def wrapped(text: str, *, indent: int) -> list[str]:
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
            return _asked(step)
        case "joined":
            place = (
                f"client {step.text('client')}, {step.text('source')} port {step.fields.get('source_port')}"
            )
            was = f"the question was {step.text('was')}"
            return [f"a later try, from {place}, by {step.text('proof')}: no phone rang; {was}"]
        case "rang":
            wait = f"after {step.fields.get('milliseconds')} ms"
            said = f"{step.text('channel')} to {phone}: {step.text('outcome')}, {wait}"
            return [said, *filter(None, [step.text("detail")])]
        case "push_received":
            done = "opened by it" if step.text("what") == "opened" else "reached by it"
            wait = f"{step.fields.get('milliseconds')} ms after the push"
            return [f"{phone}: {done}, {wait} ({step.text('channel')})"]
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
            return _answered(step, phone)
        case "contested":
            return [f"{phone} says: this wasn't me; what the yes could still open is closed"]
        case "accepted":
            reply = [" = ".join(map(str, pair)) for pair in _pairs(step)]
            return [f"{_by(step)}; second factor: {_second_factor(step)}", *reply]
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
    return [_anything(step)]


def _answered(step: Step, phone: str) -> list[str]:
    late = ", when the gateway had given up" if step.fields.get("late") else ""
    said = [f"{step.fields.get('answer')}, signed by {phone}{late}"]
    if step.fields.get("device_on_login_address"):
        said.append("from the address of the sign-in itself, as the gateway reported it")
    return said


def _asked(step: Step) -> list[str]:
    devices, lane = step.fields.get("devices"), step.fields.get("lane")
    said = [f"{devices} phone{'' if devices == 1 else 's'} of {step.text('person')}; {_by(step)}"]
    if isinstance(lane, int) and lane > 1:
        said.append(f"sign-in {lane} of those that wait at once")
    if step.fields.get("unanswered"):
        said.append(f"not answered shortly before: {step.fields['unanswered']}")
    if step.fields.get("rings") is False:
        said.append("too many rang in vain: only an open app shows it")
    return said


def _second_factor(step: Step) -> str:
    method = step.text("method") or ""
    return ": ".join(filter(None, (method, WITHOUT_A_RING.get(method))))


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
