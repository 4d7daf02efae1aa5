"""What each way for a login to end means, and what an admin does next: for `trace` and the reference."""

from __future__ import annotations

import re
from typing import NamedTuple

from radius_push.model import Reason


class Meaning(NamedTuple):
    """Of one reason. Texts are Markdown, with links as seen from docs/reference/."""

    gets: str
    """What the gateway is told."""
    means: str
    do: str
    """What to do next."""


_REFUSED, _SILENCE, _NEVER = "refused", "silence", "silence, and no event"
_LINK = re.compile(r"\[[^]]+\]\(\.\./([^)#]+)[^)]*\)")

REASONS: dict[Reason, Meaning] = {
    Reason.WRONG_PASSWORD: Meaning(
        _REFUSED,
        "The directory says no to this password, or did less than 60 s ago: then it is not asked again.",
        "Nothing. If all of a gateway's users get it: compare the shared secrets.",
    ),
    Reason.UNKNOWN_USER: Meaning(
        _REFUSED,
        "No directory of this client's profiles knows the name.",
        "Compare `user_filter`, `base_dn` and what the gateway sends (a domain before or after the name?).",
    ),
    Reason.AMBIGUOUS: Meaning(_REFUSED, "More than one entry fits the name.", "Make `user_filter` narrower."),
    Reason.ACCOUNT_CLOSED: Meaning(
        _REFUSED,
        "The directory refuses the account: locked, disabled, expired. `detail` says which.",
        "Mend the account in the directory.",
    ),
    Reason.CROWDED_OUT: Meaning(
        _REFUSED,
        "Too many passwords of local users, or of this one, waited to be checked; this one was not.",
        "Somebody floods the gateway with guesses: stop them there.",
    ),
    Reason.PROBE_USER: Meaning(
        "refused, and no event",
        "The name is one of the client's `probe_users`: the gateway asks whether the server is alive. It is "
        "counted (`radius-push clients`); no directory is asked, and no phone rings.",
        "Nothing. No person can log in under that name at this client.",
    ),
    Reason.NO_USERNAME: Meaning(_REFUSED, "The request has no User-Name.", "Look at the gateway."),
    Reason.NO_PASSWORD: Meaning(
        _REFUSED,
        "The password is empty.",
        "Nothing. It is never sent to a directory.",
    ),
    Reason.PASSWORD_NOT_READABLE: Meaning(
        _REFUSED,
        "The password is neither UTF-8 nor in the client's encoding, or holds a NUL.",
        "Set `password_encoding` to what the gateway sends.",
    ),
    Reason.PROOF_NOT_ACCEPTED: Meaning(
        _REFUSED,
        "The gateway speaks what its client's `accepts` does not name, or what the directory can't prove.",
        "`detail` says which. Set the gateway to PAP; or see `accepts`, `nt_hash` and `clear_password`.",
    ),
    Reason.NO_POLICY: Meaning(
        _REFUSED,
        "The password was right, no policy admits, and there is no `otherwise`.",
        "Read what is said of each policy: why it missed.",
    ),
    Reason.REFUSED_BY_POLICY: Meaning(
        _REFUSED,
        "A policy with `profile: refuse` fits.",
        "`detail` names the policy.",
    ),
    Reason.DIRECTORY_NOT_LISTED: Meaning(
        _REFUSED,
        "The profile that was reached does not list the directory that spoke.",
        "Add it to `fallback_auth_profiles`, or write a policy. `check` says for whom this happens.",
    ),
    Reason.REPLY_NOT_COMPUTED: Meaning(
        _REFUSED,
        "A reply attribute could not be made: no value, several, or not of the attribute's type.",
        "`detail` names the attribute. Nobody comes in with other rights than written.",
    ),
    Reason.NOT_ENROLLED: Meaning(
        _REFUSED,
        "The person has no phone, or after a restore none that was confirmed.",
        "`radius-push enroll USER`, or `radius-push devices confirm ID`.",
    ),
    Reason.NO_BIOMETRICS: Meaning(
        _REFUSED,
        "The profile has `biometrics: required`, and none of the person's phones has a fingerprint or face "
        "that was confirmed: no phone could say yes, so none rang.",
        "Let them set it up in the app, then `radius-push devices confirm ID`. See "
        "[biometrics](../how-to/biometrics.md).",
    ),
    Reason.DECIDED_OTHERWISE: Meaning(
        "refused, at once",
        "The phone said yes, and by then the policies say something else: a `reload` changed them, or an "
        "`until` ended meanwhile.",
        "Let them sign in again: that login is decided by what holds now.",
    ),
    Reason.DENIED: Meaning(
        "Access-Reject at once, with `texts.denied`",
        "A phone said no.",
        "Ask the person. If it was not them, somebody has their password: change it.",
    ),
    Reason.TIMED_OUT: Meaning(
        "Access-Reject with `texts.timeout`; with the text of every refusal, if the directory took so long "
        "that no time was left for a phone",
        "No phone answered in time.",
        "Did the phone ring, was its app open? If there were only seconds for it: `radius-push clients` says "
        "how long the gateway really waits, and what to set there.",
    ),
    Reason.DEVICE_REMOVED: Meaning(
        "refused, at once", "The phone that said yes was removed meanwhile.", "Nothing."
    ),
    Reason.DENIED_BEFORE: Meaning(
        "refused, with `texts.denied`",
        "Less than 60 s ago a phone said no to the same attempt: the same person, client or `group`, address "
        "and password, in whatever protocol. The phone did not ring again.",
        "If the person wants in after all: wait a minute. If the no was right, see `denied`.",
    ),
    Reason.NOT_ANSWERED_BEFORE: Meaning(
        "refused, with `texts.timeout`",
        "Less than 60 s ago nobody answered the same attempt. The phone did not ring again.",
        "Wait a minute, with the phone at hand. If it happens day and night: a saved password reconnects by "
        "itself; stop it on that device.",
    ),
    Reason.RUNG_TOO_OFTEN: Meaning(
        _REFUSED,
        "As many questions as `server.ring_limit` allows rang this person's phones and were not answered, "
        "and from this address they were not let in during the last 30 days.",
        "Ask the person. If it was not them, somebody has their password: change it. Else wait, or sign in "
        "from where it worked before.",
    ),
    Reason.TOO_MANY_WAITING: Meaning(
        _REFUSED,
        "Three sign-ins of the same attempt wait already, or ten of this person: in all, or from an address "
        "that let them in during the last 30 days.",
        "Answer those, or wait until their time is over.",
    ),
    Reason.TICKET_VOID: Meaning(
        _REFUSED,
        "A yes was there to let this try in, and in that very moment it was used, withdrawn or over.",
        "Sign in again.",
    ),
    Reason.NOTHING_TO_AUTHORIZE: Meaning(
        _REFUSED,
        "Authorize-Only, and this person was not let in by these gateways less than 60 s before.",
        "Nothing, if it is rare. Else look why the gateway asks so late.",
    ),
    Reason.DIRECTORY_DOWN: Meaning(
        _SILENCE,
        "No directory whose word counts could be asked.",
        "`directories` says what failed. An `emergency` directory would answer meanwhile.",
    ),
    Reason.ATTRIBUTE_NOT_READ: Meaning(
        _SILENCE,
        "A policy needs an attribute that the directory gave only in part, or unreadable.",
        "`detail` names it. An answer could be wrong, so there is none.",
    ),
    Reason.STORE_DOWN: Meaning(_NEVER, "The store could not be read or written.", "The log line says why."),
    Reason.WRONG_SHARED_SECRET: Meaning(
        _SILENCE,
        "Without Message-Authenticator: the password decrypts to rubbish.",
        "Compare the shared secrets. See [gateways](../how-to/gateways.md#a-wrong-shared-secret).",
    ),
    Reason.REPLAYED: Meaning(
        _SILENCE,
        "The same packet was worked on before, and no gateway waits for it any more.",
        "A gateway does not do this after 30 s: look who does.",
    ),
    Reason.SUPERSEDED: Meaning(
        _SILENCE,
        "The gateway gave this request up for a newer one under the same Identifier.",
        "Let it wait longer: one long try.",
    ),
    Reason.JOINED_BY_NEWER: Meaning(
        "silence, and no event of its own",
        "A newer try of the same attempt waits for the same question: that one is told.",
        "Let the gateway wait longer: one long try.",
    ),
    Reason.CONNECTION_CLOSED: Meaning(
        _SILENCE,
        "The TCP or TLS connection of the gateway was closed while the login was held: nobody could be told.",
        "Look why it was closed: `connection cut off` in our log, else the gateway. Then sign in again.",
    ),
    Reason.CRASHED: Meaning(
        _SILENCE, "A fault of ours ended the login.", "Report the line `login CODE crashed`."
    ),
    Reason.SERVER_STOPPED: Meaning(
        _SILENCE, "The question was closed while the phone was asked.", "Nothing."
    ),
}
"""No reason is left out."""

