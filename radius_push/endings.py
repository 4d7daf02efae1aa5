"""How a login ends without a question: what is written, when it leaves, and what the gateway is told."""

from __future__ import annotations

import asyncio
import math

from radius_push.doors import Doors
from radius_push.model import Reason, Rejected, Silent, Verdict
from radius_push.radius.packet import Arrival
from radius_push.shapes import Texts
from radius_push.story import End, Quiet, Refuse, Story, rejected, unanswered

REFUSED = "Sign-in refused."
"""The one text of every refusal before the question: it must not tell why."""


def told_no(story: Story, reason: Reason, text: str = REFUSED) -> Rejected:
    """Under the code of the story, which may be that of an earlier request for the same question. Each has
    one, also a refusal that is only counted: its look must not tell why."""
    return Rejected(reason, text, story.arrival.login)


async def before_the_question(end: End, story: Story, doors: Doors, text: str = REFUSED) -> Verdict:
    """Every refusal looks the same and comes at the same moment, whatever its reason."""
    if isinstance(end, Quiet):
        return await quiet(end, story, doors)
    await doors.store.record(rejected(story, end))
    await the_common_moment(story.arrival, doors)
    return told_no(story, end.reason, text)


async def after_the_password(end: End, story: Story, doors: Doors) -> Verdict:
    """A refusal of a right password: its packet is never worked on again, whatever changes until somebody
    plays it a second time. After silence the same packet is a fresh try."""
    request, at = story.arrival.request.memory, story.arrival.at
    if isinstance(end, Refuse):
        if not await doors.store.remember_request(request, at):
            return await played_again(story, doors)
        story.arrival.supersede()
    return await before_the_question(end, story, doors)


async def rings_no_more(why: Reason, texts: Texts, story: Story, doors: Doors) -> Verdict:
    """The phones stay quiet. Who comes again after a no hears that no again; a stranger to this address hears
    nothing that others do not."""
    match why:
        case Reason.DENIED_BEFORE:
            text = texts.denied
        case Reason.NOT_ANSWERED_BEFORE:
            text = texts.timeout
        case _:
            text = REFUSED
    story.arrival.supersede()  # the store knew neither packet nor request: it is a new one
    return await before_the_question(Refuse(why), story, doors, text)


async def from_anybody(end: End, story: Story, doors: Doors) -> Verdict:
    """A probe, or no seal and no readable password: anybody could have sent this, as often as they like. It
    is counted, and never stored."""
    doors.count(story.arrival, end)
    if isinstance(end, Quiet):
        return Silent(end.reason)
    await the_common_moment(story.arrival, doors)
    return told_no(story, end.reason)


async def played_again(story: Story, doors: Doors, detail: str = "") -> Silent:
    """A packet that led somewhere before. Whoever has recorded one plays it as often as they like: the first
    time is evidence; from then on no directory is asked because of it, and it is only counted."""
    memory, now = story.arrival.request.memory, doors.clock.monotonic()
    told, end = memory + b"told", Quiet(Reason.REPLAYED, detail)
    if doors.replayed.known(told, now):
        doors.count(story.arrival, end)
        return Silent(end.reason)
    for mark in (memory, told):
        doors.replayed.remember(mark, now)
    return await quiet(end, story, doors)


async def the_common_moment(arrival: Arrival, doors: Doors) -> None:
    """Wait until arrival + `reject_delay`, or its next whole multiple if that has passed."""
    delay = doors.settings.reject_delay
    if delay <= 0:
        return
    passed = doors.clock.monotonic() - arrival.started
    await asyncio.sleep(max(1, math.ceil(passed / delay)) * delay - passed)


async def quiet(end: Quiet, story: Story, doors: Doors) -> Silent:
    await doors.store.record(unanswered(story, end))
    return Silent(end.reason, story.arrival.login)
