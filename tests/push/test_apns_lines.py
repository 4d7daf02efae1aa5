"""The connections to Apple are kept, and whatever befalls one push or one connection stays there."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
import uvloop
from h2.errors import ErrorCodes

from radius_push.push import apns_line, apns_lines
from radius_push.push.apns import ApnsDoor
from radius_push.push.apns_line import Line
from radius_push.push.tunnel import Found
from radius_push.waking import Delivered, Outcome, Refused, Unreachable
from tests.directory.certificates import Authority
from tests.push.apple import Answer, Apple, Connection, apple_service, error, tls_for
from tests.push.apple_doors import RealClock, a_message, open_door, send, settings_for
from tests.push.apple_doors import apple as apple
from tests.push.apple_doors import authority as authority
from tests.push.apple_doors import clock as clock
from tests.push.apple_doors import door as door


def lines(door: ApnsDoor) -> list[Line]:
    assert door._lines is not None
    return door._lines._lines


async def in_flight(apple: Apple, door: ApnsDoor, count: int = 1) -> list[asyncio.Task[Outcome]]:
    """Pushes that Apple was asked for, and says nothing to."""
    apple.acts += [lambda connection, stream: None] * count
    asked = apple.asked + count
    tasks = [asyncio.create_task(send(door, apple.device())) for _ in range(count)]
    await apple.until(lambda: apple.asked == asked)
    return tasks


# --- an abandoned send -----------------------------------------------------------------------------


async def abandon(*tasks: asyncio.Task[Outcome]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_an_abandoned_push_hurts_no_other_when_the_connection_is_lost(
    apple: Apple, door: ApnsDoor
) -> None:
    assert await send(door, apple.device()) == Delivered()
    first, second, third = await in_flight(apple, door, 3)
    await abandon(first, third)
    apple.connections[0].cut()
    assert isinstance(await second, Unreachable)
    assert await send(door, apple.device()) == Delivered()


async def test_an_answer_that_nobody_waits_for_hurts_no_other(apple: Apple, door: ApnsDoor) -> None:
    first, second = await in_flight(apple, door, 2)
    connection = apple.connections[0]
    (one, (headers, _)), (other, (others, _)) = connection.requests.items()
    # The answer is on its way while the push is given up: both cross.
    connection.answer(one, Answer(200), dict(headers))
    connection.flush()
    await abandon(first)
    connection.answer(other, Answer(200), dict(others))
    connection.flush()
    assert await second == Delivered()
    assert apple.connected == 1


async def test_an_abandoned_push_gives_its_stream_back(apple: Apple, door: ApnsDoor) -> None:
    apple.streams = 1
    (task,) = await in_flight(apple, door)
    await abandon(task)
    assert await send(door, apple.device()) == Delivered()
    assert apple.resets == 1
    assert apple.connected == 1


async def test_one_that_waits_for_its_turn_can_be_abandoned_too(apple: Apple, door: ApnsDoor) -> None:
    apple.streams = 1
    held = await in_flight(apple, door, apns_lines.MOST)
    assert apple.connected == apns_lines.MOST, "a full one is no reason to wait while there may be more"
    waiting = [asyncio.create_task(send(door, apple.device())) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await abandon(waiting[0], waiting[1], *held)
    assert await waiting[2] == Delivered()


async def test_nothing_is_kept_of_a_push_that_ended(apple: Apple, door: ApnsDoor) -> None:
    token = apple.device()
    apple.acts = [lambda connection, stream: error("BadTopic")] * 10
    for _ in range(30):
        await send(door, token)
    (line,) = lines(door)
    assert not line.requests
    assert not line.request_streams
    assert not line.request_statuses
    assert not line._halves
    assert not line._streams.open


# --- GOAWAY ----------------------------------------------------------------------------------------


async def test_goaway_before_it_was_looked_at_rings_once(apple: Apple, door: ApnsDoor) -> None:
    def before(connection: Connection, stream: int) -> None:
        connection.go_away(stream - 2)

    token = apple.device()
    assert await send(door, token) == Delivered()
    apple.acts = [before]
    assert await send(door, token) == Delivered()
    assert len(apple.pushed) == 2
    assert apple.connected == 2
    assert len(lines(door)) == 1


async def test_goaway_after_it_was_taken_waits_for_the_answer(apple: Apple, door: ApnsDoor) -> None:
    def after(connection: Connection, stream: int) -> Answer:
        connection.taken(stream)
        connection.go_away(stream)
        return Answer(200)

    apple.acts = [after]
    token = apple.device()
    assert await send(door, token) == Delivered()
    assert len(apple.pushed) == 1
    await apple.until(lambda: not apple.connections)
    assert await send(door, token) == Delivered()
    assert apple.connected == 2


async def test_goaway_and_no_answer_shows_one_alert_when_it_is_tried_again(
    apple: Apple, door: ApnsDoor
) -> None:
    def after(connection: Connection, stream: int) -> None:
        connection.taken(stream)
        connection.go_away(stream)
        connection.flush()
        connection.transport.close()

    apple.acts = [after]
    token, message = apple.device(), a_message()
    first = await send(door, token, message)
    assert isinstance(first, Unreachable)
    assert first.retry_after == 1.0
    assert len(apple.pushed) == 1, "the library would have sent it again, unseen"
    assert await send(door, token, message) == Delivered()
    assert list(apple.shown) == [(token, message.topic)]


async def test_others_on_the_connection_end_as_they_would_have(apple: Apple, door: ApnsDoor) -> None:
    (first,) = await in_flight(apple, door)
    (stream,) = apple.connections[0].requests
    second = await in_flight(apple, door)
    connection = apple.connections[0]
    connection.go_away(stream)
    assert await second[0] == Delivered(), "on another connection"
    headers, _ = connection.requests[stream]
    connection.answer(stream, error("Unregistered"), dict(headers))
    connection.flush()
    assert "Unregistered" in getattr(await first, "detail", "")


async def test_apples_word_for_the_end_of_a_connection_is_told(apple: Apple, door: ApnsDoor) -> None:
    apple.always = lambda connection, stream: connection.go_away(0, "BadCertificateEnvironment")
    outcome = await send(door, apple.device())
    assert isinstance(outcome, Refused)
    assert "(BadCertificateEnvironment)" in outcome.detail
    assert apple.asked == 3


async def test_who_always_goes_away_is_not_asked_for_ever(apple: Apple, door: ApnsDoor) -> None:
    apple.always = lambda connection, stream: connection.go_away(0)
    assert isinstance(await send(door, apple.device()), Unreachable)
    assert apple.connected == 3


async def test_goaway_on_an_idle_connection_costs_nobody_anything(apple: Apple, door: ApnsDoor) -> None:
    token = apple.device()
    assert await send(door, token) == Delivered()
    apple.connections[0].go_away(1, "IdleTimeout")
    await apple.until(lambda: not apple.connections)
    assert await send(door, token) == Delivered()


# --- silence, RST, slow drip -----------------------------------------------------------------------


async def test_silence_ends_with_what_is_left_of_the_login(apple: Apple, door: ApnsDoor) -> None:
    apple.always = lambda connection, stream: None
    outcome = await send(door, apple.device(), seconds=0.05)
    assert isinstance(outcome, Unreachable)
    assert "no answer within" in outcome.detail
    assert await send(door, apple.device(), seconds=0.0) == Unreachable("no time is left for it", None)


async def test_headers_and_then_nothing_are_no_answer(apple: Apple, door: ApnsDoor) -> None:
    def half(connection: Connection, stream: int) -> None:
        connection.h2.send_headers(stream, [(":status", "200")], end_stream=False)
        connection.h2.send_data(stream, b"{", end_stream=False)

    token = apple.device()
    assert await send(door, token) == Delivered()  # the connection is there: the next is sent at once
    apple.acts = [half]
    assert isinstance(await send(door, token, seconds=0.05), Unreachable)
    assert await send(door, token) == Delivered()


async def test_an_answer_octet_by_octet_ends_in_time_and_others_go_on(
    apple: Apple, authority: Authority, door: ApnsDoor
) -> None:
    async def drip(connection: Connection, stream: int) -> None:
        connection.h2.send_headers(stream, [(":status", "400")], end_stream=False)
        while stream in connection.requests and not connection.transport.is_closing():
            connection.h2.send_data(stream, b" ", end_stream=False)
            connection.flush()
            await asyncio.sleep(0.005)

    drips: list[asyncio.Task[None]] = []
    assert await send(door, apple.device()) == Delivered()  # the connection is there
    apple.acts = [lambda connection, stream: drips.append(asyncio.create_task(drip(connection, stream)))]
    slow = asyncio.create_task(send(door, apple.device(), seconds=0.2))
    await apple.until(lambda: apple.asked == 2)
    assert await send(door, apple.device()) == Delivered()
    assert isinstance(await slow, Unreachable)
    await asyncio.gather(*drips)


async def test_rst_under_a_push_is_told_at_once_and_the_next_one_goes_through(
    apple: Apple, door: ApnsDoor
) -> None:
    apple.acts = [lambda connection, stream: connection.cut()]
    outcome = await send(door, apple.device())
    assert isinstance(outcome, Unreachable)
    assert "the connection ended before the answer" in outcome.detail
    assert await send(door, apple.device()) == Delivered()


@pytest.mark.parametrize(("code", "asked"), [(ErrorCodes.REFUSED_STREAM, 2), (ErrorCodes.INTERNAL_ERROR, 1)])
async def test_a_stream_that_is_reset(apple: Apple, door: ApnsDoor, code: ErrorCodes, asked: int) -> None:
    apple.acts = [lambda connection, stream: connection.h2.reset_stream(stream, code)]
    outcome = await send(door, apple.device())
    assert apple.asked == asked
    assert isinstance(outcome, Delivered if asked == 2 else Unreachable)
    assert apple.connected == 1


@pytest.mark.parametrize(
    "octets",
    [b"\x00\x00\x01\x00\x00\x00\x00\x00\x00x", b"HTTP/1.1 400 Bad\r\n\r\n" * 4000],
    ids=["data of no stream", "an endless frame"],
)
async def test_what_is_no_http2_ends_the_connection_alone(
    apple: Apple, door: ApnsDoor, octets: bytes
) -> None:
    apple.acts = [lambda connection, stream: connection.transport.write(octets)]
    outcome = await send(door, apple.device())
    assert isinstance(outcome, Unreachable)
    assert "breaks the rules of HTTP/2" in outcome.detail
    assert await send(door, apple.device()) == Delivered()


async def test_a_dead_connection_is_found_by_the_first_push_on_it(
    apple: Apple, door: ApnsDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apns_line, "PONG_SECONDS", 0.05)
    assert await send(door, apple.device()) == Delivered()
    (line,) = lines(door)
    line._heard -= 3600
    apple.mute = True
    outcome = await send(door, apple.device())
    assert isinstance(outcome, Unreachable)
    assert "no sign of life" in outcome.detail
    apple.mute = False
    assert await send(door, apple.device()) == Delivered()


async def test_a_dead_connection_is_found_before_anybody_is_rung(
    apple: Apple, door: ApnsDoor, monkeypatch: pytest.MonkeyPatch, clock: RealClock
) -> None:
    monkeypatch.setattr(apns_line, "PONG_SECONDS", 0.3)
    monkeypatch.setattr(apns_line, "PING_SECONDS", 0.02)
    monkeypatch.setattr(apns_lines, "LONGEST_PAUSE", 0.0)
    door.open()
    await apple.until(lambda: apple.pings >= 2)
    assert apple.connected == 1, "a sign of life keeps it"
    apple.mute = True
    await apple.until(lambda: apple.connected == 2)


async def test_a_connection_without_use_is_kept(apple: Apple, door: ApnsDoor) -> None:
    assert await send(door, apple.device()) == Delivered()
    assert lines(door)[0].inactivity_timer is None, "the library's ends it after 10 s"


# --- many at once ----------------------------------------------------------------------------------


async def many(apple: Apple, door: ApnsDoor, count: int) -> None:
    token = apple.device()
    messages = [a_message(f"q{number}", topic=f"{number:032}") for number in range(count)]
    outcomes = await asyncio.gather(*(send(door, token, message) for message in messages))
    assert outcomes == [Delivered()] * count
    assert len(apple.shown) == count
    assert apple.connected <= apns_lines.MOST


async def test_more_than_the_window_of_a_connection_takes(apple: Apple, door: ApnsDoor) -> None:
    await many(apple, door, 300)


async def test_apple_begins_with_one_stream_and_then_allows_more(apple: Apple, door: ApnsDoor) -> None:
    apple.streams, apple.streams_after_first = 1, 1000
    await many(apple, door, 100)
    assert all(line.room > 40 for line in lines(door) if apple.connections)
    tasks = await in_flight(apple, door, 20)
    await abandon(*tasks)


async def test_what_answers_weigh_is_given_back(apple: Apple, door: ApnsDoor) -> None:
    """64 kB of answers, and a connection whose octets nobody gives back would say nothing any more."""
    token = apple.device()
    apple.acts = [lambda connection, stream: Answer(500, body=b'"' + b"x" * 4000 + b'"')] * 20
    for _ in range(20):
        assert isinstance(await send(door, token), Unreachable)
    assert await send(door, token) == Delivered()
    assert apple.connected == 1


async def test_a_window_too_small_for_a_push_is_no_busy_loop(apple: Apple, door: ApnsDoor) -> None:
    apple.window = 10
    assert isinstance(await send(door, apple.device(), seconds=0.05), Unreachable)
    assert apple.asked == 0


# --- kept, exchanged, closed -----------------------------------------------------------------------


async def test_a_connection_is_there_before_anybody_logs_in_and_again_when_it_is_lost(
    apple: Apple, door: ApnsDoor, clock: RealClock
) -> None:
    door.open()
    await apple.until(lambda: apple.connected == 1 and len(lines(door)) == 1)
    for _ in range(5):  # until it is noted since when
        await asyncio.sleep(0)
    clock.ahead = 3600.0
    apple.connections[0].cut()
    await apple.until(lambda: apple.connected == 2)
    assert apple.asked == 0


async def test_what_cannot_be_reached_is_tried_again_and_told_once_with_its_mend(
    apple: Apple,
    authority: Authority,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(apns_lines, "LONGEST_PAUSE", 0.0)
    tries = asyncio.Event()
    counted = 0

    def refuse(host: str, port: int) -> Found:
        nonlocal counted
        counted += 1
        if counted >= 5:
            tries.set()
        raise OSError

    door = ApnsDoor(settings_for(apple, authority.file), clock=RealClock(), look_up=refuse)
    with caplog.at_level(logging.WARNING):
        door.open()
        await tries.wait()
    await door.close()
    (said,) = [line for line in caplog.messages if "APNs" in line]
    assert "is DNS allowed to go out?" in said


async def test_other_settings_leave_what_is_on_its_way_alone(
    apple: Apple, authority: Authority, door: ApnsDoor
) -> None:
    (task,) = await in_flight(apple, door)
    connection = apple.connections[0]
    async with apple_service(tls_for(authority)) as other:
        other.key = apple.key
        door.use(settings_for(other, authority.file))
        assert await send(door, other.device()) == Delivered()
        ((stream, (headers, _)),) = connection.requests.items()
        connection.answer(stream, Answer(200), dict(headers))
        connection.flush()
        assert await task == Delivered()
        await apple.until(lambda: not apple.connections)
        assert other.pushed[0].headers["authorization"] == headers_of(headers)["authorization"], (
            "the key is the same, so the JWT is"
        )
        await door.close()


def headers_of(listed: list[tuple[str, str]]) -> dict[str, str]:
    return dict(listed)


async def test_the_same_settings_change_nothing(apple: Apple, authority: Authority, door: ApnsDoor) -> None:
    token = apple.device()
    assert await send(door, token) == Delivered()
    door.use(settings_for(apple, authority.file))
    assert await send(door, token) == Delivered()
    assert apple.connected == 1


async def test_a_reload_can_switch_it_on_and_off(apple: Apple, authority: Authority, door: ApnsDoor) -> None:
    from radius_push.push_shapes import Push

    door.open()
    door.use(Push())
    assert isinstance(await send(door, apple.device()), Refused)
    door.use(settings_for(apple, authority.file))
    await apple.until(lambda: bool(lines(door)))
    assert await send(door, apple.device()) == Delivered()


async def test_at_the_end_nothing_is_left(apple: Apple, door: ApnsDoor) -> None:
    door.open()
    (task,) = await in_flight(apple, door)
    await door.close()
    assert isinstance(await task, Unreachable)
    await apple.until(lambda: not apple.connections)
    assert isinstance(await send(door, apple.device()), Refused)


def test_it_does_the_same_on_the_event_loop_of_serve(authority: Authority) -> None:
    async def play() -> None:
        async with (
            apple_service(tls_for(authority)) as apple,
            open_door(settings_for(apple, authority.file)) as door,
        ):
            door.open()
            await many(apple, door, 20)
            tasks = await in_flight(apple, door, 2)
            await abandon(tasks[0])
            for connection in tuple(apple.connections):
                connection.cut()
            assert isinstance(await tasks[1], Unreachable)
            assert await send(door, apple.device()) == Delivered()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())
