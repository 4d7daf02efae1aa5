"""What no section can see by itself: names that lead nowhere, addresses with two owners, dead policies."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from radius_push import policy, shapes
from radius_push.gateway import SHORT_FOR_A_PERSON
from radius_push.model import Client, Network
from radius_push.radius.dictionary import Dictionary
from radius_push.radius.presets import PRESETS
from radius_push.settings import gateways, idle, provable, replies, requests
from radius_push.settings.book import Book, is_loopback
from radius_push.settings.mistakes import Path, did_you_mean, there_are
from radius_push.settings.scalars import in_words

_SHORTEST_SECRET = 16
_ROOM = 5.0
"""Seconds before the gateway's patience ends at which a phone's bar must have ended."""
SAMPLE_PASSWORD_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$6TlNjlK1wnK6+4MmC7GYZQ$rw209MpByS2rlxn+vfbKszX5qOAv/F1s2y28ca14JFM"
)
"""Of the password `radius-push` in config/radius-push.yaml, which everybody can read."""


def check(book: Book, dictionary: Dictionary) -> None:
    """Every check across sections; mistakes and warnings go to the book's report."""
    _networks(book)
    for client in book.clients.values():
        _client(book, client)
        gateways.check_client(book, client, dictionary)
    for profile in book.profiles.values():
        _profile(book, profile)
    _policies(book)
    for at, each in enumerate(book.policies):
        _clients_of(book, at, each)
        replies.check(book, at, each, dictionary)
        requests.check(book, at, each, dictionary)
        gateways.check_packet(book, at, each)
    idle.check(book)
    provable.check(book)
    _sample_password(book)
    _self_service(book)
    _portal_networks(book)


# --- clients -------------------------------------------------------------------------------------


def _networks(book: Book) -> None:
    owners: dict[Network, tuple[str, int]] = {}
    for client in book.clients.values():
        for at, network in enumerate(client.networks):
            path: Path = ("clients", client.name, "addresses", at)
            owner, first = owners.setdefault(network, (client.name, at))
            if (owner, first) != (client.name, at):
                where = _place_of_address(book, owner, first, seen_from=path)
                shown = network.network_address if network.num_addresses == 1 else network
                book.report.wrong(
                    path, f"{shown} belongs to {owner} already ({where}); an address has one client"
                )
            if network.prefixlen == 0:
                book.report.warn(path, "every address there is; name the gateway's own")


def _place_of_address(book: Book, client: str, at: int, *, seen_from: Path) -> str:
    document = book.report.document
    found = document.mistake(("clients", client, "addresses", at), "")
    same = found.file == document.file_of(seen_from)
    return f"line {found.line}" if same else f"{found.file}:{found.line}:{found.column}"


def _client(book: Book, client: Client) -> None:
    path: Path = ("clients", client.name)
    for at, name in enumerate(client.profiles):
        where = (*path, "profiles", at)
        if name not in book.profiles and not book.report.spoiled(("profiles",)):
            book.report.wrong(where, f"no profile is called {name}; {there_are(book.profiles)}")
        elif name in client.profiles[:at]:
            book.report.wrong(where, f"{name} stands here twice")
    if client.otherwise not in (None, shapes.REFUSE, *client.profiles) and client.profiles:
        listed = ", ".join(client.profiles)
        book.report.wrong(
            (*path, "otherwise"), f"{client.otherwise} is not one of its profiles ({listed}); or write refuse"
        )
    _short_secrets(book, client)
    _group(book, client)
    _probe_users(book, client)
    if client.proxy and client.require_message_authenticator != "yes":
        book.report.warn(
            (*path, "proxy"),
            "Proxy-State is taken without a Message-Authenticator: whoever is on the path can then forge an "
            "accept (BlastRADIUS). Let the proxy send Message-Authenticator as soon as it can",
        )
    _too_short(book, client)
    for name in client.profiles:
        _patience(book, client, book.profiles.get(name))


def _short_secrets(book: Book, client: Client) -> None:
    if client.name in book.short_secrets or all(is_loopback(network) for network in client.networks):
        return
    for at, secret in enumerate(client.secrets):
        if len(secret) < _SHORTEST_SECRET:
            book.report.wrong(
                ("clients", client.name, "secret", at),
                f"shorter than {_SHORTEST_SECRET} octets; make it longer, or write short_secret: accepted",
            )


