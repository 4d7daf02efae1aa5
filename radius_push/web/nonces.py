"""Server nonces: each signed request carries one, lives a minute and is used once.

A nonce is remembered only when a right signature used it up: asking for nonces fills nothing.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections import OrderedDict
from collections.abc import Callable

LIFETIME = 60.0
PER_SIGNER = 60
"""Nonces that one signer may use up in a lifetime, so that no phone can fill the memory for all."""
PER_NEIGHBOURHOOD = 1000
"""The same for phones that are being added: whole offices share an address."""
MOST_SIGNERS = 100_000

_TEXT = re.compile(r"[A-Za-z0-9_-]{64}")


class Nonces:
    """Makes nonces, knows its own, and lets each be used once.

    A nonce is base64url of 8 octets of time (milliseconds that never go back), 16 random ones and 24 of
    HMAC-SHA-256 under a key of this process: a restart forgets them all, and phones ask again.
    """

    def __init__(self, fresh: Callable[[int], bytes]) -> None:
        self._fresh = fresh
        self._key = fresh(32)
        self._used: OrderedDict[str, dict[str, float]] = OrderedDict()

    def make(self, now: float) -> str:
        """`now`: seconds that never go back."""
        body = round(now * 1000).to_bytes(8, "big") + self._fresh(16)
        return base64.urlsafe_b64encode(body + self._tag(body)).decode()

    def is_ours(self, nonce: str, now: float) -> bool:
        """Made by this process within the last minute. Costs no memory and no row."""
        if not _TEXT.fullmatch(nonce):
            return False
        octets = base64.urlsafe_b64decode(nonce)
        body, tag = octets[:24], octets[24:]
        if not hmac.compare_digest(tag, self._tag(body)):
            return False
        age = now - int.from_bytes(body[:8], "big") / 1000
        return age < LIFETIME

    def spend(self, nonce: str, *, signer: str, now: float, most: int = PER_SIGNER) -> bool:
        """Use it up, after the signature was found right. False if it was used before, or the signer
        used `most`."""
        self._forget(now)
        used = self._used.setdefault(signer, {})
        self._used.move_to_end(signer)
        for old in [old for old, until in used.items() if until <= now]:
            del used[old]
        if nonce in used or len(used) >= most or len(self._used) > MOST_SIGNERS:
            return False
        used[nonce] = now + LIFETIME
        return True

    def _forget(self, now: float) -> None:
        """Drop signers that used nothing within the last minute, the longest unheard first."""
        while self._used:
            signer, used = next(iter(self._used.items()))
            if any(until > now for until in used.values()):
                break
            del self._used[signer]

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:24]
