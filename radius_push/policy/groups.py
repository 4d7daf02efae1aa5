"""A person's groups as one kind of gateway reads them: an attribute for each, or all in one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from radius_push.gateway import GroupsIn
from radius_push.policy.template import NotComputed

EACH, JOINED = "{group}", "{groups}"
SEPARATOR = ";"


def place(groups: Sequence[str], where: GroupsIn) -> tuple[tuple[str, str], ...]:
    """Attributes and their values as text, in order. Raises NotComputed: a gateway must never see fewer
    groups than the policy gives, or others."""
    distinct = tuple(dict.fromkeys(groups))
    if where.only_one and len(distinct) > 1:
        raise NotComputed(f"{where.attribute} takes one group, and there are {len(distinct)}")
    for group in distinct:
        why = unfit(group, where)
        if why:
            raise NotComputed(why)
    return tuple((where.attribute, value) for value in _values(distinct, where))


def unfit(group: str, where: GroupsIn) -> str:
    """Why a group cannot be told in this form; empty if it can."""
    if not group.strip():
        return "a group without a name"
    if SEPARATOR in group and where.form != EACH:
        return f"group {group!r} holds {SEPARATOR}, which ends a group in {where.form}"
    alone = _filled((group,), where)
    if alone.startswith("0x"):
        return f"group {group!r} looks like octets in hexadecimal digits"
    if _octets(alone) > where.room:
        return f"{_octets(alone)} octets for group {group[:40]!r}...: {where.room} fit into {where.attribute}"
    return ""


def _values(groups: tuple[str, ...], where: GroupsIn) -> Iterator[str]:
    if JOINED not in where.form:
        yield from (_filled((group,), where) for group in groups)
        return
    together: tuple[str, ...] = ()
    for group in groups:
        if together and _octets(_filled((*together, group), where)) > where.room:
            yield _filled(together, where)
            together = ()
        together = (*together, group)
    if together:
        yield _filled(together, where)


def _filled(groups: tuple[str, ...], where: GroupsIn) -> str:
    # One place is filled in, once: a group may be called `{group}`.
    hole = JOINED if JOINED in where.form else EACH
    before, _, after = where.form.partition(hole)
    return before + SEPARATOR.join(groups) + after


def _octets(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
