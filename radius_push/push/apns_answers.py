"""What becomes of a push by what Apple says of it, with what is to be mended.

Apple, *Handling notification responses from APNs*: every status and reason of its tables is here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from radius_push.push_shapes import Apns, Certificate
from radius_push.waking import Delivered, Gone, Outcome, Refused, Unreachable

SOON = 1.0
"""Seconds until a second try when nobody says."""

_OURS = "a fault of ours, please report it"
_NOT_NOW = frozenset(
    {"IdleTimeout", "TooManyRequests", "InternalServerError", "ServiceUnavailable", "Shutdown"}
)
_GONE = frozenset({"Unregistered", "ExpiredToken"})
_CLOCK = frozenset({"ExpiredProviderToken", "InvalidProviderToken"})
EXPIRED_JWT = "ExpiredProviderToken"


@dataclass(frozen=True, slots=True)
class Said:
    """One answer."""

    status: int
    reason: str
    """One of Apple's words, or another of letters and digits; empty: none."""
    retry_after: float | None
    """Seconds; None: it did not say."""


def reason_in(body: bytes | None) -> str:
    """The one word of an answer, or of a GOAWAY. The rest is not for the log."""
    try:
        said = json.loads(body or b"")
    except (ValueError, RecursionError):
        return ""
    word = said.get("reason") if isinstance(said, dict) else None
    return word if isinstance(word, str) and re.fullmatch(r"[A-Za-z0-9]{1,40}", word) else ""


def outcome_of(said: Said, settings: Apns, *, host: str) -> Outcome:
    """`host`: who said it."""
    status, reason = said.status, said.reason
    if status == 200:
        return Delivered()
    words = f"{host} answered {status}{f' ({reason})' if reason else ''}"
    if reason in _GONE:  # a bare 410 is of something between: it must forget nobody's phone
        return Gone(f"{words}: the app is removed or may notify no more; it registers when opened")
    mend = mend_for(reason, settings)
    if mend is None and (reason in _NOT_NOW or status == 429 or status >= 500):
        return Unreachable(words, said.retry_after or SOON)
    if mend is None and 300 <= status < 400:
        mend = "a redirect, which is never followed; look at methods.push.apns.url"
    return Refused(f"{words}: {mend or 'it does not take what this server sends'}")


def mend_for(reason: str, settings: Apns) -> str | None:
    """What the admin can do about it; None: nothing that we know of."""
    if reason in _CLOCK:
        return f"{_credentials(settings)}. Or this machine's clock is wrong: `timedatectl` tells"
    topic, environment = settings.topic, settings.environment
    mends = {
        "BadDeviceToken": f"no device token of the {environment} environment; an app that Xcode installs is "
        "of sandbox, one of TestFlight or the App Store of production: look at "
        "methods.push.apns.environment, else let the person open the app",
        "DeviceTokenNotForTopic": f"the token is of another app than {topic}: look at "
        "methods.push.apns.topic",
        "BadTopic": f"{topic} is no topic: methods.push.apns.topic is the app's bundle id",
        "MissingTopic": "the topic is missing: methods.push.apns.topic is the app's bundle id",
        "TopicDisallowed": f"this key or certificate may not push to {topic}: look at "
        "methods.push.apns.topic, and at the key's restrictions on Apple's developer page",
        "BadCertificate": "Apple does not take methods.push.apns.certificate: is it revoked, or another "
        "kind? It has to be one for Apple Push Services",
        "BadCertificateEnvironment": f"methods.push.apns.certificate is not for {environment}: look at "
        "methods.push.apns.environment, or make one for it",
        "Forbidden": f"{_who(settings)} may not do this: does the key have APNs switched on?",
        "MissingProviderToken": "it asks for who we are: is the certificate one for Apple Push Services?",
        "UnrelatedKeyIdInToken": f"{_who(settings)} is not related to the key that this connection began "
        "with: is there a relay between that other servers share?",
        "BadEnvironmentKeyIdInToken": f"{_who(settings)} is not for {environment}: look at the key's "
        "environment on Apple's developer page, and at methods.push.apns.environment",
        "TooManyProviderTokenUpdates": f"new JWTs of {_who(settings)} come more often than every 20 minutes: "
        "is it used elsewhere, too, or was this server restarted again and again?",
        "BadPath": "the path is wrong; look at methods.push.apns.url",
        "MethodNotAllowed": "POST is not allowed there; look at methods.push.apns.url",
    }
    mends["BadEnvironmentKeyInToken"] = mends["BadEnvironmentKeyIdInToken"]
    faults = (
        "BadCollapseId", "BadExpirationDate", "BadMessageId", "BadPriority", "DuplicateHeaders",
        "InvalidPushType", "MissingDeviceToken", "PayloadEmpty", "PayloadTooLarge",
    )  # fmt: skip
    return mends.get(reason) or (_OURS if reason in faults else None)


def _who(settings: Apns) -> str:
    if isinstance(settings.identity, Certificate):
        return "the certificate"
    return f"key id {settings.identity.key_id} of team {settings.identity.team_id}"


def _credentials(settings: Apns) -> str:
    if isinstance(settings.identity, Certificate):
        return "it takes no JWT and we sent none: is there a relay between?"
    key, team = settings.identity.key_id, settings.identity.team_id
    return (
        f"key id {key} is not of team {team}, methods.push.apns.key is not the key {key}, or it was revoked "
        "on Apple's developer page"
    )
