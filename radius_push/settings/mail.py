"""The mail server: what is said to it, and how well that is kept from others."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from radius_push import shapes
from radius_push.model import Secret
from radius_push.settings.book import Book
from radius_push.settings.mistakes import Path
from radius_push.settings.server_schema import MailSection

MOST_ALERTS = 10
LEADS_NOWHERE = (
    "is of this machine alone, and no phone can open a link that is mailed; name the https address that "
    "phones reach, before the first of them is enrolled"
)
_PATH: Path = ("server", "mail")
_PORTS: dict[shapes.Security, int] = {"starttls": 587, "tls": 465, "none": 25}


def mail(book: Book) -> None:
    """`server.mail:`, if it is there."""
    section = book.server.mail
    if section is None:
        return
    password = _password(book, section)
    _transport(book, section)
    _links(book)
    book.mail = shapes.MailServer(
        section.host,
        port=section.port or _PORTS[section.security],
        security=section.security,
        sender=section.from_,
        user=section.user,
        password=password,
        ca_file=book.file(section.ca_file, (*_PATH, "ca_file")),
        language=section.language,
        attribute=section.attribute,
        alerts=_alerts(book, section),
    )


def _alerts(book: Book, section: MailSection) -> tuple[str, ...]:
    path = (*_PATH, "alerts")
    for at, address in enumerate(section.alerts):
        if address.casefold() in {each.casefold() for each in section.alerts[:at]}:
            book.report.wrong((*path, at), f"{address} stands here twice")
    if len(section.alerts) > MOST_ALERTS:
        book.report.wrong(path, f"at most {MOST_ALERTS} addresses: name a list of your own")
    return section.alerts


def _password(book: Book, section: MailSection) -> Secret | None:
    path = (*_PATH, "password")
    if section.password is None:
        if section.user is not None and not book.report.spoiled(path):
            book.report.wrong(path, "is missing; write {file: PATH}, or leave user out")
        return None
    if section.user is None and not book.report.spoiled((*_PATH, "user")):
        book.report.wrong((*_PATH, "user"), "is missing, and there is a password")
    password = book.vault.secret(section.password, book.report, path)
    if password is not None and not all(0x20 <= octet < 0x7F for octet in password.reveal()):
        book.report.wrong(path, "must be printable ASCII, as mail servers take no other passwords")
    return password


def _transport(book: Book, section: MailSection) -> None:
    if section.security != "none" or book.report.spoiled((*_PATH, "security")):
        return
    path = (*_PATH, "security")
    if section.ca_file is not None:
        book.report.wrong((*_PATH, "ca_file"), "is for TLS, and security is none; remove one of them")
    if book.report.spoiled((*_PATH, "host")) or is_here(section.host):
        return
    if section.clear_text:
        book.report.warn(path, "LINKS AND PASSWORD GO OVER THE NETWORK IN CLEAR TEXT; use starttls or tls")
    elif not book.report.spoiled((*_PATH, "clear_text")):
        book.report.wrong(path, "in clear text; write starttls or tls, or clear_text: accepted")


def _links(book: Book) -> None:
    """What an invitation by mail leads to."""
    phone, path = book.server.listen.phone, ("server", "listen", "phone", "url")
    if phone is None or book.report.spoiled_within(path):
        return
    if is_here(urlsplit(phone.url).hostname or ""):
        book.report.warn(path, LEADS_NOWHERE)


def is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
