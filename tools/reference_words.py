"""What the reference pages say that no field of the code says by itself. `reference.py` reads it."""

from __future__ import annotations

from radius_push.settings import apns_schema, schema, server_schema
from radius_push.settings.section import Section

REASONS_HEAD = """\
Why a login ended. The reason is in the log and the evidence, never on the wire. *Refused* is an Access-Reject
with the one text `Sign-in refused.` and the trace code, at arrival + `reject_delay`. *Silence* is no reply,
so that the gateway tries its second server.
"""

COUNTED_HEAD = """\
The values of `what` in `radius_push_counted_total`, all that there are; one that is not there was never
counted since the start. `radius-push clients` shows some of them for each gateway.
"""

NETWORK_HEADS = {
    "In": "To radius-push. The addresses and ports are those of `server.listen`.",
    "Out": "From radius-push. Only those of what your settings use.",
    "With a proxy": "With `server.outbound_proxy` push services are reached through it, and only they.",
}

METRIC_LABELS = {
    "radius_push_counted": "`what`: [see below](#what-is-counted)",
    "radius_push_held": "",
    "radius_push_info": "`version`; `server`: its name in the settings",
    "radius_push_login_seconds": "`verdict`",
    "radius_push_logins": "`verdict`: `accepted`, `rejected`, `unanswered`; `reason`: "
    "[these](evidence.md#reasons), of an accept its `method`",
    "radius_push_request_to_ring_seconds": "`channel`: `web_push`, `apns`, `fcm`",
    "radius_push_ring_seconds": "`channel`",
    "radius_push_ring_to_receipt_seconds": "`channel`",
    "radius_push_rings": "`channel`; `outcome`: `delivered`, `gone`, `unreachable`, `refused`",
}
"""Of each family of the metrics."""

SECTIONS: dict[str, tuple[type[Section], str]] = {
    "(the file)": (
        schema.SettingsSection,
        "An included file holds `clients`, `authentication_profiles` and `profiles`, and includes no other.",
    ),
    "server": (server_schema.ServerSection, "Required."),
    "server.listen": (server_schema.ListenSection, "Addresses, not names. IPv6 in brackets."),
    "server.listen.phone": (
        server_schema.PhoneSection,
        "The part that faces the phones. See [phones](../how-to/phones.md).",
    ),
    "server.listen.portal": (
        server_schema.PortalSection,
        "Optional. The page where people see to their own phones: [the portal](../how-to/portal.md).",
    ),
    "server.listen.metrics": (
        server_schema.MetricsSection,
        "Optional. For a Prometheus: [metrics](metrics.md).",
    ),
    "server.listen.radsec": (
        server_schema.RadsecSection,
        "Optional. RADIUS over TLS: [how to](../how-to/radsec.md). `reload` reads its files again.",
    ),
    "server.listen.phone.tls": (
        server_schema.TlsSection,
        "TLS 1.2 or newer. Read at the start; `server.listen.radsec.tls` also by `reload`.",
    ),
    "server.more_servers.NAME": (
        server_schema.MoreServerSection,
        "Optional. What differs for one of them. See [two servers](../how-to/two-servers.md).",
    ),
    "server.enrollment": (server_schema.EnrollmentSection, "Optional."),
    "server.mail": (
        server_schema.MailSection,
        "Optional. See [enrol many](../how-to/enrol-many.md#the-mail-server).",
    ),
    "server.retention": (server_schema.RetentionSection, "Optional."),
    "server.ring_limit": (
        server_schema.RingLimitSection,
        "Optional. See [one push](../how-to/one-push.md#a-laptop-that-reconnects-by-itself).",
    ),
    "server.limits": (
        server_schema.LimitsSection,
        "Optional. Beyond each: silence, a counter in `radius-push clients`, now and then a line in the log.",
    ),
    "methods": (schema.MethodsSection, "Second factors that are switched on. Absent is off."),
    "methods.push": (schema.PushSection, "May be empty: `push: {}`."),
    "methods.push.fcm": (schema.FcmSection, "Optional. See [FCM](../how-to/fcm.md)."),
    "methods.push.apns": (
        apns_schema.ApnsSection,
        "`key`, `key_id` and `team_id`, or `certificate` and `certificate_key`. [How to](../how-to/apns.md).",
    ),
    "client_defaults": (
        schema.ClientDefaults,
        "Optional. What all clients say unless they say it themselves. It takes these keys of a client:",
    ),
    "clients.NAME": (
        schema.ClientSection,
        "Required, at least one: a VPN gateway, or several that are alike.",
    ),
    "clients.NAME.certificate": (schema.CertificateSection, "For RadSec: at least one of these."),
    "clients.NAME.groups_in": (
        schema.GroupsInSection,
        "Optional. Without it the client's [preset](presets.md) says where groups go.",
    ),
    "authentication_profiles.NAME (type: ldap)": (
        schema.LdapSection,
        "At least one authentication profile is required. See [LDAP](../how-to/ldap.md).",
    ),
    "authentication_profiles.NAME (type: local)": (
        schema.LocalSection,
        "Users in the settings. `users` or `users_file` is required.",
    ),
    "authentication_profiles.NAME.users.USER": (
        schema.UserSection,
        "Every other key is an attribute of the user: `department: IT`, one value or a list.",
    ),
    "profiles.NAME": (schema.ProfileSection, "Required, at least one: how people log in."),
    "profiles.NAME.texts": (schema.TextsSection, "Optional. One line, at most 200 octets each."),
    "policies[]": (
        schema.PolicySection,
        "A list, read top to bottom: the first match decides. See [policies](../how-to/policies.md).",
    ),
    "policies[].when[]": (
        schema.WhenSection,
        "One condition an item: `attribute` with `values` or `none_of`, or `user_address`.",
    ),
}
"""Path in the file -> its grammar, and what is said before its keys."""

