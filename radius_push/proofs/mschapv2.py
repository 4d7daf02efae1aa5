"""MS-CHAPv2: who logs in and the server each show that they know the NT hash, and neither sends it.

Functions are named by the sections of RFC 2759. Whoever knows an NT hash can log in with it as with the
password: it is kept and hidden like one. MD4, SHA-1 and DES are what the protocol is made of; nothing here
is stronger than an eight-character guess, so it belongs inside TLS, IPsec or a protected network.
"""

from __future__ import annotations

import hashlib
import hmac

from Crypto.Cipher import DES
from Crypto.Hash import MD4

from radius_push.model import MsChapV2, Secret

CHALLENGE = 16
NT_RESPONSE = 24
NT_HASH = 16
MOST_CHARACTERS = 256

_MAGIC_1 = b"Magic server to client signing constant"
_MAGIC_2 = b"Pad to make it do more than one iteration"


def nt_hash(password: Secret) -> Secret | None:
    """The NT hash of a UTF-8 password, 16 octets. None if it has over 256 characters, or is not UTF-8.

    The characters are hashed as they were typed (UTF-16LE, as Windows has them): nothing is normalised, so
    a letter with its accent apart is another password than the same letter with its accent in it.
    """
    try:
        characters = password.reveal().decode("utf-8").encode("utf-16-le")
    except UnicodeDecodeError:
        return None
    if len(characters) > 2 * MOST_CHARACTERS:
        return None
    return Secret(nt_password_hash(characters))


def answer(
    password_hash: Secret, *, identifier: int, challenge: bytes, peer_challenge: bytes, username: bytes
) -> MsChapV2:
    """What who logs in makes of a challenge of 16 octets; `peer_challenge` is 16 random ones of theirs."""
    hashed = without_domain(username)
    response = generate_nt_response(challenge, peer_challenge, hashed, password_hash.reveal())
    return MsChapV2(identifier, challenge, peer_challenge, response, hashed)


def is_right(proof: MsChapV2, nt_hash: Secret) -> bool:
    """Was this response made with this NT hash? Takes the same time wherever they differ."""
    expected = generate_nt_response(
        proof.authenticator_challenge, proof.peer_challenge, proof.username, nt_hash.reveal()
    )
    return hmac.compare_digest(expected, proof.nt_response)


def generate_nt_response(
    authenticator_challenge: bytes, peer_challenge: bytes, username: bytes, password_hash: bytes
) -> bytes:
    """GenerateNTResponse, RFC 2759 8.1, of the NT hash in place of the password: 24 octets."""
    challenge = challenge_hash(peer_challenge, authenticator_challenge, username)
    return challenge_response(challenge, password_hash)


def challenge_hash(peer_challenge: bytes, authenticator_challenge: bytes, username: bytes) -> bytes:
    """ChallengeHash, RFC 2759 8.2: 8 octets. `username` is what was typed, without a domain before it."""
    if len(peer_challenge) != CHALLENGE or len(authenticator_challenge) != CHALLENGE:
        raise ValueError("a challenge is 16 octets")
    return _sha1(peer_challenge + authenticator_challenge + username)[:8]


def nt_password_hash(password: bytes) -> bytes:
    """NtPasswordHash, RFC 2759 8.3, of the password in UTF-16LE: 16 octets."""
    return MD4.new(password).digest()  # noqa: S303  # the protocol is made of it


def hash_nt_password_hash(password_hash: bytes) -> bytes:
    """HashNtPasswordHash, RFC 2759 8.4: 16 octets."""
    return MD4.new(password_hash).digest()  # noqa: S303  # the same


def challenge_response(challenge: bytes, password_hash: bytes) -> bytes:
    """ChallengeResponse, RFC 2759 8.5: the 8 octets under each third of the hash, 24 octets."""
    if len(password_hash) != NT_HASH:
        raise ValueError("an NT hash is 16 octets")
    keys = password_hash.ljust(21, b"\0")
    return b"".join(des_encrypt(challenge, keys[at : at + 7]) for at in (0, 7, 14))


def des_encrypt(clear: bytes, key: bytes) -> bytes:
    """DesEncrypt, RFC 2759 8.6: 8 octets under a key of 7."""
    bits = int.from_bytes(key, "big")
    # Seven bits to an octet; the eighth is a parity that DES does not look at.
    spread = bytes((bits >> (49 - 7 * at) & 0x7F) << 1 for at in range(8))
    return DES.new(spread, DES.MODE_ECB).encrypt(clear)  # noqa: S304  # the same


def generate_authenticator_response(
    password_hash: bytes,
    nt_response: bytes,
    peer_challenge: bytes,
    authenticator_challenge: bytes,
    username: bytes,
) -> bytes:
    """GenerateAuthenticatorResponse, RFC 2759 8.7: `S=` and 40 upper-case hex digits."""
    digest = _sha1(hash_nt_password_hash(password_hash) + nt_response + _MAGIC_1)
    challenge = challenge_hash(peer_challenge, authenticator_challenge, username)
    return b"S=" + _sha1(digest + challenge + _MAGIC_2).hex().upper().encode()


def check_authenticator_response(proof: MsChapV2, password_hash: Secret, received: bytes) -> bool:
    """CheckAuthenticatorResponse, RFC 2759 8.8: does the server know the password, too?"""
    return hmac.compare_digest(authenticator_response(proof, password_hash), received)


def authenticator_response(proof: MsChapV2, password_hash: Secret) -> bytes:
    """What shows who logs in that the server knows the NT hash."""
    return generate_authenticator_response(
        password_hash.reveal(),
        proof.nt_response,
        proof.peer_challenge,
        proof.authenticator_challenge,
        proof.username,
    )


def without_domain(username: bytes) -> bytes:
    """What of a typed name is hashed: `CORP\\alice` gives `alice` (RFC 2759 4)."""
    return username.partition(b"\\")[2] or username


def _sha1(octets: bytes) -> bytes:
    return hashlib.sha1(octets, usedforsecurity=False).digest()
