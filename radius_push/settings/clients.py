"""VPN gateways: who may ask, with which secret, and what they are patient for."""

from __future__ import annotations

from radius_push.gateway import GroupsIn
from radius_push.model import Client, Secret
from radius_push.radius.preset import Preset
from radius_push.radius.presets import PRESETS
from radius_push.settings import schema
from radius_push.settings.book import Book, names
from radius_push.settings.mistakes import Path
from radius_push.settings.yaml_marks import Tree
from radius_push.shapes import OUR_OWN_CLIENT


def clients(book: Book, tree: Tree, defaults: Tree) -> None:
    """`clients:`, each with what `client_defaults:` says."""
    shared = _defaults(book, defaults)
    for name, below in names(book, tree, ("clients",)):
        path: Path = ("clients", name)
        if name == OUR_OWN_CLIENT:
            book.report.wrong(path, "is the name of radius-push's own client; take another", of_key=True)
        merged = {**shared, **below} if isinstance(below, dict) else below
        section = book.report.section(schema.ClientSection, merged, path)
        secrets = tuple(
            found
            for at, source in enumerate(section.secret)
            if (found := book.vault.secret(source, book.report, (*path, "secret", at))) is not None
        )
        if section.short_secret:
            book.short_secrets.add(name)
        if section.user_address is not None or section.groups_in is not None:
            book.own_places.add(name)
        book.clients[name] = _client(name, section, secrets)


def _client(name: str, section: schema.ClientSection, secrets: tuple[Secret, ...]) -> Client:
    """What the client says, and its preset where it says nothing."""
    preset = PRESETS[section.preset]
    return Client(
        name,
        section.addresses,
        secrets,
        section.profiles,
        otherwise=section.otherwise,
        patience=section.patience or preset.patience,
        require_message_authenticator=section.require_message_authenticator
        or preset.require_message_authenticator,
        proxy=section.proxy,
        password_encoding=section.password_encoding or preset.password_encoding,
        preset=preset.name,
        accepts=frozenset(section.accepts or preset.accepts),
        # `none` is written as no attribute at all: then no other place counts either.
        user_address=preset.user_address if section.user_address is None else section.user_address or None,
        groups_in=_groups_in(section, preset),
        shared_secret_prefix=section.shared_secret_prefix,
    )


def _groups_in(section: schema.ClientSection, preset: Preset) -> GroupsIn | None:
    written = section.groups_in
    return preset.groups_in if written is None else GroupsIn(written.attribute, written.form)


def _defaults(book: Book, tree: Tree) -> dict[str, Tree]:
    path: Path = ("client_defaults",)
    written = book.report.mapping(tree, path)
    for key in ("addresses", "secret"):
        if key in written:
            book.report.wrong((*path, key), "belongs to each client by itself", of_key=True)
    rest = {key: below for key, below in written.items() if key not in ("addresses", "secret")}
    good = book.report.section(schema.ClientDefaults, rest, path).model_fields_set
    return {key: below for key, below in rest.items() if key in good}