TAKES = {
    "apple_id": "10 capital letters and digits",
    "bundle_id": "bundle id",
    "https_host": "`https://HOST`, with a port if it is not 443",
    "certificate_name": "host name or address",
    "fingerprint": "SHA-256, hexadecimal",
    "text": "text",
    "line": "one line",
    "name": "name",
    "duration": "duration, `{shortest}` to `{longest}`",
    "whole": "whole number, {least} to {most}",
    "yes_or_no": "`yes` or `no`",
    "on_login_address": "`allow` or `forbid`",
    "yes_no_or_auto": "`yes`, `no` or `auto`",
    "only": "only the word `{word}`",
    "one_of": "`{words}`",
    "contact": "`mailto:` or `https:` address",
    "mail_address": "`NAME@DOMAIN`",
    "mail_host": "host name or address",
    "mail_word": "one line of ASCII",
    "encoding": "text encoding",
    "attribute": "attribute name",
    "password_hash": "argon2id hash",
    "nt_hash": "32 hex digits",
    "secret": "`{{file: PATH}}`, `{{env: NAME}}` or text",
    "file_path": "path, or `{{file: PATH}}`",
    "reply_text": "one line, 200 octets",
    "probe_user": "one line",
    "day": "`YYYY-MM-DD`",
    "value": "value, `*` or `/regex/`",
    "endpoint": "`ADDRESS:PORT`",
    "network": "address or prefix",
    "proxies": "address or prefix",
    "preset": "name of a [preset](presets.md)",
    "store": "`sqlite://` and a path",
    "proxy": "`http://HOST:PORT`",
    "origin": "`https://NAME`, with a port if it is not 443",
    "service_url": "https and a host, with a port if need be, no path; `http` on localhost alone",
    "ldap_url": "`ldaps://` or `ldap://` and a host",
    "distinguished_name": "DN",
    "bind_name": "DN, `user@domain` or `DOMAIN\\user`",
    "address_attributes": "one or a list: RADIUS attribute; or `none`",
    "groups_form": "text with `{{group}}` or `{{groups}}`",
    "user_filter": "LDAP filter with `{{username}}`",
}
"""What each reader of the settings takes; `{...}` are its bounds."""

