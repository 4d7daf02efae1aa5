"""Who has shown that they can seal: for clients with `require_message_authenticator: auto`.

Once a source has sent a valid Message-Authenticator, nothing without one is believed of it any more: or
somebody on the path would take the seal off (BlastRADIUS, CVE-2024-3596).
"""

from __future__ import annotations

from collections.abc import Iterable

from radius_push.model import Client

EVERY_SOURCE = "*"
"""Stands for all sources of a client that has too many to remember each."""


class Seals:
    """The latches. A source is the gateway's address, or what its certificate calls it."""

    def __init__(self, *, most: int = 1000) -> None:
        """`most`: so many sources of one client are told apart; with one more it is latched as a whole."""
        self._most = most
        self._latched: dict[str, set[str]] = {}

    def required(self, client: Client, source: str) -> bool:
        """Must a packet of this source bear a Message-Authenticator?"""
        match client.require_message_authenticator:
            case "yes":
                return True
            case "no":
                return False
            case "auto":
                return not self._latched.get(client.name, set()).isdisjoint((source, EVERY_SOURCE))

    def sealed(self, client: Client, source: str) -> str | None:
        """An Access-Request without EAP bore a valid Message-Authenticator. What is latched now by it: the
        source, or `*`; None if nothing changes."""
        if client.require_message_authenticator != "auto" or self.required(client, source):
            return None
        of_client = self._latched.setdefault(client.name, set())
        latched = source if len(of_client) < self._most else EVERY_SOURCE
        of_client.add(latched)
        return latched

    def use(self, latched: Iterable[tuple[str, str]]) -> None:
        """These (client, source) are latched, and no others: after a start, and after `clients unlatch`."""
        self._latched = {}
        for client, source in latched:
            self._latched.setdefault(client, set()).add(source)
