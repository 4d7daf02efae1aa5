"""Many people are invited by mail: who they are, who of them needs no invitation, and what became of each."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from radius_push import enrollment, events
from radius_push.directory.ldap import LdapDirectory
from radius_push.directory.ldap_members import Members, NoGroup
from radius_push.enrollment import Shown
from radius_push.model import Down, Found, Invitation, Person, Secret, Unknown
from radius_push.notices import mail_address
from radius_push.notify.mail import MOST_TOGETHER, Letter, MailDoor, Never, NotNow, Outcome, Taken
from radius_push.notify.texts import invitation
from radius_push.opening import mail_attributes, open_directory
from radius_push.ports import Clock, Directory, DoorClosed, Store
from radius_push.shapes import LocalProfile, MailServer, Settings

MOST_PEOPLE = 2_000
"""Invited by one command."""
Result = Literal[
    "sent", "would_send", "has_phone", "invited_before", "too_many_devices", "no_address", "failed"
]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one person."""

    person: Person
    result: Result
    detail: str = ""
    expires_at: float | None = None

    @property
    def good(self) -> bool:
        """They can add a phone, or have one."""
        return self.result not in ("too_many_devices", "no_address", "failed")


class People:
    """The directories of the settings, open for one command. Close it."""

    def __init__(self, settings: Settings, *, only: str | None, clock: Clock) -> None:
        self._settings = settings
        self._asked = [only] if only is not None else list(settings.authentication_profiles)
        self._clock = clock
        self._open: dict[str, Directory] = {}

    async def find(self, name: str) -> Found:
        """Of the first that knows them. Raises DoorClosed: one could not be asked, and might know them."""
        for profile in self._asked:
            found = await self._directory(profile).find(name)
            match found:
                case Unknown():
                    continue
                case Down(detail):
                    raise DoorClosed(
                        f"{profile} could not be asked ({detail}); --authentication-profile NAME asks another"
                    )
            return found
        return Unknown()

    async def members(self, group: str) -> Members:
        """Raises DoorClosed; NoGroup: none has it, or two have."""
        found: dict[str, Members] = {}
        why: list[str] = []
        for name in self._asked:
            try:
                found[name] = await self._members(name, group)
            except NoGroup as no:
                why.append(f"{name}: {no}")
        if len(found) > 1:
            both = " and ".join(found)
            raise NoGroup(f"{both} have a group {group!r}: name one with --authentication-profile")
        if not found:
            raise NoGroup("; ".join(why))
        return next(iter(found.values()))

    async def _members(self, name: str, group: str) -> Members:
        profile = self._settings.authentication_profiles[name]
        directory = self._directory(name)
        if isinstance(profile, LocalProfile):
            users = [
                user.name
                for user in profile.users.values()
                if group.casefold() in {each.casefold() for each in user.attributes.get("group_name", ())}
            ]
            if not users:
                raise NoGroup(f"no local user has group_name {group!r}")
            found = [await directory.find(user) for user in users]
            return Members(tuple(each for each in found if isinstance(each, Person)), ())
        assert isinstance(directory, LdapDirectory)  # noqa: S101  # what is not local is LDAP
        members = await directory.members(group, most=MOST_PEOPLE)
        if isinstance(members, Down):
            raise DoorClosed(f"{name} could not be asked ({members.detail})")
        return members

    def _directory(self, name: str) -> Directory:
        if name not in self._open:
            settings = self._settings
            self._open[name] = open_directory(
                settings.authentication_profiles[name],
                settings.policies,
                clock=self._clock,
                last=False,
                also=mail_attributes(settings),
            )
        return self._open[name]

    async def close(self) -> None:
        for directory in self._open.values():
            await directory.close()


def address_of(settings: Settings, person: Person) -> str | None:
    """Where they are written to; None: nobody is, or their directory does not say, or nothing usable."""
    if settings.mail is None:
        return None
    found = person.attributes.get(settings.mail.attribute.casefold(), ())
    profile = settings.authentication_profiles.get(person.key.authentication_profile)
    if not found and isinstance(profile, LocalProfile):
        found = person.attributes.get("email", ())
    return mail_address(found[0]) if found else None


