"""docs/reference/phone-api.json as a judge: what phones and their server say to each other stands in it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FILE = Path(__file__).parents[2] / "docs" / "reference" / "phone-api.json"
DOCUMENT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
METHODS = {"get", "post"}


def closed(schema: Any) -> Any:
    """The same, in which nothing may stand that is not named: a promise to apps is kept to the word."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(each) for name, each in schema.items()}
    if "required" in made and "properties" in made:
        made["additionalProperties"] = False
    return made


_SCHEMAS = closed(copy.deepcopy(DOCUMENT["components"]["schemas"]))


def mistakes(schema: dict[str, Any], value: object) -> list[str]:
    """What is not as this schema of the document says; nothing may stand beside what it names."""
    whole = {**closed(schema), "components": {"schemas": _SCHEMAS}}
    Draft202012Validator.check_schema(whole)
    found = Draft202012Validator(whole).iter_errors(value)
    return [f"{each.json_path}: {each.message}" for each in found]


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """(method, path) -> operation."""
    return {
        (method, path): operation
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def operation(path: str) -> dict[str, Any]:
    (found,) = DOCUMENT["paths"][path].values()
    return dict(found)


def body_schema(path: str) -> dict[str, Any]:
    return dict(operation(path)["requestBody"]["content"]["application/json"]["schema"])


def payload_schema(path: str) -> dict[str, Any] | None:
    """Of the text inside; None: nothing is signed."""
    name = body_schema(path)["$ref"].rpartition("/")[2]
    inner = _SCHEMAS[name]["properties"].get("payload")
    return None if inner is None else dict(inner["contentSchema"])


def request_mistakes(path: str, body: dict[str, Any]) -> list[str]:
    found = mistakes(body_schema(path), body)
    inner = payload_schema(path)
    if inner is not None and isinstance(body.get("payload"), str):
        found += mistakes(inner, json.loads(body["payload"]))
    return found


def reply_schema(path: str, status: int) -> dict[str, Any]:
    return dict(operation(path)["responses"][str(status)]["content"]["application/json"]["schema"])


def event_schema(kind: str) -> dict[str, Any]:
    content = operation("/api/stream")["responses"]["200"]["content"]["text/event-stream"]
    return dict(content["x-events"][kind])


def headers_of(path: str) -> dict[str, str]:
    """Which every good reply carries."""
    said = operation(path)["responses"]["200"]["headers"]
    return {name: header["schema"]["const"] for name, header in said.items()}


def words_of(path: str) -> set[str]:
    """Every error word of this request."""
    return {
        word
        for status in operation(path)["responses"]
        if status != "200"
        for shape in _each(reply_schema(path, int(status)))
        for word in shape["properties"]["error"]["enum"]
    }


def _each(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return list(schema.get("oneOf", [schema]))