def _group(book: Book, client: Client) -> None:
    if client.group is None:
        return
    path: Path = ("clients", client.name, "group")
    if client.may_be_many:
        book.report.wrong(
            path,
            "this client is wider than a /29: many may have its secret, and would speak for the whole group; "
            "name the gateway's own addresses, or write shared_secret_prefix: accepted",
        )
    if all(each.group != client.group for each in book.clients.values() if each is not client):
        book.report.warn(path, f"no other client is in {client.group}")


def _probe_users(book: Book, client: Client) -> None:
    for directory in provable.directories_of(book, client):
        users = directory.users if isinstance(directory, shapes.LocalProfile) else {}
        for name in sorted(client.probe_users & users.keys()):
            book.report.warn(
                ("clients", client.name, "probe_users"),
                f"{name} is also a user of {directory.name}, and is always refused here; give the probe a "
                "name that nobody has",
            )


def _patience(book: Book, client: Client, profile: shapes.Profile | None) -> None:
    room = client.patience - _ROOM
    if profile is not None and "push" in profile.methods and profile.timeout > room:
        book.report.warn(
            ("clients", client.name, "patience"),
            f"phones get {in_words(room)} for {profile.name}, not its {in_words(profile.timeout)}, "
            f"as the gateway waits {in_words(client.patience)}; raise its time-out there, and patience here, "
            f"or give it a profile with `timeout: {in_words(room)}`",
        )


def _too_short(book: Book, client: Client) -> None:
    """For anybody to find their phone and answer."""
    asks = any("push" in book.profiles[name].methods for name in client.profiles if name in book.profiles)
    if asks and client.patience < SHORT_FOR_A_PERSON:
        preset = PRESETS[client.preset]
        book.report.warn(
            ("clients", client.name, "patience"),
            f"{in_words(client.patience)} is too short for a person: let the gateway wait "
            f"{in_words(SHORT_FOR_A_PERSON)} at least. {preset.title}: {' '.join(preset.to_set)}",
        )


# --- profiles ------------------------------------------------------------------------------------


def _profile(book: Book, profile: shapes.Profile) -> None:
    path: Path = ("profiles", profile.name)
    for at, name in enumerate(profile.fallback_auth_profiles):
        where = (*path, "fallback_auth_profiles", at)
        if name not in book.directories and not book.report.spoiled(("authentication_profiles",)):
            book.report.wrong(
                where, f"no authentication profile is called {name}; {there_are(book.directories)}"
            )
        elif name in profile.fallback_auth_profiles[:at]:
            book.report.wrong(where, f"{name} stands here twice")
    if profile.methods == ("none",):
        book.report.warn((*path, "methods"), "NO SECOND FACTOR: the password alone lets people in")
    if "push" in profile.methods:
        _push(book, (*path, "methods"))
    if profile.biometrics == "required":
        _biometrics(book, profile, (*path, "biometrics"))


def _push(book: Book, path: Path) -> None:
    off = "push" not in book.methods and not book.report.spoiled_within(("methods",))
    listen: Path = ("server", "listen", "phone")
    deaf = book.server.listen.phone is None and not book.report.spoiled(listen)
    if off and deaf:
        book.report.wrong(
            path,
            "push is not switched on, and phones have nowhere to come in; write push: {} under methods, "
            "and add server.listen.phone",
        )
    elif off:
        book.report.wrong(path, "push is not switched on; write push: {} under methods")
    elif deaf:
        book.report.wrong(path, "asks phones, and none can come in; add server.listen.phone")


def _biometrics(book: Book, profile: shapes.Profile, path: Path) -> None:
    phone = book.server.listen.phone
    host = urlsplit(phone.url).hostname if phone is not None else None
    if profile.methods and "push" not in profile.methods:
        book.report.wrong(path, "no phone is asked in this profile; leave it out, or add push to methods")
    elif host is not None and _is_address(host):
        book.report.wrong(
            path,
            f"browsers keep fingerprints and faces for host names, and phones come to {host}; give "
            "server.listen.phone.url a name",
        )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


# --- policies ------------------------------------------------------------------------------------


