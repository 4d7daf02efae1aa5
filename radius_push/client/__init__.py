"""RADIUS outwards: ask a server as a gateway would."""

from radius_push.client.ask import Reply, ask

__all__ = ["Reply", "ask"]
