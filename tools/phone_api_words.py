"""Every request of the phones' interface, what it can be refused with, and what is bounded, in words."""

from __future__ import annotations

from dataclasses import dataclass

from radius_push.enrollment import PASSWORD_TRIES
from radius_push.factors.answer import LONGEST_PAYLOAD
from radius_push.waking import LAST_RINGS, LONGEST_TOKEN
from radius_push.web.nonces import LIFETIME, PER_SIGNER
from radius_push.web.phone import PhoneLimits
from radius_push.web.phone_api import ADDRESSES_IN_A_MINUTE, LONGEST_BODY
from radius_push.web.phone_inviting import INVITATIONS
from radius_push.web.phone_push import TRIAL_SECONDS, TRIALS_IN_A_MINUTE
from radius_push.web.phone_stream import PING_SECONDS

LIMITS = PhoneLimits()


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    words: str
    takes: str | None
    tells: str
    says: str
    """Of what it tells."""
    errors: tuple[str, ...] = ()
    """Beside those of every request and of every POST."""
    stream: bool = False


SIGNED = ("unknown_device", "store_down")
ASKED = (*SIGNED, "nonce")
ACTIVE = ("removed", "pending", "restored")
BIOMETRICS = ("biometrics_missing", "biometrics_needed", "biometrics_failed")
REQUESTS = (
    Request("get", "/api/config", "What an app has to know before it can be rung by a push "
                                  "service.", None, "Config",
            "Never secret."),
    Request("post", "/api/nonce", "A number used once. Needs no signature, and costs the server "
                                  "nothing.", "Nothing",
            "Nonce", "Sign it into the next request."),
    Request("post", "/api/enrol", "Spend an invitation for a key of this phone. The phone may do nothing "
                                  "until the six "
            "digits that it shows were typed by whoever invited.", "EnrolBody", "Enrolled",
            "Keep it beside the key, with the origin.",
            ("signature", "nonce", "invitation", "password_needed", "wrong_password", "directory_down",
             "too_many_devices", "too_many_tries", "store_down")),
    Request("post", "/api/stream", "Be told: the whole state at once, and again after every "
                                   "change.", "StreamBody",
            "State", "Server-sent events, until one side ends them.", (*ASKED, "busy"), stream=True),
    Request("post", "/api/questions", "The same state once, for an app that was only woken.", "QuestionsBody",
            "State",
            "The state.", ASKED),
    Request("post", "/api/woken", "The same, when a push has just reached this phone: the server keeps "
                                  "when that was, and shows it.",
            "WokenBody", "State", "The state.", (*ASKED, *ACTIVE)),
    Request("post", "/api/answer", "Yes or no to one question. The same answer may be sent again, if no "
                                   "reply came: it is "
            "told what it came to.", "AnswerBody", "Answered", "It is written.",
            (*SIGNED, *ACTIVE, "unknown_question", "login_address", "late", *BIOMETRICS,
             "too_late",
             "approved_elsewhere",
             "approved_late_elsewhere",
             "denied_elsewhere", "approved_before", "approved_late_before", "denied_before")),
    Request("post", "/api/contest", "*This wasn't me*, within five minutes after a yes, from any phone "
                                    "of the person. The verdict stays; the administrator is told, and what "
                                    "the yes could still open is closed. It may be sent again, if no reply "
                                    "came.",
            "ContestBody", "Contested", "It is written.",
            (*ASKED, *ACTIVE, "unknown_question", "too_late")),
    Request("post", "/api/invite", "Invite another phone of the same person. It takes the place of an "
                                   "earlier open invitation.",
            "InviteBody", "Invited", "Show `qr` and `code`; then wait for `adding` in the stream.",
            (*ASKED, *ACTIVE, "issuer_only", "too_many_devices", *BIOMETRICS, "too_many_tries")),
    Request("post", "/api/confirm", "Type what the new phone shows.", "ConfirmBody", "Confirmed",
            "The new phone is trusted, or not.", (*ASKED, *ACTIVE, *BIOMETRICS, "too_late")),
    Request("post", "/api/notice", "Answer what the person is told of their other phones.", "NoticeBody",
            "NoticeAnswered", "It is not shown any more.", (*ASKED, *ACTIVE, "unknown_notice", *BIOMETRICS)),
    Request("post", "/api/biometric", "A credential for a fingerprint or face that this phone has made, or, "
                                      "with two `null`, that it has none any more. While the phone is "
                                      "`pending` its six digits are made of the credential, too; later it "
                                      "waits for six digits of its own.",
            "BiometricBody", "BiometricKept", "It is written.",
            (*ASKED, "removed", "restored", "biometrics_failed")),
    Request("post", "/api/sign-in-answer", "Yes or no to one of `sign_ins`: somebody signs in to the "
            "page for this person's phones, and could add or remove some. No VPN is behind it. The same "
            "answer may be sent again.", "SignInAnswerBody", "SignInAnswered", "It is written.",
            (*SIGNED, *ACTIVE, "unknown_question", *BIOMETRICS, "too_late")),
    Request("post", "/api/push", "Where this phone is rung while the app is closed (RFC 8030), or, with "
                                 "three `null`, that "
            "it is not rung any more.", "PushBody", "PushKept", "It is written.",
            (*ASKED, *ACTIVE, "push_service")),
    Request("post", "/api/push-token", "Where an app of one's own is rung while it is closed, by Apple or "
                                       "Google; or, with `null`, that it is not any more by this channel. "
                                       "Say it at each start, and whenever the app gets a new token.",
            "PushTokenBody", "PushKept", "It is written.", (*ASKED, *ACTIVE, "push_service")),
    Request("post", "/api/receipt", "A push has reached this phone, or its person opened the app by it: the "
                                    "server measures how fast it rings, by its own clock. No login needs it. "
                                    "The phone is told what waits, so that nothing else has to be asked.",
            "ReceiptBody", "Receipted", "The state as `/api/questions` tells it.", (*ASKED, *ACTIVE)),
    Request("post", "/api/test", f"Ask for a test request. It rings this phone, stands in `tests` for "
                                 f"{TRIAL_SECONDS:g} s, "
            "and lets nobody in.", "TestBody", "TestAsked", "It is on its way.",
            (*ASKED, *ACTIVE, "too_many_tests")),
    Request("post", "/api/test-answer", "Answer it.", "TestAnswerBody", "TestAnswered", "The test is done.",
            (*ASKED, *ACTIVE, "too_late")),
)  # fmt: skip

