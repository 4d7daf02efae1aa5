"""The closed list of evidence events, and what each carries.

An event is written to the store's hash chain and to the log; both are made from the same fields.
No event carries a password, a token, a key or a shared secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import get_args

from radius_push.model import Reason
from radius_push.portal_events import DeviceRenamed as DeviceRenamed
from radius_push.portal_events import PortalAnswered as PortalAnswered
from radius_push.portal_events import PortalAsked as PortalAsked
from radius_push.portal_events import PortalRefused as PortalRefused
from radius_push.portal_events import PortalSignedIn as PortalSignedIn
from radius_push.portal_events import PortalSignedOut as PortalSignedOut
from radius_push.push_events import PushChanged as PushChanged
from radius_push.push_events import PushReceived as PushReceived


@dataclass(frozen=True, slots=True)
class ServerStarted:
    version: str
    pid: int
    """The process, which `radius-push reload` signals."""
    server: str = "first"


@dataclass(frozen=True, slots=True)
class ServerStopped:
    held: int
    """Logins that were held at that moment; they got silence."""
    server: str = "first"


@dataclass(frozen=True, slots=True)
class SettingsLoaded:
    """A reload: these settings decide from now on, also at the approval of logins that were held."""

    changes: tuple[str, ...]
    """`clients.fw: changed (patience)`; empty if nothing differs."""
    server: str = "first"


@dataclass(frozen=True, slots=True)
class SettingsRefused:
    """A reload that changed nothing: the file has mistakes, or wants what only a restart can do."""

    mistakes: tuple[str, ...]
    server: str = "first"


@dataclass(frozen=True, slots=True)
class PhoneOriginKept:
    """The first enrolment fixed where phones find the server."""

    origin: str


@dataclass(frozen=True, slots=True)
class PhonesForgotten:
    """An admin gave up the old phone origin, and every device with it."""

    devices: int
    by: str


# --- gateways --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Latched:
    """A gateway under `auto` sent its first valid Message-Authenticator: it must always do so from now on."""

    client: str
    source: str
    """Its address, or what its certificate calls it; `*`: all of the client."""


@dataclass(frozen=True, slots=True)
class Unlatched:
    """An admin lets a gateway under `auto` send requests without Message-Authenticator again."""

    client: str
    source: str | None
    """`null`: every source of the client."""
    latches: int
    """How many sources."""
    by: str


# --- a login -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """The first factor is right, a policy admits, the phones are asked."""

    login: str
    client: str
    username: str
    """As typed."""
    person: str
    profile: str
    policy: str | None
    address: str | None
    question: str
    devices: int
    directories: tuple[str, ...]
    """What each directory said, in order: `corp-ldap: knows alice, right password`."""
    trace: tuple[str, ...]
    """Each policy with its hit or miss, top to bottom."""
    arrived_at: float
    """When its request came."""
    lane: int = 1
    """2 and 3: other sign-ins of the same attempt wait beside it."""
    unanswered: int = 0
    """How many of the person's questions shortly before it nobody had answered."""
    rings: bool = True
    """`false`: too many rang in vain. The open app shows it, and no phone was rung."""
    packet: str = ""
    """The request: how the password was proved, from which address and port, its Identifier, its seal."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A later try of the same attempt waits for the question that is there: no phone rings again, and of the
    tries only the newest is let in."""

    login: str
    question: str
    client: str
    source: str
    """The gateway's address."""
    source_port: int
    proof: str
    was: str
    """State of the question before: `pending`, `late` (it is open again), or `approved`."""
    arrived_at: float
    """When its request came."""


