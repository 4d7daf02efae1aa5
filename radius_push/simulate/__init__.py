"""Gateways and people as scripts: told the time and what came, they say what is sent. Pure."""
