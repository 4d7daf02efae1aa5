"""Which gateway speaks: by the address that a packet came from, or by its certificate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from radius_push.model import Address, Client, Network, PeerCertificate, Secret

RADSEC_SECRET = Secret("radsec")
"""The shared secret inside TLS, whatever the client's is elsewhere (RFC 6614 2.3)."""


class ClientTable:
    """Whose an address is: the longest prefix wins, no two share a network. And whose a certificate is."""

    def __init__(self, clients: Iterable[Client]) -> None:
        clients = tuple(clients)
        self._by_prefix: dict[tuple[int, int], dict[int, Client]] = {}
        self._networks = [(network, client) for client in clients for network in client.networks]
        self._networks.sort(key=lambda each: -each[0].prefixlen)
        for network, client in self._networks:
            row = self._by_prefix.setdefault((network.version, network.prefixlen), {})
            row[int(network.network_address)] = client
        self._lengths = {
            version: sorted((length for v, length in self._by_prefix if v == version), reverse=True)
            for version in (4, 6)
        }
        self._by_certificate: dict[str, Client] = {}
        for client in clients:
            if client.certificate is not None:
                inside = _over_tls(client, client.certificate.require_message_authenticator)
                for mark in (*client.certificate.names, *client.certificate.fingerprints):
                    self._by_certificate[mark] = inside

    def __iter__(self) -> Iterator[tuple[Network, Client]]:
        """Every network with its client, the longest prefix first."""
        return iter(self._networks)

    def find(self, address: Address, certificate: PeerCertificate | None = None) -> Client | None:
        """The client that `address` speaks for, or None. Works in one look-up per prefix length.

        With a certificate: the client that it belongs to, as it is met inside TLS. One that fits two by its
        names is nobody's.
        """
        if certificate is not None:
            return self._certified(address, certificate)
        bits = 32 if address.version == 4 else 128
        number = int(address)
        for length in self._lengths[address.version]:
            host_bits = bits - length
            client = self._by_prefix[address.version, length].get(number >> host_bits << host_bits)
            if client is not None:
                return client
        return None

    def _certified(self, address: Address, certificate: PeerCertificate) -> Client | None:
        found = self._by_certificate.get(certificate.fingerprint)
        if found is None:
            named = {
                client.name: client
                for name in certificate.names
                if (client := self._by_certificate.get(name)) is not None
            }
            found = next(iter(named.values())) if len(named) == 1 else None
        if found is None or found.certificate is None:
            return None
        networks = found.certificate.networks
        return found if not networks or any(address in network for network in networks) else None


def _over_tls(client: Client, require_message_authenticator: bool) -> Client:
    return replace(
        client,
        networks=(),
        secrets=(RADSEC_SECRET,),
        require_message_authenticator="yes" if require_message_authenticator else "no",
        over_tls=True,
    )
