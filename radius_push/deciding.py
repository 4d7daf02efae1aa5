"""Which profile a login gets, and which reply: decided once before the question, and once more at its yes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from radius_push import credentials, policy
from radius_push.doors import Doors, Grounds
from radius_push.model import Person, Reason
from radius_push.radius.packet import ReplyNotComputed, check_reply
from radius_push.story import End, Quiet, Refuse, Story


def choose(story: Story, person: Person, grounds: Grounds) -> tuple[Story, policy.Admitted | End]:
    """Which profile, and which reply attributes; the same function decides again at approval."""
    facts = policy.Facts(
        person=person,
        client=story.arrival.client,
        address=None if story.reported is None else story.reported.address,
        address_is_its_own=story.reported is not None and story.reported.own,
        request=story.arrival.request.attributes,
        sealed=story.arrival.request.authentic,
        today=datetime.fromtimestamp(grounds.clock.now(), UTC).date(),
    )
    decision = policy.decide(grounds.rules, facts)
    story = replace(story, trace=decision.trace)
    match decision:
        case policy.Refused(reason=reason, detail=detail):
            return story, Refuse(reason, detail)
        case policy.NotRead(attribute=attribute):
            return story, Quiet(Reason.ATTRIBUTE_NOT_READ, f"{attribute} could not be read")
        case policy.Admitted():
            try:
                check_reply(decision.reply, dictionary=grounds.dictionary, request=story.arrival.request)
            except ReplyNotComputed as problem:
                return story, Refuse(Reason.REPLY_NOT_COMPUTED, str(problem))
            return story, decision


def decide_again(story: Story, person: Person, then: Doors) -> tuple[Story, policy.Admitted | End]:
    """What the settings of this moment say of a login that was begun under those of `then`.

    The directory is not asked a second time: what newer policies ask for and nobody read counts as not
    read, and never as absent.
    """
    now = then.current()
    if now is then:
        return choose(story, person, now)
    client = now.clients.find(story.arrival.source, story.arrival.certificate)
    if client is None or client.name != story.arrival.client.name:
        return story, Refuse(Reason.DECIDED_OTHERWISE, "the client is not there any more")
    if why := credentials.not_taken_any_more(story.arrival.request, client):
        return story, Refuse(Reason.DECIDED_OTHERWISE, why)
    story = replace(story, arrival=replace(story.arrival, client=client))
    name = person.key.authentication_profile
    if then.settings.authentication_profiles.get(name) != now.settings.authentication_profiles.get(name):
        return story, Refuse(Reason.DECIDED_OTHERWISE, f"{name} is another directory now")
    asked, needed = (policy.needed_attributes(doors.settings.policies, name) for doors in (then, now))
    return choose(story, replace(person, unread=person.unread | (needed - asked)), now)
