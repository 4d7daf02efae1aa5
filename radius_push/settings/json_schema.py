"""The grammar of the settings as a JSON Schema, so that editors complete keys and underline mistakes.

It is made of `schema.py` and cannot say everything: names that lead nowhere are found by `check`. Scalars
are texts to us and whatever they look like to an editor, so `36000` and `no` may be of any plain type.
"""

from __future__ import annotations

import ast
import inspect
import types
import typing
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, BeforeValidator, PlainValidator

from radius_push.radius.presets import PRESETS
from radius_push.settings import schema
from radius_push.settings.scalars import in_words
from radius_push.settings.section import Section, key_of

Json = dict[str, Any]

_SCALAR: Json = {"type": ["string", "number", "boolean"]}
_NAME: Json = {"type": ["string", "number"], "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"}
_FILE: Json = {
    "type": "object", "properties": {"file": _SCALAR}, "required": ["file"], "additionalProperties": False,
}  # fmt: skip
_ENV: Json = {
    "type": "object", "properties": {"env": _SCALAR}, "required": ["env"], "additionalProperties": False,
}  # fmt: skip
_EXACT: Json = {
    "type": "object", "properties": {"exact": _SCALAR}, "required": ["exact"], "additionalProperties": False,
}  # fmt: skip
_SCALARS: dict[str, Json] = {
    "address_attributes": {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
    },
    "apple_id": {"type": ["string", "number"], "pattern": "^[A-Z0-9]{10}$"},
    "attribute": {"type": "string"},
    "bind_name": {"type": "string"},
    "bundle_id": {"type": "string", "pattern": "^[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+$"},
    "certificate_name": {"type": "string"},
    "contact": {"type": "string", "pattern": "^(mailto:[^@\\s]+@[^@\\s]+|https://\\S+)$"},
    "day": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    "distinguished_name": {"type": "string", "pattern": "="},
    "encoding": {"type": "string"},
    "endpoint": {"type": "string", "pattern": ":[0-9]{1,5}$"},
    "file_path": {"anyOf": [_SCALAR, _FILE]},
    "fingerprint": {"type": "string", "pattern": "^(sha256:)?([0-9A-Fa-f]{2}:?){32}$"},
    "groups_form": {"type": "string", "pattern": "\\{groups?\\}"},
    "https_host": {"type": "string", "pattern": "^https://[^/]+/?$"},
    "ldap_url": {"type": "string", "pattern": "^ldaps?://[^/]+/?$"},
    "line": _SCALAR,
    "mail_address": {"type": "string", "pattern": "^[^@\\s]+@[^@\\s]+$"},
    "mail_host": {"type": "string", "pattern": "^[A-Za-z0-9.:-]+$"},
    "mail_word": _SCALAR,
    "name": _NAME,
    "network": {"type": "string", "pattern": "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"},
    "nt_hash": {"type": "string", "pattern": "^[0-9A-Fa-f]{32}$"},
    "origin": {"type": "string", "pattern": "^https?://[^/]+/?$"},
    "password_hash": {"type": "string", "pattern": "^\\$argon2id\\$"},
    "preset": {"enum": list(PRESETS)},
    "proxy": {"type": "string", "pattern": "^http://[^/@]+:[0-9]{1,5}/?$"},
    "probe_user": _SCALAR,
    "proxies": {"type": "string", "pattern": "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"},
    "reply_text": _SCALAR,
    "secret": {"anyOf": [_FILE, _ENV, _SCALAR]},
    "service_url": {"type": "string", "pattern": "^https?://[^/]+/?$"},
    "store": {"type": "string", "pattern": "^sqlite://."},
    "text": _SCALAR,
    "user_filter": {"type": "string", "pattern": "^\\(.*\\{username\\}.*\\)$"},
    "value": {"anyOf": [_SCALAR, _EXACT]},
    "on_login_address": {"enum": ["allow", "forbid"]},
    "yes_no_or_auto": {"enum": ["yes", "no", "auto", "on", "off", "true", "false", True, False]},
    "yes_or_no": {"enum": ["yes", "no", "on", "off", "true", "false", True, False]},
}
"""What each reader of scalars.py and places.py takes, as far as a pattern can tell."""


def json_schema() -> Json:
    """JSON Schema, draft 2020-12, of the main settings file."""
    maker = _Maker()
    whole = maker.section(schema.SettingsSection)
    # An included file may add what the main one lacks; then nothing but the server need stand here.
    whole["required"] = ["server"]
    whole["anyOf"] = [
        {"required": list(schema.SettingsSection.REQUIRED)},
        {"required": ["include"]},
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "radius-push settings",
        **whole,
        "$defs": dict(sorted(maker.defs.items())),
    }