# --- what is refused ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Error:
    status: int
    meaning: str
    then: str
    """What an app does."""


EVERY = ("host", "fault")
POSTED = ("origin", "content_type", "too_large", "too_slow", "malformed", "refused")
AGAIN = "Add the phone again: forget the key, say so, ask for a new link or code."
MEND = "A fault of the app: mend it, do not try again."
LOOK = "Show the card as it stands now in the stream; never send the yes again by itself."
ERRORS: dict[str, Error] = {
    "host": Error(421, "The `Host` header is not the server's name.", MEND),
    "origin": Error(403, "An `Origin` header names another site.", "A native app sends none."),
    "not_found": Error(404, "No such path.", MEND),
    "method_not_allowed": Error(405, "Not by this method.", MEND),
    "content_type": Error(415, "Only `application/json` is read.", MEND),
    "too_large": Error(413, f"A body over {LONGEST_BODY:,} octets.", MEND),
    "too_slow": Error(408, f"The body took longer than {LIMITS.body_seconds:g} s.", "Try again."),
    "malformed": Error(400, "A field is missing, unknown, or of another form; or the body is not "
                            "UTF-8.", MEND),
    "refused": Error(400, "The JSON, or what was signed, is not what it must be. `field` names the first "
                          "field that is "
                     "not; `payload`: not a flat JSON object, or one with a key twice; `unknown field`.",
                     "A fault of the app, or a card that is not current: take the newest state."),
    "signature": Error(400, "The signature is not made with the key that is being added.", MEND),
    "unknown_device": Error(401, "The server does not know this phone, or another key signed.", AGAIN),
    "nonce": Error(401, f"Older than {LIFETIME:g} s, used before, from before a restart, or of another "
                        f"server of the "
                   f"installation; or this phone used {PER_SIGNER} within {LIFETIME:g} s.",
                   "Ask for a new nonce, sign anew, try once more."),
    "invitation": Error(403, "The link or code is unknown, spent or expired. Which, is not said.",
                        "Ask for a new one."),
    "password_needed": Error(403, "The invitation is good, and was sent: it needs the person's password. "
                                  "Nothing was used up.",
                             "Ask for the password; send the same again with it, and a new nonce."),
    "wrong_password": Error(403, f"Not the person's password. After {PASSWORD_TRIES} wrong ones the "
                                 f"invitation is closed.", "Ask again."),
    "directory_down": Error(503, "The password could not be checked now. That was no try.",
                            "Try again, later each time."),
    "unknown_notice": Error(404, "There is no such notice on this phone: perhaps it was answered.",
                            "Drop it."),
    "too_many_devices": Error(409, "The person has as many phones as they may.", "Have one removed first."),
    "issuer_only": Error(403, "The settings let no phone add another one.",
                         "Say that the administrator does."),
    "too_many_tries": Error(429, "Ten wrong links, codes or passwords within ten minutes from this address; "
                                 f"or {INVITATIONS} invitations of this phone.",
                            "Wait ten minutes."),
    "removed": Error(403, "This phone was removed.", AGAIN),
    "pending": Error(403, "Its six digits are not typed yet.", "Show them, and wait for the stream to say "
                                                            "`active`."),
    "restored": Error(403, "A backup brought it back; the administrator has to confirm it.", "Say so, and "
                                                            "wait."),
    "unknown_question": Error(404, "There is no such question, or sign-in, for this person.",
                              "Drop the card."),
    "login_address": Error(409, "This phone comes from the address of the sign-in itself, and the profile "
                                "takes no yes from there.",
                           "Say: open the app over mobile data. The card stays."),
    "late": Error(409, "A yes for which no gateway waits, that was not asked for as one: signed in time and "
                       "come "
                  "late, or to a card that takes none.", LOOK),
    "too_late": Error(409, "It is over, and nothing was answered.", "Say that the time was up; drop the "
                                                            "card."),
    "approved_elsewhere": Error(409, "Another phone of this person was faster, with a yes.", "Say so."),
    "approved_late_elsewhere": Error(409, "The same, late: the next try is let in.", "Say so."),
    "denied_elsewhere": Error(409, "Another phone of this person was faster, with a no.", "Say so."),
    "approved_before": Error(409, "This phone had said yes before; this is a no.", "Say that it stands."),
    "approved_late_before": Error(409, "The same, late.", "Say that it stands."),
    "denied_before": Error(409, "This phone had said no before; this is a yes.", "Say that it stands."),
    "biometrics_missing": Error(403, "It needs a fingerprint or face, and this phone has none that "
                                     "counts.", "Say so, and how to set one up. A no is still taken."),
    "biometrics_needed": Error(403, "It needs a fingerprint or face, and none came.",
                               "Ask for it; leave the card. A no is still taken."),
    "biometrics_failed": Error(403, "What the authenticator said is not right: another challenge, origin, "
                                    "credential or key, nobody verified, or a counter that went back.",
                               "Say that it was not recognised; leave the card."),
    "push_service": Error(403, "The server does not ring by this push service, or has no settings for apps "
                               "of this channel.",
                          "Say that requests come only while the app is open."),
    "too_many_tests": Error(429, f"{TRIALS_IN_A_MINUTE} test requests within a minute.", "Wait a moment."),
    "busy": Error(503, "Too many phones are connected.", "Try again, later each time."),
    "store_down": Error(503, "The server cannot read or write.", "Try again, later each time."),
    "fault": Error(500, "A fault of the server.", "Try again, later each time."),
}  # fmt: skip