@dataclass(frozen=True, slots=True)
class Rang:
    """A push service was asked to wake a device, and what came of it."""

    login: str | None
    """`null`: it was for a test request."""
    question: str
    """Or the test request."""
    person: str
    device: str
    channel: str
    """`web_push`, `apns` or `fcm`."""
    outcome: str
    """`delivered` (to the push service: no phone says that it rang), `gone` (the subscription was forgotten),
    `unreachable`, or `refused`."""
    detail: str
    """What went wrong, and the mend."""
    tries: int
    """How often the push service was asked."""
    since_request: int
    """Milliseconds from the gateway's request, the password included, to the first try."""
    milliseconds: int
    """From the first try to the outcome."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A device was given the question: it is on its screen, if the app is."""

    login: str
    question: str
    person: str
    device: str
    by: str
    """`app`: open, it listens; `service_worker`: closed, a push woke it."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """The gateway sent the very same packet again while it was held. Written once, at the end."""

    login: str
    times: int
    """How often, beside the first."""
    last_at: float
    """When it did last."""


@dataclass(frozen=True, slots=True)
class CameBack:
    """The very packet of a question came again after its process had ended: it is held for the same question,
    or gets its verdict once more."""

    login: str
    question: str
    state: str
    """Of the question at that moment."""


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A question was closed for which the gateway did not come back."""

    login: str
    question: str
    person: str
    state: str
    """Of the question at that moment: `pending`, or `approved` and never let in."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A device answered; its signature over the exact text was right."""

    login: str
    question: str
    person: str
    device: str
    answer: str
    """`approve` or `deny`."""
    late: bool
    """The gateway had given up: a yes lets the next try in, within a minute."""
    payload: str
    """The text that was signed."""
    signature: str
    """base64url of the raw signature (r and s, 64 octets)."""
    biometrics: str | None = None
    """The `key` of the credential that was used with it, by fingerprint or face; `null`: none."""
    assertion: str | None = None
    """What the authenticator signed, and its signature: base64url of client data, authenticator data and
    signature, with dots between (WebAuthn 6.3.3). Its challenge is SHA-256 of `payload`."""
    device_on_login_address: bool | None = None
    """The phone came from the address that the gateway had reported for the sign-in, or its IPv6 /64. `null`:
    it cannot be told."""


@dataclass(frozen=True, slots=True)
class Contested:
    """A phone of the person says that a yes was not theirs: somebody may be in who is not them. The verdict
    stays; what the yes could still open is closed."""

    login: str
    question: str
    person: str
    device: str
    """Who says so; its signature over the exact text was right."""
    answered_by: str | None
    """The phone that had said yes."""
    client: str
    address: str | None
    payload: str
    """The text that was signed."""
    signature: str
    """base64url of the raw signature (r and s, 64 octets)."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The login was let in. On disk before the Access-Accept is on the wire."""

    login: str
    client: str
    username: str
    person: str
    profile: str
    policy: str | None
    method: str
    """The second factor: `push`; `ticket` (a yes that came late), `follow_on` (the same attempt was let in a
    moment ago), `authorize_only` (it asks what somebody may who is in), or `none`."""
    question: str | None
    device: str | None
    address: str | None
    reply: tuple[tuple[str, str], ...]
    directories: tuple[str, ...]
    trace: tuple[str, ...]
    arrived_at: float
    """When its request came."""
    packet: str = ""
    """The request: how the password was proved, from which address and port, its Identifier, its seal."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An Access-Reject."""

    login: str
    client: str
    username: str
    person: str | None
    reason: Reason
    detail: str
    """More for the admin: the directory's own words, the policy's name."""
    address: str | None
    question: str | None
    directories: tuple[str, ...]
    trace: tuple[str, ...]
    arrived_at: float
    """When its request came."""
    packet: str = ""
    """The request: how the password was proved, from which address and port, its Identifier, its seal."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nothing was said, so that the gateway tries its second server."""

    login: str
    client: str
    username: str
    person: str | None
    reason: Reason
    detail: str
    address: str | None
    question: str | None
    directories: tuple[str, ...]
    trace: tuple[str, ...]
    arrived_at: float
    """When its request came."""
    packet: str = ""
    """The request: how the password was proved, from which address and port, its Identifier, its seal."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The Access-Accept went out."""

    login: str


@dataclass(frozen=True, slots=True)
class NotHeard:
    """The gateway asked again though it was answered: it did not take the answer. Once for each login."""

    login: str
    client: str
    what: str
    """`repeated`: the same packet came again; `new_try`: another one for the same sign-in."""
    milliseconds: int
    """From the answer until then."""


