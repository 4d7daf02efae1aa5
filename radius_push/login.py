"""One login, from the gateway's packet to what the gateway is told. Read this file first.

    proof -> the directory that speaks for the person -> policies -> the phones -> verdict

Each step returns what it found, and the next one takes it as an argument; what is known so far is a
frozen `Story`. A login that ends early ends in one of two ways: `Refuse` is an answer about the person,
`Quiet` is no answer at all, so that the gateway tries its second server.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from radius_push import come_back, credentials, events, policy
from radius_push.doors import Doors, Grounds, Prove
from radius_push.endings import (
    after_the_password,
    before_the_question,
    from_anybody,
    played_again,
    quiet,
    told_no,
)
from radius_push.hanging_up import given_up, hung_up, wait_for_answer
from radius_push.model import (
    Ambiguous,
    Client,
    Down,
    Person,
    Proof,
    Proved,
    Question,
    QuestionState,
    Reason,
    Right,
    Secret,
    Silent,
    Unknown,
    Verdict,
    Wrong,
)
from radius_push.ports import Clock, Directory
from radius_push.radius.packet import Arrival, ReplyNotComputed, check_reply
from radius_push.radius.user_address import Reported, user_address
from radius_push.shapes import Profile
from radius_push.story import End, Quiet, Refuse, Story, accepted, asked, new_question, rejected, unanswered

SPARE = 5.0
"""Seconds of the gateway's patience that the phone's bar leaves for the way back."""

SHORTEST_QUESTION = 1.0
"""A question with less time than this is not asked: nobody can answer it."""


# --- the walk ------------------------------------------------------------------------------------


async def log_in(arrival: Arrival, doors: Doors) -> Verdict:
    """Decide one login. Takes as long as the person does; raises StoreDown if nothing can be written."""
    story = begin(arrival)
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
    reported = address_of(arrival)
    return Story(
        arrival=arrival,
        username=arrival.request.username or "",
        address=None if reported is None else str(reported.address),
    )


def address_of(arrival: Arrival) -> Reported | None:
    return user_address(arrival.request.attributes, client=arrival.client, gateway=arrival.source)


# --- the first factor ------------------------------------------------------------------------------


async def first_factor(story: Story, grounds: Grounds, prove: Prove) -> tuple[Story, Person | End]:
    """Ask the directories in order. The first that knows the user alone speaks for them; once one could
    not be asked, only the word of an `emergency` one counts."""
    someone_down = False
    for directory in directories_of(story, grounds):
        if someone_down and not directory.emergency:
            story = heard(story, directory, "not asked: only an emergency directory counts now")
            continue
        found = await directory.find(story.username)
        match found:
            case Unknown():
                story = heard(story, directory, "does not know this name")
                continue
            case Ambiguous():
                story = heard(story, directory, "more than one entry fits this name")
                return story, Refuse(Reason.AMBIGUOUS, directory.name)
            case Down(detail):
                story = heard(story, directory, f"down ({detail})")
                someone_down = True
                continue
            case Person():
                pass
        match await prove(directory, found):
            case Right(detail, nt_hash):
                story = heard(story, directory, f"knows {found.username}, {detail}")
                return replace(story, person=found, nt_hash=nt_hash), found
            case Wrong(reason, detail):
                why = detail or "the password is wrong"
                story = heard(story, directory, f"knows {found.username}, {why}")
                return replace(story, person=found), Refuse(reason, detail)
            case Down(detail):
                story = heard(story, directory, f"knows {found.username}, then down ({detail})")
                someone_down = True
    if someone_down:
        return story, Quiet(Reason.DIRECTORY_DOWN, "no directory that counts could be asked")
    return story, Refuse(Reason.UNKNOWN_USER)


def directories_of(story: Story, grounds: Grounds) -> list[Directory]:
    """Those that the client's profiles name, each once, in order."""
    names = dict.fromkeys(
        name
        for profile in story.arrival.client.profiles
        for name in grounds.settings.profiles[profile].fallback_auth_profiles
    )
    return [grounds.directories[name] for name in names]


async def prove(directory: Directory, person: Person, proof: Proof, doors: Doors) -> Proved:
    """One bind per packet at most; a password that was wrong a moment ago is not bound again, so that a
    gateway that repeats it locks nobody out. For CHAP and MS-CHAPv2 nothing is bound."""
    if not isinstance(proof, Secret):
        return credentials.with_nt_hash(await directory.prove(person, proof), proof)
    if doors.wrong_passwords.known(person.key, proof, doors.clock.monotonic()):
        await directory.pretend(person.entry)
        return Wrong(Reason.WRONG_PASSWORD, "the same wrong password again, not asked")
    proved = await directory.prove(person, proof)
    if isinstance(proved, Wrong) and proved.reason is Reason.WRONG_PASSWORD:
        doors.wrong_passwords.remember(person.key, proof, doors.clock.monotonic())
    return credentials.with_nt_hash(proved, proof)


def heard(story: Story, directory: Directory, what: str) -> Story:
    return replace(story, directories=(*story.directories, f"{directory.name}: {what}"))


# --- the policies ----------------------------------------------------------------------------------


