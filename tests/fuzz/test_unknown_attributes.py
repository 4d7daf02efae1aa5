"""A valid request with whatever no dictionary has is decided as it is without: never otherwise, never not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radius_push.doors import Grounds
from radius_push.explanation import Explanation, Phones, explain
from radius_push.model import PersonKey
from radius_push.opening import open_directories, rules_of
from radius_push.radius.attributes import HIDDEN
from radius_push.radius.packet import AccessRequest, Arrival
from radius_push.settings import SAMPLE_PASSWORD_HASH, load
from tests.radius.packets import HIDDEN as PASSWORD
from tests.radius.packets import STRICT, dictionary, read, signed

SETTINGS = f"""
server: {{store: "sqlite://state.db", listen: {{authentication: ["127.0.0.1:0"]}}}}
clients:
  fw1:
    addresses: [127.0.0.0/8]
    shared_secret_prefix: accepted
    secret: "the secret of the first gateway"
    profiles: [alone]
authentication_profiles:
  staff:
    type: local
    users: {{alice: {{password_hash: "{SAMPLE_PASSWORD_HASH}", department: IT}}}}
profiles: {{alone: {{methods: [none], fallback_auth_profiles: [staff]}}}}
policies:
  - name: elsewhere
    profile: alone
    authentication_profile: staff
    request: {{NAS-Identifier: other}}
    reply: {{Filter-Id: elsewhere}}
  - name: here
    profile: alone
    authentication_profile: staff
    attribute: department
    values: [IT]
    when: [{{user_address: [203.0.113.0/24]}}]
    request: {{NAS-Identifier: "vpn-*", Cisco-AVPair: "device=*"}}
    reply: {{Filter-Id: "{{department}}", "Tunnel-Private-Group-ID:1": "42"}}
"""
VENDORS = sorted({each.key[0] for each in dictionary() if isinstance(each.key, tuple)})
NAMED = frozenset(each.key for each in dictionary()) | HIDDEN
UNNAMED = sorted(set(range(256)) - NAMED)
KNOWN = (
    (1, b"alice"),
    (2, PASSWORD),
    (31, b"203.0.113.7"),
    (32, b"vpn-1"),
    (26, bytes.fromhex("00000009" + "010e") + b"device=linux"),
    (33, b"proxy"),
)


def inside(type_and_value: tuple[int, bytes]) -> bytes:
    type, value = type_and_value
    return bytes((type, len(value) + 2)) + value


unnamed = st.tuples(st.sampled_from(UNNAMED), st.binary(max_size=40))
extended = st.tuples(st.integers(241, 246), st.binary(max_size=253))
of_unknown_vendors = st.builds(
    lambda vendor, octets: (26, vendor.to_bytes(4, "big") + octets),
    st.integers(0, 2**32 - 1).filter(lambda vendor: vendor not in VENDORS),
    st.binary(max_size=60),
)
of_known_vendors = st.builds(
    lambda vendor, number, value: (26, vendor.to_bytes(4, "big") + inside((number, value))),
    st.sampled_from(VENDORS),
    st.integers(0, 255),
    st.binary(max_size=40),
).filter(lambda each: (int.from_bytes(each[1][:4], "big"), each[1][4]) not in NAMED)
garbage = st.one_of(
    st.tuples(st.just(26), st.binary(max_size=3)),
    # A length that does not fit what is left.
    st.builds(
        lambda vendor, octets: (26, vendor.to_bytes(4, "big") + octets + b"\x01\xff"),
        st.sampled_from(VENDORS),
        st.binary(max_size=20).map(lambda octets: b"\x00\x01" + octets),
    ),
)
strange = st.lists(st.one_of(unnamed, extended, of_unknown_vendors, of_known_vendors, garbage), max_size=12)


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Grounds:
    file = tmp_path_factory.mktemp("settings") / "radius-push.yaml"
    file.write_text(SETTINGS)
    checked = load(Path(file), environ={})
    clock = StandingClock()
    return Grounds(
        settings=checked,
        rules=rules_of(checked),
        directories=open_directories(checked, clock=clock),
        clock=clock,
        dictionary=dictionary(),
    )


class StandingClock:
    def now(self) -> float:
        return 1.7e9

    def monotonic(self) -> float:
        return 0.0


async def nobody(_person: PersonKey) -> Phones | None:
    return None


def decided(request: AccessRequest, grounds: Grounds) -> Explanation:
    arrival = Arrival(
        # What the password comes to is no question of attributes, and argon2id takes its time.
        request=replace(request, hidden_password=None),
        client=grounds.settings.clients["fw1"],
        source=STRICT.networks[0].network_address,
        source_port=0,
        login="",
        at=grounds.clock.now(),
        started=0.0,
        packet=bytes(32),
        superseded=lambda: False,
    )
    told = asyncio.run(explain(arrival, grounds, phones_of=nobody))
    return replace(told, story=replace(told.story, arrival=arrival))


PLAIN = read(signed(*KNOWN))


@settings(max_examples=150)
@given(strange=strange, at=st.lists(st.integers(0, len(KNOWN)), min_size=12, max_size=12))
def test_what_no_dictionary_has_changes_no_decision(
    grounds: Grounds, strange: list[tuple[int, bytes]], at: list[int]
) -> None:
    mixed = list(KNOWN)
    for place, each in zip(at, strange, strict=False):
        mixed.insert(place, each)
    request = read(signed(*mixed))
    assert {name: request.attributes[name] for name in PLAIN.attributes} == PLAIN.attributes
    more = request.attributes.keys() - PLAIN.attributes.keys() - {"Vendor-Specific"}
    assert all(name.startswith("Attr-") for name in more)
    alike = replace(request, attributes=PLAIN.attributes, digest=PLAIN.digest)
    assert alike == PLAIN
    told, plain = decided(request, grounds), decided(PLAIN, grounds)
    assert told.verdict == plain.verdict == "accepted"
    assert told.choice == plain.choice
    assert told.choice is not None
    assert told.choice.policy == "here"
    assert (told.story.trace, told.story.address) == (plain.story.trace, plain.story.address)