class Inviter:
    """Invites by mail, some through one connection at a time."""

    def __init__(
        self,
        settings: Settings,
        *,
        server: MailServer,
        page: str,
        store: Store,
        pepper: Secret,
        clock: Clock,
        by: str,
        asks_code: bool,
    ) -> None:
        self._settings = settings
        self._server = server
        self._page = page
        self._store = store
        self._pepper = pepper
        self._clock = clock
        self._by = by
        self._asks_code = asks_code
        self._door = MailDoor(server)

    async def close(self) -> None:
        await self._door.close()

    async def look(self, people: Iterable[Person], *, again: bool) -> list[Done]:
        """Who would be sent an invitation, and why the others not; `again`: also who has a phone, or an
        invitation that is still good."""
        waiting = await self._waiting()
        return [await self._look(person, waiting, again=again) for person in people]

    async def _look(self, person: Person, waiting: dict[str, Invitation], *, again: bool) -> Done:
        devices = await self._store.devices_of(person.key)
        before = waiting.get(str(person.key))
        if devices and not again:
            return Done(person, "has_phone")
        if len(devices) >= self._settings.enrollment.devices_per_user:
            return Done(person, "too_many_devices", f"has {len(devices)} phones (devices_per_user)")
        if before is not None and not again:
            return Done(person, "invited_before", expires_at=before.expires_at)
        if address_of(self._settings, person) is None:
            return Done(person, "no_address", "the directory has no mail address that can be used")
        return Done(person, "would_send")

    async def _waiting(self) -> dict[str, Invitation]:
        """Sent invitations that are still good, by person."""
        now = self._clock.now()
        return {
            str(each.person): each
            for each, device in await self._store.open_invitations()
            if each.mailed_at is not None and (device is not None or now < each.expires_at)
        }

    async def send(self, looked: Sequence[Done]) -> list[Done]:
        """To everybody who `would_send`; the others as they are. Raises StoreDown."""
        done = list(looked)
        to_do = [at for at, each in enumerate(looked) if each.result == "would_send"]
        for begin in range(0, len(to_do), MOST_TOGETHER):
            places = to_do[begin : begin + MOST_TOGETHER]
            sent = await self._send([looked[at].person for at in places])
            for at, each in zip(places, sent, strict=True):
                done[at] = each
        return done

    async def _send(self, people: Sequence[Person]) -> list[Done]:
        invited = [await self._invite(person) for person in people]
        outcomes = await self._door.send([letter for _, letter in invited], at=self._clock.now())
        return [
            await self._note(person, shown, outcome)
            for person, (shown, _), outcome in zip(people, invited, outcomes, strict=True)
        ]

    async def _invite(self, person: Person) -> tuple[Shown, Letter]:
        address = address_of(self._settings, person)
        assert address is not None  # noqa: S101  # who has none was left out
        shown = await enrollment.invite(
            self._store,
            person=person,
            lifetime=self._settings.enrollment.sent_invitation,
            pepper=self._pepper,
            by=self._by,
            now=self._clock.now(),
            token=secrets.token_bytes(16),
            code_octets=secrets.token_bytes(5),
            sent=True,
            asks_code=self._asks_code,
            mail=address,
        )
        letter = invitation(
            self._server.language,
            to=address,
            account=person.username,
            page=self._page,
            link=enrollment.link(self._page, shown),
            code=shown.code,
            expires_at=shown.expires_at,
            asks_code=self._asks_code,
        )
        return shown, letter

    async def _note(self, person: Person, shown: Shown, outcome: Outcome) -> Done:
        now, key = self._clock.now(), str(person.key)
        match outcome:
            case Taken():
                event = events.Mailed(key, "invitation", shown.invitation, 1)
                await self._store.mailed(shown.invitation, at=now, event=event)
                return Done(person, "sent", expires_at=shown.expires_at)
            case NotNow(detail) | Never(detail):
                # Nobody has it: what would lie about open is taken back.
                withdrawn = events.InvitationWithdrawn(key, shown.invitation, self._by, detail)
                await self._store.withdraw(shown.invitation, at=now, event=withdrawn)
                return Done(person, "failed", detail)
