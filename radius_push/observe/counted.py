"""What each counter means, and what an admin does about it: for the reference of the metrics.

A counter goes up where nobody is told: packets and requests that anybody can send write no evidence.
"""

from __future__ import annotations

from typing import NamedTuple

from radius_push.observe.words import REASONS


class Counted(NamedTuple):
    """Of one counter. Texts are Markdown, with links as seen from docs/reference/."""

    means: str
    do: str


_NOTHING = "Nothing."
_LOAD = "Nothing, if it is rare. Else the machine, or the network before it, cannot keep up."
_SECRET = "Compare the shared secrets, and see [gateways](../how-to/gateways.md#a-wrong-shared-secret)."
_STRANGER = "Nothing, if it is rare. Else the log names the address: stop it at your firewall."
_OURS = "A fault of ours: report the line in the log."
_STORE = "The log says why: is the disk full, is the file locked?"
_LIMIT = "If these are your own gateways: raise the limit in `server.limits`. Else stop who floods."

RADIUS: dict[str, Counted] = {
    "unknown_client": Counted(
        "A packet from an address of no client.", "`radius-push clients` lists the addresses."
    ),
    "unknown_certificate": Counted(
        "A RadSec connection whose certificate is no client's.",
        "The log has its names and fingerprint: compare `clients.NAME.certificate`.",
    ),
    "malformed_packet": Counted("A packet that breaks RFC 2865.", "The log says how: look at the gateway."),
    "not_authentic": Counted(
        "A packet whose Message-Authenticator or Request Authenticator is wrong or missing.", _SECRET
    ),
    "not_served": Counted(
        "A packet of a kind that is not served at that port.", "The log names the right port."
    ),
    "accounting_not_served": Counted(
        "An Accounting-Request at a port for logins.", "The log names the right port, or what to add."
    ),
    "not_serving": Counted("A packet while the server started or stopped.", _NOTHING),
    "duplicate": Counted("A gateway repeated a request that was being worked on.", _NOTHING),
    "answered_again": Counted(
        "A gateway repeated a request that was answered; it got the same octets again.",
        "If it is often: a firewall drops replies, or the gateway waits less than it says.",
    ),
    "not_repeated": Counted("A reply that was not sent again, as the socket was congested.", _LOAD),
    "not_heard": Counted(
        "A gateway asked again though it was answered: it may not have taken the answer.",
        "See [how long does it really wait](../how-to/gateways.md#how-long-does-it-really-wait).",
    ),
    "superseded": Counted(
        "A gateway gave a request up for a newer one under the same Identifier.",
        "Let it wait longer: one long try.",
    ),
    "superseded_reply": Counted("A reply that was not sent, as its request had been given up.", _NOTHING),
    "identifiers_nearly_used_up": Counted(
        "A gateway has 200 of its 256 Identifiers in flight from one port.",
        "Let it use more source ports.",
    ),
    "too_many_in_flight": Counted("A login beyond `limits.in_flight`: silence.", _LIMIT),
    "too_many_in_flight_of_client": Counted("The same, beyond `limits.in_flight_per_client`.", _LIMIT),
    "too_many_on_connection": Counted("The same, beyond `limits.in_flight_per_connection`.", _LIMIT),
    "crashed": Counted("A packet ended in a fault of ours; its gateway got silence.", _OURS),
    "store_down": Counted("The store could not be read or written in time: silence.", _STORE),
    "not_sent": Counted("A datagram that the kernel did not take.", "Look at the machine's network."),
    "not_received": Counted("The kernel reported an error of a socket.", _LOAD),
    "congested": Counted("The kernel's queue for datagrams was full.", _LOAD),
    "status_answered": Counted("A Status-Server was answered.", _NOTHING),
    "status_unanswered": Counted("A Status-Server got silence, as the store did not answer.", _STORE),
    "too_many_status_requests": Counted(
        "A Status-Server beyond `limits.status_per_second`.", "Let the gateway ask less often."
    ),
    "accounting_answered": Counted("An Accounting-Request was kept and answered.", _NOTHING),
    "accounting_answered_again": Counted("It came again, and got the same octets again.", _NOTHING),
    "accounting_duplicate": Counted("It came again while it was worked on.", _NOTHING),
    "accounting_unanswered": Counted("It got silence, as the store did not answer.", _STORE),
    "accounting_not_kept": Counted(
        "It was answered and not kept: no session is named, or its kind is not known.", "The log says which."
    ),
    "accounting_old": Counted("It tells less than is known of its session.", _NOTHING),
    "accounting_repeated": Counted("It had opened or closed a session before.", _NOTHING),
    "too_much_accounting": Counted("It was beyond `limits.accounting_in_flight`: silence.", _LIMIT),
    "too_many_sessions": Counted("A session beyond what `server.limits` keeps of one client.", _LIMIT),
    "turned_away": Counted("A connection of TCP or RadSec beyond `server.limits`.", _LIMIT),
    "accepts_held_back": Counted("Connections waited to be let in, `limits.connections_per_second`.", _LIMIT),
    "not_accepted": Counted("A connection could not be accepted.", "The log says why: open files?"),
    "no_tls": Counted("A RadSec connection without a good handshake.", "The log says what the peer said."),
    "handshake_too_slow": Counted("A TLS handshake took too long.", _STRANGER),
    "packet_too_slow": Counted("A connection was cut off: half a packet, and no more.", _STRANGER),
    "replies_not_read": Counted("A connection was cut off: its peer does not read.", "Look at that gateway."),
    "close_too_slow": Counted("A connection was cut off, as its end took too long.", _NOTHING),
    "idle_closed": Counted("A connection was closed, `limits.idle_connection`.", _NOTHING),
    "not_known_any_more": Counted(
        "A connection was cut off: after a reload it is no client's, or not believed.", _NOTHING
    ),
}
VERDICTS: dict[str, Counted] = {
    "verdict_accepted": Counted("Logins that were accepted.", _NOTHING),
    "verdict_rejected": Counted(
        "Logins that were rejected.", "`radius-push logins` has the reason of each that left evidence."
    ),
    "verdict_silent": Counted("Logins that got silence.", "The same."),
}
RINGS: dict[str, Counted] = {
    "push_delivered": Counted("Rings that a push service took.", _NOTHING),
    "push_gone": Counted(
        "Rings to an address that is no more: it was forgotten.",
        "`radius-push devices` shows whose: let them open the app once.",
    ),
    "push_unreachable": Counted(
        "Rings that no push service took in time.", "`radius-push doctor` tries the way out."
    ),
    "push_refused": Counted(
        "Rings that a push service refuses from us.", "The log says what to mend, and so does `doctor`."
    ),
    "push_not_rung": Counted("Rings that were left out: 2,000 ring already.", _LOAD),
    "push_crashed": Counted("Rings that ended in a fault of ours.", _OURS),
}
_TAKEN = "An answer of a phone that counted: "
PHONES: dict[str, Counted] = {
    "phone_approved": Counted(f"{_TAKEN}yes.", _NOTHING),
    "phone_approved_late": Counted(
        f"{_TAKEN}yes, after the gateway had given up: the next try is let in.",
        "Let the gateway wait longer.",
    ),
    "phone_denied": Counted(f"{_TAKEN}no.", "`radius-push logins` shows whose."),
    "phone_answer_late": Counted("A yes that did not know that the gateway had given up.", _NOTHING),
    "phone_answer_too_late": Counted("An answer to what was over or answered.", _NOTHING),
    "phone_contested": Counted("*This wasn't me*, after a yes.", "See [a bad day](../how-to/bad-day.md)."),
    "phone_on_login_address": Counted("A yes that `device_on_login_address: forbid` refused.", _NOTHING),
    "phone_biometrics_needed": Counted("A yes without the finger or face that it needs.", _NOTHING),
    "phone_biometrics_missing": Counted(
        "A yes of a phone without any, where it is required.", "See [biometrics](../how-to/biometrics.md)."
    ),
    "phone_biometrics_failed": Counted("A finger or face whose signature is wrong.", _STRANGER),
    "phone_unknown_device": Counted("A request of a phone that is not known.", _STRANGER),
    "phone_signed_text_refused": Counted("A request whose signature or nonce is wrong.", _STRANGER),
    "phone_other_host": Counted(
        "A request for another host name than `phone.url`.", "Does a proxy pass the `Host` on?"
    ),
    "phone_other_origin": Counted("A request from a page of another origin: refused.", _STRANGER),
    "phone_push_service_refused": Counted(
        "A phone named a push service that is not allowed.", "See `methods.push.allow_endpoints`."
    ),
    "phone_too_many_tests": Counted("A fourth test request of one phone in a minute.", _NOTHING),
    "phone_too_many_invitations": Counted("A phone asked to add others too often.", _NOTHING),
    "phone_confirm_confirmed": Counted("A phone added another one of its person.", _NOTHING),
    "phone_confirm_wrong": Counted("Digits typed on a phone that the new one does not show.", _NOTHING),
    "phone_confirm_given_up": Counted("The fifth time: the new phone was removed.", "Ask the person."),
    "phone_enrol_refused": Counted("A link or code that is not valid, or no more.", _STRANGER),
    "phone_enrol_wrong_password": Counted("A wrong password with a sent link.", _STRANGER),
    "phone_enrol_too_many_tries": Counted("A try beyond those of one address in ten minutes.", _STRANGER),
    "phone_push_channel_refused": Counted(
        "An app named APNs or FCM, which is not set up here.", "Set up `methods.push.apns` or `fcm`."
    ),
    "phone_receipts": Counted("A phone said that a push came, or was opened.", _NOTHING),
    "phone_receipts_not_counted": Counted(
        "The same, of a push that was not sent to it, or long ago, or said twice.", _NOTHING
    ),
    "phone_shown_not_noted": Counted("A question was shown, and that could not be written down.", _STORE),
    "phone_streams_opened": Counted("An app was opened, or connected again.", _NOTHING),
    "phone_stream_broken": Counted("A connection of an open app that ended in the middle.", _NOTHING),
}
PORTAL: dict[str, Counted] = {
    "portal_signed_in": Counted("People who came in at the portal.", _NOTHING),
    "portal_busy": Counted("Sign-ins that found too many others at their password.", _LOAD),
    "portal_too_many_tries": Counted("Sign-ins beyond those of an address or name.", _STRANGER),
    "portal_unknown_user": Counted("Sign-ins with a name that nobody has.", _STRANGER),
    "portal_wrong_password": Counted("Sign-ins with a wrong password.", _STRANGER),
    "portal_directory_down": Counted("Sign-ins that no directory answered for.", "`radius-push doctor`."),
    "portal_needs_invitation": Counted(
        "Sign-ins of people without a phone whom `enrollment.self_service` does not name.",
        "`radius-push enroll USER`.",
    ),
    "portal_one_waits": Counted("Sign-ins while another one of the person waits.", _NOTHING),
    "portal_rung_too_often": Counted("Sign-ins of people whose phones rang in vain too often.", "Ask them."),
    "portal_trouble_form": Counted("Forms of another browser or another day.", _NOTHING),
    "portal_trouble_often": Counted("More than 60 forms of one person in ten minutes.", _STRANGER),
    "portal_trouble_elsewhere": Counted("Visits from outside `enrollment.portal_networks`.", _STRANGER),
    "portal_trouble_request": Counted("Requests that no page of ours makes.", _STRANGER),
}


