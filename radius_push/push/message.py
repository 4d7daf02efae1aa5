"""What a closed phone is woken with: who is asked by whom, and never a secret, a number or an address.

The text is a declarative push message (`web_push: 8030`): newer Safari shows it by itself, everybody else's
service worker reads the same. The text is English: the server does not know what its phones speak. A service
worker writes its own from `data`, in the language of its browser.
"""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass, field

from radius_push.model import Device, PersonKey, Question, Secret, Trial
from radius_push.notices import Notice, NoticeKind
from radius_push.portal_store import PortalSignIn

LONGEST_TEXT = 128
"""Characters of a name; the phone's own screen shows it whole."""


@dataclass(frozen=True, slots=True)
class Message:
    """One ring, for each device the same."""

    login: str | None
    about: str
    """The id of the question, test request or sign-in to the page."""
    person: PersonKey
    device: str | None
    """Only this one; None: all of the person's."""
    expires_at: float
    topic: str
    """32 characters of base64url (RFC 8030, section 5.4): a later one replaces an earlier one of the same."""
    payload: bytes = field(repr=False)


def of_question(question: Question, *, key: Secret, url: str) -> Message:
    topic = tag(key, attempt_of(question))
    client, account = _short(question.client), _short(question.account)
    return Message(
        login=question.login,
        about=question.id,
        person=question.person,
        device=None,
        expires_at=question.expires_at,
        topic=topic,
        payload=_payload(
            "Sign-in request",
            f"{client} asks for {account}",
            tag=topic,
            url=url,
            data={"question": question.id, "client": client, "account": account},
        ),
    )


def of_trial(trial: Trial, device: Device, *, key: Secret, url: str) -> Message:
    topic = tag(key, f"test\0{trial.device}")
    body = "Only a test: nobody is signing in."
    return Message(
        login=None,
        about=trial.id,
        person=device.person,
        device=device.id,
        expires_at=trial.expires_at,
        topic=topic,
        payload=_payload("Test request", body, tag=topic, url=url, data={"test": trial.id}),
    )


NOTICE_SECONDS = 86400.0
"""For so long a push service may keep it for a phone that is off."""
_NOTICES: dict[NoticeKind, str] = {
    "device_added": "A phone was added",
    "device_removed": "A phone was removed",
    "credential_added": "A fingerprint or face was added",
}


def of_notice(notice: Notice, *, key: Secret, url: str) -> Message:
    topic, name = tag(key, f"notice\0{notice.id}"), _short(notice.name)
    return Message(
        login=None,
        about=notice.id,
        person=notice.person,
        device=notice.device,
        expires_at=notice.at + NOTICE_SECONDS,
        topic=topic,
        payload=_payload(
            _NOTICES[notice.kind],
            name,
            tag=topic,
            url=url,
            data={"notice": notice.id, "kind": notice.kind, "name": name},
        ),
    )


def of_sign_in(sign_in: PortalSignIn, *, key: Secret, url: str) -> Message:
    topic = tag(key, f"sign-in\0{sign_in.person}")
    account = _short(sign_in.account)
    return Message(
        login=None,
        about=sign_in.id,
        person=sign_in.person,
        device=None,
        expires_at=sign_in.expires_at,
        topic=topic,
        payload=_payload(
            "Sign-in request",
            f"{account} wants to see and change your phones",
            tag=topic,
            url=url,
            data={"sign_in": sign_in.id, "account": account},
        ),
    )


def attempt_of(question: Question) -> str:
    """What a gateway's second try has in common with its first. An unknown address equals nothing."""
    if question.attempt is None:
        return f"question\0{question.id}"
    return f"attempt\0{question.attempt.hex()}"


def tag(key: Secret, what: str) -> str:
    """32 characters that tell the push service and the phone nothing but that two are the same."""
    digest = hmac.digest(key.reveal(), b"radius-push topic v1\0" + what.encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:24]).decode()


def _payload(title: str, body: str, *, tag: str, url: str, data: dict[str, str]) -> bytes:
    notification = {"title": title, "body": body, "tag": tag, "navigate": f"{url}/", "data": data}
    return json.dumps({"web_push": 8030, "notification": notification}, ensure_ascii=False).encode()


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
