"""Who we are to Google: a service account, whose signed word is exchanged for an access token.

OAuth 2.0 with a JWT as the grant (RFC 7523), as Google documents it for server to server. One exchange at a
time serves all pushes; nobody who gives up waiting for it ends it for the others.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from radius_push.model import Secret
from radius_push.ports import Clock
from radius_push.push.fcm_answers import no_token
from radius_push.push.line import SOON, Answer, Line, NoAnswer
from radius_push.push_shapes import Fcm
from radius_push.waking import Refused, Unreachable

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTED_SECONDS = 3600
"""Google takes no longer ones."""
DEADLINE = 10.0
"""Seconds for one exchange; a push waits for its own time at most."""
EARLY = 300.0
"""Seconds before its end: then a new one is fetched, and the old one is used meanwhile."""
LEAST = 30.0
"""What is nearer to its end is not used: the push may need that long to arrive."""
_LONGEST_TOKEN = 8192


@dataclass(frozen=True, slots=True)
class _AccessToken:
    """Times are those of `Clock.monotonic`: a clock that is set makes no token older."""

    token: Secret
    renew_at: float
    ends_at: float


class ServiceAccount:
    """Keeps one access token."""

    def __init__(self, fcm: Fcm, line: Line, *, clock: Clock) -> None:
        self._fcm = fcm
        self._line = line
        self._clock = clock
        self.host = urlsplit(fcm.token_uri).hostname or ""
        # It was validated when the settings were read: that takes 50 ms, in which no login would go on.
        key = load_pem_private_key(fcm.key.reveal(), None, unsafe_skip_rsa_key_validation=True)
        self._key = cast("RSAPrivateKey", key)
        self._kept: _AccessToken | None = None
        self._renewal: asyncio.Task[_AccessToken | Unreachable | Refused] | None = None

    async def token(self) -> Secret:
        """The access token, a new one if need be. Raises NoAnswer."""
        now = self._clock.monotonic()
        kept = self._kept
        if kept is not None and now < kept.renew_at:
            return kept.token
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew(), name="fcm access token")
        if kept is not None and now < kept.ends_at:
            return kept.token
        renewal = self._renewal
        await asyncio.wait({renewal})  # unlike awaiting it: who is cancelled here does not cancel it
        if renewal.cancelled():
            raise NoAnswer(Unreachable(f"{self.host}: the server is closing", None))
        found = renewal.result()
        if not isinstance(found, _AccessToken):
            raise NoAnswer(found)
        return found.token

    def refused(self, token: Secret) -> None:
        """Google does not take this one: the next is a new one."""
        if self._kept is not None and self._kept.token == token:
            self._kept = None

    async def close(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait({self._renewal})

    async def _renew(self) -> _AccessToken | Unreachable | Refused:
        asked_at = self._clock.monotonic()
        try:
            async with asyncio.timeout(DEADLINE):
                answer = await self._line.ask(
                    "POST",
                    self._fcm.token_uri,
                    headers={"Content-Type": "application/x-www-form-urlencoded"},
                    body=urlencode({"grant_type": _GRANT, "assertion": self._assertion()}).encode(),
                )
        except TimeoutError:
            return Unreachable(f"{self.host}: no access token within {DEADLINE:.0f} s", SOON)
        except NoAnswer as none:
            return none.outcome
        found = self._read(answer, asked_at)
        if isinstance(found, _AccessToken):
            self._kept = found
        return found

    def _assertion(self) -> str:
        now = int(self._clock.now())
        claims = {
            "iss": self._fcm.client_email,
            "scope": SCOPE,
            "aud": self._fcm.token_uri,
            "iat": now,
            "exp": now + ASSERTED_SECONDS,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._fcm.key_id})

    def _read(self, answer: Answer, asked_at: float) -> _AccessToken | Unreachable | Refused:
        if answer.status != 200:
            return no_token(
                answer, host=self.host, email=self._fcm.client_email, key_id=self._fcm.key_id,
                now=self._clock.now(),
            )  # fmt: skip
        said = answer.json()
        token, seconds = said.get("access_token"), said.get("expires_in")
        if (
            not isinstance(token, str)
            or not re.fullmatch(r"[\x21-\x7e]+", token)
            or len(token) > _LONGEST_TOKEN
            or str(said.get("token_type")).lower() != "bearer"
            or type(seconds) is not int
            or not 0 < seconds <= 86400
        ):
            return Refused(
                f"{self.host} answered 200 without an access token: is token_uri of the service account "
                "Google's, and nothing on the way that answers for it?"
            )
        return _AccessToken(
            Secret(token),
            renew_at=asked_at + max(seconds - EARLY, seconds / 2),
            ends_at=asked_at + max(seconds - LEAST, seconds / 2),
        )
