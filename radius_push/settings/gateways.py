"""What a gateway sends and reads: the attributes its client names, and how far its packets are believed."""

from __future__ import annotations

from collections.abc import Iterator

from radius_push import shapes
from radius_push.gateway import GroupsIn
from radius_push.model import Client
from radius_push.policy import groups
from radius_push.radius import attributes as names
from radius_push.radius.accounting import NAS_IP_ADDRESS, NAS_IPV6_ADDRESS
from radius_push.radius.dictionary import Attribute, Dictionary, Key
from radius_push.radius.packet import ReplyNotComputed, check_reply
from radius_push.settings.book import Book
from radius_push.settings.mistakes import Path

DICTIONARIES: Path = ("server", "dictionaries")
_HOLD_ADDRESSES = frozenset({"string", "ipaddr", "ipv6addr", "combo-ip"})
_NO_USERS_ADDRESS: dict[Key, str] = {
    names.USER_NAME: "is what people type, and so no address that a gateway has seen",
    **dict.fromkeys((NAS_IP_ADDRESS, NAS_IPV6_ADDRESS), "is the gateway's own address"),
}


def check_client(book: Book, client: Client, dictionary: Dictionary) -> None:
    """The attributes that a client names itself; those of presets are known."""
    path: Path = ("clients", client.name)
    if book.report.spoiled_within(DICTIONARIES):
        return
    if client.name in book.own_places:
        for at, name in enumerate(client.user_address or ()):
            why = _never_read(name, dictionary)
            if why:
                book.report.wrong((*path, "user_address", at), why)
    where = client.groups_in
    if where is None or client.name not in book.own_places or not where.attribute:
        return
    if dictionary.named(where.attribute.partition(":")[0]) is None:
        book.report.wrong((*path, "groups_in", "attribute"), no_such_attribute(where.attribute, dictionary))
    elif why := not_tellable(where, dictionary):
        book.report.wrong((*path, "groups_in", "attribute"), f"cannot carry groups: {why}")


def check_packet(book: Book, at: int, each: shapes.Policy) -> None:
    """What a gateway says opens less than what a directory says: whoever relies on it must know."""
    if each.profile == shapes.REFUSE:
        return
    _unsealed(book, at, each)
    for number, condition in enumerate(each.conditions):
        if isinstance(condition, shapes.AddressCondition):
            _user_address(book, book.condition_paths[at][number], each)


def through(book: Book, of: shapes.Policy) -> Iterator[Client]:
    """The clients whose logins may get this policy's profile by it."""
    for client in book.clients.values():
        if of.profile in client.profiles and (of.clients is None or client.name in of.clients):
            yield client


def no_such_attribute(name: str, dictionary: Dictionary) -> str:
    """The sentence about a name that no dictionary has."""
    near = dictionary.nearest(name)
    hint = f", did you mean '{near}'?" if near else "; name a file that has it in server.dictionaries"
    return f"no RADIUS attribute is called {name}{hint}"


def never_shown(known: Attribute, dictionary: Dictionary) -> str:
    """Why no request shows this attribute by this name; empty if one can."""
    if known.hidden or known.key in names.HIDDEN | {names.VENDOR_SPECIFIC}:
        return "is never shown: it is a proof, a key or a seal, or holds others"
    shown = dictionary.keyed(known.key)
    if shown is not None and shown.name != known.name:
        return f"requests show it as {shown.name}; write that"
    return ""


def _never_read(name: str, dictionary: Dictionary) -> str:
    """Why no user's address will ever be read from this attribute; empty if one can."""
    known = dictionary.named(name)
    if known is None:
        return no_such_attribute(name, dictionary)
    if why := never_shown(known, dictionary):
        return why
    if known.name != name:
        return f"requests show it as {known.name}; write that"
    if known.type not in _HOLD_ADDRESSES:
        return f"holds no address: it is {known.type}"
    return _NO_USERS_ADDRESS.get(known.key, "")


def not_tellable(where: GroupsIn, dictionary: Dictionary) -> str:
    """Why no group at all could be written there; empty if one can."""
    try:
        check_reply(groups.place(("a",), where), dictionary=dictionary)
    except ReplyNotComputed as error:
        return str(error)
    return ""


def _unsealed(book: Book, at: int, each: shapes.Policy) -> None:
    if all(isinstance(one, shapes.AttributeCondition) for one in each.conditions):
        return
    names = [client.name for client in through(book, each) if client.require_message_authenticator != "yes"]
    if names:
        book.report.warn(
            ("policies", at),
            f"asks what the packet says, so it never fits a packet of {', '.join(names)} that bears no "
            "Message-Authenticator",
        )


def _user_address(book: Book, path: Path, each: shapes.Policy) -> None:
    clients = list(through(book, each))
    many = [client.name for client in clients if client.may_be_many]
    if many:
        book.report.warn(
            path,
            f"never fits through {', '.join(many)}: wider than a /29, so that any of many gateways could "
            "report any address; name its gateways, or write shared_secret_prefix: accepted there",
        )
    silent = [client.name for client in clients if not client.user_address and not client.may_be_many]
    if silent:
        book.report.warn(
            path,
            f"never fits through {', '.join(silent)}: no attribute is known in which such a gateway sends "
            "the user's address; if yours does, name it in user_address there",
        )
