"""The phones' interface as OpenAPI 3.1 and as a page, from `phone_api_shapes.py` and
`phone_api_words.py`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from phone_api_shapes import SENT, TOLD, Schema, ref, text
from phone_api_words import (
    BOUNDS,
    ERRORS,
    EVERY,
    LIMITS,
    POSTED,
    REQUESTS,
    Request,
)

from radius_push.factors.question import VERSION
from radius_push.web.phone_files import HEADERS
from radius_push.web.phone_stream import PING_SECONDS

JSON = "application/json"
EVENTS = "text/event-stream"
Row = tuple[str, ...]


def errors_of(request: Request) -> tuple[str, ...]:
    """Every error word that it can be refused with."""
    return EVERY + (POSTED if request.method == "post" else ()) + request.errors


# --- OpenAPI -----------------------------------------------------------------------------------------


def document() -> str:
    paths: dict[str, Any] = {}
    for request in REQUESTS:
        paths.setdefault(request.path, {})[request.method] = operation(request)
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "radius-push: the phones' interface",
            "version": str(VERSION),
            "description": "What an app does to be somebody's phone. How keys, signatures and codes are "
            "made stands in "
            "phone-api.md.",
        },
        "servers": [
            {
                "url": "{origin}",
                "description": "server.listen.phone.url of the settings",
                "variables": {"origin": {"default": "https://mfa.example.com"}},
            }
        ],
        "paths": paths,
        "components": {"schemas": SENT | TOLD},
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def operation(request: Request) -> Schema:
    made: Schema = {
        "operationId": request.path.removeprefix("/api/").replace("-", "_"),
        "description": request.words,
    }
    if request.takes is not None:
        made["requestBody"] = {"required": True, "content": {JSON: {"schema": ref(request.takes)}}}
    return {**made, "responses": {"200": told(request), **refusals(request)}}


def told(request: Request) -> Schema:
    headers = {"Cache-Control": {"schema": {"const": "no-store"}}}
    headers |= {name: {"schema": {"const": value}} for name, value in HEADERS.items()}
    if not request.stream:
        content: Schema = {JSON: {"schema": ref(request.tells)}}
    else:
        words = f"Events, and a comment after {PING_SECONDS:g} s without one. `data` is one line of JSON."
        inside = {"state": ref(request.tells), "replaced": {"type": "object", "maxProperties": 0}}
        content = {EVENTS: {"schema": text(words), "x-events": inside}}
    return {"description": request.says, "headers": headers, "content": content}


def refusals(request: Request) -> Schema:
    """By status: the words that come with it."""
    made: Schema = {}
    words = errors_of(request)
    for status in sorted({ERRORS[word].status for word in words}):
        here = [word for word in words if ERRORS[word].status == status]
        shapes = [refusal(["refused"], field=text("Which field."))] if "refused" in here else []
        if others := [word for word in here if word != "refused"]:
            shapes.append(refusal(others))
        made[str(status)] = {
            "description": " ".join(f"`{word}`: {ERRORS[word].meaning}" for word in here),
            "content": {JSON: {"schema": shapes[0] if len(shapes) == 1 else {"oneOf": shapes}}},
        }
    return made


def refusal(words: list[str], **more: Schema) -> Schema:
    fields = {
        "error": text("For the app.", enum=words),
        "message": text("For a person, in English."),
        **more,
    }
    return {"type": "object", "required": list(fields), "properties": fields}


# --- the page ----------------------------------------------------------------------------------------


def page(table: Any) -> Iterator[str]:
    yield from ("## Limits", "", "For each server process. A reverse proxy in front may set its own.", "")
    yield from table(("what", "how much"), list(BOUNDS))
    yield from ("## Headers of every reply", "")
    yield from table(("header", "value"), [(f"`{name}`", f"`{value}`") for name, value in headers()])
    yield from ("## Requests", "")
    yield from table(
        ("request", ""),
        [(f"[`{each.method.upper()} {each.path}`](#{anchor(each)})", each.words) for each in REQUESTS],
    )
    for request in REQUESTS:
        yield from one_request(request, table)
    yield from ("## What the state is made of", "")
    for name in (
        *(
            "State",
            "ApnsApp",
            "FcmApp",
            "Device",
            "Card",
            "Facts",
            "Place",
            "Closed",
            "Recent",
            "Adding",
            "Push",
            "Notice",
            "Test",
        ),
        "SignIn",
    ):
        yield from (f"### {name}", "")
        yield from table(("field", "holds", "meaning"), list(fields(TOLD[name])))
    yield from ("## Errors", "")
    yield (
        'A refusal is `{"error": WORD, "message": SENTENCE}`, `refused` with a `field` beside them. The '
        "word is "
        "a promise, the sentence is not. A status or word that an app does not know: *that did not work, "
        "try again*. "
        "What is no HTTP/1.1 at all is answered with status 400 in plain text, and ends the connection."
    )
    yield ""
    rows = [(f"`{word}`", str(e.status), whence(word), e.meaning, e.then) for word, e in ERRORS.items()]
    yield from table(("error", "status", "from", "it means", "what an app does"), rows)


def headers() -> Iterator[Row]:
    yield "Cache-Control", "no-store"
    yield from HEADERS.items()
    yield "Strict-Transport-Security", "max-age=31536000"


def anchor(request: Request) -> str:
    return f"{request.method}-{request.path}".replace("/", "")


def one_request(request: Request, table: Any) -> Iterator[str]:
    yield from (f"### `{request.method.upper()} {request.path}`", "", request.words, "")
    if request.takes == "Nothing":
        yield from ("Body: `{}`.", "")
    elif request.takes is not None:
        body = SENT[request.takes]["properties"]
        also = "one of `token` and `code`, perhaps `password`, and " if "token" in body else ""
        yield from (f"Body: {also}`payload` and `signature`.", "")
        if also:
            rows = [
                (f"`{name}`", holds(body[name]), meaning(body[name]))
                for name in body
                if name not in ("payload", "signature")
            ]
            yield from table(("field", "holds", "meaning"), rows)
        yield from ("Signed in `payload`, all of them and no other:", "")
        inner = SENT[request.takes.replace("Body", "Payload")]
        yield from table(("field", "holds", "meaning"), list(fields(inner)))
    if request.stream:
        yield from stream_words(table)
    else:
        yield from (f"Reply: status 200. {request.says}", "")
        if request.tells == "State":
            yield from ("See [State](#state).", "")
        else:
            yield from table(("field", "holds", "meaning"), list(fields(TOLD[request.tells])))
    own = [word for word in request.errors if word != "refused"]
    said = ", ".join(f"`{word}`" for word in own)
    yield from (
        f"Refused with: {said + ', and ' if own else ''}what every request is [refused with](#errors).",
        "",
    )


def stream_words(table: Any) -> Iterator[str]:
    yield from (
        f"Reply: status 200, `{EVENTS}`. Events, parted by an empty line:",
        "",
    )
    replaced = (
        f"the phone opened more than {LIMITS.streams_per_device} streams, this was the oldest. Do not open "
        f"it again by "
        "itself: two copies of an app would throw each other out for ever"
    )
    ping = (
        f"`: ping`, after {PING_SECONDS:g} s without an event: silence for more than twice as long is a "
        f"dead connection"
    )
    rows = [
        ("`state`", "[State](#state)", "all that the phone shows: forget what the last one said"),
        ("`replaced`", "`{}`", replaced),
        ("(a comment)", "", ping),
    ]
    yield from table(("event", "`data`", "meaning"), rows)


def fields(schema: Schema, before: str = "") -> Iterator[Row]:
    for name, inner in schema["properties"].items():
        if "properties" in inner:
            yield from fields(inner, f"{before}{name}.")
        else:
            yield f"`{before}{name}`", holds(inner), meaning(inner)


def meaning(schema: Schema) -> str:
    return str(schema.get("description", ""))


def holds(schema: Schema) -> str:
    """A value's shape in words."""
    match schema:
        case {"$ref": str(name)}:
            inner = name.rpartition("/")[2]
            return f"[{inner}](#{inner.lower()})"
        case {"const": value}:
            return f"`{json.dumps(value)}`"
        case {"enum": words}:
            return ", ".join(f"`{json.dumps(word) if word is None else word}`" for word in words)
        case {"anyOf": choices}:
            return " or ".join(map(holds, choices))
        case {"type": "null"}:
            return "null"
        case {"type": "object"}:
            return "texts by name"
        case {"type": "array", "items": items}:
            return f"list of {holds(items)}"
        case {"type": "integer"}:
            return "whole number"
        case {"type": "boolean"}:
            return "true or false"
        case {"type": ["integer", "null"]}:
            return "whole number or null"
        case {"type": ["boolean", "null"]}:
            return "true, false or null"
        case {"type": ["string", "null"]}:
            return "text or null"
    return f"text, {schema['maxLength']} characters at most" if "maxLength" in schema else "text"


def whence(word: str) -> str:
    if word in EVERY:
        return "every request"
    if word in POSTED:
        return "every POST"
    return ", ".join(f"`{each.path}`" for each in REQUESTS if word in each.errors) or "anything else"
