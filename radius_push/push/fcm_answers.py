"""What Google's answers mean for a push, and what the admin can mend.

HTTP v1 of FCM: the error's `status`, the `errorCode` of its FcmError and the `reason` of its ErrorInfo, as
Google documents them. Of its sentences nothing is passed on: they may repeat what it was sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from radius_push.push.line import SOON, Answer
from radius_push.push.retry_after import seconds_until
from radius_push.waking import Delivered, Gone, Outcome, Refused, Unreachable

QUOTA_SECONDS = 60.0
"""After a 429 that does not say, as Google's documentation has it."""
SKEW = 120.0
"""Seconds between two clocks that are worth a word."""

_MENDS = {
    "SENDER_ID_MISMATCH": (
        "the app on this phone was built for another Firebase project than {project}: build it with the "
        "google-services.json of {project}, or name a service account of the app's own project"
    ),
    "THIRD_PARTY_AUTH_ERROR": (
        "Apple does not take the key that Firebase has for this app: upload it anew in the Firebase "
        "console > Project settings > Cloud Messaging > Apple app configuration"
    ),
    "SERVICE_DISABLED": (
        "the Firebase Cloud Messaging API is not enabled in {project}: enable fcm.googleapis.com in the "
        "Google Cloud console > APIs & Services, and wait some minutes"
    ),
    "IAM_PERMISSION_DENIED": (
        "the service account {email} may not send for {project}: give it the role Firebase Cloud "
        "Messaging API Admin (permission cloudmessaging.messages.create); is {project} its own project?"
    ),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": "the access token is not for messaging: is token_uri Google's?",
    "CONSUMER_INVALID": (
        "there is no project {project}: was it deleted, or is project_id not as Google wrote it?"
    ),
    "CONSUMER_SUSPENDED": "Google has suspended the project {project}: look into its Google Cloud console",
    "BILLING_DISABLED": "Google wants billing for {project}: look into its Google Cloud console",
    "SECURITY_POLICY_VIOLATED": (
        "a VPC Service Controls perimeter of {project} keeps this machine out: let it in there"
    ),
    "ORG_RESTRICTION_VIOLATION": (
        "an organisation policy of {project} forbids it: look into its Google Cloud console"
    ),
    "UNAUTHENTICATED": (
        "Google takes no access token of {email}, not even a new one: was its key or the account just "
        "deleted? Make a new key in the Firebase console > Project settings > Service accounts"
    ),
    "PERMISSION_DENIED": (
        "{email} may not send for {project}: is project_id right, and has the account the role Firebase "
        "Cloud Messaging API Admin?"
    ),
    "NOT_FOUND": (
        "it knows no project {project}, or nothing of FCM is there: look at project_id of the service "
        "account, and at methods.push.fcm.url"
    ),
    "INVALID_ARGUMENT": (
        "it does not take what this server sends: a fault of ours, or it speaks another version"
    ),
}
_MORE = {
    "USER_PROJECT_DENIED": "CONSUMER_INVALID",
    "RESOURCE_PROJECT_INVALID": "CONSUMER_INVALID",
    "ACCOUNT_STATE_INVALID": "UNAUTHENTICATED",
    "ACCESS_TOKEN_EXPIRED": "UNAUTHENTICATED",
    "CREDENTIALS_MISSING": "UNAUTHENTICATED",
}
"""Other words for the same mend."""
_BY_STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
_NO_TOKEN = "The registration token is not a valid FCM registration token"
_WORD = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class _Said:
    """The words of an error, each "" if it is not there."""

    status: str
    code: str
    reason: str
    fields: frozenset[str]
    """What of the message it complains of."""
    calls_it_no_token: bool
    """In its sentence: there is no word for it."""

    @property
    def word(self) -> str:
        """The most telling one."""
        return self.code or self.reason or self.status


