"""What every store must keep to about what is sent, and about what a person is told of their phones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import Device, DeviceState, Invitation
from radius_push.ports import Store
from radius_push.store import telling
from radius_push.store.sqlite import SqliteStore
from tests.store.making import (
    ALICE,
    BOB,
    NOW,
    ORIGIN,
    Log,
    a_device,
    add_phone,
    invite,
    kinds,
    open_store,
    redeem,
)

ADDRESS = "alice@example.test"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = open_store(tmp_path / "state.db")
    yield store
    await store.close()


async def send(store: Store, id: str = "i1", *, asks_code: bool = True, mail: str | None = ADDRESS) -> None:
    invitation = Invitation(id, ALICE, "alice", NOW + 600, sent=True, asks_code=asks_code)
    event = events.Invited(str(ALICE), "alice", id, "root", NOW + 600, "sent", asks_code)
    token, code = f"token {id}".encode(), f"code {id}".encode()
    await store.invite(invitation, token=token, code=code, event=event, mail=mail)


async def come(store: Store, id: str = "i1", *, device: str = "d1", proved: bool = True) -> object:
    return await store.redeem(
        f"token {id}".encode(),
        a_device(device),
        devices_per_user=5,
        origin=ORIGIN,
        at=NOW,
        proved=proved,
    )


# --- invitations that were sent ----------------------------------------------------------------------------


async def test_what_was_sent_needs_the_password_and_is_not_used_up_without(store: SqliteStore) -> None:
    await send(store)
    assert await come(store, proved=False) == "password_needed"
    before = await kinds(store)
    assert await come(store, proved=False) == "password_needed"
    assert await kinds(store) == before
    assert isinstance(await come(store), Device)
    assert await come(store) == "spent"


async def test_only_who_may_come_is_asked_for_a_password(store: SqliteStore) -> None:
    await send(store)
    for name in ("d1", "d2"):
        await add_phone(store, name)
    await send(store, "i2")
    full = await store.redeem(b"token i2", a_device("d3"), devices_per_user=2, origin=ORIGIN, at=NOW)
    assert full == "too_many_devices"
    late = await store.redeem(b"token i2", a_device("d3"), devices_per_user=5, origin=ORIGIN, at=NOW + 600)
    assert late == "expired"


async def test_without_a_code_the_phone_is_trusted_as_it_comes_and_the_evidence_says_so(
    store: SqliteStore,
) -> None:
    await send(store, asks_code=False)
    device = await come(store)
    assert isinstance(device, Device)
    assert device.state is DeviceState.ACTIVE
    assert [each.id for each in await store.devices_of(ALICE)] == ["d1"]
    assert await store.has_ever_had_a_device(ALICE)
    by = [fields["by"] async for _, _, kind, fields in store.evidence() if kind == "device_confirmed"]
    assert by == ["the invitation, without a code"]


async def test_however_many_passwords_come_at_once_no_more_than_five_are_tried(store: SqliteStore) -> None:
    await send(store)
    begun = await asyncio.gather(*(store.begin_password("i1", most=5) for _ in range(20)))
    assert sum(begun) == 5
    await store.password_not_asked("i1")
    assert await store.begin_password("i1", most=5)
    assert await store.password_wrong("i1", most=5, at=NOW)
    assert await come(store) == "spent"
    assert not await store.begin_password("i1", most=5)
    assert "invitation_password_wrong" in await kinds(store)


async def test_a_shown_invitation_never_takes_a_password(store: SqliteStore) -> None:
    await invite(store)
    assert not await store.begin_password("i1", most=5)


async def test_what_is_withdrawn_is_of_no_use(store: SqliteStore) -> None:
    await send(store)
    event = events.InvitationWithdrawn(str(ALICE), "i1", "root", "no mail server")
    assert await store.withdraw("i1", at=NOW, event=event)
    assert not await store.withdraw("i1", at=NOW, event=event)
    assert await come(store) == "spent"


async def test_who_is_invited_and_who_waits_is_seen(store: SqliteStore) -> None:
    await send(store)
    await store.mailed("i1", at=NOW + 1, event=events.Mailed(str(ALICE), "invitation", "i1", 1))
    ((invitation, device),) = await store.open_invitations()
    assert (invitation.sent, invitation.invited_at, invitation.mailed_at) == (True, NOW, NOW + 1)
    assert device is None
    await come(store)
    ((_, waiting),) = await store.open_invitations()
    assert waiting is not None
    assert waiting.id == "d1"
    await store.confirm("i1", right=True, limit=5, by="root", at=NOW)
    assert await store.open_invitations() == []


# --- every enrolment is told -------------------------------------------------------------------------------


async def mails(store: Store, *, at: float = NOW) -> list[tuple[str, str, int]]:
    found = await store.mails_to_send(at=at, until=at + 60, most=50)
    return [(mail.kind, mail.about, mail.tries) for mail in found]


@pytest.mark.parametrize("way", ["the code", "without a code", "after a restore"])
async def test_however_a_phone_becomes_trusted_the_others_and_the_person_are_told(
    store: SqliteStore, way: str
) -> None:
    await add_phone(store, "d1")
    await add_phone(store, "of bob", BOB)
    if way == "after a restore":
        await add_phone(store, "d2")
        await store._write(lambda rows: rows.execute("DELETE FROM notices").rowcount)
        await send(store)
        await store._write(
            lambda rows: rows.execute("UPDATE devices SET state = 'restored' WHERE id = 'd2'").rowcount
        )
        assert await store.confirm_restored("d2", by="root", at=NOW)
    else:
        await send(store, asks_code=way == "the code")
        await come(store, device="d2")
        if way == "the code":
            assert await store.notices_of("d1") == []
            await store.confirm("i1", right=True, limit=5, by="root", at=NOW)
    (notice,) = await store.notices_of("d1")
    assert (notice.kind, notice.about, notice.name, notice.at) == ("device_added", "d2", "Pixel 7", NOW)
    assert await store.notices_of("d2") == await store.notices_of("of bob") == []
    assert await mails(store) == [("device_added", "d2", 1)]


async def test_the_phone_that_did_it_knows_and_the_others_and_the_person_are_told(store: SqliteStore) -> None:
    await add_phone(store, "d1")
    await add_phone(store, "d2")
    await store._write(lambda rows: rows.execute("DELETE FROM notices").rowcount)
    await send(store)
    await come(store, device="d3")
    await store.confirm("i1", right=True, limit=5, by="phone d1", at=NOW, on="d1")
    assert await store.notices_of("d1") == await store.notices_of("d3") == []
    (notice,) = await store.notices_of("d2")
    assert (notice.kind, notice.about) == ("device_added", "d3")
    assert ("device_added", "d3", 1) in await mails(store)


async def test_the_phone_that_did_it_is_told_where_nobody_else_is(store: SqliteStore) -> None:
    """Whoever borrowed the only phone, unlocked, added one of their own: its person sees it there."""
    await add_phone(store, "d1")
    await store._write(lambda rows: rows.execute("DELETE FROM notices").rowcount)
    await send(store)
    await store._write(lambda rows: rows.execute("DELETE FROM mail_addresses").rowcount)
    await come(store, device="d2")
    await store.confirm("i1", right=True, limit=5, by="phone d1", at=NOW, on="d1")
    (notice,) = await store.notices_of("d1")
    assert (notice.kind, notice.about) == ("device_added", "d2")
    assert await store.notices_of("d2") == []


async def test_a_first_phone_is_told_by_mail_alone(store: SqliteStore) -> None:
    await send(store, asks_code=False)
    await come(store)
    assert await store.notices_of("d1") == []
    assert await mails(store) == [("device_added", "d1", 1)]


@pytest.mark.parametrize("way", ["removed", "forgotten"])
async def test_a_phone_that_goes_is_told_by_mail(store: SqliteStore, way: str) -> None:
    await add_phone(store, "d1")
    await send(store)
    if way == "removed":
        await store.remove_device("d1", at=NOW, event=events.DeviceRemoved(str(ALICE), "d1", "root"))
    else:
        await store.forget_phones(by="root", at=NOW)
    assert await mails(store) == [("device_removed", "d1", 1)]


async def test_a_phone_that_was_never_trusted_goes_without_a_word(store: SqliteStore) -> None:
    await send(store)
    await come(store)
    await store.remove_device("d1", at=NOW, event=events.DeviceRemoved(str(ALICE), "d1", "root"))
    assert await mails(store) == []


async def test_a_notice_is_rung_once_and_goes_when_it_was_seen(store: SqliteStore) -> None:
    for name in ("d1", "d2"):
        await add_phone(store, name)
    (notice,) = await store.notices_to_ring()
    assert notice.device == "d1"
    assert await store.notices_to_ring() == []
    assert not await store.dismiss_notice(notice.id, device="d2")
    assert await store.dismiss_notice(notice.id, device="d1")
    assert not await store.dismiss_notice(notice.id, device="d1")
    assert await store.notices_of("d1") == []


async def test_a_removed_phone_is_told_nothing_any_more(store: SqliteStore) -> None:
    for name in ("d1", "d2"):
        await add_phone(store, name)
    await store.remove_device("d1", at=NOW, event=events.Sent("removed"))
    assert await store.notices_to_ring() == []
    assert await store.notices_of("d1") == []


async def test_two_servers_send_a_mail_once(tmp_path: Path) -> None:
    one, two = (open_store(tmp_path / "state.db", log=Log()) for _ in range(2))
    await send(one, asks_code=False)
    await come(one)
    found = await asyncio.gather(*(mails(store) for store in (one, two)))
    assert sorted(found) == [[], [("device_added", "d1", 1)]]
    assert await mails(two, at=NOW + 59) == []
    # Whoever had it ended in the middle.
    (mail,) = await two.mails_to_send(at=NOW + 60, until=NOW + 120, most=50)
    assert mail.tries == 2
    await two.mail_sent(mail, at=NOW, event=events.Mailed(str(ALICE), mail.kind, mail.about, mail.tries))
    assert await mails(one, at=NOW + 9999) == []
    await one.close()
    await two.close()


async def test_mails_that_wait_are_bounded_and_what_is_too_much_is_evidence(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MOST_MAILS_OF_ONE", 2)
    await send(store)
    for number in range(3):
        await add_phone(store, f"d{number}")
    assert len(await mails(store)) == 2
    assert (await kinds(store)).count("mail_given_up") == 1


async def test_notices_of_one_phone_are_bounded(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "MOST_NOTICES", 2)
    for number in range(5):
        await add_phone(store, f"d{number}")
    assert [notice.about for notice in await store.notices_of("d0")] == ["d3", "d4"]


async def test_a_credential_is_told_in_the_same_way(store: SqliteStore) -> None:
    for name in ("d1", "d2"):
        await add_phone(store, name)
    await send(store)
    device = await store.device("d2")
    assert device is not None
    await store._write(lambda rows: telling.tell(rows, ALICE, "credential_added", device, NOW))
    assert [notice.kind for notice in await store.notices_of("d1")] == ["device_added", "credential_added"]
    assert await mails(store) == [("credential_added", "d2", 1)]


async def test_a_person_whose_address_is_not_known_is_not_written_to(store: SqliteStore) -> None:
    await add_phone(store)
    assert await redeem(store) == "unknown"
    assert await mails(store) == []
