"""What the settings say so far, section by section, while they are being read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from radius_push import shapes
from radius_push.model import Client, Network
from radius_push.push_shapes import Push
from radius_push.settings import server_schema
from radius_push.settings.mistakes import Path
from radius_push.settings.report import Report
from radius_push.settings.scalars import name as read_name
from radius_push.settings.secrets import Vault
from radius_push.settings.yaml_marks import Tree


@dataclass(slots=True)
class Book:
    """Everything read so far. What was wrong is left out or stands as a harmless guess."""

    report: Report
    vault: Vault
    server: server_schema.ServerSection = field(default_factory=server_schema.ServerSection)
    methods: frozenset[shapes.Method] = frozenset()
    push: Push = field(default_factory=Push)
    mail: shapes.MailServer | None = None
    clients: dict[str, Client] = field(default_factory=dict)
    short_secrets: set[str] = field(default_factory=set)
    """Clients that say `short_secret: accepted`."""
    own_places: set[str] = field(default_factory=set)
    """Clients that say themselves where the user's address is, or where groups go."""
    directories: dict[str, shapes.AuthenticationProfile] = field(default_factory=dict)
    profiles: dict[str, shapes.Profile] = field(default_factory=dict)
    policies: list[shapes.Policy] = field(default_factory=list)
    dictionary_lines: list[shapes.DictionaryLine] = field(default_factory=list)
    condition_paths: list[list[Path]] = field(default_factory=list)
    """Policy -> condition -> where its values are written."""

    def file(self, written: str | None, path: Path, *, private: bool = False) -> str | None:
        """The path of a file that can be opened; None if none is named."""
        return self.vault.readable(written, self.report, path, private=private) if written else None


def names(
    book: Book, tree: Tree, path: Path, *, reserved: tuple[str, ...] = ()
) -> Iterator[tuple[str, Tree]]:
    """The entries of a section whose keys are names of the admin's own."""
    for name, below in book.report.mapping(tree, path).items():
        try:
            read_name(name)
        except ValueError as error:
            book.report.wrong((*path, name), str(error), of_key=True)
        if name in reserved:
            book.report.wrong(
                (*path, name), f"{name} has a meaning of its own; take another name", of_key=True
            )
        yield name, below


def is_loopback(network: Network) -> bool:
    return network.network_address.is_loopback and network.broadcast_address.is_loopback
