"""The numbers of RFC 2759 9.2 and RFC 3079 3.5.3: one login, from its challenges to its keys."""

from __future__ import annotations

USERNAME = b"User"
PASSWORD = "clientPass".encode("utf-16-le")
AUTHENTICATOR_CHALLENGE = bytes.fromhex("5b5d7c7d7b3f2f3e3c2c602132262628")
PEER_CHALLENGE = bytes.fromhex("21402324255e262a28295f2b3a337c7e")
CHALLENGE = bytes.fromhex("d02e4386bce91226")
PASSWORD_HASH = bytes.fromhex("44ebba8d5312b8d611474411f56989ae")
NT_RESPONSE = bytes.fromhex("82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df")
PASSWORD_HASH_HASH = bytes.fromhex("41c00c584bd2d91c4017a2a12fa59f3f")
AUTHENTICATOR_RESPONSE = b"S=407A5589115FD0D6209F510FE9C04566932CDA56"
MASTER_KEY = bytes.fromhex("fdece3717a8c838cb388e527ae3cdd31")
SEND_START_KEY_40 = bytes.fromhex("8b7cdc149b993a1b")
SEND_START_KEY_128 = bytes.fromhex("8b7cdc149b993a1ba118cb153f56dccb")
