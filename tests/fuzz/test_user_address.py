"""Whatever texts arrive: an address that can be a person's or none, and never the gateway's own."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from hypothesis import given
from hypothesis import strategies as st

from radius_push.model import Address
from radius_push.radius.user_address import parse, user_address
from tests.fuzz.guided.values import PLACES, play_address
from tests.radius.packets import STRICT

GATEWAYS = st.ip_addresses()
FORMS = st.sampled_from(
    ["{}", "ip={}", " {} ", "[{}]", "[{}]:4500", "{}[4500]", "{}:4500", "{}%eth0", "{}/32"]
)
written = st.builds(lambda form, address: form.format(address), FORMS, st.ip_addresses())
nearly = st.text(alphabet="0123456789abcdef:.[]%/ =ip-", max_size=60)
texts = st.one_of(written, nearly, st.text(max_size=253))
attributes = st.dictionaries(
    st.sampled_from([*PLACES, "NAS-IP-Address", "NAS-IPv6-Address"]),
    st.lists(st.one_of(texts, texts.map("ip:source-ip={}".format)), max_size=4).map(tuple),
)


def plain(address: Address) -> Address:
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


@given(attributes=attributes, gateway=GATEWAYS)
def test_never_the_gateways_own_and_never_nobodys(
    attributes: dict[str, tuple[str, ...]], gateway: Address
) -> None:
    reported = user_address(attributes, client=STRICT, gateway=gateway)
    if reported is not None:
        found = reported.address
        own = {
            parse(text)
            for name in ("NAS-IP-Address", "NAS-IPv6-Address")
            for text in attributes.get(name, ())
        }
        assert found not in {plain(gateway), *own}
        assert not found.is_unspecified
        assert not found.is_multicast
        assert found != IPv4Address("255.255.255.255")


@given(text=texts)
def test_what_is_read_is_one_plain_address(text: str) -> None:
    found = parse(text)
    if found is not None:
        assert ip_address(str(found)) == found
        assert plain(found) == found
        assert "%" not in str(found)


@given(address=st.ip_addresses(v=4), port=st.integers(0, 65535))
def test_every_way_to_write_an_address_is_read_the_same(address: IPv4Address, port: int) -> None:
    for form in ("{}", "ip={}", "{}[{}]", "{}:{}", "::ffff:{}", "[{}]:{}"):
        assert parse(form.format(address, port)) == address


@given(octets=st.binary(max_size=600))
def test_arbitrary_octets(octets: bytes) -> None:
    play_address(octets)
