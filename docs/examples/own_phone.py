"""A phone for radius-push in one file: what an app of your own has to do, and no more.

    python own_phone.py add 'https://mfa.example.com/#enrol=...'
    python own_phone.py listen
    python own_phone.py register --channel fcm TOKEN
    python own_phone.py pushed --channel fcm '{"kind": "request", "id": "..."}'

Python 3.11 and `cryptography` (pip install cryptography). Its key lies in a file: a real app has its key made
in the phone's secure hardware, where nobody can copy it, and asks for finger or face before it signs.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

SILENCE = 40  # seconds; the server says something every 15
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0


class Refused(Exception):
    """The server said no. The word is for the program, the sentence for the person."""

    def __init__(self, word: str, sentence: str) -> None:
        super().__init__(sentence)
        self.word = word


# --- key and signature -------------------------------------------------------------------------------


def text(octets: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def public_octets(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The uncompressed point: 65 octets."""
    encoding, form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    return key.public_key().public_bytes(encoding, form)


def sign(key: ec.EllipticCurvePrivateKey, said: dict[str, Any]) -> dict[str, str]:
    """The text and the signature over exactly this text: r and s, 32 octets each, not DER."""
    payload = json.dumps(said)
    der = key.sign(payload.encode(), ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(der)
    return {"payload": payload, "signature": text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}


def confirmation_code(invitation: str, public_key: bytes) -> str:
    """Six digits that the server computes as well."""
    digest = hashlib.sha256(b"radius-push confirm v1\0" + invitation.encode() + b"\0" + public_key).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 1_000_000:06d}"


# --- requests ----------------------------------------------------------------------------------------


def connect(origin: str, seconds: float) -> http.client.HTTPConnection:
    """https checks the server's certificate. Plain http is for a server on this machine."""
    parts = urlsplit(origin)
    if parts.scheme == "https":
        return http.client.HTTPSConnection(parts.netloc, timeout=seconds)
    if parts.scheme == "http" and parts.hostname == "localhost":
        return http.client.HTTPConnection(parts.netloc, timeout=seconds)
    raise SystemExit(f"{origin}: only https, or http://localhost")


def send(connection: http.client.HTTPConnection, path: str, body: dict[str, Any]) -> http.client.HTTPResponse:
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    if response.status == 200:
        return response
    try:
        told = json.loads(response.read(8192))
        word, sentence = str(told["error"]), str(told["message"])
    except (ValueError, KeyError, TypeError):  # not this server: a proxy in front of it, perhaps
        raise ConnectionError(f"status {response.status}") from None
    if response.status >= 500:
        raise ConnectionError(sentence)
    raise Refused(word, sentence)


