"""RFC 2865 section 7.1: nemo logs in by Telnet to 192.168.1.3. Octets as printed there."""

from __future__ import annotations

from radius_push.model import Secret

SECRET = Secret("xyzzy5461")
PASSWORD = b"arctangent"
REQUEST = bytes.fromhex(
    "01000038 0f403f94739780 57bd83d5cb98f4227a 01066e656d6f"
    "0212 0dbe708d93d413ce3196e43f782a0aee 0406c0a80110 050600000003"
)
AUTHENTICATOR = REQUEST[4:20]
HIDDEN = REQUEST[28:44]
ACCEPT = bytes.fromhex("02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103")
