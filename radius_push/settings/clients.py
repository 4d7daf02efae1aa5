"""VPN gateways: who may ask, with which secret, and what they are patient for."""

from __future__ import annotations

from radius_push.client_table import RADSEC_SECRET
from radius_push.gateway import GroupsIn
from radius_push.model import Client, ClientCertificate, Network, Secret
from radius_push.radius.preset import Preset
from radius_push.radius.presets import PRESETS
from radius_push.settings import radsec, schema
from radius_push.settings.book import Book, names
from radius_push.settings.mistakes import Path
from radius_push.settings.yaml_marks import Tree
from radius_push.shapes import is_our_own

_OWN = ("addresses", "secret", "certificate")
"""What no two clients share."""


class _ByCertificate(schema.ClientSection):
    """One that comes by RadSec needs nothing of what UDP needs."""

    REQUIRED = ("profiles",)


def clients(book: Book, tree: Tree, defaults: Tree) -> None:
    """`clients:`, each with what `client_defaults:` says."""
    shared = _defaults(book, defaults)
    for name, below in names(book, tree, ("clients",)):
        path: Path = ("clients", name)
        if is_our_own(name):
            book.report.wrong(path, "is the name of radius-push's own client; take another", of_key=True)
        merged = {**shared, **below} if isinstance(below, dict) else below
        by_certificate = isinstance(merged, dict) and merged.get("certificate") is not None
        kind = _ByCertificate if by_certificate else schema.ClientSection
        section = book.report.section(kind, merged, path)
        secrets = tuple(
            found
            for at, source in enumerate(section.secret)
            if (found := book.vault.secret(source, book.report, (*path, "secret", at))) is not None
        )
        sealed = "require_message_authenticator" in section.model_fields_set
        certificate = radsec.certificate_of(
            book, section, path, sealed=sealed and section.require_message_authenticator == "yes"
        )
        _expect_both(book, section, path)
        if section.short_secret:
            book.short_secrets.add(name)
        if section.user_address is not None or section.groups_in is not None:
            book.own_places.add(name)
        book.clients[name] = _client(name, section, secrets, certificate)


def of_preset(
    name: str, preset: str, *, network: Network, secret: Secret, profiles: tuple[str, ...], otherwise: str
) -> Client:
    """A client that says nothing but this, as if it stood in a file: the rest is its preset's."""
    section = schema.ClientSection.model_construct(
        addresses=(network,), secret=(secret,), preset=preset, profiles=profiles, otherwise=otherwise
    )
    return _client(name, section, (secret,), None)


def _client(
    name: str,
    section: schema.ClientSection,
    secrets: tuple[Secret, ...],
    certificate: ClientCertificate | None,
) -> Client:
    """What the client says, and its preset where it says nothing."""
    preset = PRESETS[section.preset]
    return Client(
        name,
        # Without a secret the addresses are for RadSec alone.
        section.addresses if section.secret else (),
        secrets if secrets or certificate is None else (RADSEC_SECRET,),
        section.profiles,
        otherwise=section.otherwise,
        patience=section.patience or preset.patience,
        patience_said=section.patience is not None,
        require_message_authenticator=section.require_message_authenticator
        or preset.require_message_authenticator,
        proxy=section.proxy,
        password_encoding=section.password_encoding or preset.password_encoding,
        preset=preset.name,
        accepts=frozenset(section.accepts or preset.accepts),
        # `none` is written as no attribute at all: then no other place counts either.
        user_address=preset.user_address if section.user_address is None else section.user_address or None,
        groups_in=_groups_in(section, preset),
        probe_users=frozenset(section.probe_users),
        group=section.group,
        follow_on=preset.follow_on if section.follow_on is None else section.follow_on,
        shared_secret_prefix=section.shared_secret_prefix,
        certificate=certificate,
        trace_code=section.trace_code,
    )


def _groups_in(section: schema.ClientSection, preset: Preset) -> GroupsIn | None:
    written = section.groups_in
    if written is None:
        return preset.groups_in
    # Another place, but the same gateway: one that takes a single group takes no more of them there.
    only_one = preset.groups_in is not None and preset.groups_in.only_one
    return GroupsIn(written.attribute, written.form, only_one=only_one)


def _expect_both(book: Book, section: schema.ClientSection, path: Path) -> None:
    if section.secret and not section.addresses and not book.report.spoiled_within((*path, "addresses")):
        book.report.wrong(
            (*path, "secret"), "is for UDP and TCP, from addresses: add them, or leave it out", of_key=True
        )


def _defaults(book: Book, tree: Tree) -> dict[str, Tree]:
    path: Path = ("client_defaults",)
    written = book.report.mapping(tree, path)
    for key in _OWN:
        if key in written:
            book.report.wrong((*path, key), "belongs to each client by itself", of_key=True)
    rest = {key: below for key, below in written.items() if key not in _OWN}
    good = book.report.section(schema.ClientDefaults, rest, path).model_fields_set
    return {key: below for key, below in rest.items() if key in good}