def choose(story: Story, person: Person, grounds: Grounds) -> tuple[Story, policy.Admitted | End]:
    """Which profile, and which reply attributes; the same function decides again at approval."""
    reported = address_of(story.arrival)
    facts = policy.Facts(
        person=person,
        client=story.arrival.client,
        address=None if reported is None else reported.address,
        address_is_its_own=reported is not None and reported.own,
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


# --- the second factor -----------------------------------------------------------------------------


def asks_phones(profile: Profile) -> bool:
    return profile.methods[0] != "none"


async def by_password_alone(story: Story, person: Person, choice: policy.Admitted, doors: Doors) -> Verdict:
    if gone := given_up(story.arrival):
        return await quiet(gone, story, doors)
    event, request = accepted(story, person, choice, method="none"), story.arrival.request.memory
    if await doors.store.accept(None, at=doors.clock.now(), event=event, request=request):
        story.arrival.supersede()
        return credentials.accept(story, choice.reply)
    return await played_again(story, doors)


async def by_phone(story: Story, person: Person, choice: policy.Admitted, doors: Doors) -> Verdict:
    """Ask the person's phones and hold the request until one answers, or the bar has run out."""
    arrival, store, clock = story.arrival, doors.store, doors.clock
    devices = await store.devices_of(person.key, client=arrival.client.name)
    if not devices:
        return await after_the_password(Refuse(Reason.NOT_ENROLLED, "no device"), story, doors)
    if gone := hung_up(arrival):
        return await quiet(gone, story, doors)
    seconds = time_left(arrival, choice.profile, clock)
    if seconds < SHORTEST_QUESTION:
        return await after_the_password(
            Refuse(Reason.TIMED_OUT, "the first factor took all of the gateway's patience"), story, doors
        )

    question = new_question(story, person, choice, doors.new_id, now=clock.now(), seconds=seconds)
    event = asked(story, person, choice, question, devices=len(devices))
    request, mark = arrival.request.memory, come_back.mark(choice)
    if await store.open_question(
        question, request=request, event=event, packet=arrival.packet, decision=mark
    ):
        arrival.supersede()
        doors.ring(question)
        return await hold(story, person, choice, question, doors)
    return await once_more(story, person, choice, doors)


async def once_more(story: Story, person: Person, choice: policy.Admitted, doors: Doors) -> Verdict:
    """This very packet was worked on before. If that walk ended with its process, this one goes on in its
    place: with the same question under the same bar, or with the verdict that never left."""
    client, now = story.arrival.client, doors.clock.now()
    earlier = await doors.store.earlier(story.arrival.packet, client=client.name)
    if earlier is None or not come_back.may(earlier, person, choice, client=client, now=now):
        return await played_again(story, doors)
    question = earlier.question
    story = replace(story, arrival=replace(story.arrival, login=question.login))
    await doors.store.record(events.CameBack(question.login, question.id, question.state))
    if earlier.reply is not None:
        return credentials.accept(story, earlier.reply)
    if not come_back.still_holds(earlier, choice):
        return await decided_otherwise(story, question, doors)
    return await hold(story, person, choice, question, doors)


async def hold(
    story: Story, person: Person, choice: policy.Admitted, question: Question, doors: Doors
) -> Verdict:
    """Wait until a phone has answered, or the bar has run out."""
    store, clock = doors.store, doors.clock
    left = min(time_left(story.arrival, choice.profile, clock), question.expires_at - clock.now())
    answered = await wait_for_answer(question, story.arrival, store, seconds=left)
    if answered.state is QuestionState.PENDING and (gone := hung_up(story.arrival)):
        if await end(answered, QuestionState.CLOSED, unanswered(story, gone, question), doors):
            return Silent(gone.reason, story.arrival.login)
        answered = await store.question(question.id) or answered
    elif answered.state is QuestionState.PENDING:
        late = rejected(story, Refuse(Reason.TIMED_OUT), question)
        if await end(answered, QuestionState.TIMED_OUT, late, doors):
            return told_no(story, Reason.TIMED_OUT, choice.profile.texts.timeout)
        # Somebody answered in that very moment: their answer is the truth.
        answered = await store.question(question.id) or answered

    match answered.state:
        case QuestionState.APPROVED:
            return await let_in(story, person, choice, answered, doors)
        case QuestionState.DENIED:
            await store.record(rejected(story, Refuse(Reason.DENIED), question))
            return told_no(story, Reason.DENIED, choice.profile.texts.denied)
        case _:
            return await quiet(Quiet(Reason.SERVER_STOPPED), story, doors)


async def let_in(
    story: Story, person: Person, choice: policy.Admitted, question: Question, doors: Doors
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
    if await doors.store.accept(question.id, at=doors.clock.now(), event=event):
        return credentials.accept(story, choice.reply)
    gone = Refuse(Reason.DEVICE_REMOVED, "the device that approved is not active any more")
    if await end(question, QuestionState.CLOSED, rejected(story, gone, question), doors):
        return told_no(story, gone.reason)
    return await quiet(Quiet(Reason.REPLAYED, "another walk of this packet was faster"), story, doors)


async def decided_otherwise(story: Story, question: Question, doors: Doors) -> Verdict:
    changed = Refuse(Reason.DECIDED_OTHERWISE, "the rules changed while the phone was asked")
    if await end(question, QuestionState.CLOSED, rejected(story, changed, question), doors):
        return told_no(story, changed.reason)
    return await quiet(Quiet(Reason.REPLAYED, changed.detail), story, doors)


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