def _policies(book: Book) -> None:
    """What policy.compile finds, at its place in the file."""
    every = tuple(book.directories)
    profiles = {
        name: replace(profile, fallback_auth_profiles=every)
        # A broken list must not make every policy that relies on it look broken too.
        if book.report.spoiled_within(("profiles", name, "fallback_auth_profiles"))
        else profile
        for name, profile in book.profiles.items()
    }
    made = policy.compile(book.policies, profiles=profiles, authentication_profiles=book.directories)
    if isinstance(made, policy.Rules):
        return
    for mistake in made:
        sentence = mistake.sentence
        match mistake.path:
            case ("profile",) if book.report.spoiled(("profiles",)):
                continue  # all of them are missing: said once
            case ("authentication_profile",) if book.report.spoiled(("authentication_profiles",)):
                continue
            case ("profile",):
                sentence += f"; {there_are([*book.profiles, shapes.REFUSE])}"
            case ("authentication_profile",) if sentence.startswith("no "):
                sentence += f"; {there_are(book.directories)}"
        book.report.wrong(_place(book, mistake), sentence)


def _place(book: Book, mistake: policy.Mistake) -> Path:
    """Where in the file a path into shapes.Policy is written."""
    path: Path = ("policies", mistake.policy)
    match mistake.path:
        case ("conditions", int(at), "attribute"):
            values = book.condition_paths[mistake.policy][at]
            return values if "request" in values else (*values[:-1], "attribute")
        case ("conditions", int(at), "values", *rest):
            return (*book.condition_paths[mistake.policy][at], *rest)
        case ("reply", int(at)):
            return replies.place(book.policies[mistake.policy], mistake.policy, at)
        case _:
            return (*path, *mistake.path)


def _clients_of(book: Book, at: int, of: shapes.Policy) -> None:
    path: Path = ("policies", at)
    for number, name in enumerate(of.clients or ()):
        where = (*path, "clients", number)
        client = book.clients.get(name)
        if client is None:
            book.report.wrong(where, f"no client is called {name}; {there_are(book.clients)}")
        elif of.profile in book.profiles and not _may_list(book, client, of.profile):
            book.report.wrong(where, f"{name} does not list {of.profile}; add it to {name}'s profiles")
    if of.clients is not None or of.profile not in book.profiles:
        return
    if not any(_may_list(book, client, of.profile) for client in book.clients.values()):
        book.report.wrong((*path, "profile"), f"no client lists {of.profile}: this policy admits nobody")


def _may_list(book: Book, client: Client, profile: str) -> bool:
    """A list that is broken may have been meant to hold it."""
    return profile in client.profiles or book.report.spoiled_within(("clients", client.name, "profiles"))


# --- the portal --------------------------------------------------------------------------------------


_NO_PORTAL = "changes nothing without a portal; add server.listen.portal"


def _self_service(book: Book) -> None:
    path: Path = ("server", "enrollment", "self_service")
    written = book.server.enrollment.self_service
    if book.report.spoiled(("authentication_profiles",)):
        return
    for at, name in enumerate(written):
        if name not in book.directories:
            hint = did_you_mean(name, book.directories) or f"; {there_are(book.directories)}"
            book.report.wrong((*path, at), f"no authentication profile is called {name}{hint}")
        elif name in written[:at]:
            book.report.wrong((*path, at), f"{name} stands here twice")
    portal = book.server.listen.portal
    if written and portal is None and not book.report.spoiled_within(("server", "listen")):
        book.report.warn(path, _NO_PORTAL)


def _portal_networks(book: Book) -> None:
    if not book.server.enrollment.portal_networks or book.server.listen.portal is not None:
        return
    if not book.report.spoiled_within(("server", "listen")):
        book.report.warn(("server", "enrollment", "portal_networks"), _NO_PORTAL)


# --- the sample's password -----------------------------------------------------------------------


def _sample_password(book: Book) -> None:
    outside = [
        client.name
        for client in book.clients.values()
        if not all(is_loopback(network) for network in _where_from(client))
    ]
    if not outside:
        return
    for directory in book.directories.values():
        for user in directory.users.values() if isinstance(directory, shapes.LocalProfile) else ():
            if user.password_hash == SAMPLE_PASSWORD_HASH:
                path: Path = ("authentication_profiles", directory.name, "users", user.name, "password_hash")
                book.report.wrong(
                    path,
                    f"the sample's password, which everybody knows, and {outside[0]} is not on this machine; "
                    "make your own with `radius-push hash-password`",
                )


def _where_from(client: Client) -> tuple[Network, ...]:
    """All that its packets may come from: with a certificate and no addresses, everywhere."""
    if client.certificate is None:
        return client.networks
    return client.certificate.networks or (ip_network("0.0.0.0/0"),)
