"""Rows become values: the only place that knows how a column spells a field."""

from __future__ import annotations

import json
import sqlite3

from radius_push.model import (
    Credential,
    Device,
    DeviceState,
    Invitation,
    PersonKey,
    Question,
    QuestionState,
    Secret,
    Trial,
)
from radius_push.sessions import Session, SessionKey, Traffic
from radius_push.waking import AppAddress, BrowserAddress, PushAddress

LAST_ANSWER = """nullif(max(
    coalesce((SELECT max(closed_at) FROM questions WHERE questions.device = devices.id), 0),
    coalesce((SELECT max(answered_at) FROM portal_sign_ins WHERE portal_sign_ins.device = devices.id), 0)
), 0)"""
"""Of a row of `devices`: when it last said yes or no, to a login (when its question was closed, a moment
after) or to a sign-in to the portal."""


def question(row: sqlite3.Row) -> Question:
    return Question(
        id=row["id"],
        login=row["login"],
        person=PersonKey.parse(row["person"]),
        account=row["account"],
        client=row["client"],
        profile=row["profile"],
        address=row["address"],
        nonce=row["nonce"],
        opened_at=row["opened_at"],
        expires_at=row["expires_at"],
        state=QuestionState(row["state"]),
        device=row["device"],
        closed_at=row["closed_at"],
        closes_at=row["closes_at"],
        attempt=row["attempt"],
        lane=row["lane"],
        later_until=row["later_until"],
        late_counts=bool(row["late_counts"]),
        unanswered=row["unanswered"],
        answered_at=row["answered_at"],
        contested_at=row["contested_at"],
        not_from_login_address=bool(row["not_from_login_address"]),
        biometrics=row["biometrics"],
    )


def device(row: sqlite3.Row) -> Device:
    return Device(
        id=row["id"],
        person=PersonKey.parse(row["person"]),
        username=row["username"],
        name=row["name"],
        public_key=row["public_key"],
        state=DeviceState(row["state"]),
        created_at=row["created_at"],
        invitation=row["invitation"],
    )


def invitation(row: sqlite3.Row) -> Invitation:
    return Invitation(
        id=row["id"],
        person=PersonKey.parse(row["person"]),
        username=row["username"],
        expires_at=row["expires_at"],
        redeemed_by=row["redeemed_by"],
        closed=bool(row["closed"]),
        wrong_codes=row["wrong_codes"],
        by_device=row["by_device"],
        sent=bool(row["sent"]),
        asks_code=bool(row["asks_code"]),
        wrong_passwords=row["wrong_passwords"],
        invited_at=row["invited_at"],
        mailed_at=row["mailed_at"],
    )


def push_address(row: sqlite3.Row) -> PushAddress:
    if row["channel"] == "web_push":
        return BrowserAddress(row["device"], row["endpoint"], row["p256dh"], Secret(row["auth"]))
    return AppAddress(row["device"], row["channel"], Secret(row["endpoint"].encode()))


def credential(row: sqlite3.Row) -> Credential:
    return Credential(
        device=row["device"],
        id=row["id"],
        public_key=row["public_key"],
        counter=row["counter"],
        mark=row["mark"],
        synced=bool(row["synced"]),
        since=row["since"],
    )


def trial(row: sqlite3.Row) -> Trial:
    return Trial(id=row["id"], device=row["device"], opened_at=row["opened_at"], expires_at=row["expires_at"])


def session(row: sqlite3.Row) -> Session:
    return Session(
        key=SessionKey(row["client"], row["nas"], row["id"]),
        username=row["username"],
        address=row["address"],
        framed=tuple(json.loads(row["framed"])),
        port=row["port"],
        started_at=row["started_at"],
        started_told=bool(row["started_told"]),
        heard_at=row["heard_at"],
        traffic=Traffic(
            row["seconds"], row["octets_in"], row["octets_out"], row["packets_in"], row["packets_out"]
        ),
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
        cause=row["cause"],
        login=row["login"],
        person=row["person"],
    )
