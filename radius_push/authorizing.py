"""Authorize-Only: a gateway asks what somebody may whom it let in a moment ago. No password, and no ring.

RFC 5176 3.1 calls it Service-Type 17; a Cisco ASA can ask so once more after each login.
"""

from __future__ import annotations

from radius_push import credentials, policy
from radius_push.deciding import choose
from radius_push.doors import Doors
from radius_push.endings import before_the_question, played_again
from radius_push.first_factor import first_factor
from radius_push.model import Person, Proved, Reason, Right, Verdict
from radius_push.ports import Directory
from radius_push.story import Refuse, Story, accepted, whose

MOMENT = 60.0
"""Seconds after an accept in which it may be asked."""


async def authorize(story: Story, doors: Doors) -> Verdict:
    """Of a sealed request alone: nothing else in it proves anything."""
    story, person = await first_factor(story, doors, _proved_before)
    if not isinstance(person, Person):
        return await before_the_question(person, story, doors)
    story, choice = choose(story, person, doors)
    if not isinstance(choice, policy.Admitted):
        return await before_the_question(choice, story, doors)
    at, arrival = doors.clock.now(), story.arrival
    group = whose(arrival.client)
    clients = {each.name for each in doors.settings.clients.values() if whose(each) == group}
    if not await doors.store.was_let_in(
        person.key, clients=clients | {arrival.client.name}, profile=choice.profile.name, since=at - MOMENT
    ):
        return await before_the_question(Refuse(Reason.NOTHING_TO_AUTHORIZE), story, doors)
    event = accepted(story, person, choice, method="authorize_only")
    if await doors.store.accept(None, at=at, event=event, request=arrival.request.memory):
        arrival.supersede()
        return credentials.accept(story, choice.reply)
    return await played_again(story, doors)


async def _proved_before(directory: Directory, person: Person) -> Proved:
    return Right("no password is asked for")
