"""The JSON Schema for editors knows every key, and agrees with `check` about what is plainly wrong."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import PlainValidator

from radius_push.settings import json_schema, schema, server_schema
from radius_push.settings.section import Section, key_of
from tests.settings.files import GOOD, changed

CONFIG = Path(__file__).parents[2] / "config"
SCHEMA = json.loads(json.dumps(json_schema.json_schema()))
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


class AsEditorsRead(yaml.SafeLoader):
    """YAML 1.2's plain types: no dates, and only true and false are booleans."""


AsEditorsRead.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(("timestamp", "bool"))]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def wrong(value: Any, rule: Any = SCHEMA, path: str = "") -> list[str]:
    """Where a value breaks the schema; as much of JSON Schema as ours uses."""
    if "$ref" in rule:
        return wrong(value, SCHEMA["$defs"][rule["$ref"].removeprefix("#/$defs/")], path)
    found: list[str] = []
    types: str | list[str] = rule.get("type", list(_TYPES))
    if not any(is_a(value, name) for name in ([types] if isinstance(types, str) else types)):
        return [path]
    if "enum" in rule and value not in rule["enum"]:
        found.append(path)
    if "const" in rule and value != rule["const"]:
        found.append(path)
    if "pattern" in rule and not re.search(rule["pattern"], str(value)):
        found.append(path)
    if "minimum" in rule and not rule["minimum"] <= value <= rule["maximum"]:
        found.append(path)
    if isinstance(value, list) and len(value) < rule.get("minItems", 0):
        found.append(path)
    if "anyOf" in rule:
        tried = [wrong(value, each, path) for each in rule["anyOf"]]
        if all(tried):
            # The one whose type fitted has the most to say.
            nearest: list[str] = min(tried, key=lambda each: (path in each, len(each)))
            found += nearest
    if isinstance(value, list):
        for at, each in enumerate(value):
            found += wrong(each, rule.get("items", {}), f"{path}[{at}]")
    if isinstance(value, dict):
        found += wrong_in_mapping(value, rule, path)
    return found


def wrong_in_mapping(value: dict[str, Any], rule: Any, path: str) -> list[str]:
    found = [f"{path}.{name}" for name in rule.get("required", ()) if name not in value]
    for name, below in value.items():
        here = f"{path}.{name}"
        if not re.search(rule.get("propertyNames", {}).get("pattern", ""), str(name)):
            found.append(here)
        inner = rule.get("properties", {}).get(name, rule.get("additionalProperties", {}))
        found += [here] if inner is False else wrong(below, inner, here)
    return found


def is_a(value: Any, name: str) -> bool:
    if name in ("integer", "number") and isinstance(value, bool):
        return False
    return isinstance(value, _TYPES[name])


def read(text: str) -> Any:
    return yaml.load(text, AsEditorsRead)


@pytest.mark.parametrize(
    "file",
    [CONFIG / "radius-push.yaml", *sorted((CONFIG / "examples").glob("*.yaml"))],
    ids=lambda file: file.name,
)
def test_the_sample_and_the_examples_fit(file: Path) -> None:
    assert wrong(read(file.read_text())) == []


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        changed(("patience: 60s", "password_encoding: cp1251\n    require_message_authenticator: no")),
        changed(("values: [IT]", "values: [36000, no, {exact: /x}]\n    until: 2027-06-30")),
        changed(("methods: {push: {}}", "methods: {push: }")),
        changed(("values: [IT]", "values: IT\n    reply: {Session-Timeout: 36000, Class: [a, b]}")),
        changed(("  staff-push: {methods", "  0123: {methods")),
        "include: more.yaml\n" + GOOD[: GOOD.index("methods:")],
        changed(
            ("clients:\n", "client_defaults: {profiles: staff-push}\nclients:\n"),
            ("    profiles: [staff-push]\n", ""),
        ),
    ],
)
def test_what_check_takes_the_schema_takes(text: str) -> None:
    assert wrong(read(text)) == []


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("patience: 60s", "pacience: 60s", ".clients.fw1.pacience"),
        ("patience: 60s", "patience: 60", ".clients.fw1.patience"),
        ("patience: 60s", "short_secret: yes", ".clients.fw1.short_secret"),
        (
            "patience: 60s",
            "require_message_authenticator: often",
            ".clients.fw1.require_message_authenticator",
        ),
        ("  fw1:", "  fw one:", ".clients.fw one"),
        ("    addresses: [10.0.0.11]\n", "", ".clients.fw1.addresses"),
        ("[10.0.0.11]", "[fw.example.com]", ".clients.fw1.addresses[0]"),
        ("[10.0.0.11]", "[]", ".clients.fw1.addresses"),
        ("secret: {env: FW1}", "secret: {enf: FW1}", ".clients.fw1.secret.enf"),
        ("sqlite://state.db", "state.db", ".server.store"),
        ("    type: ldap\n", "", ".authentication_profiles.corp.type"),
        ("base_dn: dc=example,dc=com", "base_dn: example.com", ".authentication_profiles.corp.base_dn"),
        ("    attribute:", "    atribute:", ".policies[0].atribute"),
        ("values: [IT]", "values: [IT]\n    until: 30.6.2027", ".policies[0].until"),
        ("methods: {push: {}}", "methods: {psh: {}}", ".methods.psh"),
    ],
)
def test_what_is_plainly_wrong_is_underlined(old: str, new: str, where: str) -> None:
    assert where in wrong(read(changed((old, new))))


def test_every_reader_says_what_it_takes() -> None:
    readers = {
        note.func.__qualname__.partition(".")[0]
        for each in schema_sections()
        for hint in typing.get_type_hints(each, include_extras=True).values()
        for note in notes_in(hint)
        if isinstance(note, PlainValidator)
    }
    missing = readers - set(json_schema._SCALARS) - {"duration", "whole", "only", "one_of"}
    assert not missing, f"say in settings/json_schema.py what {missing} take"


def schema_sections() -> set[type[Section]]:
    grammar = (*vars(schema).values(), *vars(server_schema).values())
    found = {each for each in grammar if isinstance(each, type) and issubclass(each, Section)}
    return found - {Section}


def notes_in(hint: Any) -> Iterator[Any]:
    yield from getattr(hint, "__metadata__", ())
    for inner in typing.get_args(hint):
        yield from notes_in(inner)


def test_every_key_of_every_section_is_there_and_has_words() -> None:
    sections = schema_sections() - {schema.SettingsSection, schema.IncludeSection}
    assert set(SCHEMA["$defs"]) == {each.__name__ for each in sections}
    for each in sections:
        made = SCHEMA["$defs"][each.__name__]
        assert set(made["properties"]) == {key_of(name) for name in each.model_fields}
        assert all("description" in words for words in made["properties"].values())
    assert set(SCHEMA["properties"]) == set(schema.SettingsSection.model_fields)
