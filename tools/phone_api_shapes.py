"""What phones send and are sent, in words and shapes: `phone_api.py` makes the page and the OpenAPI file.

Bounds come from the code. `tests/web/test_phone_api_document.py` plays every request against a phone side
that listens, and fails for a path, a field, an error word or a header that does not stand here.
"""

from __future__ import annotations

from typing import Any, get_args

from radius_push.enrollment import LONGEST_NAME, TRIES
from radius_push.factors.answer import LONGEST_PAYLOAD
from radius_push.factors.contest import CONTEST_SECONDS
from radius_push.factors.facts import Kind
from radius_push.factors.question import CLOSED_SECONDS, IN_TIME, LATE, NUMBER_MODE, OVER, VERSION
from radius_push.model import DeviceState
from radius_push.push.endpoints import LONGEST as LONGEST_ENDPOINT
from radius_push.waking import CHANNELS, KINDS, LONGEST_TOKEN, RECEIPTS, TOKENS
from radius_push.web.assertions import LONGEST_PART
from radius_push.web.nonces import LIFETIME
from radius_push.web.phone_apps import LONGEST_ID
from radius_push.web.phone_notices import REMOVE, SEEN

Schema = dict[str, Any]

# --- shapes of single values -------------------------------------------------------------------------


def text(words: str, **more: Any) -> Schema:
    return {"type": "string", "description": words, **more}


