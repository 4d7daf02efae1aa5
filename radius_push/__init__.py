"""radius-push: a push approval behind every VPN login, on the organisation's own machine."""

__version__ = "0.1.0"
