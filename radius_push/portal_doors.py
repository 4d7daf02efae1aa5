"""What faces people at a desk: the portal, with the directories whose passwords it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from radius_push.factors.limits import WrongPasswords
from radius_push.inviting import address_of
from radius_push.model import Person, PersonKey, Secret
from radius_push.opening import CannotListen
from radius_push.phone_doors import PhoneDoors
from radius_push.portal_password import NotAsked, Tries, Whose, whose
from radius_push.ports import Clock, Directory, Store
from radius_push.proving import NoTurn, PasswordTurns
from radius_push.settings.more_servers import place as place_of
from radius_push.shapes import Settings
from radius_push.store.keys import Keys
from radius_push.web.portal import Portal, PortalLimits
from radius_push.web.portal_signing_in import Rules


class PortalDoors:
    """Open where the settings have a portal, and this process is the one that serves it."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        clock: Clock,
        keys: Keys,
        counters: Counter[str],
        phones: PhoneDoors,
        turns: PasswordTurns,
        directories: Callable[[], Mapping[str, Directory]],
        wrong_passwords: Callable[[], WrongPasswords],
    ) -> None:
        """`directories`, `wrong_passwords`: as they are now; a reload exchanges them."""
        self._settings = settings
        self._clock = clock
        self._turns = turns
        self._directories = directories
        self._wrong_passwords = wrong_passwords
        self._limits = PortalLimits()
        self._portal: Portal | None = None
        if settings.portal is not None and settings.phone is not None:
            self._portal = Portal(
                settings.portal,
                phones_open=settings.phone.url,
                rules=_rules(settings),
                trusted_proxies=settings.trusted_proxies,
                check=self._check,
                address_of=self._address_of,
                ring=phones.ring_sign_in,
                ring_trial=phones.ring_trial,
                store=store,
                clock=clock,
                pepper=keys.pepper,
                counters=counters,
                limits=self._limits,
            )

    @property
    def port(self) -> int | None:
        """As bound."""
        return None if self._portal is None else self._portal.port

    @property
    def connections(self) -> int:
        """File descriptors that it may need."""
        return 0 if self._portal is None else self._limits.connections

    async def open(self) -> None:
        """Bind; who comes now waits for `welcome`. Raises CannotListen, DoorClosed."""
        listener = self._settings.portal
        if self._portal is None or listener is None or listener.endpoint is None:
            return
        try:
            await self._portal.open()
        except OSError as problem:
            place = place_of(self._settings, "server.listen.portal.address")
            raise CannotListen(place, listener.endpoint, problem, udp=False) from problem

    def welcome(self) -> None:
        if self._portal is not None:
            self._portal.welcome()

    def use(self, settings: Settings) -> None:
        """After a reload; at once."""
        self._settings = settings
        if self._portal is not None:
            self._portal.use(_rules(settings), settings.trusted_proxies)

    async def close(self) -> None:
        if self._portal is not None:
            await self._portal.close()

    async def _check(self, username: str, password: Secret, tries: Tries) -> Whose:
        open_ones = self._directories()
        try:
            async with self._turns.turn():
                return await whose(
                    username,
                    password,
                    directories=[open_ones[name] for name in asked_by_logins(self._settings)],
                    wrong_passwords=self._wrong_passwords(),
                    clock=self._clock,
                    tries=tries,
                )
        except NoTurn:
            return NotAsked()

    async def _address_of(self, person: PersonKey, username: str) -> str | None:
        """Where their directory says now that they are written to. None: nowhere, or it cannot be asked."""
        directory = self._directories().get(person.authentication_profile)
        if self._settings.mail is None or directory is None:
            return None
        try:
            async with self._turns.turn():
                found = await directory.find(username)
        except NoTurn:
            return None
        # A name that is somebody else's by now must not turn this person's mails to them.
        if not isinstance(found, Person) or found.key != person:
            return None
        return address_of(self._settings, found)


def asked_by_logins(settings: Settings) -> tuple[str, ...]:
    """The authentication profiles that any login may ask: client by client, profile by profile, as they stand
    in the file, each once."""
    return tuple(
        dict.fromkeys(
            name
            for client in settings.clients.values()
            for profile in client.profiles
            for name in settings.profiles[profile].fallback_auth_profiles
        )
    )


def _rules(settings: Settings) -> Rules:
    return Rules(settings.enrollment, settings.ring_limit, settings.reject_delay)