def octets(count: int, words: str) -> Schema:
    """base64url without padding, in its one spelling."""
    letters = -(-count * 8 // 6)
    return text(
        f"{words} {count} octets, base64url without padding.", pattern=f"^[A-Za-z0-9_-]{{{letters}}}$"
    )


def time(words: str) -> Schema:
    return {"type": "integer", "minimum": 0, "description": f"{words} UTC, milliseconds."}


def one_of(words: str, *values: str) -> Schema:
    return text(words, enum=list(values))


def always(value: str | int, words: str) -> Schema:
    return {"const": value, "description": words}


def a_list(of: str, words: str) -> Schema:
    return {"type": "array", "items": ref(of), "description": words}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def or_null(schema: Schema) -> Schema:
    return {**schema, "type": ["string", "null"]}


NONCE = text(
    f"From `/api/nonce`, at most {LIFETIME:g} s old, never used before.", pattern="^[A-Za-z0-9_-]{64}$"
)
DEVICE = text("This phone, as `/api/enrol` named it.", pattern="^[0-9a-f]{32}$")
ORIGIN = text("The address of this server as the phone was enrolled at: scheme, host, port if it is not the "
              "default one. No slash at the end.", format="uri")  # fmt: skip
PERSON = text("Who is asked: authentication profile and the directory's stable id.")
CLIENT = text("The VPN gateway's name in the settings.")
ADDRESS = or_null(text("Where the person signs in from, **as the gateway reported it**. `null`: it did not."))
INVITATION = text("Its id, for the confirmation code.", pattern="^[0-9a-f]{16}$")
ID = text("Of the question.", minLength=1, maxLength=64)
CARD_NONCE = text(
    "Belongs to this question alone; no other is needed for its answer.", minLength=1, maxLength=64
)
LATE_FIELD = one_of(
    f"`{IN_TIME}`: somebody waits for the answer. `{LATE}`: the gateway gave up; a yes lets the next try in "
    f"without "
    f"another ring. `{OVER}`: the gateway gave up, and a yes is not taken.",
    IN_TIME, LATE, OVER,
)  # fmt: skip
CREDENTIAL = text("base64url of the credential's id (WebAuthn).", minLength=2, maxLength=1364)
ASKED_FOR = one_of(
    "`off`: no fingerprint or face is asked for. `optional`: of a phone that has one, unless the person does "
    "without. "
    "`required`: a yes without one is refused.", "off", "optional", "required",
)  # fmt: skip
ONE_MORE = "; it counts once its six digits were typed"
NUMBER = text(f"`{NUMBER_MODE}`: no number has to be matched. An app that reads a word that it does not "
              f"know takes no "
              "yes, and says that it must be updated.", enum=[NUMBER_MODE])  # fmt: skip
PAGE = text("The address of the page for people's own phones. Show it.", format="uri")
BROWSER = or_null(text("Where the browser comes from, as the page sees it. `null`: it cannot tell. Show it."))
CLOSES = time("The question's last moment, whatever the bar shows. It is signed, not shown.")

# --- what is sent: unknown fields are refused ---------------------------------------------------------


def payload(purpose: str | tuple[str, ...], **fields: Schema) -> Schema:
    """A text that a phone signs."""
    purposes = (purpose,) if isinstance(purpose, str) else purpose
    said = " or ".join(f"`{each}`" for each in purposes)
    named = {
        "version": always(VERSION, "Of this interface."),
        "purpose": one_of(f"{said}: what is signed for one thing is never taken for another.", *purposes),
        "origin": ORIGIN,
    }
    return closed(named | fields)


def closed(fields: dict[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    needed = [name for name in fields if name not in optional]
    return {"type": "object", "required": needed, "properties": fields, "additionalProperties": False}


def signed(name: str) -> Schema:
    """The body around a payload."""
    return closed({
        "payload": text(f"JSON: the exact text that was signed, at most {LONGEST_PAYLOAD:,} octets of UTF-8.",
                        contentMediaType="application/json", contentSchema=ref(name)),
        "signature": octets(64, "r and s of ECDSA (P-256, SHA-256) over the octets of `payload`, 32 each, "
                                "big-endian."),
    })  # fmt: skip


def enrol_body() -> Schema:
    inner = signed("EnrolPayload")
    inner["properties"] = {
        "token": text("What stands behind `#enrol=` in the link.", pattern="^[A-Za-z0-9_-]{22}$"),
        "code": text("Or what the person typed, as it was typed: case, spaces and dashes do not matter, O "
                     "is 0, I and "
                     "L are 1."),
    } | inner["properties"]  # fmt: skip
    inner["properties"]["password"] = text(
        "The person's directory password, as it was typed, for an invitation that was sent: only after "
        "`password_needed`. Keep it nowhere.")  # fmt: skip
    return {**inner, "oneOf": [{"required": ["token"]}, {"required": ["code"]}]}


def signed_with_finger(name: str) -> Schema:
    """With or without what an authenticator says beside the phone's key."""
    inner = signed(name)
    parts = {
        "credential": {**CREDENTIAL, "description": "Of a yes with a fingerprint or face, with the three "
                                                    "below: the `credential` of the state."},
        "client_data": part("Its client data (WebAuthn 5.8.1). The challenge is SHA-256 of `payload`."),
        "authenticator_data": part("Its authenticator data (6.1): user present and verified."),
        "assertion": part("Its signature (6.3.3)."),
    }  # fmt: skip
    inner["properties"] = inner["properties"] | parts
    return {**inner, "dependentRequired": {name: [each for each in parts if each != name] for name in parts}}


def part(words: str) -> Schema:
    return text(f"{words} base64url, at most {LONGEST_PART:,} octets.", maxLength=-(-LONGEST_PART * 4 // 3))


SENT: dict[str, Schema] = {
    "Nothing": closed({}),
    "EnrolBody": enrol_body(),
    "EnrolPayload": payload(
        "enrol",
        nonce=NONCE,
        public_key=octets(65, "The phone's key: an uncompressed point of P-256 (0x04, x, y; SEC 1, 2.3.3)."),
        name=text(f"What the person calls the phone. Kept without control characters, {LONGEST_NAME} "
                  f"characters."),
    ),
    **{
        f"{name}{part}": shape
        for name, purpose in (
            ("Stream", "stream"), ("Questions", "questions"), ("Woken", "woken"), ("Test", "test"))
        for part, shape in (
            ("Body", signed(f"{name}Payload")),
            ("Payload", payload(purpose, device=DEVICE, nonce=NONCE)),
        )
    },
    "AnswerBody": signed_with_finger("AnswerPayload"),
    "AnswerPayload": payload(
        ("approve", "deny"),
        question={**ID, "description": "The card's `id`."},
        person=PERSON,
        device=DEVICE,
        client=CLIENT,
        address=ADDRESS,
        number_mode=NUMBER,
        nonce={**CARD_NONCE, "description": "The card's own `nonce`, not one of `/api/nonce`."},
        late=LATE_FIELD,
        expires_at=CLOSES,
    ),
    "ContestBody": signed("ContestPayload"),
    "ContestPayload": payload(
        "contest",
        device=DEVICE,
        nonce=NONCE,
        question={**ID, "description": "The `id` of one of `recent`."},
        person=PERSON,
        client=CLIENT,
        address=ADDRESS,
    ),
    "InviteBody": signed_with_finger("InvitePayload"),
    "InvitePayload": payload("invite", device=DEVICE, nonce=NONCE),
    "ConfirmBody": signed_with_finger("ConfirmPayload"),
    "ConfirmPayload": payload(
        "confirm",
        device=DEVICE,
        nonce=NONCE,
        invitation=INVITATION,
        code=text("The six digits that the new phone shows, as they were typed."),
    ),
    "BiometricBody": signed("BiometricPayload"),
    "BiometricPayload": {
        **payload(
            "biometric",
            device=DEVICE,
            nonce=NONCE,
            client_data=or_null(
                part("Client data of the new credential. The challenge is SHA-256 over `radius-push "
                     "biometric v1`, NUL, `device`, NUL, `nonce`.")),
            attestation=or_null(part("Its attestation object (6.5), of format `none`, or `packed`.")),
        ),
        "oneOf": [
            {"properties": {name: {"type": kind} for name in ("client_data", "attestation")}}
            for kind in ("string", "null")
        ],
    },
    "SignInAnswerBody": signed_with_finger("SignInAnswerPayload"),
    "SignInAnswerPayload": payload(
        ("portal_approve", "portal_deny"),
        sign_in=text("The `id` of one in `sign_ins`.", minLength=1, maxLength=64),
        person=PERSON,
        device=DEVICE,
        page=PAGE,
        address=BROWSER,
        nonce={**CARD_NONCE, "description": "Its own `nonce`, not one of `/api/nonce`."},
        expires_at=time("Its `expires_at`."),
    ),
    "PushBody": signed("PushPayload"),
    "PushPayload": {
        **payload(
            "push",
            device=DEVICE,
            nonce=NONCE,
            endpoint=or_null(
                text("Where the push service takes messages for this phone: https, one of the services that "
                     "the server "
                     "allows.", format="uri", maxLength=LONGEST_ENDPOINT)),
            p256dh=or_null(octets(65, "Point of P-256 to encrypt for (RFC 8291).")),
            auth=or_null(octets(16, "RFC 8291's authentication secret.")),
        ),
        "oneOf": [
            {"properties": {name: {"type": kind} for name in ("endpoint", "p256dh", "auth")}}
            for kind in ("string", "null")
        ],
    },
    "PushTokenBody": signed("PushTokenPayload"),
    "PushTokenPayload": {
        **payload(
            "push_token",
            device=DEVICE,
            nonce=NONCE,
            channel=one_of("`apns`: Apple's push service. `fcm`: Google's.", *TOKENS),
            token=or_null(
                text("The app's token there. `apns`: the octets of the device token in hexadecimal. `fcm`: "
                     "the registration token as it is. `null`: forget it. At most "
                     f"{LONGEST_TOKEN:,} characters.",
                     minLength=1, maxLength=LONGEST_TOKEN)),
        ),
        "oneOf": [
            {"properties": {"channel": {"const": channel}, "token": {"pattern": f"^{letters}$"}}}
            for channel, letters in TOKENS.items()
        ],
    },
    "ReceiptBody": signed("ReceiptPayload"),
    "ReceiptPayload": payload(
        "receipt",
        device=DEVICE,
        nonce=NONCE,
        channel=one_of("By which it came.", *CHANNELS),
        kind=one_of("The `kind` that the push carried.", *KINDS),
        id=text("The `id` that it carried.", maxLength=LONGEST_ID),
        what=one_of("`received`: it has come, the person may not have looked. `opened`: they opened the app "
                    "by it.", *RECEIPTS),
    ),
    "NoticeBody": signed_with_finger("NoticePayload"),
    "NoticePayload": payload(
        "notice",
        device=DEVICE,
        nonce=NONCE,
        notice=text("The notice's `id`.", maxLength=96),
        answer=one_of("`seen`: show it no more. `remove`: and remove the phone that it tells of, which then "
                      "can let nobody in; only for `device_added`.", SEEN, REMOVE),
    ),
    "TestAnswerBody": signed("TestAnswerPayload"),
    "TestAnswerPayload": payload(
        "test_answer", device=DEVICE, nonce=NONCE, test=text("The test request's `id`.", maxLength=64)
    ),
}  # fmt: skip

# --- what comes back: an app overlooks fields that it does not know -------------------------------------


def open_shape(**fields: Schema) -> Schema:
    return {"type": "object", "required": list(fields), "properties": fields}


def none_or(name: str, words: str) -> Schema:
    return {"anyOf": [ref(name), {"type": "null"}], "description": words}


def maybe(words: str) -> Schema:
    return {"type": ["boolean", "null"], "description": f"{words} `null`: it cannot be told."}


def names_of(whose: str) -> Schema:
    words = f"{whose} names by language (`en`); empty: not known."
    return {"type": "object", "additionalProperties": {"type": "string"}, "description": words}


TOLD: dict[str, Schema] = {
    "Config": open_shape(
        web_push=open_shape(
            public_key=octets(65, "The server's VAPID key (RFC 8292), to subscribe at a push service with.")),
        apns=none_or("ApnsApp", "The app that this server rings by Apple. `null`: none."),
        fcm=none_or("FcmApp", "The project by which it rings apps by Google. `null`: none."),
        biometrics=open_shape(
            relying_party=or_null(text("For WebAuthn: the id of the relying party. `null`: the server has no "
                                       "host name, so browsers keep no credential for it.")),
            asked={**ASKED_FOR, "description": "The most that any sign-in here may ask for; see the card."},
        ),
    ),
    "ApnsApp": open_shape(
        topic=text("Its bundle id."),
        environment=one_of("Which device tokens fit: a build from the App Store or TestFlight has those of "
                           "`production`, one from Xcode those of `sandbox`.", "production", "sandbox"),
    ),
    "FcmApp": open_shape(project=text("Its id at Firebase.")),
    "Receipted": open_shape(
        outcome=one_of("`counted`: it is the first of its kind for this ring. `not_counted`: it was said "
                       "before, or this phone was not rung so of late. Nothing follows from it: do not say "
                       "it again.",
                       "counted", "not_counted"),
        state=ref("State"),
    ),
    "Nonce": open_shape(nonce=NONCE, now=time("The server's time.")),
    "Enrolled": open_shape(
        device=DEVICE,
        person=PERSON,
        account=text("The name that the person signs in with."),
        name=text("The phone's name as it is kept.", maxLength=LONGEST_NAME),
        invitation=INVITATION,
        state=one_of("`pending`: the six digits are to be shown. `active`: none are asked for.",
                     DeviceState.PENDING.value, DeviceState.ACTIVE.value),
    ),
    "Answered": open_shape(
        outcome=one_of(
            "`approved`; `denied`; `approved_late`: the gateway had given up, and the next try is let in if "
            "it comes soon.",
            "approved", "denied", "approved_late")
    ),
    "Contested": open_shape(outcome=one_of("It is written, and the administrator told.", "contested")),
    "Invited": open_shape(
        invitation=INVITATION,
        link=text("What the QR code holds: the new phone opens it.", format="uri"),
        qr=text("The QR code: an SVG image as a `data:` URL."),
        code=text("What the person types instead.", pattern="^[0-9A-Z]{4}-[0-9A-Z]{4}$"),
        expires_at=time("When link and code end."),
    ),
    "Confirmed": open_shape(
        outcome=one_of("`confirmed`: the new phone is trusted. `wrong`: try again. `given_up`: that was the "
                       f"{TRIES}th wrong code, and the new phone was removed.",
                       "confirmed", "wrong", "given_up")
    ),
    "PushKept": open_shape(
        outcome=one_of("`kept`: it is new. `known`: nothing changed. `removed`: this phone is not rung any "
                       "more.",
                       "kept", "known", "removed")
    ),
    "BiometricKept": open_shape(
        outcome=one_of("`waiting`: it is there" + ONE_MORE + ". `removed`: this phone has none any more.",
                       "waiting", "removed")
    ),
    "SignInAnswered": open_shape(outcome=one_of("What was said.", "approved", "denied")),
    "TestAsked": open_shape(
        outcome=one_of("It comes like a sign-in would.", "asked"), test=text("Its `id`.")
    ),
    "NoticeAnswered": open_shape(
        outcome=one_of("`removed`: that phone is removed. `gone`: it was removed before.",
                       "seen", "removed", "gone")
    ),
    "TestAnswered": open_shape(outcome=one_of("The answer arrived.", "answered")),
    "State": open_shape(
        now=time("The server's time, when this was said."),
        device=ref("Device"),
        questions=a_list("Card", "What is asked now. Those that somebody waits for come first. Show all of "
                                 "them."),
        closed=a_list("Closed", f"What became of those that ended, for {CLOSED_SECONDS:g} s."),
        recent=a_list("Recent", f"What was approved in the last {CONTEST_SECONDS / 60:g} minutes, by any "
                                "phone of the person, the newest first. Offer *This wasn't me*."),
        adding={"anyOf": [ref("Adding"), {"type": "null"}],
                "description": "The phone that this one adds. `null`: this one may add none."},
        push=ref("Push"),
        notices=a_list("Notice", "What the person is told of their other phones, oldest first. Show all of "
                                 "them where nothing is asked, until one of `/api/notice` is answered."),
        tests=a_list("Test", "Test requests of this phone that wait for their answer."),
        sign_ins=a_list("SignIn", "Sign-ins of this person to the page for their own phones that wait for an "
                                  "answer."),
    ),
    "Device": open_shape(
        id=DEVICE,
        name=text("The phone's name."),
        account=text("The name that the person signs in with."),
        state=one_of(
            "`pending`: its six digits are not typed yet. `active`. `restored`: a backup brought it back, "
            "the "
            "administrator has to confirm it. `removed`: it has to be added again; the stream ends. All but "
            "an `active` one "
            "are asked nothing.",
            *(state.value for state in DeviceState)),
        credential=or_null({**CREDENTIAL, "description": "The id of the credential that counts."}),
        waiting_credential=or_null({**CREDENTIAL, "description": "Of a new one" + ONE_MORE + "."}),
        guarded={"type": "boolean",
                 "description": "A yes to one of `sign_ins`, `/api/invite`, `/api/confirm`, and `remove` at "
                                "`/api/notice` need this phone's fingerprint or face. If it has none: say "
                                "so, and that one of the person's other phones can."},
    ),
    "Card": open_shape(
        id=ID,
        login=text("The sign-in's code, for the helpdesk: `radius-push trace CODE`."),
        person=PERSON,
        account=text("The name that is signing in. Show it."),
        client={**CLIENT, "description": CLIENT["description"] + " Show it."},
        address={**ADDRESS, "description": ADDRESS["description"] + " Show it, with those words."},
        number_mode=NUMBER,
        biometrics=ASKED_FOR,
        unanswered={"type": "integer", "minimum": 0,
                    "description": "How many requests shortly before it nobody had answered. Show it, if "
                                   "there were any."},
        nonce=CARD_NONCE,
        opened_at=time("When it was asked."),
        ends_at=time("The end of the bar. A later try of the gateway moves it."),
        late=LATE_FIELD,
        expires_at=CLOSES,
        facts=ref("Facts"),
    ),
    "Facts": open_shape(
        network={"type": ["string", "null"], "enum": [*get_args(Kind), None],
                 "description": "What kind of address it is; `null`: none was reported."},
        place={"anyOf": [ref("Place"), {"type": "null"}],
               "description": "About where a public address is, as the server's file of places has it. Show "
                              "it with *about*, as reported by the gateway. `null`: nobody knows."},
        same_network_as_this_phone=maybe("The address is that of this phone, or of its IPv6 /64."),
        not_from_here={"type": "boolean",
                       "description": "A yes of this phone would be refused (`login_address`), as long as it "
                                      "is on that network: say so. A no is taken."},
        same_address_as_last_login=maybe("The person's last sign-in came from there. Perhaps their laptop "
                                         "reconnects by itself."),
    ),
    "Place": open_shape(
        city=names_of("The city's"),
        country=names_of("The country's"),
        country_code={"type": ["string", "null"], "description": "ISO 3166-1, two letters."},
    ),
    "Closed": open_shape(
        id=ID,
        outcome=one_of(
            "`timed_out`: nobody answered. `closed`: the sign-in ended by itself. The others: what was "
            "answered.",
            "approved", "approved_late", "denied", "timed_out", "closed"),
        by_this_device={"type": "boolean", "description": "This phone answered it."},
    ),
    "Notice": open_shape(
        id=text("Of the notice.", maxLength=96),
        kind=one_of("`device_added`: another phone can let somebody in from now on. `credential_added`: a "
                    "fingerprint or face was added on another phone, or replaced.",
                    "device_added", "credential_added"),
        name=text("What that phone is called.", maxLength=LONGEST_NAME),
        at=time("When it happened."),
    ),
    "SignIn": open_shape(
        id=text("Of this sign-in. It cannot be answered at `/api/answer`.", minLength=1, maxLength=64),
        person=PERSON,
        account=text("The name that is signing in. Show it."),
        page=PAGE,
        address=BROWSER,
        code=text("Four digits that the browser shows, too. Show them, and ask whether they are the same "
                  "there: somebody else may have signed in a moment before.", pattern="^[0-9]{4}$"),
        nonce={**CARD_NONCE, "description": "Belongs to this sign-in alone; no other is needed for its "
                                            "answer."},
        opened_at=time("When it was asked."),
        expires_at=time("When it ends."),
    ),
    "Adding": open_shape(
        invitation=or_null({**INVITATION, "description": "The open invitation of this phone. `null`: none."}),
        phone=or_null(text("The new phone's name, once it used the invitation: ask for its six digits.")),
        expires_at={"type": ["integer", "null"], "description": "When link and code end. UTC, milliseconds."},
    ),
    "Push": open_shape(
        state=one_of("`on`: this phone is rung. `gone`: its push service knows it no more: subscribe anew. "
                     "`off`: it is not rung.", "on", "gone", "off"),
        channels=open_shape(**{
            channel: one_of(f"The same by {name} alone.", "on", "gone", "off") for channel, name in (
                ("web_push", "a browser's push service"), ("apns", "Apple"), ("fcm", "Google"))
        }),
        seen_at={"type": ["integer", "null"],
                 "description": "When it said last that a push had reached it. UTC, milliseconds. `null`: "
                                "never."},
    ),
    "Recent": open_shape(
        id=ID,
        login=text("The sign-in's code."),
        person=PERSON,
        account=text("The name that signed in."),
        client=CLIENT,
        address=ADDRESS,
        answered_at=time("When it was approved."),
        by_this_device={"type": "boolean", "description": "This phone approved it."},
        contested={"type": "boolean", "description": "The person said that it was not them."},
    ),
    "Test": open_shape(
        id=text("Of the test request. It cannot be answered at `/api/answer`."),
        opened_at=time("When it was asked for."),
        expires_at=time("When it ends."),
    ),
}  # fmt: skip
