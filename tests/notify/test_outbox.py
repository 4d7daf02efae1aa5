"""What waits to be told is told: by a real mail server, later if it is down, and never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from radius_push.model import Trial
from radius_push.notices import Notice
from radius_push.notify import outbox
from radius_push.notify.outbox import Outbox, pause
from radius_push.shapes import MailServer
from radius_push.store.sqlite import SqliteStore
from tests.contracts.test_stores_and_post import ADDRESS, come, send
from tests.notify.peer import evil_peer, mail_peer
from tests.store.making import NOW, SetClock, add_phone, kinds, open_store
from tests.web.house import until

SERVER = MailServer("127.0.0.1", port=0, security="none", sender="vpn@example.test", language="de")


@dataclass
class Post:
    """A store with one mail in it, a clock, and who was rung."""

    store: SqliteStore
    clock: SetClock
    rung: list[Notice]
    trials: list[Trial] = field(default_factory=list)

    def outbox(self, server: MailServer | None) -> Outbox:
        return Outbox(
            server,
            store=self.store,
            clock=self.clock,
            ring=self.rung.append,
            ring_trial=lambda trial, _: self.trials.append(trial),
        )


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    clock = SetClock()
    store = open_store(tmp_path / "state.db", clock)
    await add_phone(store, "d0")
    await send(store, asks_code=False)
    await come(store)
    yield Post(store, clock, [])
    await store.close()


async def test_a_mail_is_sent_once_and_that_is_evidence(post: Post) -> None:
    async with mail_peer() as peer:
        box = post.outbox(replace(SERVER, port=peer.port))
        await box.send()
        await box.send()
        await box.close()
    assert peer.recipients == [ADDRESS]
    assert peer.mails[0]["Subject"] == "Ein Handy wurde für Ihre VPN-Anmeldungen hinzugefügt"
    assert (await kinds(post.store))[-1] == "mailed"


async def test_other_phones_are_rung_once(post: Post) -> None:
    box = post.outbox(None)
    await box.ring()
    await box.ring()
    assert [(notice.device, notice.about) for notice in post.rung] == [("d0", "d1")]
    await box.close()


async def test_a_mail_server_that_is_down_is_tried_again_ever_more_rarely_and_given_up_after_a_day(
    post: Post,
) -> None:
    async with mail_peer() as peer:
        port = peer.port
    box = post.outbox(replace(SERVER, port=port))
    for tries in range(1, 60):
        await box.send()
        if "mail_given_up" in await kinds(post.store):
            break
        assert await post.store.mails_to_send(at=post.clock.time + pause(tries) - 1, until=0, most=9) == []
        post.clock.time += pause(tries)
    await box.close()
    assert NOW + 20 * 3600 < post.clock.time < NOW + 86400
    assert tries < 40
    fields = [row async for _, _, kind, row in post.store.evidence() if kind == "mail_given_up"]
    assert fields[0]["detail"] == "Connection refused"
    assert fields[0]["tries"] == tries


async def test_an_address_that_does_not_exist_is_not_tried_again(post: Post) -> None:
    async with mail_peer() as peer:
        peer.refuse = {ADDRESS: "550 No such user"}
        box = post.outbox(replace(SERVER, port=peer.port))
        await box.send()
        await box.close()
    assert (await kinds(post.store))[-1] == "mail_given_up"


async def test_after_a_reload_the_new_mail_server_is_asked(post: Post) -> None:
    async with mail_peer() as peer:
        box = post.outbox(None)
        box.use(replace(SERVER, port=peer.port))
        await box.send()
        box.use(None)
        await box.close()
    assert peer.recipients == [ADDRESS]


async def test_it_hears_by_itself_what_is_to_be_told(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "LOOK_EVERY", 3600.0)
    async with mail_peer() as peer, asyncio.timeout(10):
        box = post.outbox(replace(SERVER, port=peer.port))
        going = asyncio.create_task(box.run())
        await until(lambda: bool(peer.mails and post.rung))
        await send(post.store, "i2", asks_code=False)
        await come(post.store, "i2", device="d2")
        await until(lambda: len(peer.mails) == 2 and len(post.rung) == 3)
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
        await box.close()


async def test_a_mail_server_that_hangs_keeps_no_phone_from_ringing_and_no_store_from_working(
    post: Post,
) -> None:
    async with evil_peer(again=b"220-and another line\r\n") as port, asyncio.timeout(20):
        box = post.outbox(replace(SERVER, port=port))
        going = asyncio.create_task(box.run())
        await until(lambda: bool(post.rung))
        await add_phone(post.store, "d7")
        await until(lambda: len(post.rung) == 3)
        assert "mailed" not in await kinds(post.store)
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
        await box.close()
