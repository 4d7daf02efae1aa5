"""What strangers at the phone side can say about themselves, and what they leave behind: nothing."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import pytest

from radius_push.test_phone import PhoneRefused, SoftwarePhone
from radius_push.web.phone import PhoneLimits
from tests.web.house import House, open_house

LOOPBACK = (ip_network("127.0.0.0/8"),)


# --- requests that hit a fault -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"token": "x"},
        {"code": "x"},
        {"payload": "{}", "token": "x"},
        {"payload": "{}", "signature": "x"},
        {"payload": "{}", "signature": "x", "token": "y", "code": "z"},
        {"payload": "{}", "signature": "x", "token": "y", "more": "z"},
    ],
)
async def test_an_enrolment_with_missing_or_unknown_fields_is_malformed(
    house: House, body: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{house.origin}/api/enrol", json=body) as got,
    ):
        assert (got.status, (await got.json())["error"]) == (400, "malformed")
    assert house.counters["phone_fault"] == 0
    assert caplog.records == []


async def test_a_fault_makes_few_lines_and_none_of_a_strangers_words(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: float) -> str:
        raise KeyError("canary")

    monkeypatch.setattr(house.side._api._nonces, "make", fail)
    async with aiohttp.ClientSession() as session:
        for _ in range(20):
            async with session.post(f"{house.origin}/api/nonce", json={}) as got:
                assert got.status == 500
    assert house.counters["phone_fault"] == 20
    assert len(caplog.records) == 1
    assert "KeyError at " in caplog.text
    assert "canary" not in caplog.text


# --- whom a request is for ---------------------------------------------------------------------------------


async def guess(house: House, forwarded: str) -> int:
    """One wrong code, and the status it gets."""
    async with aiohttp.ClientSession(headers={"X-Forwarded-For": forwarded}) as session:
        try:
            await SoftwarePhone.enrol((house.origin, "AAAAAAAA"), session=session)
        except PhoneRefused as refused:
            return {"invitation": 403, "too_many_tries": 429}[refused.word]
    raise AssertionError("a wrong code was right")


async def test_behind_a_trusted_proxy_one_guesser_does_not_stop_the_others(tmp_path: Path) -> None:
    async with open_house(tmp_path, trusted_proxies=LOOPBACK) as house:
        # Whatever the guesser writes before it, the proxy adds whom it heard.
        said = [await guess(house, f"198.51.100.{n}, 203.0.113.7") for n in range(11)]
        assert said == [403] * 10 + [429]
        assert await guess(house, "203.0.113.7, 203.0.113.8") == 403


async def test_a_stranger_cannot_forge_for_whom_they_guess(house: House) -> None:
    assert [await guess(house, f"203.0.113.{n}") for n in range(11)] == [403] * 10 + [429]


async def test_a_reload_tells_which_proxies_are_trusted(house: House) -> None:
    assert [await guess(house, "203.0.113.7") for _ in range(11)][-1] == 429
    house.side.use(house.side._enrol.enrollment, LOOPBACK, None)
    assert await guess(house, "203.0.113.7") == 403


async def held_of(house: House, count: int) -> int:
    """How many of so many keep-alive connections from one address are served."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one() -> bool:
            try:
                async with session.get(house.origin) as got:
                    return got.status == 200
            except aiohttp.ClientError:
                return False

        return sum(await asyncio.gather(*(one() for _ in range(count))))


async def test_a_trusted_proxy_has_as_many_connections_as_there_are_in_all(tmp_path: Path) -> None:
    limits = PhoneLimits(connections=8, connections_per_neighbourhood=2)
    async with open_house(tmp_path, limits=limits, trusted_proxies=LOOPBACK) as house:
        assert await held_of(house, 12) == 8


# --- nonces ------------------------------------------------------------------------------------------------


async def test_new_keys_do_not_fill_the_memory_of_nonces(house: House) -> None:
    for _ in range(5):
        await guess(house, "")
    assert list(house.side._api._nonces._used) == ["neighbourhood 127.0.0.1"]


# --- the test phone's key ----------------------------------------------------------------------------------


def files_of(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_a_key_is_never_written_through_a_file_that_somebody_laid_there(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await house.phone() as phone:
        path, victim = tmp_path / "phone.json", tmp_path / "victim"
        victim.write_text("untouched")
        monkeypatch.setattr("secrets.token_hex", lambda octets: "0" * 2 * octets)
        laid = tmp_path / f"phone.json.{'0' * 16}.new"
        laid.symlink_to(victim)
        with pytest.raises(FileExistsError):
            phone.save(path)
        assert victim.read_text() == "untouched"
        laid.unlink()
        phone.save(path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert not any(left.suffix == ".new" for left in files_of(tmp_path))