EXIT_CODES = {
    "setup": {0: "all is there", 2: "not as root, or something stands in the way; it says what"},
    "serve": {
        0: "stopped by SIGTERM or Ctrl-C",
        2: "mistakes in the settings, or no start: an address, the store, a certificate, another phone `url`",
    },
    "check": {
        0: "the settings are good, perhaps with warnings; with --online the directories agree",
        1: "mistakes, or a directory says that something is wrong",
        2: "there is no such file, or it cannot be read",
    },
    "doctor": {
        0: "nothing is wrong, perhaps there is something to look at; with --network printed",
        1: "something is wrong, mistakes in the settings among it",
        2: "there is no such file, no such phone, or no token on standard input",
    },
    "explain": {
        0: "the person would be asked, or let in by the password alone",
        1: "the person would be refused",
        2: "the gateway would get no answer, or it could not run: settings, unknown client, an odd request",
    },
    "reload": {
        0: "the server serves by the file as it is now",
        1: "mistakes, or what only a restart can change: the server serves by the settings it had",
        2: "no server runs on the store of these settings, or it belongs to another user",
    },
    "clients": {
        0: "shown, or unlatched",
        1: "nothing was latched",
        2: "could not run: settings, the store, no such client, or odd words",
    },
    "enroll": {
        0: "the phone is trusted; all who were named have a phone or an invitation; shown",
        1: "no: nobody knows USER, too many phones, no phone came, five wrong codes, a mail not sent",
        2: "could not run: settings, store, a directory that is down, or left by Ctrl-C",
    },
    "devices": {
        0: "listed, removed, renamed, confirmed, or forgotten",
        1: "there is no such phone with that ID, nothing waits on it, or five wrong codes",
        2: "settings, no store yet, or several phones whose ID begins so",
    },
    "push-test": {
        0: "every phone says that it was reached",
        1: "one does not, or there is no such phone",
        2: "could not run: settings, no store yet, several people of that name, no server rings",
    },
    "users": {0: "listed", 2: "settings, or no store yet"},
    "logins": {0: "listed, or left by Ctrl-C", 2: "not understood, settings, or no store yet"},
    "sessions": {0: "listed, also when there are none", 2: "not understood, settings, or no store yet"},
    "trace": {0: "told", 1: "no login has that code, or it is none", 2: "settings, or no store yet"},
    "backup": {0: "written", 2: "FILE is there already, or cannot be written; no store yet; settings"},
    "restore": {
        0: "in place",
        2: "nothing changed: a server runs, a store is there already, FILE is no backup, or the settings",
    },
    "try-login": {
        0: "accepted",
        1: "rejected",
        2: "no answer in time, nothing listens there, or it could not ask: settings, no store yet, keys",
    },
    "simulate": {
        0: "let in, at the last sign-in",
        1: "not let in",
        2: "could not run: settings, no server, no user, no room for a phone, not known, or left by Ctrl-C",
    },
    "demo": {0: "every login ended as planned", 1: "one did not", 2: "left by Ctrl-C"},
    "test-phone": {
        0: "done",
        1: "the server said no, or nobody asked in time",
        2: "the server was not reached, there is no phone in that file, or that is no enrolment link",
    },
    "hash-password": {
        0: "printed",
        2: "no password: empty, over 128 octets, a NUL, not UTF-8, or left by Ctrl-C",
    },
}

FIELDS = {
    "key": "Of a credential: SHA-256 of its public key, hexadecimal.",
    "BiometricsRemoved": "A device has no fingerprint or face to say yes with any more.",
    "source_port": "The gateway's port.",
    "proof": "How the password was proved: `pap`, `chap` or `ms-chapv2`.",
    "ServerStarted": "`serve` is about to answer.",
    "ServerStopped": "`serve` was told to stop.",
    "Invited": "`enroll` gave a person the right to add one phone.",
    "DeviceConfirmed": "The issuer typed the phone's code (or said `--no-confirm`): the phone is trusted.",
    "ConfirmationFailed": "The issuer typed a code that the phone does not show.",
    "DeviceRemoved": "A phone can answer no more.",
    "version": "Of radius-push.",
    "server": "Which of those on this store: `first`, or its name in `server.more_servers`.",
    "mistakes": "Each with its place in the file and its mend.",
    "origin": "The address that phones open.",
    "devices": "How many phones.",
    "by": "Who did it: the login name at the terminal (behind sudo the one before it), or the verb.",
    "login": "The login's code, six letters and digits. It ties the events of one login together.",
    "client": "The gateway's name in the settings.",
    "username": "The name, as typed; in `invited` and `portal_signed_in`, as the directory spells it.",
    "person": "Who it is, for ever: authentication profile and the directory's stable id. `null`: not known.",
    "profile": "The profile that was chosen.",
    "policy": "The policy that decided. `null`: `otherwise`, or no policy names any profile of the client.",
    "address": "The user's address, as the gateway reported it. `null`: it sent none.",
    "question": "The id of what the phones were asked. `null`: they were not.",
    "device": "The phone's id, as `radius-push devices` shows it. `null`: none answered.",
    "reply": "The reply attributes, as pairs of name and value.",
    "directories": "What each directory said, in order.",
    "trace": "Each policy with its hit or miss, top to bottom.",
    "reason": "Why.",
    "detail": "More for the admin: the directory's own words, the policy's name.",
    "invitation": "The invitation's id. Not its token and not its code.",
    "expires_at": "When the link and the code end.",
    "name": "What the phone calls itself.",
    "wrong_codes": "How many so far.",
    "state": "Of the question at that moment.",
    "file": "Where the backup lies.",
    "given_up": "It was the fifth: the phone is removed.",
}
"""Events and fields that say nothing in events.py, as their name says it all to a reader of code."""
