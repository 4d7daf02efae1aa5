"""The users written in the settings file: no network; what is hashed by argon2 takes a turn and a thread."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import argon2

from radius_push.directory import local_proofs
from radius_push.directory.threads import Crowded, Threads
from radius_push.directory.turns import CrowdedOut, Turns
from radius_push.dn import fold
from radius_push.model import (
    Down,
    Found,
    Person,
    PersonKey,
    Proof,
    Proved,
    Reason,
    Right,
    Secret,
    Unknown,
    Wrong,
)
from radius_push.shapes import LocalProfile

# argon2 costs about a tenth of a second of CPU and 64 MiB of memory for each proof.
_THREADS = 2
_WAITING = 254
_WAITING_OF_ONE = 64
_SECONDS = 5.0
_MAX_PASSWORD = 1024  # octets
_FAMILIAR_A_SECOND = 50


class LocalDirectory:
    """The Directory of a `type: local` authentication profile.

    `last`: nobody asks another directory for a name that this one does not know. Then such a name waits for
    its turn and costs a hash as a known one does, so that a slow server does not tell who is known. Where
    others come after it, it answers at once, or every login of theirs would cost a hash here; then, on a
    busy server, its names can be told from those that it does not know.
    """

    def __init__(self, profile: LocalProfile, *, last: bool = True) -> None:
        self.name = profile.name
        self.emergency = profile.emergency
        self._last = last
        self._users = {fold(key): user for key, user in profile.users.items()}
        self._decoy = _commonest(user.password_hash for user in profile.users.values() if user.password_hash)
        self._hasher = argon2.PasswordHasher()
        self._threads = Threads(f"argon2-{profile.name}", count=_THREADS, waiting=_THREADS)
        self._turns = Turns(at_once=_THREADS, waiting=_WAITING, of_one=_WAITING_OF_ONE)
        self._familiar = _Familiar()

    async def find(self, username: str) -> Found:
        """Looks in memory: immediate for a known name. The id is the NFKC-casefolded name."""
        id = fold(username)
        user = self._users.get(id)
        if user is None:
            return await self._find_nobody(id)
        attributes = {**user.attributes, "username": (user.name,)}
        return Person(PersonKey(self.name, id), user.name, id, attributes)

    async def _find_nobody(self, id: str) -> Found:
        # The wrong-password memory spares nobody this hash; what bounds it is the line, and in it whoever
        # has a familiar password goes ahead of any flood of unknown names.
        pretended = await self._pretend(id) if self._last else Wrong()
        return pretended if isinstance(pretended, Down) else Unknown()

    async def prove(self, person: Person, proof: Proof) -> Proved:
        if isinstance(proof, Secret) and not _may_be_right(proof.reveal()):
            return Wrong(detail="empty, too long, or holds NUL")
        user = self._users.get(person.entry)
        if user is None:
            return Wrong(detail="no longer among the local users")
        if isinstance(proof, Secret) and user.password_hash is not None:
            return await self._hashed(person.entry, user.password_hash, proof.reveal())
        proved = local_proofs.prove(user, proof)
        if isinstance(proved, Right) or not self._last:
            return proved
        # A right one is quick. A wrong one takes its time where a name that nobody has does.
        pretended = await self._pretend(person.entry)
        return pretended if isinstance(pretended, Down) else proved

    async def _hashed(self, id: str, password_hash: str, octets: bytes) -> Proved:
        ahead = self._familiar.knows(id, octets, now=asyncio.get_running_loop().time())
        proved = await self._in_turn(id, password_hash, octets, ahead=ahead)
        if isinstance(proved, Right):
            self._familiar.remember(id, octets)
        return proved

    async def pretend(self, username: str) -> None:
        """Take a turn and a hash as `prove` does for this name, for a password that nobody has."""
        user = self._users.get(fold(username))
        if self._last or (user is not None and user.password_hash is not None):
            await self._pretend(fold(username))

    async def _pretend(self, id: str) -> Proved:
        if self._decoy is None:
            return Wrong()
        return await self._in_turn(id, self._decoy, secrets.token_bytes(16), ahead=False)

    async def _in_turn(self, id: str, password_hash: str, octets: bytes, *, ahead: bool) -> Proved:
        """`Wrong` of another reason than a wrong password, if there was no turn: nobody may remember it so.
        And not `Down`: whoever floods one name must not make the gateway think that the server is dead."""
        begun = False
        try:
            async with asyncio.timeout(_SECONDS) as limit, self._turns.turn(id, ahead=ahead):
                begun = True
                limit.reschedule(None)
                return await self._threads.run(
                    lambda: self._verify(id, password_hash, octets), seconds=_SECONDS
                )
        except CrowdedOut:
            return Wrong(Reason.CROWDED_OUT, "too many passwords wait to be checked")
        except Crowded:
            return Down(f"{self.name}: no password can be checked now")
        except TimeoutError:
            if begun:
                return Down(f"{self.name}: a password was not checked within {_SECONDS:g} s")
            return Wrong(Reason.CROWDED_OUT, f"waited {_SECONDS:g} s to be checked")

    def _verify(self, id: str, password_hash: str, octets: bytes) -> Proved:
        try:
            self._hasher.verify(password_hash, octets)
        except argon2.exceptions.VerifyMismatchError:
            return Wrong()
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError, ValueError):
            # ValueError: a hash that is not ASCII.
            return Wrong(
                Reason.WRONG_PASSWORD,
                f"password_hash of {id!r} is not an argon2id hash: make one with `radius-push hash-password`",
            )
        return Right()

    def busy(self) -> int:
        """Passwords that are being checked: a turned test clock moves only when there are none."""
        return self._threads.busy()

    async def close(self) -> None:
        self._threads.close()


def _may_be_right(octets: bytes) -> bool:
    return 0 < len(octets) <= _MAX_PASSWORD and b"\0" not in octets


class _Familiar:
    """Whose proof goes ahead: a password that was right before waits behind no flood of wrong ones.

    It is proved all the same. One keyed hash for each user, in memory only. To look is cheaper than argon2,
    so it is bounded: or a flood of guesses would be told the right one sooner than argon2 lets it.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._marks: dict[str, bytes] = {}
        self._looks: Counter[str] = Counter()
        self._second = 0

    def remember(self, id: str, octets: bytes) -> None:
        self._marks[id] = self._mark(id, octets)

    def knows(self, id: str, octets: bytes, *, now: float) -> bool:
        """`now`: seconds that never go back."""
        if self._second != int(now):
            self._second = int(now)
            self._looks.clear()
        self._looks[id] += 1
        mark = self._mark(id, octets)
        return hmac.compare_digest(self._marks.get(id, b""), mark) and self._looks[id] <= _FAMILIAR_A_SECOND

    def _mark(self, id: str, octets: bytes) -> bytes:
        name = id.encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, len(name).to_bytes(4, "big") + name + octets, "sha256")


def _commonest(hashes: Iterable[str]) -> str | None:
    """One of the hashes that cost as most of them do; users whose hashes cost otherwise can be told apart."""
    by_cost: dict[str, list[str]] = {}
    for each in hashes:
        try:
            by_cost.setdefault(str(argon2.extract_parameters(each)), []).append(each)
        except (argon2.exceptions.InvalidHashError, ValueError):
            continue  # such a user cannot log in at all
    return max(by_cost.values(), key=len)[0] if by_cost else None


def hash_password(password: bytes, *, cheap: bool = False) -> str:
    """An argon2id hash with a fresh salt (RFC 9106, section 4, the second recommended option).

    `cheap` costs next to nothing to make and to guess: for tests and load only.
    """
    if not password or b"\0" in password:
        raise ValueError("a password is not empty and holds no NUL")
    profile = argon2.profiles.RFC_9106_LOW_MEMORY
    if cheap:
        profile = replace(profile, time_cost=1, memory_cost=8, parallelism=1)
    return argon2.PasswordHasher.from_parameters(profile).hash(password)
