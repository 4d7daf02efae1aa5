"""Authentication profiles: the LDAP directories and the local users."""

from __future__ import annotations

from radius_push import policy, shapes
from radius_push.model import Secret
from radius_push.settings import local_users, schema
from radius_push.settings.book import Book, names
from radius_push.settings.mistakes import Path, did_you_mean
from radius_push.settings.yaml_marks import Tree


def directories(book: Book, tree: Tree) -> None:
    """`authentication_profiles:`."""
    for name, below in names(book, tree, ("authentication_profiles",)):
        path: Path = ("authentication_profiles", name)
        kind = _type(book, below, path)
        if kind == "ldap":
            book.directories[name] = _ldap(book, name, below, path)
        else:
            book.directories[name] = _local(book, name, below, path)


def _type(book: Book, tree: Tree, path: Path) -> str:
    """What kind of directory; if that is wrong, what its keys look like."""
    written = tree.get("type") if isinstance(tree, dict) else None
    if written in ("ldap", "local"):
        return str(written)
    if isinstance(tree, dict):
        wrong = "is missing" if "type" not in tree else "must be ldap or local"
        hint = did_you_mean(written, ("ldap", "local")) if isinstance(written, str) else ""
        book.report.wrong((*path, "type"), wrong + (hint or "; write ldap or local" * ("type" not in tree)))
    return "ldap" if isinstance(tree, dict) and "urls" in tree else "local"


def _ldap(book: Book, name: str, tree: Tree, path: Path) -> shapes.LdapProfile:
    section = book.report.section(schema.LdapSection, tree, path)
    _transport(book, section, path)
    if policy.self_writable(section.id_attribute) and not section.self_writable:
        book.report.wrong(
            (*path, "id_attribute"),
            f"people may write their own {section.id_attribute}, and so become another; "
            "name one that they cannot write",
        )
    password = None
    if section.bind_password is not None:
        password = book.vault.secret(section.bind_password, book.report, (*path, "bind_password"))
    return shapes.LdapProfile(
        name,
        urls=section.urls,
        base_dn=section.base_dn,
        bind_dn=section.bind_dn,
        bind_password=password or Secret(b""),
        user_filter=section.user_filter,
        group_base_dn=section.group_base_dn,
        id_attribute=section.id_attribute,
        ca_file=book.file(section.ca_file, (*path, "ca_file")),
        start_tls=section.start_tls,
        check_certificate=not section.certificate,
        connect_timeout=section.connect_timeout,
        receive_timeout=section.receive_timeout,
        emergency=section.emergency,
        # Who misspells the word is told about that, and not about each policy too.
        self_writable=section.self_writable or book.report.spoiled((*path, "self_writable")),
    )


def _transport(book: Book, section: schema.LdapSection, path: Path) -> None:
    """Passwords go over this connection: what is not encrypted or not checked is said by name."""
    for at, url in enumerate(section.urls):
        where = (*path, "urls", at)
        if url.startswith("ldaps:"):
            if section.start_tls:
                book.report.wrong(where, "ldaps is TLS already; start_tls is for ldap://, remove one of them")
        elif not section.start_tls and not book.report.spoiled((*path, "start_tls")):
            if section.clear_text:
                book.report.warn(
                    where, "PASSWORDS GO OVER THE NETWORK IN CLEAR TEXT; use ldaps:// or start_tls"
                )
            elif not book.report.spoiled((*path, "clear_text")):
                book.report.wrong(
                    where,
                    "passwords in clear text; write ldaps:// or start_tls: yes, or clear_text: accepted",
                )
    if section.certificate:
        book.report.warn(
            (*path, "certificate"),
            "THE CERTIFICATE IS NOT CHECKED: whoever sits between reads every password; use ca_file",
        )


def _local(book: Book, name: str, tree: Tree, path: Path) -> shapes.LocalProfile:
    section = book.report.section(schema.LocalSection, tree, path)
    users: dict[str, shapes.LocalUser] = {}
    if section.users is not None and section.users_file is not None:
        book.report.wrong((*path, "users_file"), "users stand here already; keep one of the two")
    elif section.users is not None:
        users = local_users.read_users(book.vault, book.report, section.users, (*path, "users"))
    elif section.users_file is not None:
        users = local_users.read_file(book, section.users_file, (*path, "users_file"))
    elif not book.report.spoiled_within(path):
        book.report.wrong((*path, "users"), "is missing; write users, or users_file: PATH")
    return shapes.LocalProfile(name, users, emergency=section.emergency)
