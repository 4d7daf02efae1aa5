"""One login, from the gateway's packet to what the gateway is told. Read this file first.

    proof -> the directory that speaks for the person -> policies -> the phones -> verdict

Each step returns what it found, and the next one takes it as an argument; what is known so far is a
frozen `Story`. A login that ends early ends in one of two ways: `Refuse` is an answer about the person,
`Quiet` is no answer at all, so that the gateway tries its second server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from radius_push import come_back, credentials, events, policy
from radius_push.attempts import Joined, Opened, Owed, Without
from radius_push.authorizing import authorize
from radius_push.deciding import choose, decide_again
from radius_push.doors import Doors
from radius_push.endings import (
    after_the_password,
    before_the_question,
    from_anybody,
    played_again,
    quiet,
    rings_no_more,
    told_no,
)
from radius_push.first_factor import first_factor, prove
from radius_push.hanging_up import falls_silent, given_up, hung_up, wait_for_answer
from radius_push.heard import tried_again
from radius_push.model import (
    Biometrics,
    Client,
    Device,
    Person,
    Question,
    QuestionState,
    Reason,
    Silent,
    Verdict,
)
from radius_push.ports import Clock
from radius_push.radius.packet import Arrival
from radius_push.radius.user_address import user_address
from radius_push.shapes import Profile
from radius_push.story import (
    Quiet,
    Refuse,
    Story,
    accepted,
    asked,
    lateness,
    named_after,
    new_question,
    rejected,
    rider,
    unanswered,
)

SPARE = 5.0
"""Seconds of the gateway's patience that the phone's bar leaves for the way back."""

GAVE_UP = "the gateway had asked again and again, and then no more: it waits no longer"

SHORTEST_QUESTION = 1.0
"""A question with less time than this is not asked: nobody can answer it."""


# --- the walk ------------------------------------------------------------------------------------


async def log_in(arrival: Arrival, doors: Doors) -> Verdict:
    """Decide one login. Takes as long as the person does; raises StoreDown if nothing can be written."""
    story = begin(arrival)
    if credentials.is_probe(arrival):
        return await from_anybody(Refuse(Reason.PROBE_USER), story, doors)
    if credentials.authorizes_only(arrival.request):
        return await authorize(story, doors)
    proof = credentials.read_proof(arrival)
    anybodys = credentials.from_anybody(arrival.request, proof)
    if isinstance(proof, Refuse | Quiet):
        if anybodys:
            return await from_anybody(proof, story, doors)
        return await before_the_question(proof, story, doors)

    known = doors.replayed.known(arrival.request.memory, doors.clock.monotonic())
    # Somebody's play from elsewhere must not keep the gateway's own packet from its question.
    if known and await doors.store.earlier(arrival.packet, client=arrival.client.name) is None:
        return await played_again(story, doors, "it was there before: no directory was asked")
    with doors.asking(arrival.client.name):
        story, person = await first_factor(story, doors, partial(prove, proof=proof, doors=doors))
    if not isinstance(person, Person):
        if anybodys:
            return await from_anybody(person, story, doors)
        if person.reason is Reason.WRONG_PASSWORD:
            doors.replayed.remember(arrival.request.memory, doors.clock.monotonic())
        return await before_the_question(person, story, doors)

    story, choice = choose(story, person, doors)
    if not isinstance(choice, policy.Admitted):
        return await after_the_password(choice, story, doors)

    if not asks_phones(choice.profile):
        return await by_password_alone(story, person, choice, doors)
    return await by_phone(story, person, choice, doors)


def begin(arrival: Arrival) -> Story:
    return Story(
        arrival=arrival,
        username=arrival.request.username or "",
        reported=user_address(arrival.request.attributes, client=arrival.client, gateway=arrival.source),
    )


# --- the second factor -----------------------------------------------------------------------------


def asks_phones(profile: Profile) -> bool:
    return profile.methods[0] != "none"


def asks_biometrics(profile: Profile) -> bool:
    return asks_phones(profile) and profile.biometrics == "required"


def with_biometrics(known: Mapping[str, Biometrics], devices: Iterable[Device]) -> int:
    """How many of these phones have a fingerprint or face that counts."""
    return sum(device.id in known and known[device.id].active is not None for device in devices)


def no_biometrics(profile: Profile) -> Refuse:
    """Nobody could say yes: so nobody is asked."""
    return Refuse(Reason.NO_BIOMETRICS, f"no phone with a fingerprint or face, which {profile.name} requires")


async def by_password_alone(story: Story, person: Person, choice: policy.Admitted, doors: Doors) -> Verdict:
    if gone := given_up(story.arrival):
        return await quiet(gone, story, doors)
    event, request = accepted(story, person, choice, method="none"), story.arrival.request.memory
    if await doors.store.accept(None, at=doors.clock.now(), event=event, request=request):
        story.arrival.supersede()
        return credentials.accept(story, choice.reply)
    return await played_again(story, doors)


async def by_phone(story: Story, person: Person, choice: policy.Admitted, doors: Doors) -> Verdict:
    """Ask the person's phones, unless they were asked about this attempt already, and hold the request."""
    arrival, store, clock = story.arrival, doors.store, doors.clock
    devices = await store.devices_of(person.key, client=arrival.client.name)
    if not devices:
        return await after_the_password(Refuse(Reason.NOT_ENROLLED, "no device"), story, doors)
    if asks_biometrics(choice.profile) and not with_biometrics(await store.biometrics(person.key), devices):
        return await after_the_password(no_biometrics(choice.profile), story, doors)
    if gone := hung_up(arrival):
        return await quiet(gone, story, doors)
    seconds = time_left(arrival, choice.profile, clock)
    if seconds < SHORTEST_QUESTION:
        return await after_the_password(
            Refuse(Reason.TIMED_OUT, "the first factor took all of the gateway's patience"), story, doors
        )

    now, settings = clock.now(), doors.settings
    question = new_question(
        story,
        person,
        choice,
        doors.new_id,
        tag_key=doors.tag_key,
        late_window=settings.late_window,
        now=now,
        seconds=seconds,
    )
    met = await store.open_or_join(
        question,
        rider(story, now=now, seconds=seconds),
        request=arrival.request.memory,
        event=asked(story, person, choice, question, devices=len(devices)),
        decision=come_back.mark(choice),
        limit=settings.ring_limit,
    )
    match met:
        case Opened(rings, before):
            arrival.supersede()
            if rings:
                doors.ring(question, clock.now() - (clock.monotonic() - arrival.started))
            if before is not None:
                await tried_again(store, before, now=now)
            return await hold(story, person, choice, question, doors)
        case Joined(question):
            arrival.supersede()
            return await hold(named_after(question, story), person, choice, question, doors)
        case Owed(question, by):
            arrival.supersede()
            return await let_in_again(named_after(question, story), person, choice, question, doors, by=by)
        case Reason.REPLAYED:
            return await once_more(story, person, choice, doors)
    return await rings_no_more(met, choice.profile.texts, story, doors)