class _Maker:
    """Goes through the sections; each becomes a definition, once."""

    def __init__(self) -> None:
        self.defs: dict[str, Json] = {}

    def section(self, model: type[BaseModel]) -> Json:
        hints = typing.get_type_hints(model, include_extras=True)
        said = words_of(model)
        made: Json = {"type": "object", "properties": {}, "additionalProperties": False}
        for name in model.model_fields:
            words = {"description": said[name]} if name in said else {}
            made["properties"][key_of(name)] = {**words, **self._hint(hints[name])}
        required = self._required(model)
        if required:
            made["required"] = required
        if model is schema.ClientSection:
            made["anyOf"] = [{"required": ["addresses", "secret"]}, {"required": ["certificate"]}]
        if model.model_config.get("extra") == "allow":
            made["additionalProperties"] = self._hint(typing.get_args(hints["__pydantic_extra__"])[1])
        if model is schema.UserSection:
            made["anyOf"] = [{"required": [name]} for name in model.ONE_OF]
        return made

    def _required(self, model: type[BaseModel]) -> list[str]:
        required = [key_of(name) for name in model.REQUIRED] if issubclass(model, Section) else []
        if model is schema.ClientSection:  # client_defaults may say the rest
            return []
        if model in (schema.LdapSection, schema.LocalSection):
            return ["type", *required]
        return required

    def _ref(self, model: type[BaseModel]) -> Json:
        if model.__name__ not in self.defs:
            self.defs[model.__name__] = {}  # before its own sections are made
            self.defs[model.__name__] = self.section(model)
        return {"$ref": f"#/$defs/{model.__name__}"}

    def _hint(self, hint: Any) -> Json:
        match typing.get_origin(hint):
            case typing.Annotated:
                return self._annotated(hint)
            case typing.Union | types.UnionType:
                inner = [each for each in typing.get_args(hint) if each is not types.NoneType]
                made = [self._hint(each) for each in inner]
                return made[0] if len(made) == 1 else {"anyOf": made}
            case origin if origin is tuple:
                return {"type": "array", "items": self._hint(typing.get_args(hint)[0])}
            case origin if origin is dict:
                return self._names(*typing.get_args(hint))
        return self._ref(hint)

    def _annotated(self, hint: Any) -> Json:
        inner, *notes = typing.get_args(hint)
        for note in notes:
            if isinstance(note, PlainValidator):
                return _scalar(note.func)
        made = self._hint(inner)
        if typing.get_origin(inner) is tuple:  # scalars.OneOrMore
            return {"anyOf": [made["items"], {**made, "minItems": 1}]}
        may_be_empty = any(isinstance(note, BeforeValidator) for note in notes)
        return {"anyOf": [made, {"type": "null"}]} if may_be_empty else made

    def _names(self, of: Any, inner: Any) -> Json:
        """A mapping with names of the admin's own, or of RADIUS attributes; `Any`: local users."""
        made: Json = {"type": "object"}
        made["additionalProperties"] = self._ref(schema.UserSection) if inner is Any else self._hint(inner)
        if typing.get_origin(of) is typing.Annotated:
            made["propertyNames"] = {"pattern": _NAME["pattern"]}
        return made


def _scalar(read: Callable[..., Any]) -> Json:
    """What one reader takes, its bounds filled in."""
    name = read.__qualname__.partition(".")[0]
    bounds = inspect.getclosurevars(read).nonlocals
    match name:
        case "duration":
            words = f"{in_words(bounds['shortest'])} to {in_words(bounds['longest'])}"
            return {"type": "string", "pattern": "^[0-9.]+ *(ms|s|m|h|d)$", "title": f"duration, {words}"}
        case "whole":
            return {"type": "integer", "minimum": bounds["least"], "maximum": bounds["most"]}
        case "only":
            return {"const": bounds["word"]}
        case "one_of":
            return {"enum": list(bounds["words"])}
    return _SCALARS.get(name, {})


def words_of(cls: type[Any]) -> dict[str, str]:
    """What stands in quotes under each field of a class and of those it is made from."""
    words: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        if not each.__module__.startswith("radius_push"):
            continue
        (tree,) = ast.parse(inspect.getsource(each)).body
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for field, text in pairwise(body):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(said))),
                ):
                    words[name] = " ".join(said.split())
    return words