def _side(side: str, who: str) -> dict[str, Counted]:
    """What every listener for browsers counts."""
    return {
        f"{side}_not_accepted": Counted(f"A connection of {who} could not be accepted.", "Open files?"),
        f"{side}_turned_away": Counted(f"A connection of {who} beyond what is let in at once.", _STRANGER),
        f"{side}_cut_off": Counted(f"A connection of {who} that did not take what was written.", _NOTHING),
        f"{side}_malformed": Counted(f"What came from {who} is no HTTP.", _STRANGER),
        f"{side}_fault": Counted(f"A request of {who} ended in a fault of ours.", _OURS),
        f"{side}_store_down": Counted(f"A request of {who} found no store.", _STORE),
    }


ENDS: dict[str, Counted] = {
    str(reason): Counted(meaning.means, meaning.do)
    for reason, meaning in REASONS.items()
    if str(reason) not in RADIUS
}
"""A login that ended so, with evidence or without."""

COUNTED: dict[str, Counted] = {
    **RADIUS,
    **VERDICTS,
    **ENDS,
    **RINGS,
    **PHONES,
    **_side("phone", "a phone"),
    **PORTAL,
    **_side("portal", "a browser at the portal"),
    **_side("metrics", "a Prometheus"),
}
"""No counter of the code is left out."""
