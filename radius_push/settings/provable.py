"""What a client accepts against what its directories can prove: said at start, not met at a login."""

from __future__ import annotations

from collections.abc import Iterator

from radius_push import shapes
from radius_push.model import PROOFS, Client, ProofName
from radius_push.settings.book import Book
from radius_push.settings.mistakes import Path

_NAMED = 3
"""People that a warning names; of more it says how many."""


def check(book: Book) -> None:
    """Mistakes and warnings go to the book's report."""
    for client in book.clients.values():
        path: Path = ("clients", client.name, "accepts")
        if book.report.spoiled_within(path):
            continue
        for directory in directories_of(book, client):
            _directory(book, client, directory, path)


def directories_of(book: Book, client: Client) -> Iterator[shapes.AuthenticationProfile]:
    """The directories that its profiles name, each once."""
    profiles = (book.profiles[name] for name in client.profiles if name in book.profiles)
    for name in dict.fromkeys(each for profile in profiles for each in profile.fallback_auth_profiles):
        directory = book.directories.get(name)
        if directory is not None and not book.report.spoiled_within(("authentication_profiles", name)):
            yield directory


def _directory(book: Book, client: Client, directory: shapes.AuthenticationProfile, path: Path) -> None:
    accepted = [proof for proof in PROOFS if proof in client.accepts]
    cannot = {proof: why for proof in accepted if (why := _why_nobody(directory, proof))}
    if len(cannot) == len(accepted):
        spoken, why = " or ".join(accepted), "; ".join(dict.fromkeys(cannot.values()))
        mend = "add pap, or give up that directory"
        book.report.wrong(path, f"nobody of {directory.name} can log in by {spoken}: {why}; {mend}")
        return
    for proof, why in cannot.items():
        ours = " or ".join(each for each in accepted if each not in cannot)
        book.report.warn(
            path,
            f"{proof} is refused for all of {directory.name}: {why}; let the gateway use {ours} for them",
        )
    if isinstance(directory, shapes.LocalProfile):
        for proof in (each for each in accepted if each not in cannot):
            _who_lacks(book, directory, proof, path)


def _why_nobody(directory: shapes.AuthenticationProfile, proof: ProofName) -> str:
    """Empty if somebody can be proved so."""
    if isinstance(directory, shapes.LdapProfile):
        return "" if proof == "pap" else "an LDAP directory proves only pap"
    lacks = [user.lacks(proof) for user in directory.users.values()]
    return f"{proof} needs {lacks[0]}, which no user there has" if lacks and all(lacks) else ""


def _who_lacks(book: Book, directory: shapes.LocalProfile, proof: ProofName, path: Path) -> None:
    lacking = [user for user in directory.users.values() if user.lacks(proof)]
    if not lacking:
        return
    names = [user.name for user in lacking[:_NAMED]]
    more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
    book.report.warn(
        path,
        f"{proof} is refused for {', '.join(names)}{more} of {directory.name}, without "
        f"{lacking[0].lacks(proof)}",
    )
