"""The installation: where phones come in, which methods are switched on, and the profiles made of them."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from radius_push import shapes
from radius_push.push_shapes import Push, WebPush
from radius_push.settings import apns, fcm, schema, server_schema
from radius_push.settings.book import Book, names
from radius_push.settings.mistakes import Path, did_you_mean
from radius_push.settings.yaml_marks import Tree
from radius_push.shapes import Endpoint

_LATER_METHODS = ("totp", "sms", "email", "upstream")


def accounting(book: Book) -> None:
    """Accounting has ports of its own: who asks the wrong one is told so."""
    listen = book.server.listen
    for at, endpoint in enumerate(listen.accounting):
        if endpoint.port and endpoint in listen.authentication:
            path: Path = ("server", "listen", "accounting", at)
            book.report.wrong(
                path, "is where Access-Requests come in; accounting takes another port, as 1813"
            )


def phone(book: Book) -> shapes.PhoneListener | None:
    return _browsers(book, book.server.listen.phone, "phone", who="phones open")


def portal(book: Book, phone: shapes.PhoneListener | None) -> shapes.PhoneListener | None:
    """The page for people's own phones: apart from the phone side, by its host name too."""
    listener = _browsers(book, book.server.listen.portal, "portal", who="browsers open")
    if listener is None:
        return None
    path: Path = ("server", "listen", "portal")
    if phone is None:
        if book.server.listen.phone is None:
            book.report.wrong(path, "is for phones, which have nowhere to come in; add server.listen.phone")
        return None
    if _host(listener.url) == _host(phone.url):
        book.report.wrong(
            (*path, "url"),
            f"{_host(phone.url)} is the phones' host name, and a port is no boundary for a browser; give the "
            f"portal a name of its own, as {_another_name(phone.url)}",
        )
    if listener.endpoint == phone.endpoint and listener.endpoint is not None and listener.endpoint.port:
        book.report.wrong((*path, "address"), "is where phones come in; take another address or port")
    return listener


def _another_name(url: str) -> str:
    """One for the portal; to try it on this machine there are two."""
    names = {"localhost": "http://127.0.0.1:8444", "127.0.0.1": "http://localhost:8444"}
    return names.get(_host(url), "https://my-phone.corp.example")


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _browsers(
    book: Book,
    section: server_schema.PhoneSection | server_schema.PortalSection | None,
    key: str,
    *,
    who: str,
) -> shapes.PhoneListener | None:
    if section is None or section.address is None:
        return None
    path: Path = ("server", "listen", key)
    certificate: str | None = None
    private: str | None = None
    if section.tls is not None:
        tls = (*path, "tls")
        certificate = book.file(section.tls.certificate, (*tls, "certificate"))
        private = book.file(section.tls.key, (*tls, "key"), private=True)
        if section.url.startswith("http:"):
            book.report.wrong((*path, "url"), f"tls is configured, so {who} https; write https://...")
    elif section.url.startswith("https:") and not section.address.address.is_loopback:
        book.report.warn(
            (*path, "address"),
            "speaks plain HTTP beyond this machine: a proxy must speak TLS for it, or add tls",
        )
    return shapes.PhoneListener(section.address, section.url, certificate, private)


def metrics(book: Book) -> Endpoint | None:
    """No name and no secret is in it, but it tells everybody who reaches it how busy the VPN is."""
    written = book.server.listen
    address = None if written.metrics is None else written.metrics.address
    if address is not None and address.port:
        taken = {
            "phones come in": written.phone and written.phone.address,
            "the portal listens": written.portal and written.portal.address,
        }
        for who, where in taken.items():
            if where == address:
                path: Path = ("server", "listen", "metrics", "address")
                book.report.wrong(path, f"is where {who}; take another address or port")
    _warn_beyond(book, address, ("server", "listen", "metrics", "address"))
    for name, more in book.server.more_servers.items():
        _warn_beyond(book, more.metrics, ("server", "more_servers", name, "metrics"))
    return address


def _warn_beyond(book: Book, address: Endpoint | None, path: Path) -> None:
    if address is not None and not address.address.is_loopback:
        book.report.warn(
            path,
            "is read in clear text by whoever reaches it; take 127.0.0.1, or let a firewall admit your "
            "Prometheus alone",
        )


def places(book: Book) -> str | None:
    """Not opened here: a file that can't be used is no reason to answer no gateway."""
    written = book.server.places
    return written and book.vault.path(written, book.report, ("server", "places"))


def methods(book: Book, tree: Tree) -> None:
    """`methods:`: what is switched on for this installation."""
    path: Path = ("methods",)
    written = dict(book.report.mapping(tree, path))
    if "none" in written:
        book.report.wrong((*path, "none"), "needs no switching on; remove it", of_key=True)
        del written["none"]
    for later in _LATER_METHODS:
        if later in written:
            book.report.wrong((*path, later), "not in this version; only push is", of_key=True)
            del written[later]
    section = book.report.section(schema.MethodsSection, written, path)
    if section.push is not None:
        book.methods = frozenset({"push"})
        _push(book, section.push, (*path, "push"))


def _push(book: Book, section: schema.PushSection, path: Path) -> None:
    phone = book.server.listen.phone
    # On localhost there is no iPhone.
    if not section.contact and phone is not None and phone.url.startswith("https:"):
        book.report.warn(
            path,
            "without a contact Apple refuses every notification; write contact: mailto:vpn@example.com",
        )
    for at, origin in enumerate(section.allow_endpoints):
        if origin.startswith("http:"):
            book.report.warn((*path, "allow_endpoints", at), "not TLS, so for tests only")
    book.push = Push(
        web_push=WebPush(contact=section.contact or None, allow_endpoints=section.allow_endpoints),
        fcm=fcm.fcm(book, section.fcm, (*path, "fcm")),
        apns=apns.apns(book, section.apns, (*path, "apns")),
        proxy=book.server.outbound_proxy,
    )


def profiles(book: Book, tree: Tree) -> None:
    """`profiles:`."""
    for name, below in names(book, tree, ("profiles",), reserved=(shapes.REFUSE,)):
        path: Path = ("profiles", name)
        section = book.report.section(schema.ProfileSection, below, path)
        book.profiles[name] = shapes.Profile(
            name,
            methods=_methods_of(book, section.methods, (*path, "methods")),
            fallback_auth_profiles=section.fallback_auth_profiles,
            timeout=section.timeout,
            biometrics=section.biometrics,
            texts=shapes.Texts(section.texts.timeout, section.texts.denied),
            device_on_login_address=section.device_on_login_address,
        )


def _methods_of(book: Book, written: tuple[str, ...], path: Path) -> tuple[shapes.Method, ...]:
    known: dict[str, Literal["push", "none"]] = {"push": "push", "none": "none"}
    for at, word in enumerate(written):
        if word in _LATER_METHODS:
            book.report.wrong((*path, at), f"{word} is not in this version; push and none are")
        elif word not in known:
            hint = did_you_mean(word, known) or "; push and none are there"
            book.report.wrong((*path, at), f"no such method{hint}")
        elif word in written[:at]:
            book.report.wrong((*path, at), f"{word} stands here twice")
    if "none" in written and len(written) > 1:
        book.report.wrong(path, "none stands alone: beside another method it would be the way around it")
    return tuple(known[word] for word in written if word in known)
