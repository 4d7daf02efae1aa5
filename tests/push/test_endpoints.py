"""A phone names the URL that this server will ask: only push services', and never one inside."""

from __future__ import annotations

import socket

import pytest

from radius_push.push.endpoints import LONGEST, EndpointRefused, Endpoints, is_public
from radius_push.push.outside import LeadsInside, PublicResolver

NAMED = Endpoints(("http://localhost:9000", "https://push.corp.example", "https://[2001:db8::5]:8443"))

GOOD = {
    "https://fcm.googleapis.com/fcm/send/abc:APA91b-_x": "https://fcm.googleapis.com",
    "https://fcm.googleapis.com:443/wp/abc": "https://fcm.googleapis.com",
    "https://FCM.googleapis.com/wp/abc": "https://fcm.googleapis.com",
    "https://updates.push.services.mozilla.com/wpush/v2/gAAAA": "https://updates.push.services.mozilla.com",
    "https://web.push.apple.com/QGuQyavXutnMH": "https://web.push.apple.com",
    "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAC%2fx": "https://wns2-par02p.notify.windows.com",
    "http://localhost:9000/push/1": "http://localhost:9000",
    "https://push.corp.example/a": "https://push.corp.example",
    "https://[2001:db8::5]:8443/a": "https://[2001:db8::5]:8443",
}

BAD = [
    # another scheme, another port
    "http://fcm.googleapis.com/x", "ftp://fcm.googleapis.com/x", "//fcm.googleapis.com/x",
    "fcm.googleapis.com",
    "https://fcm.googleapis.com:22/x", "https://fcm.googleapis.com:99999/x", "https://fcm.googleapis.com:x/",
    "file:///etc/passwd", "javascript:alert(1)", "",
    # names that only look like it
    "https://fcm.googleapis.com.attacker.example/", "https://attacker.example/fcm.googleapis.com",
    "https://xfcm.googleapis.com/", "https://x.fcm.googleapis.com/", "https://fcm.googleapis.com./",
    "https://push.apple.com/", "https://.push.apple.com/", "https://evilpush.apple.com.x/",
    "https://attacker-push.apple.com/", "https://a..push.apple.com/", "https://-.push.apple.com/",
    "https://notify.windows.com/", "https://push.services.mozilla.com/",
    # user names, and what readers of URLs are known to take for a host
    "https://fcm.googleapis.com@attacker.example/", "https://attacker.example@fcm.googleapis.com/",
    "https://user:password@web.push.apple.com/", "https://attacker.example\\@fcm.googleapis.com/",
    "https://fcm.googleapis.com\\.attacker.example/", "https://attacker.example#@fcm.googleapis.com/",
    "https://attacker.example?@fcm.googleapis.com/", "https://fcm.googleapis.com#x",
    "https:fcm.googleapis.com",
    "https:///fcm.googleapis.com/x", "https://fcm.googleapis.com\t.attacker.example/",
    "https://fcm.googleapis.com/\r\nX: y", " https://fcm.googleapis.com/x", "https://fcm.googleapis.com /",
    "https://fcm\u3002googleapis.com/", "https://fcm.googleapis.com\u2044x", "https://fcm%2egoogleapis.com/",
    # addresses, in every dress
    "https://127.0.0.1/", "https://2130706433/", "https://0x7f000001/", "https://127.1/", "https://0/",
    "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fe80::1%25eth0]/", "https://169.254.169.254/",
    "https://localhost/", "https://[fcm.googleapis.com]/",
    # the admin's exceptions are exact
    "http://localhost:9001/push/1", "http://localhost/push/1", "https://localhost:9000/push/1",
    "http://127.0.0.1:9000/push/1", "http://push.corp.example/a", "https://push.corp.example:8443/a",
    "https://x.push.corp.example/a", "http://x@localhost:9000/push/1", "https://[2001:db8::5]/a",
    # longer than any
    "https://fcm.googleapis.com/" + "x" * LONGEST,
]  # fmt: skip


@pytest.mark.parametrize(("url", "origin"), GOOD.items())
def test_known_push_services_and_the_admins_own_are_asked(url: str, origin: str) -> None:
    assert NAMED.check(url).origin == origin


@pytest.mark.parametrize("url", BAD)
def test_nothing_else_is(url: str) -> None:
    with pytest.raises(EndpointRefused) as caught:
        NAMED.check(url)
    assert "password" not in str(caught.value)


def test_without_the_admins_word_no_localhost_is_asked() -> None:
    with pytest.raises(EndpointRefused):
        Endpoints().check("http://localhost:9000/push/1")


PUBLIC = ["8.8.8.8", "142.250.74.74", "2a00:1450:4001:80b::200a", "64:ff9b::8e85:1"]
INSIDE = [
    "127.0.0.1", "10.0.0.5", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fc00::1",
    "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.5", "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.5", "2002:7f00:1::", "2002:a00:5::1", "fe80::1%eth0",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_on_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", INSIDE)
def test_every_other_address_is_inside_however_it_is_wrapped(address: str) -> None:
    assert not is_public(address)


def resolver(*addresses: str) -> PublicResolver:
    def look_up(host: str, port: int, family: int) -> list[tuple[object, ...]]:
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in addresses
        ]

    return PublicResolver(lambda host: host == "push.corp.example", look_up=look_up)  # type: ignore[arg-type]


async def test_a_name_that_leads_inside_is_not_connected_to() -> None:
    inside = resolver("127.0.0.1", "::1", "10.0.0.5")
    with pytest.raises(LeadsInside):
        await inside.resolve("web.push.apple.com", 443)
    await inside.close()


async def test_of_several_addresses_only_the_public_ones_are_left() -> None:
    mixed = resolver("10.0.0.5", "142.250.74.74", "fe80::1")
    found = await mixed.resolve("web.push.apple.com", 443)
    assert [each["host"] for each in found] == ["142.250.74.74"]
    await mixed.close()


async def test_what_the_admin_named_may_lie_inside() -> None:
    inside = resolver("10.0.0.5")
    assert [each["host"] for each in await inside.resolve("push.corp.example", 443)] == ["10.0.0.5"]
    await inside.close()