async def once_more(story: Story, person: Person, choice: policy.Admitted, doors: Doors) -> Verdict:
    """This very packet was worked on before. If that walk ended with its process, this one goes on in its
    place: with the same question under the same bar, or with the verdict that never left."""
    client, now = story.arrival.client, doors.clock.now()
    earlier = await doors.store.earlier(story.arrival.packet, client=client.name)
    if earlier is None or not come_back.may(earlier, person, choice, client=client, now=now):
        return await played_again(story, doors)
    question = earlier.question
    story = named_after(question, story)
    await doors.store.record(events.CameBack(question.login, question.id, question.state))
    if earlier.reply is not None:
        return credentials.accept(story, earlier.reply)
    if earlier.over:
        return told_no(story, Reason.TIMED_OUT, choice.profile.texts.timeout)
    if not come_back.still_holds(earlier, choice):
        return await decided_otherwise(story, question, doors)
    return await hold(story, person, choice, question, doors)


async def hold(
    story: Story, person: Person, choice: policy.Admitted, question: Question, doors: Doors
) -> Verdict:
    """Wait until a phone has answered, or the bar has run out. Of the requests that wait for one question
    the newest is told; its gateway has forgotten the older ones."""
    store, clock, arrival = doors.store, doors.clock, story.arrival
    late = lateness(story, doors.settings.late_window)
    while True:
        left = min(time_left(arrival, choice.profile, clock), question.expires_at - clock.now())
        silence = falls_silent(arrival, clock)
        standing = await wait_for_answer(question, arrival, store, seconds=min(left, silence))
        question, at = standing.question, clock.now()
        match question.state:
            case QuestionState.PENDING if gone := hung_up(arrival):
                left_by = unanswered(story, gone, question)
                await store.leave(question.id, arrival.packet, late=late, at=at, event=left_by)
                return Silent(gone.reason, arrival.login)
            case QuestionState.PENDING if not standing.newest:
                return Silent(Reason.JOINED_BY_NEWER, arrival.login)
            case QuestionState.PENDING if silence < left and falls_silent(arrival, clock) > 0:
                continue  # it was here once more, or cannot tell yet
            case QuestionState.PENDING:
                gave_up = Refuse(Reason.TIMED_OUT, GAVE_UP if silence < left else "")
                timed_out = rejected(story, gave_up, question)
                if await store.end_of_bar(question.id, arrival.packet, late=late, at=at, event=timed_out):
                    return told_no(story, Reason.TIMED_OUT, choice.profile.texts.timeout)
                # Somebody answered, or joined, in that very moment: what the row says is the truth.
            case QuestionState.APPROVED if standing.newest:
                return await let_in(story, person, choice, question, doors)
            case QuestionState.DENIED if standing.newest:
                await store.record(rejected(story, Refuse(Reason.DENIED), question))
                return told_no(story, Reason.DENIED, choice.profile.texts.denied)
            case QuestionState.CLOSED if standing.newest:
                return await quiet(Quiet(Reason.SERVER_STOPPED), story, doors)
            case _:
                return Silent(Reason.JOINED_BY_NEWER, arrival.login)