# --- a session -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """A gateway says that somebody is in: by a Start, or by an Interim-Update of a session whose Start never
    came."""

    login: str | None
    """The code of the newest login that was accepted for this client and name just before. `null`: none."""
    client: str
    nas: str
    """Which machine of the client: NAS-Identifier, else its address."""
    session: str
    """Acct-Session-Id."""
    username: str
    """As the gateway sent it."""
    person: str | None
    """Whom that login let in. `null`: no login was found."""
    address: str | None
    framed: tuple[str, ...]
    """The addresses that the user got inside."""
    started_at: float
    """When, as the gateway tells."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A gateway says that somebody is out, or gave the session's id to the next one."""

    login: str | None
    """The code of the login that it came from. `null`: none was found."""
    client: str
    nas: str
    """Which machine of the client."""
    session: str
    """Acct-Session-Id."""
    username: str
    """As the gateway sent it."""
    person: str | None
    """Whom that login let in. `null`: no login was found."""
    by: str
    """`stop`, or `replaced`: a Start came with the same id, and no Stop before it."""
    cause: str | None
    """Acct-Terminate-Cause. `null`: the gateway did not say."""
    ended_at: float
    """When, as the gateway tells."""
    seconds: int | None
    """Acct-Session-Time. `null`: the gateway did not say."""


@dataclass(frozen=True, slots=True)
class SessionsClosed:
    """A gateway started or stopped accounting as a whole, as when it boots: its sessions are over."""

    client: str
    nas: str
    """Which machine of the client."""
    by: str
    """`accounting_on` or `accounting_off`."""
    sessions: int
    """How many were live."""


# --- phones --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Invited:
    person: str
    username: str
    invitation: str
    by: str
    expires_at: float
    how: str = "shown"
    """`shown`, or `sent`: then the phone's person has to prove the directory's password."""
    confirmed_by_code: bool = True
    """`false`: the phone is trusted as soon as it has come."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A phone used an invitation; its key is pending until the issuer types the phone's code."""

    person: str
    invitation: str
    device: str
    name: str
    key: str
    """SHA-256 of the public key, hexadecimal."""


@dataclass(frozen=True, slots=True)
class InvitationPasswordWrong:
    """Whoever has a sent link or code typed a password that the directory does not take."""

    person: str
    invitation: str
    wrong_passwords: int
    """So far."""
    given_up: bool
    """It was the last try: the invitation is closed."""


@dataclass(frozen=True, slots=True)
class InvitationWithdrawn:
    """An invitation that nobody had used was closed: its mail could not be sent."""

    person: str
    invitation: str
    by: str
    detail: str


@dataclass(frozen=True, slots=True)
class Mailed:
    """The mail server took a mail. That somebody has read it is not known."""

    person: str
    what: str
    """`invitation`, or what happened to a phone: `device_added`, `device_removed`, `credential_added`. To an
    administrator: `contested`, `removed_by_notice`."""
    about: str
    """The id of the invitation or device; of `contested` the login's code."""
    tries: int
    """How often it was handed to the mail server."""


@dataclass(frozen=True, slots=True)
class MailGivenUp:
    """A mail that was to tell of a phone, or that it was not its person's, was never taken, and is not tried
    again."""

    person: str
    what: str
    """As of `mailed`."""
    about: str
    """The id of the device; of `contested` the login's code."""
    tries: int
    """How often it was tried."""
    detail: str


@dataclass(frozen=True, slots=True)
class DeviceConfirmed:
    person: str
    invitation: str
    device: str
    by: str


@dataclass(frozen=True, slots=True)
class ConfirmationFailed:
    person: str
    invitation: str
    device: str
    wrong_codes: int
    given_up: bool


@dataclass(frozen=True, slots=True)
class DeviceRemoved:
    person: str
    device: str
    by: str


@dataclass(frozen=True, slots=True)
class BiometricsAdded:
    """A device has a fingerprint or face to say yes with. It counts once the issuer has confirmed it."""

    person: str
    device: str
    key: str
    """SHA-256 of `public_key`, hexadecimal."""
    public_key: str
    """base64url of the credential's COSE_Key (RFC 9052): what its assertions are verified with."""
    synced: bool
    """Other devices of the person may have it, too."""


