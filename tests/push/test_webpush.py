"""One message to one push service: what it is told, and what becomes of every way in which it answers."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from email.utils import formatdate

import pytest
from aiohttp import web

from radius_push.model import Secret
from radius_push.push.outside import look_up
from radius_push.push.webpush import (
    LONGEST_PAYLOAD,
    WebPushDoor,
)
from radius_push.push_shapes import Push, WebPush
from radius_push.waking import Delivered, Gone, Outcome, Refused, Unreachable
from tests.push.service import Browser, PushService, push_service
from tests.push.vapid import expires_within_a_day, unpadded

KEY = Secret(bytes(31) + b"\x07")
URL = "https://mfa.example.com"
TOPIC = "t" * 32
PAYLOAD = b'{"web_push": 8030}'


class RealClock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return time.time() + self.ahead

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with push_service() as service:
        yield service


@pytest.fixture
def clock() -> RealClock:
    return RealClock()


@pytest.fixture
async def door(service: PushService, clock: RealClock) -> AsyncIterator[WebPushDoor]:
    settings = Push(WebPush(contact="mailto:vpn@example.com", allow_endpoints=(service.origin,)))
    door = WebPushDoor(settings, key=KEY, url=URL, clock=clock)
    yield door
    await door.close()


async def send(
    door: WebPushDoor, browser: Browser, payload: bytes = PAYLOAD, *, seconds: float = 30.0
) -> Outcome:
    return await door.hand_over(browser.address(), payload, topic=TOPIC, seconds=seconds)


# --- what it is told -------------------------------------------------------------------------------


async def test_the_browser_alone_can_read_it_and_the_service_knows_who_sends(
    service: PushService, door: WebPushDoor
) -> None:
    service.application_key = door.public_key
    assert await send(door, service.subscribe(), seconds=29.9) == Delivered()
    (pushed,) = service.pushed
    assert pushed.message == {"web_push": 8030}
    assert pushed.headers["TTL"] == "29"
    assert pushed.headers["Urgency"] == "high"
    assert pushed.headers["Topic"] == TOPIC
    assert pushed.headers["Accept-Encoding"] == "identity"
    assert pushed.claims["sub"] == "mailto:vpn@example.com"
    assert expires_within_a_day(pushed.claims)


async def test_the_public_key_is_that_of_the_key_file(door: WebPushDoor) -> None:
    # 7 G on P-256, as any calculator of curves says.
    assert door.public_key == unpadded(
        bytes.fromhex(
            "04"
            "8e533b6fa0bf7b4625bb30667c01fb607ef9f8b8a80fef5b300628703187b2a3"
            "73eb1dbde03318366d069f83a6f5900053c73633cb041b21c55e1a86c1f400b4"
        )
    )


@pytest.mark.parametrize(
    ("url", "sub"),
    [
        ("https://mfa.example.com", "https://mfa.example.com"),
        ("https://mfa.example.com:8443", "https://mfa.example.com:8443"),
        ("http://localhost:8443", "https://localhost"),
    ],
)
async def test_without_a_contact_the_phones_address_stands_for_it(
    service: PushService, clock: RealClock, url: str, sub: str
) -> None:
    door = WebPushDoor(Push(WebPush(allow_endpoints=(service.origin,))), key=KEY, url=url, clock=clock)
    assert await send(door, service.subscribe()) == Delivered()
    assert service.pushed[0].claims["sub"] == sub
    await door.close()


async def test_a_token_is_used_for_hours_and_made_anew_long_before_its_end(
    service: PushService, door: WebPushDoor, clock: RealClock
) -> None:
    browser = service.subscribe()
    for ahead in (0, 3600, 7 * 3600, -7200):
        clock.ahead = ahead
        assert await send(door, browser) == Delivered()
    first, later, last, behind = (pushed.claims["exp"] for pushed in service.pushed)
    assert first == later < last
    assert behind < first
    assert expires_within_a_day(service.pushed[2].claims, now=time.time() + 7 * 3600)


async def test_the_longest_message_fits_and_a_longer_one_never_leaves(
    service: PushService, door: WebPushDoor
) -> None:
    longest = b"{}".ljust(LONGEST_PAYLOAD)
    assert await send(door, service.subscribe(), longest) == Delivered()
    assert service.pushed[0].size == 4096
    assert isinstance(await send(door, service.subscribe(), longest + b" "), Refused)
    assert service.asked == 1


async def test_a_key_that_is_no_point_is_refused_before_anything_is_sent(
    service: PushService, door: WebPushDoor
) -> None:
    address = replace(service.subscribe().address(), p256dh=b"\x04" + bytes(64))
    assert isinstance(await door.hand_over(address, PAYLOAD, topic=TOPIC, seconds=30), Refused)
    assert service.asked == 0


# --- what it answers -------------------------------------------------------------------------------


def says(status: int, **headers: str) -> web.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(status=status, headers=named)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_taken_is_delivered(service: PushService, door: WebPushDoor, status: int) -> None:
    service.answers.append(lambda _: says(status))
    assert await send(door, service.subscribe()) == Delivered()


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_is_no_more_is_gone(
    service: PushService, door: WebPushDoor, status: int
) -> None:
    service.answers.append(lambda _: says(status))
    assert isinstance(await send(door, service.subscribe()), Gone)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_service_that_cannot_now_is_unreachable_and_may_be_asked_again(
    service: PushService, door: WebPushDoor, status: int
) -> None:
    service.answers.append(lambda _: says(status))
    outcome = await send(door, service.subscribe())
    assert outcome == Unreachable(f"localhost answered {status}", 1.0)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("0", 1, 1),
        ("99999999", 99999999, 99999999),
        ("-5", 1, 1),
        ("soon", 1, 1),
        ("9" * 400, 1, 1),
        ("date", 25, 31),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 1, 1),
    ],
)
async def test_retry_after_is_a_number_or_a_date(
    service: PushService, door: WebPushDoor, header: str, least: float, most: float
) -> None:
    said = formatdate(time.time() + 30, usegmt=True) if header == "date" else header
    service.answers.append(lambda _: says(429, Retry_After=said))
    outcome = await send(door, service.subscribe())
    assert isinstance(outcome, Unreachable)
    assert outcome.retry_after is not None
    assert least <= outcome.retry_after <= most


@pytest.mark.parametrize(
    ("status", "mend"), [(400, "does not take"), (401, "clock"), (403, "contact"), (413, "too long")]
)
async def test_a_refusal_says_what_to_mend(
    service: PushService, door: WebPushDoor, status: int, mend: str
) -> None:
    service.answers.append(lambda _: says(status))
    outcome = await send(door, service.subscribe())
    assert isinstance(outcome, Refused)
    assert f"answered {status}" in outcome.detail
    assert mend in outcome.detail


async def test_apples_word_is_passed_on_and_no_other_text(service: PushService, door: WebPushDoor) -> None:
    browser = service.subscribe()
    service.answers += [
        lambda _: web.json_response({"reason": "BadJwtToken"}, status=403),
        lambda _: web.json_response({"reason": browser.endpoint}, status=403),
        lambda _: web.Response(text=browser.endpoint, status=403),
        lambda _: web.Response(body=b"[" * 100_000, status=403),
    ]
    for expected in ("(BadJwtToken)", "403:", "403:", "403:"):
        outcome = await send(door, browser)
        assert isinstance(outcome, Refused)
        assert expected in outcome.detail
        assert browser.endpoint not in outcome.detail


async def test_a_redirect_is_never_followed(service: PushService, door: WebPushDoor) -> None:
    browser = service.subscribe()
    elsewhere = service.subscribe()
    service.answers.append(lambda _: says(307, Location=elsewhere.endpoint))
    outcome = await send(door, browser)
    assert isinstance(outcome, Refused)
    assert "redirect" in outcome.detail
    assert service.asked == 1


# --- a service that is slow, dead, or elsewhere ------------------------------------------------------


async def test_a_service_that_hangs_is_left_at_the_end_of_the_login(
    service: PushService, door: WebPushDoor
) -> None:
    service.hangs = True
    outcome = await send(door, service.subscribe(), seconds=0.2)
    assert isinstance(outcome, Unreachable)
    assert "no answer" in outcome.detail


async def test_a_service_that_resets_or_refuses_the_connection_is_unreachable(
    service: PushService, door: WebPushDoor, clock: RealClock
) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        writer.close()

    rude = await asyncio.start_server(reset, "127.0.0.1", 0)
    origin = f"http://localhost:{rude.sockets[0].getsockname()[1]}"
    door.use(Push(WebPush(allow_endpoints=(origin,))))
    outcome = await send(door, Browser(f"{origin}/x"))
    assert isinstance(outcome, Unreachable)
    assert outcome.retry_after == 1.0
    rude.close()
    await rude.wait_closed()
    outcome = await send(door, Browser(f"{origin}/x"))
    assert isinstance(outcome, Unreachable)
    assert "443" in outcome.detail


async def test_a_service_that_speaks_no_http_is_unreachable(door: WebPushDoor) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\xff" * 5000 + b"\r\n\r\n")
        writer.close()

    odd = await asyncio.start_server(babble, "127.0.0.1", 0)
    origin = f"http://localhost:{odd.sockets[0].getsockname()[1]}"
    door.use(Push(WebPush(allow_endpoints=(origin,))))
    assert isinstance(await send(door, Browser(f"{origin}/x")), Unreachable)
    odd.close()
    await odd.wait_closed()


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1"])
async def test_a_push_services_name_that_suddenly_leads_inside_is_not_connected_to(
    service: PushService, clock: RealClock, address: str
) -> None:
    """DNS rebinding: the check is made on the addresses of this very connection."""
    looked_up: list[str] = []

    def rebinding(host: str, port: int, family: int) -> object:
        looked_up.append(host)
        return look_up(address, port, 0)

    door = WebPushDoor(Push(), key=KEY, url=URL, clock=clock, look_up=rebinding)  # type: ignore[arg-type]
    outcome = await send(door, Browser("https://web.push.apple.com/x"))
    assert outcome == Refused("not asked: web.push.apple.com has no address on the internet")
    assert looked_up == ["web.push.apple.com"]
    await door.close()


async def test_a_name_that_is_not_found_is_unreachable_and_dns_is_named(clock: RealClock) -> None:
    def nothing(host: str, port: int, family: int) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    door = WebPushDoor(Push(), key=KEY, url=URL, clock=clock, look_up=nothing)  # type: ignore[arg-type]
    outcome = await send(door, Browser("https://web.push.apple.com/x"))
    assert isinstance(outcome, Unreachable)
    assert "DNS" in outcome.detail
    await door.close()


async def test_an_address_that_settings_no_longer_allow_is_not_asked(
    service: PushService, door: WebPushDoor
) -> None:
    browser = service.subscribe()
    assert await send(door, browser) == Delivered()
    door.use(Push())
    assert isinstance(await send(door, browser), Refused)
    assert service.asked == 1


async def test_through_a_proxy_the_proxy_is_asked(service: PushService, clock: RealClock) -> None:
    """A proxy gets the whole URL in the request line; for https it would get a CONNECT."""
    lines: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(await reader.readline())
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(proxy, "127.0.0.1", 0)
    through = f"http://localhost:{listening.sockets[0].getsockname()[1]}"
    door = WebPushDoor(Push(proxy=through), key=KEY, url=URL, clock=clock)
    outcome = await send(door, Browser("https://web.push.apple.com/x"))
    assert isinstance(outcome, Unreachable)
    assert lines == [b"CONNECT web.push.apple.com:443 HTTP/1.1\r\n"]
    await door.close()
    listening.close()
    await listening.wait_closed()


async def test_a_send_can_be_cancelled(service: PushService, door: WebPushDoor) -> None:
    service.hangs = True
    sending = asyncio.create_task(send(door, service.subscribe()))
    await service.until_asked(1)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
