"""Apple's and Google's push services, tried for real: do they know us, and take what we send?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from radius_push.doctor.finding import SECONDS, Finding
from radius_push.model import Secret
from radius_push.push_shapes import Push
from radius_push.waking import AppChannel, Delivered, Gone, Outcome, Refused, Unreachable

REACH = "mend what it says; what is on the way there, the line of its host above tells"
OPEN_IT = "let its person open the app, which tells its token; an Android phone has none"
NAME_ONE = "name a phone: `doctor --device ID`, or its token on standard input: `doctor --apns-token -`"


class ApnsTry(Protocol):
    async def try_out(self, token: Secret) -> Outcome:
        """A real push to that device. Never raises."""

    async def close(self) -> None: ...


class FcmTry(Protocol):
    async def try_out(self, token: Secret | None) -> Outcome:
        """A dry run, with that device's token or without any. Never raises."""

    async def close(self) -> None: ...


async def try_apns(door: ApnsTry, push: Push, token: Secret | None, *, named: bool = False) -> Finding:
    """`named`: a phone was, so without a token it has none."""
    if token is None and named:
        return Finding("warning", "apns", "no push was tried: that phone has no token of Apple's", OPEN_IT)
    if token is None:
        return Finding("warning", "apns", "no push was tried: Apple has no dry run", NAME_ONE)
    try:
        async with asyncio.timeout(SECONDS):
            outcome = await door.try_out(token)
    except TimeoutError:
        return _late("apns")
    topic = push.apns.topic if push.apns else ""
    return _said("apns", outcome, good=f"Apple took a test push for {topic} to that phone")


async def try_fcm(door: FcmTry, push: Push, token: Secret | None) -> Finding:
    try:
        async with asyncio.timeout(SECONDS):
            outcome = await door.try_out(token)
    except TimeoutError:
        return _late("fcm")
    project = push.fcm.project if push.fcm else ""
    whose = "that phone" if token else "no phone in particular"
    good = f"Google took a dry run of {project} for {whose}: none rang"
    return _said("fcm", outcome, good=good)


def _late(channel: AppChannel) -> Finding:
    says = f"no answer within {SECONDS:g} s"
    return Finding("wrong", channel, says, REACH)


_GONE: Mapping[AppChannel, str] = {
    "apns": "Apple knows us, and not that token: is it of this app, and of this environment?",
    "fcm": "Google knows us, and not that token: is it of an app of this project, still installed?",
}


def _said(channel: AppChannel, outcome: Outcome, *, good: str) -> Finding:
    match outcome:
        case Delivered():
            return Finding("ok", channel, good)
        case Gone(detail):
            return Finding("warning", channel, detail, _GONE[channel])
        case Refused(detail):
            return Finding(
                "wrong", channel, detail, "what it says has to be mended, then `radius-push reload`"
            )
        case Unreachable(detail):
            return Finding("wrong", channel, detail, REACH)
