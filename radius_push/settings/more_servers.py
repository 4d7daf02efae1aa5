"""Further servers on one store: each has addresses of its own, and the rest of the file in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from radius_push import shapes
from radius_push.settings.book import Book, names
from radius_push.settings.mistakes import Path
from radius_push.settings.server_schema import ListenSection, MoreServerSection

MOST = 3
"""Beside the first one: each is a writer more to one file."""
_PATH: Path = ("server", "more_servers")


def more_servers(book: Book) -> dict[str, shapes.MoreServer]:
    """`server.more_servers:`."""
    written = book.server.more_servers
    taken = {where: "server.listen" for where, _ in _endpoints_of_the_first(book.server.listen)}
    made = {}
    for number, (name, _) in enumerate(names(book, dict.fromkeys(written), _PATH, reserved=(shapes.FIRST,))):
        path, section = (*_PATH, name), written[name]
        if number == MOST:
            book.report.wrong(path, f"one too many: {MOST} beside the first one at most", of_key=True)
        _check_doors(book, section, path)
        for key, at, endpoint in _endpoints(section):
            transport = "udp" if key in {"authentication", "accounting"} else "tcp"
            owner = taken.setdefault((transport, str(endpoint)), f"server.more_servers.{name}")
            if endpoint.port and owner != f"server.more_servers.{name}":
                where = (*path, key) if at is None else (*path, key, at)
                book.report.wrong(where, f"{endpoint} is where {owner} listens; take another address or port")
            elif key == "accounting" and endpoint.port and endpoint in section.authentication:
                book.report.wrong(
                    (*path, key, at or 0),
                    "is where Access-Requests come in; accounting takes another port, as 1813",
                )
        made[name] = shapes.MoreServer(
            section.authentication,
            section.accounting,
            section.radsec,
            section.tcp,
            section.phone,
            section.metrics,
        )
    return made


def place(settings: shapes.Settings, of_the_first: str) -> str:
    """Where the file says for this server what `server.listen.phone.address` says for the first."""
    if settings.name == shapes.FIRST:
        return of_the_first
    own = of_the_first.replace("server.listen", f"server.more_servers.{settings.name}")
    return own.removesuffix(".address")


def served_as(settings: shapes.Settings, name: str) -> shapes.Settings:
    """The same file for the server of that name. Raises KeyError."""
    if name == settings.name:
        return settings
    more, phone, radsec = settings.more_servers[name], settings.phone, settings.radsec
    return replace(
        settings,
        name=name,
        authentication=more.authentication,
        accounting=more.accounting,
        tcp=more.tcp,
        radsec=replace(radsec, endpoints=more.radsec) if radsec and more.radsec else None,
        phone=replace(phone, endpoint=more.phone) if phone else None,
        portal=None,
        metrics=more.metrics,
    )


def _check_doors(book: Book, section: MoreServerSection, path: Path) -> None:
    """What stands in `server.listen` for all of them must be there."""
    listen = book.server.listen
    for key, there in (("radsec", listen.radsec), ("phone", listen.phone)):
        if getattr(section, key) and there is None and not book.report.spoiled(("server", "listen", key)):
            book.report.wrong((*path, key), f"needs the rest of server.listen.{key}; add that first")
    for at, endpoint in enumerate(section.tcp):
        if not (endpoint.address.is_loopback or listen.tcp_without_tls):
            book.report.wrong(
                (*path, "tcp", at),
                "without TLS everybody on the way reads and changes it; use radsec, or write "
                "tcp_without_tls: accepted in server.listen",
            )


def _endpoints(section: MoreServerSection) -> Iterator[tuple[str, int | None, shapes.Endpoint]]:
    for key in ("authentication", "accounting", "radsec", "tcp"):
        for at, endpoint in enumerate(getattr(section, key)):
            yield key, at, endpoint
    for key in ("phone", "metrics"):
        if (endpoint := getattr(section, key)) is not None:
            yield key, None, endpoint


def _endpoints_of_the_first(listen: ListenSection) -> Iterator[tuple[tuple[str, str], shapes.Endpoint]]:
    streams = [*listen.tcp, *(listen.radsec.address if listen.radsec else ())]
    if listen.phone is not None and listen.phone.address is not None:
        streams.append(listen.phone.address)
    if listen.portal is not None and listen.portal.address is not None:
        streams.append(listen.portal.address)
    if listen.metrics is not None and listen.metrics.address is not None:
        streams.append(listen.metrics.address)
    for transport, endpoints in (("udp", (*listen.authentication, *listen.accounting)), ("tcp", streams)):
        for endpoint in endpoints:
            yield (transport, str(endpoint)), endpoint
