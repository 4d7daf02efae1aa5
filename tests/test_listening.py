"""What stops the server from listening is said with its place in the settings and its mend."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address
from pathlib import Path

import pytest

from radius_push import events
from radius_push.opening import CannotListen
from radius_push.server import Server
from radius_push.settings import load
from radius_push.shapes import Endpoint
from tests.cli.enrolling import SETTINGS, open_again, write_settings
from tests.store.making import kinds


async def refusal(config: Path) -> str:
    """Why a server of these settings does not start; it must have left no trace of a start."""
    heard: list[events.Event] = []
    server = Server(load(config, environ={}), on_event=lambda _at, event: heard.append(event))
    with pytest.raises(CannotListen) as caught:
        await server.start()
    assert heard == []
    store = open_again(config)
    assert await kinds(store) == []
    await store.close()
    return str(caught.value)


def settings(folder: Path, *, radius: str = "127.0.0.1:0", phone: str = "127.0.0.1:0") -> Path:
    text = SETTINGS.replace("127.0.0.1:0", radius).replace('address: "127.0.0.1:8443"', f'address: "{phone}"')
    return write_settings(folder, text)


async def test_a_radius_port_in_use_is_said_with_its_place(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{other.getsockname()[1]}"
        assert await refusal(settings(tmp_path, radius=where)) == (
            f"server.listen.authentication: {where}/udp is in use "
            "(another radius-push or a FreeRADIUS? `ss -lunp` tells)"
        )


async def test_a_phone_port_in_use_is_said_with_its_place(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        where = f"127.0.0.1:{other.getsockname()[1]}"
        assert await refusal(settings(tmp_path, phone=where)) == (
            f"server.listen.phone.address: {where}/tcp is in use "
            "(another radius-push or a web server? `ss -ltnp` tells)"
        )


async def test_an_address_of_another_machine_is_said_with_its_place(tmp_path: Path) -> None:
    said = await refusal(settings(tmp_path, phone="192.0.2.9:8443"))
    assert said.startswith("server.listen.phone.address: 192.0.2.9 is not an address of this machine")
    said = await refusal(settings(tmp_path, radius="192.0.2.9:1812"))
    assert said.startswith("server.listen.authentication: 192.0.2.9 is not an address of this machine")


@pytest.mark.parametrize(
    ("number", "mend"),
    [
        (errno.EACCES, "10.0.0.5:443/tcp is not allowed: ports under 1024 need root or CAP_NET_BIND_SERVICE"),
        (errno.EAFNOSUPPORT, "10.0.0.5:443/tcp: this machine has no IPv4"),
        (errno.EIO, "10.0.0.5:443/tcp: Input/output error"),
    ],
)
def test_other_reasons_have_their_place_too(number: int, mend: str) -> None:
    error = OSError(number, "Input/output error")
    said = str(CannotListen("here", Endpoint(ip_address("10.0.0.5"), 443), error, udp=False))
    assert said.startswith(f"here: {mend}")


async def test_forgetting_phones_at_an_unchanged_address_forgets_nothing_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = settings(tmp_path)
    for forget in (False, True):
        server = Server(load(config, environ={}), on_event=lambda _at, _event: None)
        await server.start(forget_phones=forget)
        await server.stop()
        said = "nothing forgotten: the phones' address has not changed"
        assert (said in caplog.text) is forget
