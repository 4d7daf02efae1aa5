"""Policies as written: names, conditions and values, before anybody asks what they lead to."""

from __future__ import annotations

from collections.abc import Iterator

from radius_push import shapes
from radius_push.settings import schema
from radius_push.settings.book import Book
from radius_push.settings.mistakes import Path
from radius_push.settings.yaml_marks import Tree


def policies(book: Book, tree: Tree) -> None:
    """`policies:`, top to bottom."""
    if tree is not None and not isinstance(tree, list):
        book.report.wrong(("policies",), "must be a list: each policy begins with a dash")
        return
    for at, below in enumerate(tree or []):
        path: Path = ("policies", at)
        section = book.report.section(schema.PolicySection, below, path)
        conditions = list(_conditions(book, section, path))
        book.condition_paths.append([where for where, _ in conditions])
        book.policies.append(
            shapes.Policy(
                # A policy whose name is wrong must not seem to be called like another.
                section.name or f"policies[{at}]",
                profile=section.profile,
                authentication_profile=section.authentication_profile,
                conditions=tuple(condition for _, condition in conditions),
                clients=section.clients,
                until=section.until,
                groups=section.groups,
                reply=tuple((name, text) for name, texts in section.reply.items() for text in texts),
            )
        )


def _conditions(
    book: Book, section: schema.PolicySection, path: Path
) -> Iterator[tuple[Path, shapes.Condition]]:
    parts: list[tuple[Path, schema.PolicySection | schema.WhenSection]] = [(path, section)]
    parts += [((*path, "when", at), each) for at, each in enumerate(section.when)]
    for where, part in parts:
        _pairs(book, part, where)
        for key, values in (("values", part.values), ("none_of", part.none_of)):
            if part.attribute is not None and values is not None:
                none_of = key == "none_of"
                yield (*where, key), shapes.AttributeCondition(part.attribute, values, none_of=none_of)
        if isinstance(part, schema.WhenSection) and part.user_address is not None:
            yield (*where, "user_address"), shapes.AddressCondition(part.user_address)
    for name, patterns in section.request.items():
        yield (*path, "request", name), shapes.RequestCondition(name, patterns)


def _pairs(book: Book, part: schema.PolicySection | schema.WhenSection, path: Path) -> None:
    """`attribute` goes with `values` or `none_of`; an item of `when` says one thing."""
    report = book.report
    if any(report.spoiled_within((*path, key)) for key in ("attribute", "values", "none_of", "user_address")):
        return
    valued = part.values is not None or part.none_of is not None
    if part.attribute is not None and not valued:
        report.wrong((*path, "attribute"), "which values? add values: [...] or none_of: [...]", of_key=True)
    elif part.attribute is None and valued:
        key = "values" if part.values is not None else "none_of"
        report.wrong((*path, key), "of which attribute? add attribute: NAME", of_key=True)
    elif part.values is not None and part.none_of is not None:
        report.wrong(
            (*path, "none_of"), "values or none_of; write the other as its own item of when", of_key=True
        )
    elif isinstance(part, schema.WhenSection):
        if part.user_address is not None and part.attribute is not None:
            report.wrong(
                (*path, "user_address"), "one condition an item; give it an item of its own", of_key=True
            )
        elif part.user_address is None and part.attribute is None:
            report.wrong(path, "says nothing; write {attribute: ..., values: [...]} or {user_address: [...]}")
