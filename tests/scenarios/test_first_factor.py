"""Who speaks for a person: the directories of a client's profiles in order, and what an outage changes."""

from __future__ import annotations

from pathlib import Path

from radius_push import events
from radius_push.model import Ambiguous, Down, Found, Person, Proof, Proved, Reason, Unknown
from radius_push.ports import Directory
from tests.scenarios.house import ACCEPT, REJECT, SETTINGS, House, house
from tests.scenarios.turned import run

ROUNDS = SETTINGS.replace(
    "fallback_auth_profiles: [staff]}}", "fallback_auth_profiles: [staff, second, admins]}}"
).replace(
    "\nprofiles:",
    """
  second: {{type: local, users: {{zoe: {{password_hash: "{hash}"}}, alice: {{password_hash: "{hash}"}}}}}}
  admins: {{type: local, emergency: yes, users: {{zoe: {{password_hash: "{hash}"}}}}}}
profiles:""",
)
GATEWAY = "127.0.0.3"
"""Of the client whose profile asks for the password alone: these stories end with the first factor."""


class Says:
    """A directory that says one thing of everybody, and counts how often it is asked."""

    def __init__(self, real: Directory, found: Found) -> None:
        self.name, self.emergency = real.name, real.emergency
        self._found, self._real = found, real
        self.asked = 0

    async def find(self, username: str) -> Found:
        self.asked += 1
        return self._found

    async def prove(self, person: Person, proof: Proof) -> Proved:
        raise AssertionError("never found anybody")

    async def pretend(self, username: str) -> None:
        raise AssertionError("no password was wrong before")

    async def close(self) -> None:
        await self._real.close()


def put(h: House, name: str, found: Found) -> Says:
    fake = Says(h.server.directories[name], found)
    h.server.directories[name] = fake
    return fake


async def verdict(h: House, username: str, password: str = "correct horse") -> int | None:
    reply = await h.ask(username, password, source=GATEWAY, timeout=30)
    return reply.code if reply else None


def test_a_name_that_the_first_does_not_know_is_asked_of_the_next(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=ROUNDS) as h:
            assert await verdict(h, "zoe") == ACCEPT
            assert [e.person for e in h.of(events.Accepted)] == ["second:zoe"]

    run(story())


def test_whoever_knows_the_name_alone_speaks_also_when_the_password_is_wrong(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=ROUNDS) as h:
            second = put(h, "second", Unknown())
            assert await verdict(h, "alice", "not it") == REJECT
            assert second.asked == 0

    run(story())


def test_while_one_is_down_a_later_directory_is_not_asked_and_the_gateway_hears_nothing(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=ROUNDS) as h:
            put(h, "staff", Down("no route"))
            second, admins = put(h, "second", Unknown()), put(h, "admins", Unknown())
            assert await verdict(h, "alice") is None
            assert (second.asked, admins.asked) == (0, 1)
            assert [e.reason for e in h.of(events.Unanswered)] == [Reason.DIRECTORY_DOWN]

    run(story())


def test_an_emergency_directorys_word_counts_while_another_is_down(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=ROUNDS) as h:
            put(h, "staff", Down("no route"))
            assert await verdict(h, "zoe") == ACCEPT
            assert await verdict(h, "zoe", "not it") == REJECT
            assert {e.person for e in h.of(events.Accepted)} == {"admins:zoe"}

    run(story())


def test_an_ambiguous_name_is_a_reject_and_nobody_else_is_asked(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=ROUNDS) as h:
            put(h, "staff", Ambiguous())
            second = put(h, "second", Unknown())
            assert await verdict(h, "zoe") == REJECT
            assert second.asked == 0
            assert [e.reason for e in h.of(events.Rejected)] == [Reason.AMBIGUOUS]

    run(story())


def test_when_none_knows_the_name_it_is_a_reject(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=ROUNDS) as h:
            assert await verdict(h, "mallory") == REJECT
            assert [e.reason for e in h.of(events.Rejected)] == [Reason.UNKNOWN_USER]

    run(story())
