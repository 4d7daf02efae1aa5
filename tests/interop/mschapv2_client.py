"""An MS-CHAPv2 client of our own, as a VPN gateway would be one: it believes nothing that it did not compute.

Written from RFC 2548, 2759 and 3079 without a line of the server's code, and held to FreeRADIUS first.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from Crypto.Cipher import DES
from Crypto.Hash import MD4

from tests.interop.packets import (
    ACCESS_ACCEPT,
    ACCESS_REJECT,
    ACCESS_REQUEST,
    CALLING_STATION_ID,
    USER_NAME,
    VENDOR_SPECIFIC,
    NotBelieved,
    Request,
    attribute,
    attributes_of,
    believed,
    must,
    sealed,
)

MICROSOFT = 311
MS_CHAP_ERROR, MS_CHAP_CHALLENGE, MS_MPPE_SEND_KEY, MS_MPPE_RECV_KEY = 2, 11, 16, 17
MS_CHAP2_RESPONSE, MS_CHAP2_SUCCESS = 25, 26


@dataclass(frozen=True)
class Accepted:
    """The server knows the password, too; both ends have the same two keys."""

    success: str
    """`S=` and 40 digits, of this login."""
    keys: Keys | None
    """None: the server sent none."""


@dataclass(frozen=True)
class Refused:
    error: str
    """MS-CHAP-Error after its Ident, or '' when there is none."""
    code: int | None
    retry: int | None
    version: int | None
    message: str


@dataclass(frozen=True)
class Keys:
    """As the server names them: it sends with `send`."""

    send: bytes
    receive: bytes


@dataclass(frozen=True)
class Login:
    """One login as the gateway and the laptop saw it."""

    user: str
    password: str
    ident: int
    challenge: bytes
    peer_challenge: bytes

    def response(self) -> bytes:
        """MS-CHAP2-Response: Ident, Flags, Peer-Challenge, Reserved, Response (RFC 2548 2.3.2)."""
        answer = nt_response(self.challenge, self.peer_challenge, self.user, self.password)
        return bytes([self.ident, 0]) + self.peer_challenge + bytes(8) + answer


class MsChap2Client:
    """One gateway: `server` is (address, port), `secret` the shared one."""

    def __init__(self, server: tuple[str, int], secret: str, *, source: str = "127.0.0.1") -> None:
        self._server, self._secret, self._source = server, secret.encode(), source

    def log_in(
        self, user: str, password: str, *, seconds: float = 40.0, address: str = "203.0.113.7"
    ) -> Accepted | Refused:
        """Ask once and wait so long. TimeoutError: silence. NotBelieved: a reply that proves nothing."""
        login = Login(
            user=user,
            password=password,
            ident=secrets.randbelow(256),
            challenge=secrets.token_bytes(16),
            peer_challenge=secrets.token_bytes(16),
        )
        return self.send(login, seconds=seconds, address=address)

    def send(
        self, login: Login, *, seconds: float = 40.0, address: str = "203.0.113.7"
    ) -> Accepted | Refused:
        request = self._request(login, address)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gateway:
            gateway.bind((self._source, 0))
            gateway.connect(self._server)
            gateway.settimeout(seconds)
            gateway.send(request.octets)
            reply = gateway.recv(4096)
        return self._read(reply, request, login)

    def _request(self, login: Login, address: str) -> Request:
        attributes = (
            attribute(USER_NAME, login.user.encode())
            + attribute(CALLING_STATION_ID, address.encode())
            + microsoft(MS_CHAP_CHALLENGE, login.challenge)
            + microsoft(MS_CHAP2_RESPONSE, login.response())
        )
        return sealed(ACCESS_REQUEST, attributes, self._secret)

    def _read(self, reply: bytes, request: Request, login: Login) -> Accepted | Refused:
        code = believed(reply, request, self._secret)
        ours = dict(of_microsoft(reply[20:]))
        if code == ACCESS_REJECT:
            return refused(ours.get(MS_CHAP_ERROR), login)
        must(code == ACCESS_ACCEPT, f"code {code}")
        success = proved(ours.get(MS_CHAP2_SUCCESS), login)
        return Accepted(success, self._keys(ours, request.authenticator, login))

    def _keys(self, ours: dict[int, bytes], authenticator: bytes, login: Login) -> Keys | None:
        if MS_MPPE_SEND_KEY not in ours and MS_MPPE_RECV_KEY not in ours:
            return None
        salts = ours[MS_MPPE_SEND_KEY][:2], ours[MS_MPPE_RECV_KEY][:2]
        must(all(salt[0] & 0x80 for salt in salts), "a salt without its first bit")
        must(salts[0] != salts[1], "the same salt twice")
        sent = Keys(
            send=mppe_key(ours[MS_MPPE_SEND_KEY], authenticator, self._secret),
            receive=mppe_key(ours[MS_MPPE_RECV_KEY], authenticator, self._secret),
        )
        response = nt_response(login.challenge, login.peer_challenge, login.user, login.password)
        must(sent == start_keys(login.password, response), "the MPPE keys are not those of this login")
        return sent


def refused(error: bytes | None, login: Login) -> Refused:
    if error is None:
        return Refused("", None, None, None, "")
    must(error[0] == login.ident, "the MS-CHAP-Error answers another response")
    text = error[1:].decode()
    said = dict(re.findall(r"\b([ERCV])=([0-9A-Fa-f]+)", text.partition(" M=")[0]))
    must("C" not in said or len(said["C"]) == 32, "C= is no challenge")
    code, retry, version = (int(said[word]) if word in said else None for word in "ERV")
    return Refused(text, code, retry, version, message=text.partition(" M=")[2])


def proved(success: bytes | None, login: Login) -> str:
    if success is None:
        raise NotBelieved("no MS-CHAP2-Success: the server has not proved that it knows the password")
    must(success[0] == login.ident, "the MS-CHAP2-Success answers another response")
    text = success[1:].decode()
    ours = authenticator_response(
        login.password,
        nt_response(login.challenge, login.peer_challenge, login.user, login.password),
        login.peer_challenge,
        login.challenge,
        login.user,
    )
    must(text[:42] == ours, "the authenticator response is wrong")
    return text


# --- attributes: RFC 2548 2 ------------------------------------------------------------


def microsoft(type: int, value: bytes) -> bytes:
    return attribute(VENDOR_SPECIFIC, struct.pack("!L", MICROSOFT) + attribute(type, value))


def of_microsoft(octets: bytes) -> Iterator[tuple[int, bytes]]:
    for type, value in attributes_of(octets):
        if type == VENDOR_SPECIFIC and value[:4] == struct.pack("!L", MICROSOFT):
            yield from attributes_of(value[4:])


def mppe_key(attribute_value: bytes, authenticator: bytes, secret: bytes) -> bytes:
    """Uncover an MS-MPPE-Send-Key or -Recv-Key: Salt, then String (RFC 2548 2.4.2)."""
    salt, hidden = attribute_value[:2], attribute_value[2:]
    must(bool(hidden) and len(hidden) % 16 == 0, "an MPPE key of an odd size")
    plain, before = b"", authenticator + salt
    for at in range(0, len(hidden), 16):
        block = hidden[at : at + 16]
        plain += bytes(a ^ b for a, b in zip(block, hashlib.md5(secret + before).digest(), strict=True))
        before = block
    length = plain[0]
    must(length < len(plain) and not any(plain[1 + length :]), "an MPPE key with rubbish behind it")
    return plain[1 : 1 + length]


# --- MS-CHAPv2: RFC 2759 8 -------------------------------------------------------------------------


def challenge_hash(peer_challenge: bytes, challenge: bytes, user: str) -> bytes:
    """8.2; the name without its Windows domain."""
    name = user.rpartition("\\")[2]
    return hashlib.sha1(peer_challenge + challenge + name.encode()).digest()[:8]


def nt_hash(password: str) -> bytes:
    """8.3"""
    return MD4.new(password.encode("utf-16-le")).digest()


def hash_nt_hash(password: str) -> bytes:
    """8.4"""
    return MD4.new(nt_hash(password)).digest()


def challenge_response(challenge: bytes, hashed: bytes) -> bytes:
    """8.5: three DES keys of 7 octets each."""
    padded = hashed.ljust(21, b"\0")
    keys = (widened(padded[at : at + 7]) for at in (0, 7, 14))
    return b"".join(DES.new(key, DES.MODE_ECB).encrypt(challenge) for key in keys)


def widened(seven: bytes) -> bytes:
    """56 bits as 8 octets; the parity bit of each is nobody's business."""
    bits = int.from_bytes(seven)
    return bytes(((bits >> shift) & 0x7F) << 1 for shift in range(49, -1, -7))


