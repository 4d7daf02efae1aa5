"""What a firewall has to let through: every line of these settings, and none that they do not need."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from click.testing import CliRunner

from radius_push.cli.doctor import doctor
from radius_push.doctor.network import _OF_BROWSERS, HERE, lines_of
from radius_push.push.endpoints import KNOWN
from radius_push.push_shapes import NO_APPS
from tests.cli.enrolling import write_settings
from tests.doctor.everything import BY_PROXY, SETTINGS, one, rows


def test_every_way_in_is_there_with_who_comes() -> None:
    found = rows(SETTINGS)
    for source in ("10.0.0.11", "10.0.2.0/28"):
        assert ("radius", source, "10.0.0.5", 1812, "udp") in found
        assert ("radius", source, "10.0.0.5", 1912, "udp") in found  # the second server's
        assert ("accounting", source, "10.0.0.5", 1813, "udp") in found
    assert ("radsec", "anywhere", "10.0.0.5", 2083, "tcp") in found
    assert ("phones", "phones, wherever they are", "mfa.example.com", 443, "tcp") in found
    assert ("phones", "10.0.1.2", "10.0.1.5", 8443, "tcp") in found
    assert ("portal", "people's browsers", "10.0.0.5", 8444, "tcp") in found
    assert ("metrics", "your Prometheus", "127.0.0.1", 9812, "tcp") in found


def test_every_way_out_is_there() -> None:
    found = [row for row in rows(SETTINGS) if row[1] == HERE]
    assert found == [
        ("dns", HERE, "your DNS servers", 53, "udp"),
        ("dns", HERE, "your DNS servers", 53, "tcp"),
        ("directory", HERE, "dc1.example.com", 636, "tcp"),
        ("directory", HERE, "dc2.example.com", 389, "tcp"),
        ("mail", HERE, "mail.corp.example", 587, "tcp"),
        ("web_push", HERE, "fcm.googleapis.com", 443, "tcp"),
        ("web_push", HERE, "*.push.services.mozilla.com", 443, "tcp"),
        ("web_push", HERE, "*.push.apple.com", 443, "tcp"),
        ("web_push", HERE, "*.notify.windows.com", 443, "tcp"),
        ("web_push", HERE, "push.corp.example", 8446, "tcp"),
        ("apns", HERE, "api.push.apple.com", 443, "tcp"),
        ("fcm", HERE, "oauth2.googleapis.com", 443, "tcp"),
        ("fcm", HERE, "fcm.googleapis.com", 443, "tcp"),
    ]


def test_with_a_proxy_it_alone_goes_to_push_services() -> None:
    out = [line for line in lines_of(BY_PROXY) if line.channel in {"web_push", "apns", "fcm", "proxy"}]
    assert {line.source for line in out} == {HERE, "proxy.corp.example"}
    assert [line.to for line in out if line.source == HERE] == ["proxy.corp.example"]
    assert one(BY_PROXY, channel="proxy").port == 3128
    assert one(BY_PROXY, channel="apns").by_proxy
    assert not one(BY_PROXY, to="dc1.example.com").by_proxy


def test_a_password_in_clear_text_is_told_from_tls() -> None:
    assert one(SETTINGS, to="dc1.example.com").tls == "tls"
    assert one(SETTINGS, to="dc2.example.com").tls == "starttls"


def test_what_is_not_used_needs_no_line() -> None:
    bare = dataclasses.replace(
        SETTINGS, methods=frozenset(), phone=None, portal=None, metrics=None, mail=None, radsec=None,
        accounting=(), tcp=(), push=NO_APPS, more_servers={},
    )  # fmt: skip
    assert {line.channel for line in lines_of(bare)} == {"radius", "dns", "directory"}


def test_every_known_push_service_has_its_browser() -> None:
    assert tuple(_OF_BROWSERS) == KNOWN


def test_it_can_be_printed_for_people_and_for_programs(tmp_path: Path) -> None:
    config = str(write_settings(tmp_path))
    ended = CliRunner().invoke(doctor, ["--network", "--config", config])
    assert ended.exit_code == 0
    assert ended.output.splitlines()[0].split() == ["WAY", "FROM", "TO", "PORT", "BY", "FOR"]
    ended = CliRunner().invoke(doctor, ["--network", "--json", "--config", config])
    told = [json.loads(line) for line in ended.output.splitlines()]
    assert {"channel": "dns", "direction": "out", "from": HERE, "to": "your DNS servers", "port": 53,
            "protocol": "udp", "for": "names of hosts", "by_proxy": False} in told  # fmt: skip