_ACCEPT = "Access-Accept"

BY_PHONE = Meaning(
    _ACCEPT,
    "The password was right, and the phone said yes. The gateway was told so.",
    "Nothing here. If the person is still not in, look at the gateway: did it wait that long, and does it "
    "take the reply attributes?",
)
BY_PASSWORD_ALONE = Meaning(
    _ACCEPT,
    "The password was right, and the profile asks for nothing else. The gateway was told so.",
    "Nothing here. If the person is still not in, look at the gateway: does it take the reply attributes?",
)
BY_TICKET = Meaning(
    _ACCEPT,
    "The password was right, and the phone had said yes to an earlier try, too late for that one. "
    "So this try was let in without a ring.",
    "Let the gateway wait longer, so that one try is enough: `radius-push clients` says how long it does.",
)
BY_FOLLOW_ON = Meaning(
    _ACCEPT,
    "The password was right, and the same attempt was let in a moment before: `follow_on`. No phone rang.",
    "Nothing.",
)
BY_METHOD = {"none": BY_PASSWORD_ALONE, "ticket": BY_TICKET, "follow_on": BY_FOLLOW_ON}
"""By the second factor; all others are a phone's yes."""
YES_TOO_LATE = Meaning(
    "Access-Reject with `texts.timeout`",
    "The phone said yes, but too late: the gateway had been told no.",
    "Sign in again: within a minute of the yes, that try is let in without a ring. And let the gateway wait "
    "longer: `radius-push clients` says how long it does, and what to set there.",
)
NOT_SENT = Meaning(
    _SILENCE,
    "It was accepted, but nothing says that the Access-Accept went out: the gateway had given the request "
    "up, or the server ended in that moment.",
    "Try again. If it happens often, let the gateway wait longer.",
)
NOT_HEARD = Meaning(
    _ACCEPT,
    "It was accepted and the Access-Accept went out, but the gateway asked again: it did not take it.",
    "If it happens often: does a firewall drop what goes back, does the gateway take replies with "
    "Message-Authenticator, has it the same shared secret, does it wait that long (`radius-push clients`)?",
)
TRIED_AGAIN = Meaning(
    _ACCEPT,
    "It was accepted and the Access-Accept went out. Then the same person signed in once more within a "
    "minute, from the same address: perhaps the gateway did not take it.",
    "If they were in the first time: nothing. Else as for an answer that was not heard: a firewall, the "
    "shared secret, `radius-push clients`. A gateway that logs in twice has `follow_on`.",
)
ANOTHER_RELEASE = Meaning(
    "", "This release does not know the reason.", "Ask the release of radius-push that wrote it."
)
WITHOUT_A_REASON = {
    "waiting": Meaning(
        "",
        "The password is right, and the phones are asked.",
        "Open the app on the phone: it lists what is asked, also without a notification.",
    ),
    "unfinished": Meaning(
        _SILENCE,
        "The server ended while the phone was asked, and the gateway did not come back for it.",
        "Try again: that is a new login. The log says why the server ended.",
    ),
}
"""How a login can stand that has not ended."""


_REPLIES = {
    _REFUSED: "Access-Reject with the one text of every refusal, after `reject_delay`",
    "refused, at once": "Access-Reject with the one text of every refusal, at once",
    _SILENCE: "none, so that the gateway tries its second server",
}


def reply(reason: Reason) -> str:
    """What the gateway was told, in one line of a timeline."""
    gets = REASONS[reason].gets
    return spoken(_REPLIES.get(gets, gets))


def spoken(text: str) -> str:
    """The text for a terminal: a link becomes the page it leads to."""
    return _LINK.sub(r"docs/\1", text)
