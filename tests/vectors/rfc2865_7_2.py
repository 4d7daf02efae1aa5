"""The numbers of RFC 2865 7.2: flopsy logs in by CHAP, and the Request Authenticator is the challenge."""

from __future__ import annotations

REQUEST = bytes.fromhex(
    "01010047 2aee86f08d0d55969ca5978e0d3367a2"
    "0108 666c6f707379"
    "0313 16e97557c316185895f293ff6344077275"
    "0406 c0a80110 0506 00000014 0606 00000002 0706 00000001"
)
IDENTIFIER, PASSWORD = 0x16, "arctangent"
CHALLENGE = bytes.fromhex("2aee86f08d0d55969ca5978e0d3367a2")
RESPONSE = bytes.fromhex("e97557c316185895f293ff6344077275")
