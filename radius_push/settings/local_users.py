"""Users written in the settings: what proves each of them, and their attributes."""

from __future__ import annotations

from pathlib import Path as File

from radius_push import shapes
from radius_push.dn import fold
from radius_push.model import Secret
from radius_push.proofs import mschapv2
from radius_push.settings import schema
from radius_push.settings.book import Book
from radius_push.settings.mistakes import Path, SettingsError, did_you_mean
from radius_push.settings.report import Report
from radius_push.settings.scalars import Written
from radius_push.settings.secrets import Vault
from radius_push.settings.yaml_marks import Tree, read

_LONGEST_NAME = 253
_LONGEST_VALUE = 1024
_SECRET_KEYS = (
    "password",
    "pass",
    "passwd",
    "pwd",
    "secret",
    "userpassword",
    "hash",
    *schema.UserSection.ONE_OF,
)
_NO_PASSWORD = mschapv2.nt_hash(Secret(b""))


def read_file(book: Book, written: str, path: Path) -> dict[str, shapes.LocalUser]:
    """What `users_file` names."""
    try:
        document = read(File(book.vault.path(written, book.report, path)))
    except SettingsError as error:
        if all(mistake.line == 0 for mistake in error.mistakes):
            book.report.wrong(path, f"{error}")
        else:
            book.report.mistakes += error.mistakes
        return {}
    report = Report(document)
    users = read_users(book.vault, report, report.mapping(document.tree, ()), ())
    book.report.mistakes += report.mistakes
    book.report.warnings += report.warnings
    return users


def read_users(
    vault: Vault, report: Report, tree: dict[str, Tree], path: Path
) -> dict[str, shapes.LocalUser]:
    """By NFKC-casefolded name."""
    users: dict[str, shapes.LocalUser] = {}
    for name, below in tree.items():
        where = (*path, name)
        if not name.strip() or len(name.encode()) > _LONGEST_NAME or not name.isprintable():
            report.wrong(where, "a user's name is one line of at most 253 octets", of_key=True)
        other = users.get(fold(name))
        if other is not None:
            line = report.document.line((*path, other.name))
            report.wrong(
                where, f"the same name as {other.name} in line {line}: case does not count", of_key=True
            )
            continue
        users[fold(name)] = _user(vault, report, name, below, where)
    return users


def _user(vault: Vault, report: Report, name: str, tree: Tree, path: Path) -> shapes.LocalUser:
    section = report.section(schema.UserSection, tree, path)
    attributes: dict[str, tuple[str, ...]] = {}
    for key, values in (section.__pydantic_extra__ or {}).items():
        where = (*path, key)
        folded = key.casefold()
        if did_you_mean(key, schema.UserSection.ONE_OF) or folded in _SECRET_KEYS:
            report.wrong(
                where, "no attribute: write password_hash (`radius-push hash-password` makes it)", of_key=True
            )
        elif folded == "username":
            report.wrong(where, "is the user's name by itself; remove it", of_key=True)
        elif folded in attributes:
            report.wrong(where, "an attribute written twice: case does not count", of_key=True)
        elif any(len(value.encode()) > _LONGEST_VALUE for value in values):
            report.wrong(where, "longer than 1 kB, which no policy reads")
        attributes[folded] = values
    if not section.model_fields_set & {*schema.UserSection.ONE_OF} and not report.spoiled_within(path):
        report.wrong((*path, "password_hash"), "is missing; or write nt_hash or clear_password")
    clear = _clear_password(vault, report, section, path)
    if clear is not None and section.nt_hash not in (None, mschapv2.nt_hash(clear)):
        report.wrong((*path, "nt_hash"), "is of another password than clear_password; remove one of them")
    return shapes.LocalUser(name, section.password_hash, attributes, section.nt_hash, clear)


def _clear_password(vault: Vault, report: Report, section: schema.UserSection, path: Path) -> Secret | None:
    """Read it, and look at what is as good as one: whoever may read the file could log in with it."""
    if section.nt_hash == _NO_PASSWORD:
        report.wrong((*path, "nt_hash"), "is of an empty password, which lets nobody in")
    if section.nt_hash is not None:
        vault.in_the_open("nt_hash", report, (*path, "nt_hash"))
    where = (*path, "clear_password")
    match section.clear_password:
        case None:
            return None
        case Written(secret):
            vault.in_the_open("clear_password", report, where)
            found: Secret | None = secret
        case source:
            found = vault.secret(source, report, where)
    if found is not None and (b"\0" in found.reveal() or mschapv2.nt_hash(found) is None):
        report.wrong(where, "must be UTF-8 text of at most 256 characters, and hold no NUL")
    return found
