"""What policies reply with: attributes that there are, values that fit them, groups that can be told."""

from __future__ import annotations

from radius_push import shapes
from radius_push.gateway import GroupsIn
from radius_push.model import Client
from radius_push.policy import groups, template
from radius_push.radius.dictionary import Dictionary
from radius_push.radius.packet import ReplyNotComputed, check_reply
from radius_push.settings.book import Book
from radius_push.settings.gateways import DICTIONARIES, no_such_attribute, not_tellable, through
from radius_push.settings.mistakes import Path, did_you_mean

# What a hole of a template could become: one of them must make a value of the attribute's type.
_SAMPLES = ("1", "a", "192.0.2.1", "2001:db8::1", "2001:db8::/64", "00:00:5e:00:53:01", "0:0:0:1")


def check(book: Book, at: int, of: shapes.Policy, dictionary: Dictionary) -> None:
    """One policy's `reply` and `groups`."""
    _reply(book, at, of, dictionary)
    if of.groups and of.profile != shapes.REFUSE:
        _groups(book, at, of, dictionary)


def place(of: shapes.Policy, index: int, at: int) -> Path:
    """Where the policy's reply attribute `at` is written."""
    name = of.reply[at][0]
    number = [each for each, _ in of.reply[:at]].count(name)
    return ("policies", index, "reply", name, number)


# --- groups --------------------------------------------------------------------------------------


def _groups(book: Book, at: int, of: shapes.Policy, dictionary: Dictionary) -> None:
    path: Path = ("policies", at, "groups")
    clients = [client for client in through(book, of) if not _broken(book, client)]
    nowhere = [client.name for client in clients if client.groups_in is None]
    if nowhere:
        book.report.wrong(
            path,
            f"nothing says where {', '.join(nowhere)} looks for groups: give it groups_in or another preset, "
            "or name the clients of this policy",
        )
    for client in clients:
        if client.groups_in is not None:
            _told(book, path, of, client.name, client.groups_in, dictionary)
    for number, text in enumerate(of.groups):
        made = _read(text)
        if made is not None:
            _not_theirs(book, of, made, (*path, number))


def _broken(book: Book, client: Client) -> bool:
    path: Path = ("clients", client.name)
    return any(book.report.spoiled_within((*path, key)) for key in ("groups_in", "preset"))


def _told(
    book: Book, path: Path, of: shapes.Policy, client: str, where: GroupsIn, dictionary: Dictionary
) -> None:
    why = not_tellable(where, dictionary)
    if not why and where.only_one and len(set(of.groups)) > 1:
        why = f"{where.attribute} takes one group, and here are {len(set(of.groups))}"
    if why:
        book.report.wrong(path, f"{client} cannot be told: {why}")
        return
    for number, text in enumerate(of.groups):
        made = _read(text)
        constant = None if made is None else made.constant
        why = "" if constant is None else _untold(constant, where, dictionary)
        if why:
            book.report.wrong((*path, number), f"{client} cannot be told: {why}")


def _untold(group: str, where: GroupsIn, dictionary: Dictionary) -> str:
    why = groups.unfit(group, where)
    if why:
        return why
    try:
        check_reply(groups.place((group,), where), dictionary=dictionary)
    except ReplyNotComputed as error:
        return str(error)
    return ""


def _read(text: str) -> template.Template | None:
    try:
        return template.read(text)
    except ValueError:
        return None  # policy.compile says what is wrong with it


# --- attributes ----------------------------------------------------------------------------------


def _reply(book: Book, at: int, of: shapes.Policy, dictionary: Dictionary) -> None:
    seen: dict[str, str] = {}
    for number, (name, text) in enumerate(of.reply):
        where = place(of, at, number)
        first = seen.setdefault(name.casefold(), name)
        if first != name:
            book.report.wrong(
                where[:-1], f"is {first} once more: case does not count; list its values there", of_key=True
            )
            continue
        if dictionary.named(name.partition(":")[0]) is None:
            if book.report.spoiled_within(DICTIONARIES):
                continue  # a file with mistakes may have been meant to name it
            book.report.wrong(where[:-1], no_such_attribute(name, dictionary), of_key=True)
            continue
        made = _read(text)
        if made is None:
            continue
        _not_theirs(book, of, made, where)
        why = _not_writable(name, made, dictionary)
        if why:
            book.report.wrong(where, why)
    _together(book, at, of, dictionary)


def _together(book: Book, at: int, of: shapes.Policy, dictionary: Dictionary) -> None:
    """What fits value by value must fit into one packet."""
    where: Path = ("policies", at, "reply")
    try:
        check_reply(of.reply, dictionary=dictionary)
    except ReplyNotComputed as error:
        if not book.report.spoiled_within(where) and str(error).startswith("the reply is longer"):
            book.report.wrong(where, str(error))


def _not_theirs(book: Book, of: shapes.Policy, made: template.Template, where: Path) -> None:
    """Whom we know in full: a template that needs what no local user has lets nobody in."""
    directory = book.directories.get(of.authentication_profile)
    if not isinstance(directory, shapes.LocalProfile):
        return
    known = {"username"}.union(*(user.attributes for user in directory.users.values()))
    for attribute in sorted(made.attributes - known):
        hint = did_you_mean(attribute, sorted(known))
        book.report.warn(where, f"no user of {directory.name} has {{{attribute}}}: all are refused{hint}")


def _not_writable(name: str, made: template.Template, dictionary: Dictionary) -> str:
    """Why no value of this attribute can come of a template; empty if one can."""
    why = ""
    for sample in _SAMPLES:
        attributes = dict.fromkeys(made.attributes, (sample,))
        try:
            check_reply(
                ((name, template.fill(made, attributes=attributes, matched=sample)),), dictionary=dictionary
            )
        except ReplyNotComputed as error:
            why = why or str(error).removeprefix(f"{name}: ")
        else:
            return ""
    return why