def of_send(answer: Answer, *, host: str, project: str, email: str, now: float) -> Outcome:
    """What became of one message."""
    said = _said(answer)
    shown = f"{host} answered {answer.status}{f' ({said.word})' if said.word else ''}"
    if answer.status == 200:
        if isinstance(answer.json().get("name"), str):
            return Delivered()
        return Refused(f"{shown} without a message's name: that is not FCM; is something on the way to it?")
    if answer.status == 404 and said.code == "UNREGISTERED":
        return Gone(f"{shown}: the app was removed from the phone, or has a newer token that it has to tell")
    if _is_no_token(answer, said):
        return Gone(f"{shown}: what the app gave as its token is none; it has to give another")
    if answer.status == 429 or answer.status >= 500:
        return _later(shown, answer, now=now)
    if 300 <= answer.status < 400:
        return Refused(f"{shown}: a redirect, which is never followed; look at methods.push.fcm.url")
    return Refused(f"{shown}: {_mend(said, answer.status).format(project=project, email=email)}")


def is_about_access(answer: Answer) -> bool:
    """Would a new access token help? Apple's refusal of Firebase's key has the same status."""
    return answer.status == 401 and _said(answer).code != "THIRD_PARTY_AUTH_ERROR"


def no_token(answer: Answer, *, host: str, email: str, key_id: str, now: float) -> Unreachable | Refused:
    """Why there is no access token (RFC 6749, section 5.2)."""
    said = answer.json()
    error = str(said.get("error", ""))
    word = error if re.fullmatch(r"[a-z_]{1,40}", error) else ""
    shown = f"{host} answered {answer.status}{f' ({word})' if word else ''}"
    if answer.status == 429 or answer.status >= 500:
        return _later(shown, answer, now=now)
    if 300 <= answer.status < 400:
        return Refused(
            f"{shown}: a redirect, which is never followed; is token_uri of the service account right?"
        )
    if answer.at is not None and abs(answer.at - now) > SKEW:
        side = "behind" if answer.at > now else "ahead of"
        return Refused(
            f"{shown}: this machine's clock is {abs(answer.at - now):.0f} s {side} Google's, and it takes no "
            "signature of another hour; set it, and let NTP keep it right"
        )
    match word:
        case "invalid_grant" | "invalid_client" | "unauthorized_client" | "account_disabled":
            return Refused(
                f"{shown}: Google does not know the key {key_id[:8]} of {email}: it or the account was "
                "deleted or switched off; make a new key in the Firebase console > Project settings > "
                "Service accounts, and reload"
            )
        case "access_denied" | "admin_policy_enforced" | "org_internal":
            return Refused(f"{shown}: an organisation policy at Google keeps {email} from access tokens")
    return Refused(
        f"{shown}: it gives {email} no access token; is token_uri of the service account Google's?"
    )


def _later(shown: str, answer: Answer, *, now: float) -> Unreachable:
    otherwise = QUOTA_SECONDS if answer.status == 429 else SOON
    return Unreachable(shown, seconds_until(answer.retry_after, now=now, otherwise=otherwise))


def _is_no_token(answer: Answer, said: _Said) -> bool:
    """Only where Google says that it is the token, and nothing else, in one of the two ways that it has.

    The same words without that are said of a message that FCM can't read: if those forgot addresses, one
    fault of ours would leave every phone silent for good.
    """
    if answer.status != 400 or said.code != "INVALID_ARGUMENT":
        return False
    return said.fields == {"message.token"} or (not said.fields and said.calls_it_no_token)


def _mend(said: _Said, status: int) -> str:
    words = (said.code, said.reason, said.status, _BY_STATUS.get(status, ""))
    for word in (_MORE.get(word, word) for word in words):
        if word in _MENDS:
            return _MENDS[word]
    return "it does not take what this server sends; is methods.push.fcm.url FCM's?"


def _said(answer: Answer) -> _Said:
    error = answer.json().get("error")
    if not isinstance(error, dict):
        return _Said("", "", "", frozenset(), calls_it_no_token=False)
    code = reason = ""
    fields: set[str] = set()
    for detail in _objects(error.get("details")):
        kind = str(detail.get("@type", "")).rpartition(".")[2]
        if kind == "FcmError":
            code = _word(detail.get("errorCode"))
        elif kind == "ErrorInfo":
            reason = _word(detail.get("reason"))
        elif kind == "BadRequest":
            fields |= {str(each.get("field")) for each in _objects(detail.get("fieldViolations"))}
    no_token = error.get("message") == _NO_TOKEN
    return _Said(_word(error.get("status")), code, reason, frozenset(fields), calls_it_no_token=no_token)


def _objects(found: object) -> list[Mapping[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _word(found: object) -> str:
    return found if isinstance(found, str) and _WORD.fullmatch(found) else ""
