"""RadSec in the settings: what a good file becomes, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from radius_push import shapes
from radius_push.client_table import RADSEC_SECRET, ClientTable
from radius_push.model import ClientCertificate, PeerCertificate
from radius_push.settings import SAMPLE_PASSWORD_HASH, describe
from radius_push.settings.changes import differences, needs_restart
from radius_push.shapes import Limits
from tests.directory.certificates import self_signed
from tests.listen.lines import Papers
from tests.settings.files import HASH, changed, good, mistakes, warnings

LISTEN = 'authentication: ["127.0.0.1:1812"]'
ADDRESSED = "addresses: [10.0.0.11]\n    secret: {env: FW1}"
NAMED = "certificate: {name: fw1.example.com}"


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path)


def listening(papers: Papers, more: str = "") -> str:
    return (
        f'{LISTEN}\n    radsec: {{address: ["127.0.0.1:2083", "[::1]:2083"], tls: {{certificate: '
        f"{papers.server.certificate}, key: {papers.server.key}}}{more}}}"
    )


def signed(papers: Papers, client: str, more: str = "") -> str:
    ca = f", client_ca: {papers.authority.file}{more}"
    return changed((LISTEN, listening(papers, ca)), (ADDRESSED, client))


def test_a_client_known_by_name_needs_no_address_and_no_secret(papers: Papers) -> None:
    settings = good(papers.folder, signed(papers, "certificate: {name: [FW1.example.com, 10.0.0.11]}"))
    fw1 = settings.clients["fw1"]
    assert fw1.certificate == ClientCertificate(names=("fw1.example.com", "10.0.0.11"))
    assert (fw1.networks, fw1.secrets) == ((), (RADSEC_SECRET,))
    assert settings.radsec is not None
    assert [str(each) for each in settings.radsec.endpoints] == ["127.0.0.1:2083", "[::1]:2083"]
    assert "RadSec on [::1]:2083" in describe(settings)


def test_addresses_without_a_secret_never_open_udp(papers: Papers) -> None:
    """The secret of RadSec is known to everybody."""
    settings = good(papers.folder, signed(papers, f"{NAMED}\n    addresses: [10.0.0.11]"))
    table = ClientTable(settings.clients.values())
    address = ip_address("10.0.0.11")
    assert table.find(address) is None
    shown = PeerCertificate(frozenset({"fw1.example.com"}), "")
    inside = table.find(address, shown)
    assert inside is not None
    assert inside.over_tls
    assert table.find(ip_address("10.0.0.12"), shown) is None


def test_both_ways_have_their_own_secret(papers: Papers) -> None:
    settings = good(papers.folder, signed(papers, f"{NAMED}\n    {ADDRESSED}"))
    table = ClientTable(settings.clients.values())
    address = ip_address("10.0.0.11")
    by_udp = table.find(address)
    by_tls = table.find(address, PeerCertificate(frozenset({"fw1.example.com"}), ""))
    assert by_udp is not None
    assert by_tls is not None
    assert (by_udp.over_tls, by_udp.require_message_authenticator) == (False, "yes")
    assert RADSEC_SECRET not in by_udp.secrets
    assert (by_tls.over_tls, by_tls.require_message_authenticator) == (True, "no")
    assert by_tls.secrets == (RADSEC_SECRET,)


@pytest.mark.parametrize(
    ("written", "required"),
    [
        ("", False),
        ("\n    require_message_authenticator: yes", True),
        ("\n    require_message_authenticator: no", False),
    ],
)
def test_inside_tls_a_seal_is_required_only_where_it_is_written(
    papers: Papers, written: str, required: bool
) -> None:
    settings = good(papers.folder, signed(papers, NAMED + written))
    known = settings.clients["fw1"].certificate
    assert known is not None
    assert known.require_message_authenticator is required


def test_a_pinned_certificate_needs_no_client_ca(papers: Papers) -> None:
    own = self_signed(papers.folder, "fw1.example.com")
    text = changed((LISTEN, listening(papers)), (ADDRESSED, f"certificate: {{file: {own.certificate}}}"))
    known = good(papers.folder, text).clients["fw1"].certificate
    assert known is not None
    assert (len(known.pinned), len(known.fingerprints), known.names) == (1, 1, ())


@pytest.mark.parametrize("ca", [True, None])
def test_a_pinned_certificate_that_could_sign_others_is_refused(papers: Papers, ca: bool | None) -> None:
    own = self_signed(papers.folder, "fw1.example.com", ca=ca)
    [said] = mistakes(papers.folder, signed(papers, f"certificate: {{file: {own.certificate}}}"))
    assert "does not say that it is no authority (basicConstraints CA:FALSE)" in said


@pytest.mark.parametrize("written", ["name: fw1.example.com", f"fingerprint: sha256:{'ab' * 32}"])
def test_a_name_or_fingerprint_without_client_ca_is_refused(papers: Papers, written: str) -> None:
    text = changed((LISTEN, listening(papers)), (ADDRESSED, f"certificate: {{{written}}}"))
    [said] = mistakes(papers.folder, text)
    assert "clients.fw1.certificate: nobody vouches for it: add client_ca" in said


def test_a_certificate_has_one_client(papers: Papers) -> None:
    two = f"{NAMED}\n    profiles: [staff-push]\n    patience: 60s\n  fw2:\n    {NAMED}"
    [said] = mistakes(papers.folder, signed(papers, two))
    assert "clients.fw2.certificate: fw1.example.com belongs to fw1 already" in said


def test_a_revocation_list_and_a_pinned_certificate_do_not_go_together(papers: Papers) -> None:
    own = self_signed(papers.folder, "fw1.example.com")
    crl = f", crl: {papers.authority.revoked()}"
    [said] = mistakes(papers.folder, signed(papers, f"certificate: {{file: {own.certificate}}}", crl))
    assert "server.listen.radsec.crl: is asked about every certificate" in said
    assert good(papers.folder, signed(papers, NAMED, crl)).radsec is not None


def test_nobody_listens_and_nobody_comes(papers: Papers) -> None:
    [said] = mistakes(papers.folder, changed((ADDRESSED, NAMED)))
    assert "clients.fw1.certificate: is for RadSec, which nobody listens for" in said
    ca = f", client_ca: {papers.authority.file}"
    [said] = warnings(papers.folder, changed((LISTEN, listening(papers, ca))))
    assert "no client has a certificate: nobody can come in" in said


def test_a_secret_without_addresses_is_of_no_use(papers: Papers) -> None:
    [said] = mistakes(papers.folder, signed(papers, f"{NAMED}\n    secret: {{env: FW1}}"))
    assert "clients.fw1.secret: is for UDP and TCP, from addresses" in said


def test_the_samples_password_is_refused_where_a_certificate_lets_in_from_anywhere(papers: Papers) -> None:
    text = signed(papers, NAMED).replace(HASH, SAMPLE_PASSWORD_HASH)
    assert any("the sample's password" in said for said in mistakes(papers.folder, text))


def test_tcp_beyond_this_machine_must_be_accepted(papers: Papers) -> None:
    open_wide = changed((LISTEN, f'{LISTEN}\n    tcp: ["10.0.0.5:1812"]'))
    [said] = mistakes(papers.folder, open_wide)
    assert "server.listen.tcp[0]: without TLS everybody on the way reads" in said
    text = changed((LISTEN, f'{LISTEN}\n    tcp: ["10.0.0.5:1812"]\n    tcp_without_tls: accepted'))
    settings = good(papers.folder, text)
    assert [str(each) for each in settings.tcp] == ["10.0.0.5:1812"]
    assert "RADIUS authentication by TCP on 10.0.0.5:1812" in describe(settings)


def test_what_a_reload_can_change(papers: Papers) -> None:
    old = good(papers.folder, signed(papers, NAMED))
    assert old.radsec is not None
    limits = replace(old, limits=Limits(idle_connection=60), radsec=replace(old.radsec, client_ca="other"))
    assert needs_restart(old, limits) == ()
    assert differences(old, limits) == (
        "server.listen.radsec: changed (client_ca)",
        "server.limits: changed (idle_connection)",
    )
    assert needs_restart(old, replace(old, radsec=None)) == ("server.listen.radsec.address",)
    elsewhere = shapes.Endpoint(ip_address("127.0.0.9"), 2083)
    assert needs_restart(old, replace(old, tcp=(elsewhere,))) == ("server.listen.tcp",)


def test_networks_of_a_certificate_are_read(papers: Papers) -> None:
    settings = good(papers.folder, signed(papers, f"{NAMED}\n    addresses: [10.0.0.0/28]"))
    known = settings.clients["fw1"].certificate
    assert known is not None
    assert known.networks == (ip_network("10.0.0.0/28"),)
