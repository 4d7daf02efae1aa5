"""RadSec with real TLS on both sides: who comes in by which certificate, and who does not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path

import pytest
import uvloop

from radius_push.client_table import RADSEC_SECRET, ClientTable
from radius_push.listen import stream
from radius_push.model import ClientCertificate, PeerCertificate
from radius_push.shapes import Limits
from radius_push.tls import NoTls
from tests.directory.certificates import Authority, Certificate, self_signed
from tests.interop.radsec_client import calling, tls
from tests.listen.desks import until
from tests.listen.lines import BY_NAME, GATEWAY, Papers, StreamHouse, bare, request, serving
from tests.radius.packets import STRICT, packet, signed


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path)


def der_of(shown: Certificate) -> bytes:
    return ssl.PEM_cert_to_DER_cert(shown.certificate.read_text())


def fingerprint(shown: Certificate) -> str:
    return sha256(der_of(shown)).hexdigest()


async def refused(house: StreamHouse, context: ssl.SSLContext) -> bool:
    """By TLS 1.3 a client hears of it only when it reads."""
    try:
        async with calling(house.listener.address, context) as caller:
            caller.send(request())
            return await caller.closed()
    except OSError:
        return True


async def _one_login(papers: Papers) -> None:
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        async with calling(house.listener.address, tls(papers.authority.file, papers.gateway)) as caller:
            caller.send(request(1), request(2))
            assert sorted([(await caller.reply())[1] for _ in range(2)]) == [1, 2]
        arrival = house.desk.arrivals[0]
        assert arrival.client.name == "fw1"
        assert arrival.certificate == PeerCertificate(frozenset({GATEWAY}), fingerprint(papers.gateway))
        assert arrival.request.authentic
        await until(lambda: house.listener.connections == 0)
        assert arrival.hang_up is not None
        assert arrival.hang_up.is_set()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_login_by_certificate_name_on_both_event_loops(run: Callable[..., None], papers: Papers) -> None:
    run(_one_login(papers))


async def test_no_message_authenticator_is_needed_inside_tls_unless_it_is_asked_for(papers: Papers) -> None:
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        context = tls(papers.authority.file, papers.gateway)
        async with calling(house.listener.address, context) as caller:
            caller.send(bare())
            assert (await caller.reply())[0] == 2
            # It counts as sealed, also with a Proxy-State.
            caller.send(packet((1, b"alice"), (2, bytes(16)), (33, b"through a proxy"), identifier=9))
            assert (await caller.reply())[0] == 2
        assert [arrival.request.authentic for arrival in house.desk.arrivals] == [True, True]
        certificate = replace(BY_NAME.certificate or ClientCertificate(), require_message_authenticator=True)
        house.clients = (replace(BY_NAME, certificate=certificate),)
        async with calling(house.listener.address, context) as caller:
            caller.send(bare())
            assert await caller.closed()
        assert house.counters["not_authentic"] == 1


async def test_a_wrong_seal_closes_it_and_eap_always_needs_one(papers: Papers) -> None:
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        for wrong in (signed((1, b"alice")), packet((1, b"alice"), (79, b"\2\1\0\4"))):
            async with calling(house.listener.address, tls(papers.authority.file, papers.gateway)) as caller:
                caller.send(wrong)
                assert await caller.closed()
        assert house.counters["not_authentic"] == 2
        assert house.desk.arrivals == []


async def test_the_secret_of_udp_is_not_the_one_inside_tls(papers: Papers) -> None:
    both = replace(STRICT, certificate=ClientCertificate(names=(GATEWAY,)))
    async with serving(StreamHouse(both, trust=papers.trust())) as house:
        async with calling(house.listener.address, tls(papers.authority.file, papers.gateway)) as caller:
            caller.send(request())
            assert (await caller.reply())[0] == 2
        assert house.desk.arrivals[0].request.secret == RADSEC_SECRET


async def test_what_is_seen_inside_tls_latches_nothing_outside(papers: Papers) -> None:
    """It counts as sealed, and says nothing of what the gateway sends by UDP."""
    named = ClientCertificate(names=(GATEWAY,))
    auto = replace(STRICT, require_message_authenticator="auto", certificate=named)
    async with serving(StreamHouse(auto, trust=papers.trust())) as house:
        async with calling(house.listener.address, tls(papers.authority.file, papers.gateway)) as caller:
            caller.send(request(1), bare(2))
            for _ in range(2):
                await caller.reply()
        assert not house.gateways.must_seal(auto, "127.0.0.1")
        assert not house.gateways.must_seal(auto, f"certificate {GATEWAY}")


# --- who does not come in ------------------------------------------------------------------------


async def test_no_certificate(papers: Papers, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        assert await refused(house, tls(papers.authority.file, None))
        assert house.counters == {"no_tls": 1}
    assert "RadSec from 127.0.0.1: no TLS: it shows no certificate" in caplog.text


async def test_a_certificate_of_another_authority(
    papers: Papers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    forged = Authority(tmp_path, "other").issue(GATEWAY)
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        assert await refused(house, tls(papers.authority.file, forged))
    assert "its certificate is not believed: unable to get local issuer certificate" in caplog.text


async def test_one_that_has_expired(papers: Papers, caplog: pytest.LogCaptureFixture) -> None:
    late = papers.authority.issue(GATEWAY, days=-1)
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        assert await refused(house, tls(papers.authority.file, late))
    assert "its certificate is not believed: certificate has expired" in caplog.text


async def test_one_that_was_revoked(papers: Papers, caplog: pytest.LogCaptureFixture) -> None:
    stolen = papers.authority.issue(GATEWAY)
    trust = papers.trust(crl=papers.authority.revoked(stolen))
    async with serving(StreamHouse(BY_NAME, trust=trust)) as house:
        assert await refused(house, tls(papers.authority.file, stolen))
        async with calling(house.listener.address, tls(papers.authority.file, papers.gateway)) as caller:
            caller.send(request())
            await caller.reply()
    assert "its certificate is not believed: certificate revoked" in caplog.text


@pytest.mark.parametrize(
    "names", [("fw2.example.com",), ("*.example.com",), ("FW1.example.com.evil.example",), ("10.0.0.11",)]
)
async def test_a_name_that_is_no_clients(
    papers: Papers, names: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        assert await refused(house, tls(papers.authority.file, papers.authority.issue(*names)))
        assert house.counters == {"unknown_certificate": 1}
        assert house.desk.arrivals == []
    assert f"the certificate of {names[0].replace('FW', 'fw')} (sha256:" in caplog.text


async def test_a_common_name_is_no_name(papers: Papers) -> None:
    shown = papers.authority.issue(common_name=GATEWAY)
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        assert await refused(house, tls(papers.authority.file, shown))


async def test_one_that_fits_two_clients_is_nobodys(papers: Papers) -> None:
    other = replace(BY_NAME, name="fw2", certificate=ClientCertificate(names=("fw2.example.com",)))
    shown = papers.authority.issue(GATEWAY, "fw2.example.com")
    async with serving(StreamHouse(BY_NAME, other, trust=papers.trust())) as house:
        assert await refused(house, tls(papers.authority.file, shown))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_tls_1_1(papers: Papers) -> None:
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        context = tls(papers.authority.file, papers.gateway, at_most=ssl.TLSVersion.TLSv1_1)
        assert await refused(house, context)
        assert house.desk.arrivals == []
        context = tls(papers.authority.file, papers.gateway, at_most=ssl.TLSVersion.TLSv1_2)
        async with calling(house.listener.address, context) as caller:
            caller.send(request())
            await caller.reply()


async def test_addresses_must_fit_too(papers: Papers) -> None:
    here = ClientCertificate(names=(GATEWAY,), networks=(ip_network("127.0.0.2"),))
    async with serving(StreamHouse(replace(BY_NAME, certificate=here), trust=papers.trust())) as house:
        context = tls(papers.authority.file, papers.gateway)
        assert await refused(house, context)
        async with calling(house.listener.address, context, source="127.0.0.2") as caller:
            caller.send(request())
            await caller.reply()


# --- fingerprints --------------------------------------------------------------------------------


async def test_a_fingerprint_lets_in_this_certificate_alone(papers: Papers) -> None:
    known = ClientCertificate(fingerprints=(fingerprint(papers.gateway),))
    async with serving(StreamHouse(replace(BY_NAME, certificate=known), trust=papers.trust())) as house:
        async with calling(house.listener.address, tls(papers.authority.file, papers.gateway)) as caller:
            caller.send(request())
            await caller.reply()
        assert await refused(house, tls(papers.authority.file, papers.authority.issue(GATEWAY)))


async def test_a_pinned_certificate_needs_no_authority_and_makes_none(papers: Papers, tmp_path: Path) -> None:
    own, other = self_signed(tmp_path, "fw1"), self_signed(tmp_path, "fw2")
    pem = own.certificate.read_text()
    pinned = replace(BY_NAME, certificate=ClientCertificate(fingerprints=(fingerprint(own),), pinned=(pem,)))
    async with serving(StreamHouse(pinned, trust=papers.trust(pinned, ca=False))) as house:
        async with calling(house.listener.address, tls(papers.authority.file, own)) as caller:
            caller.send(request())
            await caller.reply()
        assert await refused(house, tls(papers.authority.file, other))
        assert await refused(house, tls(papers.authority.file, papers.gateway))


async def test_a_pinned_certificate_of_an_authority_that_is_not_believed(papers: Papers) -> None:
    """Only the certificate itself is trusted, not who signed it."""
    pem = papers.gateway.certificate.read_text()
    known = ClientCertificate(fingerprints=(fingerprint(papers.gateway),), pinned=(pem,))
    pinned = replace(BY_NAME, certificate=known)
    async with serving(StreamHouse(pinned, trust=papers.trust(pinned, ca=False))) as house:
        async with calling(house.listener.address, tls(papers.authority.file, papers.gateway)) as caller:
            caller.send(request())
            await caller.reply()
        assert await refused(house, tls(papers.authority.file, papers.authority.issue(GATEWAY)))


# --- slow, half-open, too many -------------------------------------------------------------------


async def test_a_handshake_that_never_ends_is_cut_off(
    papers: Papers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stream, "HANDSHAKE_SECONDS", 0.01)
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        async with calling(house.listener.address) as half_open:
            assert await half_open.closed()
        assert house.counters == {"handshake_too_slow": 1}
        assert not house.listener._from


async def test_what_is_no_tls_is_told_so(papers: Papers, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        async with calling(house.listener.address) as caller:
            caller.send(b"GET / HTTP/1.1\r\n\r\n")
            assert await caller.closed()
        async with calling(house.listener.address) as caller:
            caller.send(request())
            assert await caller.closed()
        assert house.counters == {"no_tls": 2}
    assert "it speaks HTTP" in caplog.text


async def test_strangers_in_the_middle_of_a_handshake_never_hold_all_connections(papers: Papers) -> None:
    limits = Limits(handshakes=2)
    async with serving(StreamHouse(BY_NAME, trust=papers.trust(), limits=limits)) as house:
        context = tls(papers.authority.file, papers.gateway)
        async with calling(house.listener.address, context) as known:
            known.send(request())
            await known.reply()
            at = house.listener.address
            async with calling(at), calling(at), calling(at) as third:
                assert await third.closed()
                assert house.counters["turned_away"] == 1
                known.send(request(8))
                assert (await known.reply())[1] == 8


async def test_one_address_has_few_unfinished_handshakes_unless_it_was_a_client(papers: Papers) -> None:
    limits = Limits(handshakes=100, handshakes_per_address=2)
    async with serving(StreamHouse(BY_NAME, trust=papers.trust(), limits=limits)) as house:
        at, context = house.listener.address, tls(papers.authority.file, papers.gateway)
        async with calling(at, source="127.0.0.2"), calling(at, source="127.0.0.2"):
            async with calling(at, source="127.0.0.2") as third:
                assert await third.closed()
            assert house.counters["turned_away"] == 1
            async with calling(at, context) as known:
                known.send(request())
                await known.reply()
            # A gateway with many connections makes them all at once.
            async with calling(at), calling(at), calling(at), calling(at, context) as again:
                again.send(request(8))
                assert (await again.reply())[1] == 8
        await until(lambda: not house.listener._shaking)


async def test_unfinished_handshakes_of_strangers_leave_room_for_addresses_of_clients(papers: Papers) -> None:
    limits = Limits(handshakes=4)
    async with serving(StreamHouse(BY_NAME, trust=papers.trust(), limits=limits)) as house:
        at, context = house.listener.address, tls(papers.authority.file, papers.gateway)
        async with calling(at, context) as first:
            first.send(request())
            await first.reply()
        strangers = [f"127.0.0.{number}" for number in (2, 3, 4)]
        async with contextlib.AsyncExitStack() as stack:
            for source in strangers:
                await stack.enter_async_context(calling(at, source=source))
            async with calling(at, source="127.0.0.5") as one_more:
                assert await one_more.closed()
            async with calling(at, context) as again:
                again.send(request(8))
                assert (await again.reply())[1] == 8


async def test_addresses_of_clients_are_remembered_up_to_a_bound(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST_REMEMBERED", 2)
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        context = tls(papers.authority.file, papers.gateway)
        for number in (1, 2, 1, 3):
            async with calling(house.listener.address, context, source=f"127.0.0.{number}") as caller:
                caller.send(request())
                await caller.reply()
        assert list(house.listener._were_clients) == ["127.0.0.1", "127.0.0.3"]


async def test_one_client_never_holds_all_connections(papers: Papers) -> None:
    """With a certificate that leaked, from as many addresses as it likes."""
    other = replace(BY_NAME, name="fw2", certificate=ClientCertificate(names=("fw2.example.com",)))
    limits = Limits(connections=5, connections_per_client=2)
    async with serving(StreamHouse(BY_NAME, other, trust=papers.trust(), limits=limits)) as house:
        at, leaked = house.listener.address, tls(papers.authority.file, papers.gateway)
        async with contextlib.AsyncExitStack() as stack:
            for number in (2, 3):
                await stack.enter_async_context(calling(at, leaked, source=f"127.0.0.{number}"))
            await until(lambda: house.listener.connections == 2)
            async with calling(at, leaked, source="127.0.0.4") as third:
                assert await third.closed()
            assert house.counters["turned_away"] == 1
            own = tls(papers.authority.file, papers.authority.issue("fw2.example.com"))
            async with calling(at, own) as honest:
                honest.send(request())
                await honest.reply()
        await until(lambda: house.listener.connections == 0)
        async with calling(at, leaked) as later:
            later.send(request())
            await later.reply()


async def test_a_stop_in_the_middle_of_a_handshake_leaves_nothing_behind(papers: Papers) -> None:
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        async with calling(house.listener.address):
            await until(lambda: len(house.listener._greeted) == 1)
            await house.listener.drain()
        assert house.listener._greeted == {}


async def test_no_descriptor_left_is_counted_and_gets_over(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        loop = asyncio.get_running_loop()
        accept = loop.sock_accept
        failed: list[socket.socket] = []

        async def scarce(listening: socket.socket) -> object:
            connection, peer = await accept(listening)
            if not failed:
                failed.append(connection)
                connection.close()
                raise OSError(24, "Too many open files")
            return connection, peer

        with monkeypatch.context() as patched:
            patched.setattr(loop, "sock_accept", scarce)
            assert await refused(house, tls(papers.authority.file, papers.gateway))
            assert house.counters["not_accepted"] == 1
            async with calling(house.listener.address, tls(papers.authority.file, papers.gateway)) as caller:
                caller.send(request())
                await caller.reply()


# --- reload --------------------------------------------------------------------------------------


async def test_a_reload_changes_our_certificate_for_new_connections_alone(papers: Papers) -> None:
    async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
        context, table = tls(papers.authority.file, papers.gateway), ClientTable([BY_NAME])
        async with calling(house.listener.address, context) as old:
            before = old.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            papers.server = papers.authority.issue("radius.example.com")
            house.listener.use(papers.trust(), table)
            async with calling(house.listener.address, context) as new:
                after = new.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
                assert (before, after) != (after, before)
                assert after == der_of(papers.server)
                for number, caller in enumerate((old, new)):
                    caller.send(request(number))
                    assert (await caller.reply())[1] == number


async def test_a_reload_that_takes_the_client_or_its_certificate_away_ends_its_connections(
    papers: Papers,
) -> None:
    other = replace(BY_NAME, certificate=ClientCertificate(names=("fw2.example.com",)))
    renamed = replace(BY_NAME, name="fw9")
    for clients in ((), (other,), (renamed,)):
        async with serving(StreamHouse(BY_NAME, trust=papers.trust())) as house:
            async with calling(house.listener.address, tls(papers.authority.file, papers.gateway)) as caller:
                caller.send(request())
                await caller.reply()
                house.clients = clients
                house.listener.use(papers.trust(), ClientTable(clients))
                assert await caller.closed()
            assert house.counters["not_known_any_more"] == 1


async def test_a_reload_that_takes_a_pinned_certificate_away_ends_its_connections(papers: Papers) -> None:
    """Also where its name is still the client's: that was not what let it in."""
    own = self_signed(papers.folder, GATEWAY)
    pem = own.certificate.read_text()
    both = ClientCertificate(names=(GATEWAY,), fingerprints=(fingerprint(own),), pinned=(pem,))
    pinned = replace(BY_NAME, certificate=both)
    async with serving(StreamHouse(pinned, trust=papers.trust(pinned))) as house:
        async with (
            calling(house.listener.address, tls(papers.authority.file, own)) as taken,
            calling(house.listener.address, tls(papers.authority.file, papers.gateway)) as stays,
        ):
            for caller in (taken, stays):
                caller.send(request())
                await caller.reply()
            house.listener.use(papers.trust(pinned), ClientTable([pinned]))
            assert house.listener.connections == 2
            house.clients = (BY_NAME,)
            house.listener.use(papers.trust(BY_NAME), ClientTable([BY_NAME]))
            assert await taken.closed()
            stays.send(request(8))
            assert (await stays.reply())[1] == 8
        assert house.counters["not_known_any_more"] == 1


async def test_another_authority_or_revocation_list_ends_all_of_them(papers: Papers, tmp_path: Path) -> None:
    async with (
        serving(StreamHouse(BY_NAME, trust=papers.trust())) as house,
        calling(house.listener.address, tls(papers.authority.file, papers.gateway)) as caller,
    ):
        caller.send(request())
        await caller.reply()
        house.listener.use(papers.trust(crl=papers.authority.revoked()), ClientTable([BY_NAME]))
        assert await caller.closed()


# --- what the settings name ----------------------------------------------------------------------


def test_files_that_cannot_be_used_are_told_with_their_place(papers: Papers, tmp_path: Path) -> None:
    key = papers.server.key
    with pytest.raises(NoTls, match=r"server\.listen\.radsec\.crl: .* does not hold a revocation list"):
        papers.trust(crl=key)
    papers.authority.file.write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
    with pytest.raises(NoTls, match=r"server\.listen\.radsec\.client_ca: .* cannot be used"):
        papers.trust()
    key.unlink()
    with pytest.raises(NoTls, match=r"server\.listen\.radsec\.tls\.key: .* cannot be read"):
        papers.trust()


@pytest.fixture(autouse=True)
def _all_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="radius_push")
