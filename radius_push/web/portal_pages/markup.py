"""HTML in which every text is escaped, unless it was made here."""

from __future__ import annotations

from html import escape

_VOID = {"input", "img", "link", "meta", "br"}


class Markup(str):
    """HTML that was made of elements; any other text is escaped where it is put in."""

    __slots__ = ()


def text(value: str) -> Markup:
    return value if isinstance(value, Markup) else Markup(escape(value, quote=True))


def element(tag: str, *inside: str, **attributes: str | bool | None) -> Markup:
    """One element. `class_` is class, `data_x` is data-x; True stands alone, None and False are left out."""
    said = "".join(
        f" {_name(name)}" if value is True else f' {_name(name)}="{escape(value, quote=True)}"'
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in _VOID:
        return Markup(f"<{tag}{said}>")
    return Markup(f"<{tag}{said}>{''.join(map(text, inside))}</{tag}>")


def together(*parts: str) -> Markup:
    return Markup("".join(map(text, parts)))


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")
