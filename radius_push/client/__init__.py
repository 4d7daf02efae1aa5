"""RADIUS outwards: ask a server as a gateway would."""

from radius_push.client.ask import NobodyListens, Reply, ask
from radius_push.client.speaker import Login, Speaker

__all__ = ["Login", "NobodyListens", "Reply", "Speaker", "ask"]
