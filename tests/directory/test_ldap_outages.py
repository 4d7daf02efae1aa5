"""A directory that is frozen, gone or back again: Down in time, and no restart of ours is needed."""

from __future__ import annotations

import asyncio
import socket

from radius_push.directory.ldap import LdapDirectory
from radius_push.model import Down, Found, Person, Right, Secret
from tests.directory.directories import TurnedClock, known, opened
from tests.directory.slapd import ALICE_PASSWORD, Slapd

SHORT = 0.5  # seconds


async def test_a_stopped_directory_is_down_and_the_next_login_after_its_start_works(
    own_slapd: Slapd,
) -> None:
    async with opened(own_slapd.profile()) as directory:
        alice = await known(directory, "alice")
        own_slapd.stop()
        assert isinstance(await directory.find("alice"), Down)
        assert isinstance(await directory.prove(alice, Secret(ALICE_PASSWORD)), Down)
        own_slapd.resume()
        assert await directory.find("alice") == alice
        assert await directory.prove(alice, Secret(ALICE_PASSWORD)) == Right()


async def test_a_restart_in_between_is_not_noticed(own_slapd: Slapd) -> None:
    async with opened(own_slapd.profile()) as directory:
        alice = await known(directory, "alice")
        own_slapd.stop()
        own_slapd.resume()
        assert await directory.find("alice") == alice  # the kept connection was dead


async def test_one_search_connection_serves_many_logins(own_slapd: Slapd) -> None:
    async with opened(own_slapd.profile()) as directory:
        before = own_slapd.binds()
        for _ in range(10):
            await known(directory, "alice")
        assert own_slapd.binds() == before + 1


async def test_a_frozen_directory_is_down_in_time_and_works_when_it_thaws(own_slapd: Slapd) -> None:
    async with opened(own_slapd.profile(receive_timeout=SHORT)) as directory:
        alice = await known(directory, "alice")
        own_slapd.freeze()
        async with asyncio.timeout(10):
            assert isinstance(await directory.find("alice"), Down)
            assert isinstance(await directory.prove(alice, Secret(ALICE_PASSWORD)), Down)
        own_slapd.thaw()
        assert await directory.find("alice") == alice
        assert await directory.prove(alice, Secret(ALICE_PASSWORD)) == Right()


async def test_many_logins_at_a_frozen_directory_are_all_down_in_time(own_slapd: Slapd) -> None:
    async with opened(own_slapd.profile(receive_timeout=SHORT)) as directory:
        own_slapd.freeze()
        async with asyncio.timeout(10):
            found = await asyncio.gather(*(directory.find("alice") for _ in range(400)))
        assert all(isinstance(each, Down) for each in found)
        own_slapd.thaw()
        assert isinstance(await _until_there_is_room(directory), Person)


async def test_a_frozen_directory_does_not_hold_another(own_slapd: Slapd, slapd: Slapd) -> None:
    async with opened(own_slapd.profile()) as frozen, opened(slapd.profile()) as lively:
        own_slapd.freeze()
        waiting = [asyncio.create_task(frozen.find("alice")) for _ in range(50)]
        await known(lively, "alice")
        assert not any(task.done() for task in waiting)
        own_slapd.thaw()
        assert all(isinstance(each, Person) for each in await asyncio.gather(*waiting))


async def test_the_next_server_answers_when_the_first_does_not(slapd: Slapd, own_slapd: Slapd) -> None:
    own_slapd.freeze()
    nobody = _unused_url()
    profile = slapd.profile(urls=(nobody, own_slapd.url, slapd.url), receive_timeout=1.0)
    async with opened(profile) as directory:
        alice = await known(directory, "alice")
        assert await directory.prove(alice, Secret(ALICE_PASSWORD)) == Right()


async def test_a_server_that_failed_is_left_out_for_a_while(slapd: Slapd, own_slapd: Slapd) -> None:
    clock = TurnedClock()
    first, second = own_slapd, slapd
    profile = second.profile(urls=(first.url, second.url), check_certificate=False)
    async with opened(profile, clock=clock) as directory:
        first.stop()
        await known(directory, "alice")
        first.resume()
        before = first.binds()
        await known(directory, "alice")
        assert first.binds() == before
        clock.at += 30
        await known(directory, "alice")
        assert first.binds() == before + 1


async def test_when_all_failed_lately_all_are_tried_again(own_slapd: Slapd) -> None:
    profile = own_slapd.profile(urls=(_unused_url(), own_slapd.url))
    async with opened(profile) as directory:
        own_slapd.stop()
        assert isinstance(await directory.find("alice"), Down)
        own_slapd.resume()
        await known(directory, "alice")


async def test_a_password_goes_to_one_server_only(slapd: Slapd) -> None:
    """Each wrong one counts towards the lock-out: a server that takes it and hangs up ends it."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        taking = f"ldap://127.0.0.1:{mute.getsockname()[1]}"
        profile = slapd.profile(urls=(taking, slapd.url), start_tls=False, receive_timeout=SHORT)
        async with opened(slapd.profile()) as other:
            alice = await known(other, "alice")
        before = slapd.binds(alice.entry)
        async with opened(profile) as directory:
            assert isinstance(await directory.prove(alice, Secret(ALICE_PASSWORD)), Down)
            assert slapd.binds(alice.entry) == before
            # The next login goes where somebody answers.
            assert await directory.prove(alice, Secret(ALICE_PASSWORD)) == Right()


async def test_garbage_is_down(slapd: Slapd) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(b"\x30\x05\x02\x01\x01\x61\x00HTTP/1.1 400 Bad Request\r\n\r\n" * 50)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    profile = slapd.profile(urls=(f"ldap://127.0.0.1:{port}",), start_tls=False, receive_timeout=2.0)
    async with opened(profile) as directory:
        assert isinstance(await directory.find("alice"), Down)
    server.close()
    await server.wait_closed()


async def test_a_login_that_is_given_up_leaves_the_directory_usable(own_slapd: Slapd) -> None:
    async with opened(own_slapd.profile(receive_timeout=SHORT)) as directory:
        own_slapd.freeze()
        logins = [asyncio.create_task(directory.find("alice")) for _ in range(10)]
        await asyncio.sleep(0)
        for login in logins:
            login.cancel()
        await asyncio.wait(logins)
        own_slapd.thaw()
        assert isinstance(await _until_there_is_room(directory), Person)


async def _until_there_is_room(directory: LdapDirectory) -> Found:
    """Threads that hang on what was frozen end within their deadline."""
    async with asyncio.timeout(10):
        while True:
            found = await directory.find("alice")
            if not isinstance(found, Down):
                return found
            await asyncio.sleep(0)


def _unused_url() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"ldap://127.0.0.1:{probe.getsockname()[1]}"