def ask(origin: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    connection = connect(origin, seconds=15)
    try:
        told: dict[str, Any] = json.loads(send(connection, path, body).read())
        return told
    finally:
        connection.close()


def nonce(origin: str) -> str:
    return str(ask(origin, "/api/nonce", {})["nonce"])


# --- add this phone ----------------------------------------------------------------------------------


def add(link: str, name: str, file: Path) -> None:
    parts = urlsplit(link)
    origin = f"{parts.scheme}://{parts.netloc}"
    word, _, token = parts.fragment.partition("=")
    if word != "enrol":
        raise SystemExit("this is no link of `radius-push enroll`")
    key = ec.generate_private_key(ec.SECP256R1())
    # Before the link is used up: a phone that cannot keep its key must not use it.
    keep(file, {"key": pem(key)}, new=True)
    try:
        said = {
            "version": 1,
            "purpose": "enrol",
            "origin": origin,
            "nonce": nonce(origin),
            "public_key": text(public_octets(key)),
            "name": name,
        }
        told = ask(origin, "/api/enrol", {"token": token, **sign(key, said)})
    except BaseException:
        file.unlink()
        raise
    keep(file, {"key": pem(key), "origin": origin, "device": told["device"]})
    print(f"Phone of {told['account']}. Tell this code to whoever invited you:")
    print(confirmation_code(told["invitation"], public_octets(key)), flush=True)


def pem(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def keep(file: Path, phone: dict[str, str], *, new: bool = False) -> None:
    """`new`: never over a phone that is there already."""
    mode = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if new else os.O_TRUNC)
    with os.fdopen(os.open(file, mode, 0o600), "w") as out:
        json.dump(phone, out)


def load(file: Path) -> tuple[ec.EllipticCurvePrivateKey, dict[str, str]]:
    try:
        phone = json.loads(file.read_text())
    except FileNotFoundError:
        raise SystemExit(
            f"{file}: no phone is kept there; `add` makes one, `--phone FILE` names another"
        ) from None
    key = serialization.load_pem_private_key(phone["key"].encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key, phone


# --- be rung while the app is closed -------------------------------------------------------------------


def says(
    key: ec.EllipticCurvePrivateKey, phone: dict[str, str], path: str, purpose: str, **fields: str | None
) -> dict[str, Any]:
    """A signed request that is no answer. Each takes a nonce of its own."""
    origin = phone["origin"]
    said = {"version": 1, "purpose": purpose, "origin": origin, "device": phone["device"], **fields}
    return ask(origin, path, sign(key, {**said, "nonce": nonce(origin)}))


def register(file: Path, channel: str, token: str | None) -> None:
    """At each start, and whenever the system has a new token for the app. None: ring it no more."""
    told = says(*load(file), "/api/push-token", "push_token", channel=channel, token=token)
    print(told["outcome"], flush=True)


def pushed(file: Path, channel: str, payload: str, decided: str | None) -> None:
    """The system hands the app what came. It says only that something waits: what, the server tells. That it
    came is said first, so that the seconds that are measured are those of the push."""
    data = json.loads(payload)
    data = data.get("radius_push", data)  # Apple's payload has it in a room of its own
    about = {"channel": channel, "kind": data["kind"], "id": data["id"]}
    key, phone = load(file)
    told = says(key, phone, "/api/receipt", "receipt", **about, what="received")
    print(f"{data['kind']}: received, {told['outcome']}", flush=True)
    if decided is None:
        return
    # A no may be said on the notification itself. A yes only in the open app, after all of the facts.
    if decided == "approve":
        told = says(key, phone, "/api/receipt", "receipt", **about, what="opened")
        print(f"{data['kind']}: opened, {told['outcome']}", flush=True)
    state = told["state"]
    cards = [card for card in state["questions"] if card["id"] == data["id"]]
    sign_ins = [card for card in state["sign_ins"] if card["id"] == data["id"]]
    if not show(key, phone, {**state, "questions": cards, "sign_ins": sign_ins}, decided):
        print("nothing was answered", flush=True)


# --- be asked ----------------------------------------------------------------------------------------


def listen(file: Path, decided: str | None, once: bool) -> None:
    key, phone = load(file)
    pause = FIRST_PAUSE
    while True:
        began = time.monotonic()
        try:
            for event, data in events(key, phone):
                if event == "replaced":
                    raise SystemExit("this phone listens elsewhere, too often")
                if event == "state" and show(key, phone, data, decided) and once:
                    return
        except Refused as no:
            if no.word != "nonce":  # a server that was restarted knows none of its old ones
                raise SystemExit(str(no)) from None
        except (OSError, http.client.HTTPException, ValueError) as problem:
            print(f"not reached: {problem}", file=sys.stderr)
        if time.monotonic() - began > LONGEST_PAUSE:
            pause = FIRST_PAUSE
        # Not all at once, when a server comes back.
        time.sleep(pause * random.uniform(0.75, 1.25))
        pause = min(pause * 2, LONGEST_PAUSE)


def events(key: ec.EllipticCurvePrivateKey, phone: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Server-sent events, until the connection ends."""
    origin = phone["origin"]
    said = {
        "version": 1,
        "purpose": "stream",
        "origin": origin,
        "device": phone["device"],
        "nonce": nonce(origin),
    }
    connection = connect(origin, seconds=SILENCE)
    try:
        event, data = "", ""
        for line in send(connection, "/api/stream", sign(key, said)):
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                event = value
            elif field == "data":
                data = value
            elif not field and event and data:  # an empty line ends an event; ": ping" is none
                yield event, json.loads(data)
                event, data = "", ""
    finally:
        connection.close()


def show(
    key: ec.EllipticCurvePrivateKey, phone: dict[str, str], state: dict[str, Any], decided: str | None
) -> bool:
    """True if a question was answered. A state is the whole truth: what the last one said is forgotten."""
    match state["device"]["state"]:
        case "removed":
            raise SystemExit("this phone was removed: add it again")
        case "pending":
            print("waiting for the code to be typed", flush=True)
        case "restored":
            print("waiting for the administrator to confirm this phone", flush=True)
        case "active" if not state["questions"] and not state["sign_ins"]:
            print("no request", flush=True)
    answered = False
    for card in state["questions"]:
        try:
            answered |= answer(key, phone, card, state["now"], decided)
        except Refused as no:
            # `late`, `too_late`, `denied_elsewhere`...: say so. The next state shows what is there now.
            print(f"not taken ({no.word}): {no}", flush=True)
    for card in state["sign_ins"]:
        try:
            answered |= answer_sign_in(key, phone, card, decided)
        except Refused as no:
            print(f"not taken ({no.word}): {no}", flush=True)
    return answered


def answer_sign_in(
    key: ec.EllipticCurvePrivateKey, phone: dict[str, str], card: dict[str, Any], decided: str | None
) -> bool:
    """Somebody signs in to the page for this person's phones. Never to be taken for a login."""
    print(f"Are you opening your phones' page?  {plain(card['account'])} at {plain(card['page'])}")
    print(f"  address: {'unknown' if card['address'] is None else plain(card['address'])}")
    print(f"  Yes, only if the browser shows the same digits: {plain(card['code'])}")
    word = decided or input("approve, deny, or nothing? ").strip()
    if word not in {"approve", "deny"}:
        return False
    said = {
        "version": 1,
        "purpose": f"portal_{word}",
        "origin": phone["origin"],
        "sign_in": card["id"],
        "device": phone["device"],
        **{name: card[name] for name in ("person", "page", "address", "nonce", "expires_at")},
    }
    print(ask(phone["origin"], "/api/sign-in-answer", sign(key, said))["outcome"], flush=True)
    return True


def answer(
    key: ec.EllipticCurvePrivateKey,
    phone: dict[str, str],
    card: dict[str, Any],
    now: int,
    decided: str | None,
) -> bool:
    show_facts(card, now)
    word = decided or input("approve, deny, or nothing? ").strip()
    if word == "approve" and (card["late"] == "over" or card["number_mode"] != "off"):
        print("this request takes no yes here", flush=True)
        return False
    if word not in {"approve", "deny"}:
        return False
    said = {
        "version": 1,
        "purpose": word,
        "origin": phone["origin"],
        "question": card["id"],
        "device": phone["device"],
        # What was shown is what is signed: `late`, above all, as it stood on the screen.
        **{
            name: card[name]
            for name in ("person", "client", "address", "number_mode", "nonce", "late", "expires_at")
        },
    }
    told = ask(phone["origin"], "/api/answer", sign(key, said))
    if told["outcome"] == "approved_late":
        print("approved_late: just sign in again, you will not be asked", flush=True)
    else:
        print(told["outcome"], flush=True)
    return True


def show_facts(card: dict[str, Any], now: int) -> None:
    """All of them. What others wrote (account, gateway) is shown as plain text and never as markup."""
    address = card["address"]
    where = (
        "unknown, the gateway did not report one"
        if address is None
        else f"{plain(address)} (reported by the gateway)"
    )
    print(f"Are you signing in?  {plain(card['account'])} at {plain(card['client'])}, code {card['login']}")
    print(f"  address: {where}")
    print(f"  {(card['ends_at'] - now) / 1000:.0f} s left")
    if card["unanswered"]:
        print(f"  {card['unanswered']} earlier tries were not answered")
    if card["late"] == "yes":
        print("  Your VPN has given up. A yes lets your next try in.")
    elif card["late"] == "over":
        print("  Your VPN has given up. If it was you, sign in again.")


def plain(words: str) -> str:
    """Nothing that turns the direction of a line, moves the cursor or cannot be seen."""
    return "".join(c if c.isprintable() else "?" for c in words)


def main() -> None:
    parser = argparse.ArgumentParser(description="A phone for radius-push.")
    parser.add_argument("--phone", type=Path, default=Path("own-phone.json"), help="where its key is kept")
    verbs = parser.add_subparsers(dest="verb", required=True)
    adding = verbs.add_parser("add", help="by the link that `radius-push enroll` shows")
    adding.add_argument("link")
    adding.add_argument("--name", default="own phone")
    listening = verbs.add_parser("listen", help="show every request, and answer as you say")
    listening.add_argument(
        "--answer", choices=["approve", "deny"], help="for tests: answer all without asking"
    )
    listening.add_argument("--once", action="store_true", help="end after one answer")
    registering = verbs.add_parser("register", help="say where the app is rung while it is closed")
    registering.add_argument(
        "token", nargs="?", help="as Apple or Google gave it to the app; none: forget it"
    )
    being_pushed = verbs.add_parser("pushed", help="do what an app does with a push")
    being_pushed.add_argument("payload", help="the JSON that came with it")
    being_pushed.add_argument("--answer", choices=["approve", "deny"], help="as the person says")
    for verb in (registering, being_pushed):
        verb.add_argument("--channel", choices=["apns", "fcm"], required=True)
    said = parser.parse_args()
    try:
        if said.verb == "add":
            add(said.link, said.name, said.phone)
        elif said.verb == "register":
            register(said.phone, said.channel, said.token)
        elif said.verb == "pushed":
            pushed(said.phone, said.channel, said.payload, said.answer)
        else:
            listen(said.phone, said.answer, said.once)
    except Refused as no:
        raise SystemExit(str(no)) from None
    except OSError as problem:
        raise SystemExit(f"not done: {problem}") from None


if __name__ == "__main__":
    main()