def nt_response(challenge: bytes, peer_challenge: bytes, user: str, password: str) -> bytes:
    """8.1"""
    return challenge_response(challenge_hash(peer_challenge, challenge, user), nt_hash(password))


def authenticator_response(
    password: str, response: bytes, peer_challenge: bytes, challenge: bytes, user: str
) -> str:
    """8.7"""
    first = b"Magic server to client signing constant"
    second = b"Pad to make it do more than one iteration"
    digest = hashlib.sha1(hash_nt_hash(password) + response + first).digest()
    hashed = challenge_hash(peer_challenge, challenge, user)
    return "S=" + hashlib.sha1(digest + hashed + second).hexdigest().upper()


# --- the keys: RFC 3079 3 --------------------------------------------------------------------------


def master_key(password: str, response: bytes) -> bytes:
    """3.4 GetMasterKey"""
    return hashlib.sha1(hash_nt_hash(password) + response + b"This is the MPPE Master Key").digest()[:16]


def start_keys(password: str, response: bytes) -> Keys:
    """3.4 GetAsymmetricStartKey for 128 bits, on the server's side."""
    master = master_key(password, response)
    sends = b"On the client side, this is the receive key; on the server side, it is the send key."
    receives = b"On the client side, this is the send key; on the server side, it is the receive key."
    send, receive = (
        hashlib.sha1(master + bytes(40) + words + b"\xf2" * 40).digest()[:16] for words in (sends, receives)
    )
    return Keys(send=send, receive=receive)
