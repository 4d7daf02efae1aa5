"""Policies that decide nothing: what they ask nobody has, or another one above took everybody."""

from __future__ import annotations

from collections.abc import Iterator

from radius_push import shapes
from radius_push.model import Client
from radius_push.settings.book import Book
from radius_push.settings.mistakes import Path, did_you_mean


def check(book: Book) -> None:
    """Warnings go to the book's report."""
    for at, each in enumerate(book.policies):
        _nobody_has(book, at, each)
        _taken(book, at, each)


def _nobody_has(book: Book, at: int, of: shapes.Policy) -> None:
    """Of local users all is known: an attribute that none has is a slip, and `none_of` then always holds."""
    path: Path = ("authentication_profiles", of.authentication_profile)
    directory = book.directories.get(of.authentication_profile)
    if not isinstance(directory, shapes.LocalProfile) or book.report.spoiled_within(path):
        return
    known = {"username"}.union(*(user.attributes for user in directory.users.values()))
    for number, condition in enumerate(of.conditions):
        if isinstance(condition, shapes.AttributeCondition) and condition.attribute.casefold() not in known:
            hint = did_you_mean(condition.attribute, sorted(known))
            what = "holds for all" if condition.none_of else "never fits"
            book.report.warn(
                book.condition_paths[at][number],
                f"no user of {directory.name} has {condition.attribute}: {what}{hint}",
            )


def _taken(book: Book, at: int, of: shapes.Policy) -> None:
    """Is it below policies for everybody, wherever it could be looked at?"""
    above = [each for each in book.policies[:at] if _for_everybody(each, of.authentication_profile)]
    took: dict[str, None] = {}
    for client in _through(book, of):
        first = next((each.name for each in above if _applies(each, client)), None)
        if first is None:
            return
        took[first] = None
    if took:
        book.report.warn(
            ("policies", at),
            f"never looked at: {', '.join(took)} above is for everybody of {of.authentication_profile}",
        )


def _for_everybody(each: shapes.Policy, directory: str) -> bool:
    return not each.conditions and each.until is None and each.authentication_profile == directory


def _through(book: Book, of: shapes.Policy) -> Iterator[Client]:
    """The clients whose logins may come to it."""
    for client in book.clients.values():
        profiles = [book.profiles[name] for name in client.profiles if name in book.profiles]
        asked = any(of.authentication_profile in profile.fallback_auth_profiles for profile in profiles)
        if asked and _applies(of, client):
            yield client


def _applies(each: shapes.Policy, client: Client) -> bool:
    listed = each.profile == shapes.REFUSE or each.profile in client.profiles
    return listed and (each.clients is None or client.name in each.clients)