@dataclass(frozen=True, slots=True)
class BiometricsConfirmed:
    """The issuer typed its code: from now on it counts, in place of an earlier one."""

    person: str
    device: str
    key: str
    by: str


@dataclass(frozen=True, slots=True)
class BiometricsNotConfirmed:
    """The issuer typed another code than the phone shows."""

    person: str
    device: str
    key: str
    wrong_codes: int
    given_up: bool


@dataclass(frozen=True, slots=True)
class BiometricsRemoved:
    person: str
    device: str
    by: str
    """`phone`, or who typed it."""


@dataclass(frozen=True, slots=True)
class CounterWentBack:
    """A yes was refused: the authenticator had counted further before. Perhaps there is a copy of it."""

    login: str | None
    """`null`: the yes was not to a login, but to what adds or removes phones."""
    question: str | None
    person: str
    device: str
    key: str
    counter: int
    """As it said now."""
    before: int
    """As it had said already."""


@dataclass(frozen=True, slots=True)
class TrialAsked:
    """A test request was asked for. No login stands behind it."""

    person: str
    device: str
    trial: str
    """The id of the test request."""
    by: str = "phone"
    """`phone`: this device, or its person at the portal. Else who ran `radius-push push-test`."""


@dataclass(frozen=True, slots=True)
class TrialAnswered:
    """The device answered its test request."""

    person: str
    device: str
    trial: str
    """The id of the test request."""


# --- the store -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A copy of the store and its keys was written."""

    file: str
    by: str


@dataclass(frozen=True, slots=True)
class Restored:
    """This store came out of a backup: no device is trusted until somebody confirms it."""

    file: str
    made_at: float
    """When the backup was made."""
    devices: int
    """Phones that wait to be confirmed."""
    by: str


@dataclass(frozen=True, slots=True)
class EvidenceLetGo:
    """Evidence older than `retention` was deleted."""

    until: int
    """The number of the last row that is gone."""
    hash: str
    """That row's hash, hexadecimal: the chain goes on behind it."""


@dataclass(frozen=True, slots=True)
class ClockTrusted:
    """An admin said that the clock is right, though the evidence held a later time."""

    ahead: float
    """Seconds by which that time was ahead of the clock."""
    by: str


Event = (
    ServerStarted
    | ServerStopped
    | SettingsLoaded
    | SettingsRefused
    | PhoneOriginKept
    | PhonesForgotten
    | Latched
    | Unlatched
    | Asked
    | Rang
    | Joined
    | Shown
    | Repeated
    | CameBack
    | Abandoned
    | Answered
    | Contested
    | Accepted
    | Rejected
    | Unanswered
    | Sent
    | NotHeard
    | SessionStarted
    | SessionEnded
    | SessionsClosed
    | Invited
    | Redeemed
    | InvitationPasswordWrong
    | InvitationWithdrawn
    | Mailed
    | MailGivenUp
    | DeviceConfirmed
    | ConfirmationFailed
    | DeviceRemoved
    | BiometricsAdded
    | BiometricsConfirmed
    | BiometricsNotConfirmed
    | BiometricsRemoved
    | CounterWentBack
    | PushChanged
    | PushReceived
    | TrialAsked
    | TrialAnswered
    | PortalAsked
    | PortalAnswered
    | PortalSignedIn
    | PortalRefused
    | PortalSignedOut
    | DeviceRenamed
    | BackedUp
    | Restored
    | EvidenceLetGo
    | ClockTrusted
)


def kind(event: Event) -> str:
    """The event's name in the store, the log and the docs: `device_confirmed`."""
    return _snake(type(event).__name__)


@cache
def kinds() -> frozenset[str]:
    """Every event's name."""
    return frozenset(_snake(each.__name__) for each in get_args(Event))


@cache
def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def fields(event: Event) -> dict[str, object]:
    """What the event carries, ready for JSON."""
    # All are values that nobody changes: `asdict` would copy each, twice for every event.
    return {name: getattr(event, name) for name in event.__slots__}
