"""What somebody who is signed in to the portal does with their phones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from radius_push import enrollment, events
from radius_push.model import Device, DeviceState, Person, Trial
from radius_push.portal_store import PortalSession
from radius_push.ports import Clock, Store
from radius_push.web.phone_push import TRIAL_SECONDS, TRIALS_IN_A_MINUTE
from radius_push.web.portal_pages import phones as pages
from radius_push.web.portal_pages.page import Reader
from radius_push.web.portal_visit import Visit, go, shown


@dataclass(frozen=True, slots=True)
class Inside:
    """A request of somebody who is signed in."""

    visit: Visit
    session: PortalSession
    mark: bytes = field(repr=False)
    reader: Reader

    @property
    def by(self) -> str:
        """For the evidence."""
        return f"portal: {self.session.account}"

    @property
    def person(self) -> Person:
        """As far as it is needed here: nothing is asked of the directory again."""
        return Person(self.session.person, self.session.account, "", {})


class Devices:
    """The list, and what its forms do."""

    def __init__(
        self,
        *,
        most: Callable[[], int],
        ring_trial: Callable[[Trial, Device], None],
        store: Store,
        clock: Clock,
        fresh: Callable[[int], bytes],
    ) -> None:
        """`most`: devices_per_user."""
        self._most = most
        self._ring_trial = ring_trial
        self._store = store
        self._clock = clock
        self._fresh = fresh

    async def show(self, inside: Inside) -> web.Response:
        said = inside.visit.request.query.get("said")
        kept = await self._store.kept_devices_of(inside.session.person)
        known = pages.WRONG | pages.DONE
        return shown(
            pages.phones(inside.reader, kept, most=self._most(), said=said if said in known else None)
        )

    async def rename(self, inside: Inside) -> web.Response:
        device = await self._theirs(inside, inside.visit.field("phone"))
        if device is None:
            return go("/?said=did_gone")
        name = enrollment.clean_name(inside.visit.field("name"))
        event = events.DeviceRenamed(str(device.person), device.id, name, inside.by)
        renamed = await self._store.rename_device(
            device.id, name=name, person=inside.session.person, at=self._clock.now(), event=event
        )
        return go(f"/?said={'did_renamed' if renamed else 'did_same'}")

    async def ask_to_remove(self, inside: Inside) -> web.Response:
        device = await self._theirs(inside, inside.visit.request.query.get("phone", ""))
        if device is None:
            return go("/?said=did_gone")
        kept = await self._store.kept_devices_of(inside.session.person)
        last = all(each.device.id == device.id for each in kept if each.device.state is DeviceState.ACTIVE)
        return shown(pages.remove(inside.reader, device, last=last and device.state is DeviceState.ACTIVE))

    async def remove(self, inside: Inside) -> web.Response:
        device = await self._theirs(inside, inside.visit.field("phone"))
        if device is None:
            return go("/?said=did_gone")
        event = events.DeviceRemoved(str(device.person), device.id, inside.by)
        removed = await self._store.remove_device(device.id, at=self._clock.now(), event=event)
        return go(f"/?said={'did_removed' if removed else 'did_gone'}")

    async def test(self, inside: Inside) -> web.Response:
        device = await self._theirs(inside, inside.visit.field("phone"))
        if device is None or device.state is not DeviceState.ACTIVE:
            return go("/?said=did_gone")
        now = self._clock.now()
        trial = Trial(self._fresh(16).hex(), device.id, opened_at=now, expires_at=now + TRIAL_SECONDS)
        asked = events.TrialAsked(str(device.person), device.id, trial.id)
        if not await self._store.open_trial(trial, most=TRIALS_IN_A_MINUTE, since=now - 60, event=asked):
            return go("/?said=did_tested_often")
        self._ring_trial(trial, device)
        return go("/?said=did_tested")

    async def _theirs(self, inside: Inside, id: str) -> Device | None:
        """A phone of this very person; of any other it is not even said that there is one."""
        device = await self._store.device(id)
        if device is None or device.person != inside.session.person or device.state is DeviceState.REMOVED:
            return None
        return device