async def let_in(
    story: Story,
    person: Person,
    choice: policy.Admitted,
    question: Question,
    doors: Doors,
) -> Verdict:
    """A device said yes. The rules of this moment must still say the same, and the gateway must still
    be waiting for this packet; then the accept is written, once, before anything is sent."""
    if why := given_up(story.arrival):
        await end(question, QuestionState.CLOSED, unanswered(story, why, question), doors)
        return Silent(why.reason, story.arrival.login)
    now, again = decide_again(story, person, doors)
    if not isinstance(again, policy.Admitted) or come_back.mark(again) != come_back.mark(choice):
        return await decided_otherwise(now, question, doors)
    event = accepted(story, person, choice, method="push", question=question)
    packet, at = story.arrival.packet, doors.clock.now()
    if await doors.store.accept(question.id, packet=packet, at=at, event=event):
        return credentials.accept(story, choice.reply)
    standing = await doors.store.standing(question.id, packet)
    if standing.question.state is QuestionState.APPROVED and not standing.newest:
        return await hold(story, person, choice, question, doors)  # a newer try came in that very moment
    gone = Refuse(
        Reason.DEVICE_REMOVED, "the device that approved is not active any more, or its yes was taken back"
    )
    if await end(question, QuestionState.CLOSED, rejected(story, gone, question), doors):
        return told_no(story, gone.reason)
    return await quiet(Quiet(Reason.REPLAYED, "another walk of this packet was faster"), story, doors)


async def let_in_again(
    story: Story,
    person: Person,
    choice: policy.Admitted,
    question: Question,
    doors: Doors,
    *,
    by: Without,
) -> Verdict:
    """A yes to this attempt is there, and nobody was let in by it, or one more may be: no phone rings."""
    if gone := given_up(story.arrival):
        return await quiet(gone, story, doors)
    now, again = decide_again(story, person, doors)
    if not isinstance(again, policy.Admitted) or come_back.mark(again) != come_back.mark(choice):
        return await before_the_question(Refuse(Reason.DECIDED_OTHERWISE), now, doors)
    event = accepted(story, person, choice, method=by, question=question)
    packet, at = story.arrival.packet, doors.clock.now()
    if await doors.store.accept(question.id, packet=packet, by=by, at=at, event=event):
        return credentials.accept(story, choice.reply)
    return await before_the_question(Refuse(Reason.TICKET_VOID), story, doors)


async def decided_otherwise(story: Story, question: Question, doors: Doors) -> Verdict:
    changed = Refuse(Reason.DECIDED_OTHERWISE, "the rules changed while the phone was asked")
    if await end(question, QuestionState.CLOSED, rejected(story, changed, question), doors):
        return told_no(story, changed.reason)
    return await quiet(Quiet(Reason.REPLAYED, changed.detail), story, doors)


def time_left(arrival: Arrival, profile: Profile, clock: Clock) -> float:
    """Seconds until the phone's bar ends: counted from the gateway's first packet."""
    return max(0.0, arrival.started + bar(arrival.client, profile) - clock.monotonic())


def bar(client: Client, profile: Profile) -> float:
    """Seconds that a phone has at most."""
    return min(profile.timeout, client.patience - SPARE)


async def end(question: Question, state: QuestionState, event: events.Event, doors: Doors) -> bool:
    return await doors.store.close_question(
        question.id, expected=question.state, state=state, at=doors.clock.now(), event=event
    )
