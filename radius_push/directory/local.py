"""The users written in the settings file: no network, one argon2 hash each."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import argon2

from radius_push.directory.threads import Crowded, Threads
from radius_push.dn import fold
from radius_push.model import Down, Found, Person, PersonKey, Proved, Reason, Right, Secret, Unknown, Wrong
from radius_push.shapes import LocalProfile, LocalUser

# argon2 costs about a tenth of a second of CPU and 64 MiB of memory for each proof.
_THREADS = 2
_WAITING = 254
_WAITING_OF_ONE = 64  # whoever floods one name leaves most of the queue to the others
_SECONDS = 5.0
_MAX_PASSWORD = 1024  # octets


class LocalDirectory:
    """The Directory of a `type: local` authentication profile."""

    def __init__(self, profile: LocalProfile) -> None:
        self.name = profile.name
        self.emergency = profile.emergency
        self._users = {fold(key): user for key, user in profile.users.items()}
        self._hasher = argon2.PasswordHasher()
        self._threads = Threads(f"argon2-{profile.name}", count=_THREADS, waiting=_WAITING)
        self._waiting: Counter[str] = Counter()

    async def find(self, username: str) -> Found:
        """Looks in memory: immediate. The id is the NFKC-casefolded name."""
        id = fold(username)
        user = self._users.get(id)
        if user is None:
            return Unknown()
        attributes = {**user.attributes, "username": (user.name,)}
        return Person(PersonKey(self.name, id), user.name, id, attributes)

    async def prove(self, person: Person, password: Secret) -> Proved:
        octets = password.reveal()
        if not octets or b"\0" in octets or len(octets) > _MAX_PASSWORD:
            return Wrong(detail="empty, too long, or holds NUL")
        user = self._users.get(person.entry)
        if user is None:
            return Wrong(detail="no longer among the local users")
        if self._waiting[person.entry] >= _WAITING_OF_ONE:
            return Down(f"{self.name}: too many passwords of {user.name!r} wait to be checked")
        self._waiting[person.entry] += 1
        try:
            return await self._threads.run(lambda: self._verify(user, octets), seconds=_SECONDS)
        except Crowded:
            return Down(f"{self.name}: too many passwords wait to be checked")
        except TimeoutError:
            return Down(f"{self.name}: a password was not checked within {_SECONDS:g} s")
        finally:
            self._waiting[person.entry] -= 1
            if not self._waiting[person.entry]:
                del self._waiting[person.entry]

    def _verify(self, user: LocalUser, octets: bytes) -> Proved:
        try:
            self._hasher.verify(user.password_hash, octets)
        except argon2.exceptions.VerifyMismatchError:
            return Wrong()
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError, ValueError):
            # ValueError: a hash that is not ASCII.
            return Wrong(
                Reason.WRONG_PASSWORD,
                f"password_hash of {user.name!r} is not an argon2id hash: make one with"
                " `radius-push hash-password`",
            )
        return Right()

    async def close(self) -> None:
        self._threads.close()


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
