"""RADIUS outwards: ask a server as a gateway would."""

from radius_push.client.ask import NobodyListens, Reply, ask

__all__ = ["NobodyListens", "Reply", "ask"]
