"""Adding a phone at the portal: the person is the issuer of their own invitation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from radius_push import enrollment
from radius_push.model import Device, DeviceState, Invitation, PersonKey, Secret
from radius_push.ports import Clock, Store
from radius_push.shapes import Enrollment
from radius_push.web.portal_devices import Inside
from radius_push.web.portal_pages import pairing as pages
from radius_push.web.portal_visit import go, shown

AddressOf = Callable[[PersonKey, str], Awaitable[str | None]]
"""Where a person, who signed in by that name, is written to. None: as before, if anywhere."""


class Pairing:
    """A click, a link, a phone, six digits."""

    def __init__(
        self,
        *,
        phones_open: str,
        pepper: Secret,
        rules: Callable[[], Enrollment],
        address_of: AddressOf,
        store: Store,
        clock: Clock,
        fresh: Callable[[int], bytes],
    ) -> None:
        """`phones_open`: the origin of the phone side."""
        self._phones_open = phones_open
        self._pepper = pepper
        self._rules = rules
        self._address_of = address_of
        self._store = store
        self._clock = clock
        self._fresh = fresh

    async def begin(self, inside: Inside) -> web.Response:
        if await self._is_full(inside):
            return go("/")
        return shown(pages.begin(inside.reader))

    async def reveal(self, inside: Inside) -> web.Response:
        """The one answer that holds the link."""
        if await self._is_full(inside):
            return go("/")
        lifetime = self._rules().shown_code
        invited = await enrollment.invite(
            self._store,
            person=inside.person,
            lifetime=lifetime,
            pepper=self._pepper,
            by=inside.by,
            now=self._clock.now(),
            token=self._fresh(16),
            code_octets=self._fresh(5),
            mail=await self._address_of(inside.session.person, inside.session.account),
        )
        await self._store.note_portal_invitation(inside.mark, invitation=invited.invitation)
        return shown(
            pages.show(
                inside.reader,
                link=enrollment.link(self._phones_open, invited),
                origin=self._phones_open,
                code=invited.code,
                minutes=max(1, round(lifetime / 60)),
            )
        )

    async def code(self, inside: Inside) -> web.Response:
        invitation = await self._invitation(inside)
        if invitation is None:
            return go("/pair")
        device = await self._device_of(invitation)
        if device is None:
            over = self.is_over(invitation)
            return shown(pages.over(inside.reader) if over else pages.no_phone_yet(inside.reader))
        if device.state is DeviceState.ACTIVE:
            return go("/?said=did_added")
        if device.state is not DeviceState.PENDING or invitation.closed:
            return shown(pages.over(inside.reader))
        left = enrollment.TRIES - invitation.wrong_codes if invitation.wrong_codes else None
        return shown(pages.type_the_code(inside.reader, device, tries_left=left))

    async def confirm(self, inside: Inside) -> web.Response:
        """Five wrong ones give the phone up."""
        typed = inside.visit.field("code")
        invitation = await self._invitation(inside)
        device = None if invitation is None else await self._device_of(invitation)
        if invitation is None or device is None:
            return go("/pair/code")
        word = await enrollment.confirm(
            self._store, invitation.id, typed, by=inside.by, now=self._clock.now()
        )
        if word == "wrong":
            now = await self._invitation(inside) or invitation
            left = enrollment.TRIES - now.wrong_codes
            page = pages.type_the_code(inside.reader, device, tries_left=left)
            return shown(page, status=403)
        if word != "confirmed":
            return shown(pages.over(inside.reader), status=403)
        await self._store.note_portal_invitation(inside.mark, invitation=None, device=device.id)
        return go("/?said=did_added")

    async def has_news(self, inside: Inside) -> bool:
        """Is there more to see than that no phone came?"""
        invitation = await self._invitation(inside)
        return invitation is None or invitation.redeemed_by is not None or self.is_over(invitation)

    def is_over(self, invitation: Invitation) -> bool:
        return invitation.closed or invitation.expires_at <= self._clock.now()

    async def _is_full(self, inside: Inside) -> bool:
        """A phone that waits for its code is none: the next invitation takes its place."""
        kept = await self._store.kept_devices_of(inside.session.person)
        there = [each for each in kept if each.device.state is not DeviceState.PENDING]
        return len(there) >= self._rules().devices_per_user

    async def _invitation(self, inside: Inside) -> Invitation | None:
        """The one that was shown in this very session."""
        id = inside.session.invitation
        return None if id is None else await self._store.invitation(id)

    async def _device_of(self, invitation: Invitation) -> Device | None:
        if invitation.redeemed_by is None:
            return None
        return await self._store.device(invitation.redeemed_by)
