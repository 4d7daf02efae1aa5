"""What a closed phone is woken with: who is asked by whom, and never a secret, a number or an address.

A browser gets a declarative push message (`web_push: 8030`): newer Safari shows it by itself, everybody
else's service worker reads the same. The text is English: the server does not know what its phones speak. A
service worker writes its own from `data`, in the language of its browser.

Only a browser gets names: what it is sent, it alone can read. What an app of one's own is sent, Apple and
Google can read, so it is told the kind and the id of what waits, and asks this server for the rest.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

from radius_push.model import Device, PersonKey, Question, Secret, Trial
from radius_push.notices import Notice, NoticeKind
from radius_push.portal_store import PortalSignIn
from radius_push.waking import Kind as Kind

LONGEST_TEXT = 128
"""Characters of a name; the phone's own screen shows it whole."""


@dataclass(frozen=True, slots=True)
class Message:
    """One ring, for each device the same."""

    kind: Kind
    login: str | None
    about: str
    """The id of the question, test request or sign-in to the page."""
    person: PersonKey
    device: str | None
    """Only this one; None: all of the person's."""
    began_at: float
    """When somebody began to wait for it, UTC seconds."""
    expires_at: float
    topic: str
    """32 characters of base64url (RFC 8030, section 5.4): a later one replaces an earlier one of the same."""
    url: str
    """What phones open."""
    title: str
    body: str
    names: Mapping[str, str]
    """For a browser's own words."""

    def for_browser(self) -> bytes:
        """JSON, for a browser alone to read. `kind` and `id` are what its receipt says."""
        notification = {
            "title": self.title,
            "body": self.body,
            "tag": self.topic,
            "navigate": f"{self.url}/",
            "data": {**self.names, **self.for_app()},
        }
        return json.dumps({"web_push": 8030, "notification": notification}, ensure_ascii=False).encode()

    def for_app(self) -> dict[str, str]:
        """What Apple and Google may read: 200 octets, and no name."""
        return {"kind": self.kind, "id": self.about}


def of_question(question: Question, *, requested_at: float, key: Secret, url: str) -> Message:
    client, account = _short(question.client), _short(question.account)
    return Message(
        kind="request",
        login=question.login,
        about=question.id,
        person=question.person,
        device=None,
        began_at=requested_at,
        expires_at=question.expires_at,
        topic=tag(key, attempt_of(question)),
        url=url,
        title="Sign-in request",
        body=f"{client} asks for {account}",
        names={"question": question.id, "client": client, "account": account},
    )


def of_trial(trial: Trial, device: Device, *, key: Secret, url: str) -> Message:
    return Message(
        kind="test",
        login=None,
        about=trial.id,
        person=device.person,
        device=device.id,
        began_at=trial.opened_at,
        expires_at=trial.expires_at,
        topic=tag(key, f"test\0{trial.device}"),
        url=url,
        title="Test request",
        body="Only a test: nobody is signing in.",
        names={"test": trial.id},
    )


NOTICE_SECONDS = 86400.0
"""For so long a push service may keep it for a phone that is off."""
_NOTICES: dict[NoticeKind, str] = {
    "device_added": "A phone was added",
    "device_removed": "A phone was removed",
    "credential_added": "A fingerprint or face was added",
}


def of_notice(notice: Notice, *, key: Secret, url: str) -> Message:
    name = _short(notice.name)
    return Message(
        kind=notice.kind,
        login=None,
        about=notice.id,
        person=notice.person,
        device=notice.device,
        began_at=notice.at,
        expires_at=notice.at + NOTICE_SECONDS,
        topic=tag(key, f"notice\0{notice.id}"),
        url=url,
        title=_NOTICES[notice.kind],
        body=name,
        names={"notice": notice.id, "kind": notice.kind, "name": name},
    )


def of_sign_in(sign_in: PortalSignIn, *, key: Secret, url: str) -> Message:
    account = _short(sign_in.account)
    return Message(
        kind="sign_in",
        login=None,
        about=sign_in.id,
        person=sign_in.person,
        device=None,
        began_at=sign_in.opened_at,
        expires_at=sign_in.expires_at,
        topic=tag(key, f"sign-in\0{sign_in.person}"),
        url=url,
        title="Sign-in request",
        body=f"{account} wants to see and change your phones",
        names={"sign_in": sign_in.id, "account": account},
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


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
