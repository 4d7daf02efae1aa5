"""The first factor: which directory speaks for the person, and whether their password is right."""

from __future__ import annotations

from dataclasses import replace

from radius_push import credentials
from radius_push.doors import Doors, Grounds, Prove
from radius_push.model import (
    Ambiguous,
    Down,
    Person,
    Proof,
    Proved,
    Reason,
    Right,
    Secret,
    Unknown,
    Wrong,
)
from radius_push.ports import Directory
from radius_push.story import End, Quiet, Refuse, Story


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
