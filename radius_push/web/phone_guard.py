"""What guards a person's sign-ins guards their phones: without the finger nobody adds or removes one.

Else whoever holds an unlocked phone, and knows the password, adds one with a finger of their own, and is in.
"""

from __future__ import annotations

from radius_push.model import BiometricsMode, Device, PersonKey
from radius_push.ports import Store
from radius_push.web.assertions import About, Assertions, Used


class Guard:
    """For all phones of the installation; `mode` is exchanged by a reload."""

    def __init__(self, assertions: Assertions, store: Store, *, mode: BiometricsMode) -> None:
        """`mode`: the most that any profile asks for."""
        self._assertions = assertions
        self._store = store
        self.mode: BiometricsMode = mode

    async def asks(self, person: PersonKey) -> bool:
        """Is a finger needed for what this person's phones say of phones?

        It is as soon as any profile requires one, and one of their phones has one: also a phone that has none
        itself must then leave it to that one.
        """
        return self.mode == "required" and await self._store.guarded(person)

    async def used(self, body: dict[str, str], device: Device, *, waits: bool) -> Used:
        """What came with a yes, for whoever writes it and counts the assertion with it. `waits`: nothing was
        said to it yet. Raises Refusal, as Assertions does."""
        about = About(required=await self.asks(device.person), waits=waits)
        return await self._assertions.judge(body, device, about)

    async def expect(self, body: dict[str, str], device: Device) -> None:
        """It came with the signed request of this body, and counts for nothing else. Raises Refusal."""
        used = await self.used(body, device, waits=True)
        if used.assertion is not None and not await self._store.use_credential(device.id, used.assertion):
            raise self._assertions.failed()
