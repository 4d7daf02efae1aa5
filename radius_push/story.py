"""What is known of a login so far, the two ways in which it ends early, and the evidence of each end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from radius_push import events, policy
from radius_push.attempts import Lateness, Rider
from radius_push.factors.attempt import attempt
from radius_push.model import PROOFS, Client, Person, Question, Reason, Secret
from radius_push.radius.packet import Arrival
from radius_push.radius.user_address import Reported

MORE = 120.0
"""Seconds that later tries can add to a question."""


@dataclass(frozen=True, slots=True)
class Story:
    """What the steps of a login have found; each step makes a new one."""

    arrival: Arrival
    username: str
    """As typed."""
    reported: Reported | None
    """The user's address, as the gateway reported it."""
    person: Person | None = None
    directories: tuple[str, ...] = ()
    """What each directory said, in order."""
    trace: tuple[str, ...] = ()
    """Each policy with its hit or miss."""
    nt_hash: Secret | None = None
    """Of the password that was proved, 16 octets; None if nothing was, or nobody knows it."""

    @property
    def address(self) -> str | None:
        """The user's, as text."""
        return None if self.reported is None else str(self.reported.address)


@dataclass(frozen=True, slots=True)
class Refuse:
    """An answer about the person: Access-Reject."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Quiet:
    """No answer, so that the gateway tries its second server."""

    reason: Reason
    detail: str = ""


End = Refuse | Quiet


def new_question(
    story: Story,
    person: Person,
    choice: policy.Admitted,
    new_id: Callable[[], str],
    *,
    tag_key: Secret,
    late_window: float,
    now: float,
    seconds: float,
) -> Question:
    """What the phones are asked, for so many seconds from `now` on."""
    return Question(
        id=new_id(),
        login=story.arrival.login,
        person=person.key,
        account=person.username,
        client=story.arrival.client.name,
        profile=choice.profile.name,
        address=story.address,
        nonce=new_id(),
        opened_at=now,
        expires_at=now + seconds,
        closes_at=now + seconds + late_window + MORE,
        biometrics=choice.profile.biometrics,
        attempt=_attempt(story, person, tag_key),
    )


def _attempt(story: Story, person: Person, key: Secret) -> bytes | None:
    client, reported = story.arrival.client, story.reported
    if reported is None:
        return None
    # What anybody can write is not the gateway's own word: the two are never the same attempt.
    address = str(reported.address) if reported.own else f"elsewhere {reported.address}"
    return attempt(key, person.key, group=whose(client), address=address, nt_hash=story.nt_hash)


def whose(client: Client) -> str:
    """The gateways that serve the same logins. No group is called like a client that stands alone."""
    return f"client {client.name}" if client.group is None else f"group {client.group}"


def named_after(question: Question, story: Story) -> Story:
    """This request is about that question: whoever looks for either finds both."""
    return replace(story, arrival=replace(story.arrival, login=question.login))


def may_join(story: Story) -> bool:
    """Is the user's address the gateway's own word, and the attempt known? Else no other try is the same."""
    return story.reported is not None and story.reported.own and story.nt_hash is not None


def may_skip(story: Story) -> bool:
    """May it be let in without a ring, where a yes is there?"""
    arrival = story.arrival
    return may_join(story) and arrival.request.authentic and not arrival.client.may_be_many


def lateness(story: Story, window: float) -> Lateness:
    """What becomes of the question when this request is the last that waited for it. What the phone then says
    must be true: where no try can be let in by it, a yes is worth nothing."""
    return Lateness(window if may_join(story) else 0.0, counts=may_skip(story))


def rider(story: Story, *, now: float, seconds: float) -> Rider:
    """This request, as one of those that are held for a question."""
    arrival, client = story.arrival, story.arrival.client
    proof = arrival.request.proof
    assert proof in PROOFS  # noqa: S101  # its password was proved
    return Rider(
        packet=arrival.packet,
        client=client.name,
        source=str(arrival.source),
        source_port=arrival.source_port,
        proof=proof,
        arrived_at=arrival.at,
        until=arrival.at + client.patience,
        ends_at=now + seconds,
        may_join=may_join(story),
        may_skip=may_skip(story),
        follow_on=client.follow_on,
    )


def packet_of(arrival: Arrival) -> str:
    """For people: enough to find it in a capture."""
    request = arrival.request
    stream = "TCP" if arrival.certificate is None else "TLS"
    way = "UDP" if arrival.hang_up is None else stream
    sealed = "sealed" if request.authentic else "not sealed"
    place = f"{arrival.source} port {arrival.source_port}"
    return f"{request.proof}, from {place} by {way}, Identifier {request.identifier}, {sealed}"


def asked(
    story: Story, person: Person, choice: policy.Admitted, question: Question, *, devices: int
) -> events.Asked:
    return events.Asked(
        login=story.arrival.login,
        client=story.arrival.client.name,
        username=story.username,
        person=str(person.key),
        profile=choice.profile.name,
        policy=choice.policy,
        address=story.address,
        question=question.id,
        devices=devices,
        directories=story.directories,
        trace=story.trace,
        arrived_at=story.arrival.at,
        packet=packet_of(story.arrival),
    )


def accepted(
    story: Story, person: Person, choice: policy.Admitted, *, method: str, question: Question | None = None
) -> events.Accepted:
    return events.Accepted(
        login=story.arrival.login,
        client=story.arrival.client.name,
        username=story.username,
        person=str(person.key),
        profile=choice.profile.name,
        policy=choice.policy,
        method=method,
        question=question.id if question else None,
        device=question.device if question else None,
        address=story.address,
        reply=choice.reply,
        directories=story.directories,
        trace=story.trace,
        arrived_at=story.arrival.at,
        packet=packet_of(story.arrival),
    )


def rejected(story: Story, end: Refuse, question: Question | None = None) -> events.Rejected:
    return _ended(events.Rejected, story, end, question)


def unanswered(story: Story, end: Quiet, question: Question | None = None) -> events.Unanswered:
    return _ended(events.Unanswered, story, end, question)


Ended = TypeVar("Ended", events.Rejected, events.Unanswered)


def _ended(kind: type[Ended], story: Story, end: End, question: Question | None) -> Ended:
    return kind(
        login=story.arrival.login,
        client=story.arrival.client.name,
        username=story.username,
        person=str(story.person.key) if story.person else None,
        reason=end.reason,
        detail=end.detail,
        address=story.address,
        question=question.id if question else None,
        directories=story.directories,
        trace=story.trace,
        arrived_at=story.arrival.at,
        packet=packet_of(story.arrival),
    )
