"""What faces phones: the listener that they come to, and the ringer that wakes them."""

from __future__ import annotations

import asyncio
from collections import Counter

from radius_push import descriptors
from radius_push.enrollment import Prove, cannot_prove
from radius_push.model import Device, Question, Trial
from radius_push.notices import Notice
from radius_push.notify.outbox import Outbox
from radius_push.opening import CannotListen
from radius_push.places import PlacesFile, news_of, open_places, reopen_places
from radius_push.portal_store import PortalSignIn
from radius_push.ports import Clock, Store
from radius_push.push.apns import ApnsDoor
from radius_push.push.fcm import FcmDoor
from radius_push.push.ringing import PushRinger
from radius_push.push.webpush import WebPushDoor
from radius_push.settings.more_servers import place as place_of
from radius_push.shapes import Settings
from radius_push.store.keys import Keys
from radius_push.web.phone import PhoneSide


class PhoneDoors:
    """Open where the settings have a phone side; else nobody is rung, and no profile asks phones."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        clock: Clock,
        keys: Keys,
        counters: Counter[str],
        prove: Prove = cannot_prove,
    ) -> None:
        """`prove`: the passwords of people who come with an invitation that was sent."""
        self._prove = prove
        self._settings = settings
        self._store = store
        self._clock = clock
        self._keys = keys
        self._counters = counters
        self._places: PlacesFile | None = None
        self._side: PhoneSide | None = None
        self._ringer = None if settings.phone is None else self._open_ringer(settings.phone.url)
        self._outbox = Outbox(
            settings.mail, store=store, clock=clock, ring=self._ring_notice, ring_trial=self.ring_trial
        )
        self._telling: asyncio.Task[None] | None = None

    def _open_ringer(self, url: str) -> PushRinger:
        return PushRinger(
            WebPushDoor(self._settings.push, key=self._keys.vapid, url=url, clock=self._clock),
            apps=(
                ApnsDoor(self._settings.push, clock=self._clock),
                FcmDoor(self._settings.push, clock=self._clock),
            ),
            store=self._store,
            clock=self._clock,
            counters=self._counters,
            tag_key=self._keys.tag,
            url=url,
        )

    @property
    def port(self) -> int | None:
        """As bound."""
        return None if self._side is None else self._side.port

    def ring(self, question: Question, requested_at: float) -> None:
        if self._ringer is not None:
            self._ringer.ring(question, requested_at)

    def _ring_notice(self, notice: Notice) -> None:
        if self._ringer is not None:
            self._ringer.ring_notice(notice)

    def ring_trial(self, trial: Trial, device: Device) -> None:
        if self._ringer is not None:
            self._ringer.ring_trial(trial, device)

    def ring_sign_in(self, sign_in: PortalSignIn) -> None:
        if self._ringer is not None:
            self._ringer.ring_sign_in(sign_in)

    async def open(self, *, connections: int) -> None:
        """Bind; who comes now waits for `welcome`. `connections`: file descriptors that others may need.

        Raises CannotListen, DoorClosed.
        """
        settings, listener = self._settings, self._settings.phone
        if listener is None or listener.endpoint is None or self._ringer is None:
            return
        self._places = open_places(settings.places, now=self._clock.now())
        self._side = PhoneSide(
            listener,
            store=self._store,
            clock=self._clock,
            pepper=self._keys.pepper,
            enrollment=settings.enrollment,
            ringer=self._ringer,
            counters=self._counters,
            trusted_proxies=settings.trusted_proxies,
            places=self._places,
            prove=self._prove,
            biometrics=settings.biometrics,
            mail=settings.mail,
            push=settings.push,
            limits=descriptors.limits_for_phones(descriptors.raise_limit() - connections),
        )
        try:
            await self._side.open()
        except OSError as problem:
            place = place_of(settings, "server.listen.phone.address")
            raise CannotListen(place, listener.endpoint, problem, udp=False) from problem

    def welcome(self) -> None:
        """Let phones in, and begin to tell what is to be told."""
        self._telling = asyncio.create_task(self._outbox.run(), name="outbox")
        if self._side is not None:
            self._side.welcome()
        if self._ringer is not None:
            self._ringer.open()

    async def prepare(self, settings: Settings) -> tuple[PlacesFile | None, tuple[str, ...]]:
        """What `use` needs of the outside for these settings, and what is new of it in words."""
        path = settings.places if self._side is not None else None
        places = await reopen_places(path, now=self._clock.now())
        return places, news_of(self._places, places, path=path)

    def use(self, settings: Settings, places: PlacesFile | None) -> None:
        """After a reload; at once."""
        self._settings, self._places = settings, places
        if self._side is not None:
            self._side.use(
                settings.enrollment,
                settings.trusted_proxies,
                places,
                settings.biometrics,
                settings.mail,
                settings.push,
            )
        if self._ringer is not None:
            self._ringer.use(settings.push)
        self._outbox.use(settings.mail)

    async def close(self) -> None:
        """Let nobody in any more, ring nobody, and write to nobody."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)
        await self._outbox.close()
        if self._side is not None:
            await self._side.close()
        if self._ringer is not None:
            await self._ringer.close()