BOUNDS = tuple(
    {
        "body of a request": f"{LONGEST_BODY:,} octets, not compressed",
        "signed text": f"{LONGEST_PAYLOAD:,} octets; whole numbers of at most 16 digits",
        "time for a request's header, its body": f"{LIMITS.header_seconds:g} s and {LIMITS.body_seconds:g} s",
        "time for taking a reply": f"{LIMITS.write_seconds:g} s; then the connection is cut off",
        "a nonce": f"{LIFETIME:g} s, once; {PER_SIGNER} for one phone in that time, "
        f"{ADDRESSES_IN_A_MINUTE} of them for where it is reached",
        "streams of one phone": f"{LIMITS.streams_per_device}; one more ends the oldest (`replaced`)",
        "streams in all": f"{LIMITS.streams:,}; then `busy`",
        "connections from one address (IPv6: /64)": f"{LIMITS.connections_per_neighbourhood}; then closed",
        "silence in a stream": f"{PING_SECONDS:g} s; then a ping",
        "a token of an app": f"{LONGEST_TOKEN:,} characters, one of each channel",
        "receipts": f"one `received` and one `opened` for each of the last {LAST_RINGS} rings of a channel",
        "a test request": f"{TRIAL_SECONDS:g} s; {TRIALS_IN_A_MINUTE} in a minute",
        "invitations of one phone": f"{INVITATIONS} in 10 minutes",
        "wrong links, codes or passwords": "10 in 10 minutes from one address, 1,000 from all",
    }.items()
)
