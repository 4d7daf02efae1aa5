"""The door that faces the internet: who is let in, how long they may take, and what every answer carries."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from radius_push.test_phone import SoftwarePhone, Unreachable
from radius_push.web.phone import PhoneLimits
from radius_push.web.phone_files import FOLDER, TYPES
from tests.web.house import House, open_house, until

WAIT = 10.0
FILES = [f"/{path.relative_to(FOLDER).as_posix()}" for path in FOLDER.rglob("*") if path.suffix in TYPES]


def shop_window(house: House) -> str:
    return house.origin.removeprefix("http://")


async def say(house: House, octets: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.side.port)
    writer.write(octets)
    await writer.drain()
    return reader, writer


async def answer_to(house: House, octets: bytes) -> bytes:
    """Everything the server says until it closes."""
    reader, writer = await say(house, octets)
    async with asyncio.timeout(WAIT):
        try:
            return await reader.read()
        finally:
            writer.close()


# --- names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost", "127.0.0.1:{port}", "localhost:{port}.evil.example"]
)
async def test_another_host_name_is_not_served(house: House, host: str) -> None:
    name = host.format(port=house.side.port)
    said = await answer_to(house, f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
    assert said.startswith(b"HTTP/1.1 421 ")


async def test_two_host_names_are_not_served(house: House) -> None:
    host = shop_window(house)
    said = await answer_to(
        house, f"GET / HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    )
    assert said.split()[1] in {b"400", b"421"}


async def test_another_sites_page_may_not_post_here(house: House) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{house.origin}/api/nonce", json={}, headers={"Origin": "https://evil.example"}) as no,
        session.post(f"{house.origin}/api/nonce", json={}, headers={"Origin": house.origin}) as yes,
    ):
        assert (no.status, yes.status) == (403, 200)


async def test_only_json_is_read(house: House) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{house.origin}/api/nonce", data="{}", headers={"Content-Type": "text/plain"}) as no,
    ):
        assert no.status == 415


# --- what every answer carries -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/sw.js", "/nothing", "/api/answer", "/api/nothing", "/../phone.py"])
async def test_every_answer_carries_the_strict_headers(house: House, path: str) -> None:
    async with aiohttp.ClientSession() as session:
        for method in ("GET", "POST", "PUT"):
            async with session.request(
                method, house.origin + path, json={} if method == "POST" else None
            ) as got:
                policy = got.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "script-src 'self';" in policy
                assert "require-trusted-types-for 'script'" in policy
                assert "unsafe" not in policy
                assert got.headers["X-Content-Type-Options"] == "nosniff"
                assert got.headers["Referrer-Policy"] == "no-referrer"
                assert got.headers["Cross-Origin-Opener-Policy"] == "same-origin"
                assert "Permissions-Policy" in got.headers
                assert got.headers["Cache-Control"] in {"no-store", "no-cache"}
                assert got.headers["Server"] == "radius-push"


async def test_every_file_is_served_with_its_type_and_known_again(house: House) -> None:
    async with aiohttp.ClientSession() as session:
        for path in FILES:
            async with session.get(house.origin + path) as got:
                assert got.status == 200
                assert got.content_type == TYPES[Path(path).suffix]
                tag = got.headers["ETag"]
            async with session.get(house.origin + path, headers={"If-None-Match": tag}) as again:
                assert again.status == 304


async def test_what_is_no_file_of_the_app_is_not_found(house: House) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("/nothing", "/phone.py", "/..%2fphone.py", "/%00", "//etc/passwd", "/icons/"):
            async with session.get(house.origin + path) as got:
                assert got.status == 404
                assert set(await got.json()) == {"error", "message"}


async def test_the_worker_keeps_files_that_exist_under_the_hash_of_all(house: House) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{house.origin}/sw.js") as got:
        worker = await got.text()
    assert re.search(r'"radius-push-[0-9a-f]{16}"', worker)
    listed = re.findall(r'^  "(/[^"]*)",$', worker, re.MULTILINE)
    assert set(listed) <= {"/", *FILES}
    wanted = {"/", *(file for file in FILES if Path(file).suffix in {".js", ".css"})} - {"/sw.js"}
    assert wanted <= set(listed)


def test_the_page_holds_no_script_or_style_of_its_own() -> None:
    page = (FOLDER / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", page)
    for file in FOLDER.rglob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", file.read_text()
        )
    assert set(json.loads((FOLDER / "manifest.webmanifest").read_text())) >= {
        "id",
        "start_url",
        "icons",
        "name",
    }


# --- how much, how long ------------------------------------------------------------------------------------


async def test_a_sender_of_slow_headers_is_cut_off(tmp_path: Path) -> None:
    async with open_house(tmp_path, limits=PhoneLimits(header_seconds=0.05)) as house:
        start = f"GET / HTTP/1.1\r\nHost: {shop_window(house)}\r\nX-Slow: ".encode()
        assert await answer_to(house, start) == b""
        assert await answer_to(house, b"") == b""


async def test_a_sender_of_a_slow_body_is_cut_off(tmp_path: Path) -> None:
    async with open_house(tmp_path, limits=PhoneLimits(body_seconds=0.05)) as house:
        start = (
            f"POST /api/nonce HTTP/1.1\r\nHost: {shop_window(house)}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
        assert (await answer_to(house, start.encode())).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "octets", [b"GET \xff\xfe /\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"\x16\x03\x01\r\n\r\n"]
)
async def test_what_is_no_http_is_counted_and_fills_no_log(
    house: House, octets: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("INFO")
    assert (await answer_to(house, octets)).startswith(b"HTTP/1.0 400 ")
    assert house.counters["phone_malformed"] == 1
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("length", ["Content-Length: 100000", "Transfer-Encoding: chunked"])
async def test_a_body_of_more_than_8_kb_is_not_read(house: House, length: str) -> None:
    body = b"{" + b" " * 9000
    sent = b"%x\r\n%s\r\n" % (len(body), body) if "chunked" in length else body
    start = (
        f"POST /api/nonce HTTP/1.1\r\nHost: {shop_window(house)}\r\n"
        f"Content-Type: application/json\r\nConnection: close\r\n{length}\r\n\r\n"
    )
    reader, writer = await say(house, start.encode() + sent)
    async with asyncio.timeout(WAIT):
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_a_packed_body_is_not_unpacked(house: House) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{house.origin}/api/nonce",
            data=b"\x1f\x8b" + bytes(20),
            headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
        ) as got,
    ):
        assert got.status == 400


async def test_one_neighbourhood_has_only_so_many_connections(tmp_path: Path) -> None:
    async with open_house(tmp_path, limits=PhoneLimits(connections_per_neighbourhood=2)) as house:
        one, two = await say(house, b""), await say(house, b"")
        assert await answer_to(house, b"") == b""
        assert house.counters["phone_turned_away"] == 1
        one[1].close()
        await one[1].wait_closed()
        async with asyncio.timeout(WAIT):
            while not await answered(house):
                pass
        two[1].close()


async def answered(house: House) -> bool:
    host = shop_window(house)
    try:
        said = await answer_to(house, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    except ConnectionError:
        return False
    return said.startswith(b"HTTP/1.1 200 ")


async def test_all_together_have_only_so_many_streams(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(WAIT),
        open_house(tmp_path, limits=PhoneLimits(streams=1)) as house,
        await house.phone() as one,
        await house.phone() as two,
    ):
        first, second = one.questions(), two.questions()
        await anext(first)
        with pytest.raises(Unreachable):
            await anext(second)
        await first.aclose()


# --- TLS ---------------------------------------------------------------------------------------------------


def make_certificate(folder: Path) -> tuple[str, str]:
    """A certificate for localhost that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(certificate), str(private)


async def test_over_tls_a_phone_checks_the_certificate_and_is_told_to_stay_with_https(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    async with open_house(tmp_path, tls=(certificate, key)) as house:
        link = await house.link()
        with pytest.raises(Unreachable):
            await SoftwarePhone.enrol(link)
        async with await SoftwarePhone.enrol(link, ca_file=certificate) as phone:
            await house.confirm(phone)
            await house.ask()
            assert await phone.answer_next(approve=True, seconds=WAIT) == "approved"
            response = await phone._wire._session.get(f"{house.origin}/", ssl=phone._wire._tls)  # type: ignore[union-attr]
            assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
            response.release()


async def test_who_speaks_no_tls_is_let_go(tmp_path: Path) -> None:
    async with open_house(tmp_path, tls=make_certificate(tmp_path)) as house:
        said = await answer_to(house, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP" not in said
        doorway = house.side._door._doorway
        assert doorway is not None
        async with asyncio.timeout(WAIT):
            await until(lambda: not doorway._inside.total())
