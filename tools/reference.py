"""Writes docs/reference/ from the code: the settings' grammar, the verbs, the evidence events, the plays.

    .venv/bin/python tools/reference.py             write them
    .venv/bin/python tools/reference.py --check     exit 1 if one is not what the code says

What stands above the mark in a page is written by hand and kept. Meanings of settings and events are the
words under each field in the code; what the code does not say in words an admin can use stands in
`reference_words.py`. A field, verb or reason without words is an error.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import phone_api
import yaml
from pydantic import PlainValidator
from reference_words import (
    COUNTED_HEAD,
    EXIT_CODES,
    FIELDS,
    METRIC_LABELS,
    NETWORK_HEADS,
    REASONS_HEAD,
    SECTIONS,
    TAKES,
)

from radius_push import events
from radius_push.cli import VERBS, main
from radius_push.doctor.network import Channel, lines_of
from radius_push.gateway import GroupsIn
from radius_push.model import Reason
from radius_push.observe.counted import COUNTED
from radius_push.observe.metrics import Metrics
from radius_push.observe.words import REASONS
from radius_push.radius.preset import Preset
from radius_push.radius.presets import PRESETS
from radius_push.radius.timers import Timers
from radius_push.settings import schema
from radius_push.settings.json_schema import words_of
from radius_push.settings.scalars import in_words
from radius_push.settings.section import key_of

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
PLAYS = Path(__file__).parent.parent / "tests" / "scenarios" / "plays.json"
MARK = "<!-- What follows is written by tools/reference.py from the code. What stands above is not. -->"
BY_THE_PROXY = {"proxy", "web_push", "apns", "fcm"}
OF_PRESET = {
    "patience",
    "accepts",
    "require_message_authenticator",
    "password_encoding",
    "user_address",
    "groups_in",
}
"""Keys of a client whose value comes from its preset."""
EXAMPLE = re.compile(r"\s+E\.g\. `(.+)`$")


def pages() -> Iterator[tuple[Path, str]]:
    """Each page, and what should stand in it."""
    for name, body in (
        ("settings", settings()),
        ("presets", presets()),
        ("verbs", verbs()),
        ("evidence", evidence()),
        ("one-push", one_push()),
        ("metrics", metrics()),
        ("network", network()),
        ("phone-api", phone_api.page(table)),
    ):
        page = FOLDER / f"{name}.md"
        head, _, _ = page.read_text(encoding="utf-8").partition(MARK)
        yield page, head + "\n".join([MARK, "", *body]).rstrip() + "\n"
    yield FOLDER / "phone-api.json", phone_api.document()


def run(*, check: bool) -> int:
    stale = [(page, text) for page, text in pages() if page.read_text(encoding="utf-8") != text]
    for page, text in stale:
        sys.stderr.write(f"{page.name} {'is not what the code says' if check else 'written'}\n")
        if not check:
            page.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    if not rows:
        return
    yield "| " + " | ".join(headings) + " |"
    yield "| " + " | ".join("---" for _ in headings) + " |"
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""


# --- settings ------------------------------------------------------------------------------------


def settings() -> Iterator[str]:
    """Every section with every key, in the order of a file."""
    described: set[type[schema.Section]] = set()
    for path, (model, intro) in SECTIONS.items():
        described |= {model}
        yield f"## `{path}`"
        yield ""
        yield from (intro, "")
        if model is schema.ClientDefaults:
            yield from (", ".join(f"[`{key}`](#clientsname)" for key in model.model_fields) + ".", "")
            continue
        yield from table(("key", "takes", "default", "meaning", "example"), list(keys(model)))
    every = {each for each in vars(schema).values() if inspect.isclass(each) and each is not schema.Section}
    described.add(schema.IncludeSection)  # a part of the file as a whole
    left_out = {each.__name__ for each in every if issubclass(each, schema.Section)} - {
        each.__name__ for each in described
    }
    if left_out:
        raise LookupError(f"reference_words.SECTIONS does not name {left_out}")


def keys(model: type[schema.Section]) -> Iterator[tuple[str, ...]]:
    hints = typing.get_type_hints(model, include_extras=True)
    said = words_of(model)
    own_first = sorted(model.model_fields.items(), key=lambda each: each[0] not in model.__annotations__)
    for name, field in own_first:
        meaning, example = said[name], ""
        if found := EXAMPLE.search(meaning):
            meaning, example = meaning[: found.start()], found[1]
            written = yaml.load(example, yaml.BaseLoader)  # noqa: S506  # texts only, as settings are read
            model.model_validate({key_of(name): written})
        # Whether a directory is LDAP or local is looked at before its section is.
        required = name in model.REQUIRED or name == "type"
        default = "required" if required else shown(field.default)
        if name in OF_PRESET:
            default = "its [preset](presets.md)'s"
        if "only the word" in takes(hints[name]):
            default = ""
        yield (f"`{key_of(name)}`", takes(hints[name]), default, meaning, f"`{example}`" if example else "")


def takes(hint: Any) -> str:
    """What may be written for a value, in words."""
    match typing.get_origin(hint):
        case typing.Annotated:
            for each in hint.__metadata__:
                if isinstance(each, PlainValidator):
                    return scalar(each.func)
            inner = typing.get_args(hint)[0]
            return f"one or a {takes(inner)}" if typing.get_origin(inner) is tuple else takes(inner)
        case typing.Union | types.UnionType:
            return " or ".join(takes(each) for each in typing.get_args(hint) if each is not types.NoneType)
        case origin if origin is tuple:
            return f"list: {takes(typing.get_args(hint)[0])}"
        case origin if origin is dict:
            of, inner = typing.get_args(hint)
            section = inspect.isclass(inner) and issubclass(inner, schema.Section)
            if section or typing.get_origin(of) is typing.Annotated:  # names of the admin's own
                return f"name: {takes(inner)}"
            return "users by name" if inner is Any else f"RADIUS attribute: {takes(inner)}"
    (path,) = (path for path, (model, _) in SECTIONS.items() if model is hint)
    return f"[section](#{anchor(path)})"


def scalar(read: Any) -> str:
    """The words for one of the readers in scalars.py or places.py, its bounds filled in."""
    name = read.__qualname__.partition(".")[0]
    bounds = {
        key: in_words(value) if name == "duration" else value
        for key, value in inspect.getclosurevars(read).nonlocals.items()
    }
    if "words" in bounds:
        bounds["words"] = ", ".join(bounds["words"])
    return TAKES[name].format(**bounds)


def shown(default: Any) -> str:
    match default:
        case bool():
            return "`yes`" if default else "`no`"
        case float():
            return f"`{in_words(default)}`"
        case None | () | "" | schema.Section():
            return ""
        case dict() if not default:
            return ""
    return f"`{default}`"


def anchor(heading: str) -> str:
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# --- presets -------------------------------------------------------------------------------------


def presets() -> Iterator[str]:
    yield from table(
        ("preset", "gateway", "patience", "as shipped it waits", "tried"),
        [
            (f"[`{each.name}`](#{each.name})", each.title, f"`{in_words(each.patience)}`", each.as_shipped,
             "yes" if each.tried else "no")
            for each in PRESETS.values()
        ],
    )  # fmt: skip
    for each in PRESETS.values():
        yield from (f"## `{each.name}`", "", f"{each.title}. {tried(each)}", "")
        yield from ("Set there:", "", *(f"- {line}" for line in each.to_set), "")
        yield from table(("what", ""), list(facts(each)))
        if each.quirks:
            yield from ("Good to know:", "", *(f"- {line}" for line in each.quirks), "")
        if each.not_confirmed:
            yield from ("Not confirmed:", "", *(f"- {line}" for line in each.not_confirmed), "")


def tried(preset: Preset) -> str:
    return f"Tried for real: {preset.tried}." if preset.tried else "Not tried on the real thing."


def facts(preset: Preset) -> Iterator[tuple[str, str]]:
    yield (
        "`patience`",
        f"`{in_words(preset.patience)}`, once it is set up as above. As shipped: {preset.as_shipped}",
    )
    yield "it can prove passwords by", preset.speaks
    yield "`accepts`", f"`[{', '.join(preset.accepts)}]`"
    own = ", ".join(
        "Cisco-AVPair `ip:source-ip=`" if each == "Cisco-AVPair" else each for each in preset.user_address
    )
    yield "`user_address`", own or "none of its own that is known"
    groups = preset.groups_in
    yield "`groups_in`", "none" if groups is None else groups_in(groups)
    yield "`require_message_authenticator`", f"`{preset.require_message_authenticator}`"
    yield "without Message-Authenticator", preset.message_authenticator_mend
    yield "`password_encoding`", f"`{preset.password_encoding}`, where it is not UTF-8"
    yield "shows a challenge", preset.challenge
    yield "passcode joined to the password", preset.append
    yield "a second server", preset.second_server
    yield "`simulate` plays", played(preset.timers)
    yield "with `--factory`", "nothing: not known" if preset.factory is None else played(preset.factory)
    if preset.comes_twice:
        yield "one sign-in is two logins", preset.comes_twice


def played(timers: Timers) -> str:
    """The numbers, in words."""
    each = f"{timers.seconds:g} s"
    said = [each if timers.tries == 1 else f"{timers.tries} times the same packet, {each} each"]
    if timers.growth != 1:
        said = [f"{timers.tries} times the same packet, {each}, then {timers.growth:g} times longer each"]
    if timers.cut_off is not None:
        said.append(f"{timers.cut_off:g} s for the whole sign-in")
    if timers.protocols:
        said.append(f"after a reject the next of {', '.join(timers.protocols)}")
    if timers.logins > 1:
        said.append(f"{timers.logins} logins for one sign-in")
    if not timers.reports_address:
        said.append("no user address")
    if timers.assumed:
        said.append(f"assumed: {'; '.join(timers.assumed)}")
    return ". ".join(each[:1].upper() + each[1:] for each in said)


def groups_in(groups: GroupsIn) -> str:
    each = "all in one, longer lists in several" if "{groups}" in groups.form else "an attribute for each"
    return f"{groups.attribute}, `{groups.form}`: {'one group, no more' if groups.only_one else each}"


# --- one push ------------------------------------------------------------------------------------


def one_push() -> Iterator[str]:
    """What came of every preset when it was played: recorded by its test, which plays it again."""
    for setup, plays in json.loads(PLAYS.read_text(encoding="utf-8")).items():
        yield from (f"## Gateways {setup}", "")
        behaviours = list(next(iter(plays.values())))
        yield from table(
            ("preset", *behaviours),
            [
                (f"[`{preset}`](presets.md#{preset})", *(played_out(*rows[each]) for each in behaviours))
                for preset, rows in plays.items()
            ],
        )


def played_out(rings: int, verdict: str, seconds: int) -> str:
    return f"{rings} ring{'' if rings == 1 else 's'}, {verdict} after {seconds} s"


# --- verbs -----------------------------------------------------------------------------------------


def verbs() -> Iterator[str]:
    context = click.Context(main, info_name="radius-push")
    for name in VERBS:
        command = main.get_command(context, name) or click.Command(name)
        yield from verb(command, click.Context(command, info_name=name, parent=context), level=2)
        yield from table(("exit code", ""), [(str(code), said) for code, said in EXIT_CODES[name].items()])


def verb(command: click.Command, context: click.Context, *, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{context.command_path.removeprefix('radius-push ')}`"
    yield ""
    yield from (" ".join((command.help or "").split()), "")
    yield from ("```sh", command.get_usage(context).removeprefix("Usage: "), "```", "")
    records = [
        found for each in command.get_params(context) if (found := each.get_help_record(context)) is not None
    ]
    rows = [(f"`{option}`", " ".join(said.split())) for option, said in records if said]
    yield from table(("option", ""), [row for row in rows if "--help" not in row[0]])
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name) or click.Command(name)
            yield from verb(inner, click.Context(inner, info_name=name, parent=context), level=level + 1)


# --- evidence ----------------------------------------------------------------------------------------


def evidence() -> Iterator[str]:
    yield from ("## Events", "")
    for event in typing.get_args(events.Event):
        name = re.sub(r"(?<!^)([A-Z])", r"_\1", event.__name__).lower()
        # A dataclass without words of its own gets its signature for a docstring.
        silent = (event.__doc__ or "").startswith(f"{event.__name__}(")
        yield from (f"### `{name}`", "")
        yield from (FIELDS[event.__name__] if silent else " ".join(event.__doc__.split()), "")
        hints, said = typing.get_type_hints(event), words_of(event)
        rows = [
            (f"`{name}`", holds, meaning if "null" in holds else meaning.partition(" `null`:")[0])
            for name, holds, meaning in (
                (name, kind(hint), said.get(name) or FIELDS[name]) for name, hint in hints.items()
            )
        ]
        yield from table(("field", "holds", "meaning"), rows)
    yield from ("## Reasons", "")
    yield from REASONS_HEAD.splitlines()
    yield ""
    rows = [(f"`{reason}`", *REASONS[reason]) for reason in Reason]
    yield from table(("reason", "the gateway gets", "it means", "what to do"), rows)


def kind(hint: Any) -> str:
    """What a field holds in JSON."""
    if typing.get_origin(hint) is types.UnionType:
        return " or ".join(kind(each) for each in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        return "list of pairs" if typing.get_origin(inner) is tuple else "list of texts"
    known = {str: "text", int: "number", float: "UTC seconds", bool: "true or false", types.NoneType: "null"}
    return known.get(hint) or "[reason](#reasons)"


# --- network -----------------------------------------------------------------------------------------


def network() -> Iterator[str]:
    """What lines_of says of settings that use every way in and out, with and without a proxy."""
    sys.path.insert(0, str(FOLDER.parent.parent))
    from tests.doctor.everything import BY_PROXY, SETTINGS

    lines = lines_of(SETTINGS)
    headings = ("channel", "from", "to", "port", "by", "for")
    for title, chosen in (
        ("In", [line for line in lines if line.direction == "in"]),
        ("Out", [line for line in lines if line.direction == "out"]),
        ("With a proxy", [line for line in lines_of(BY_PROXY) if line.channel in BY_THE_PROXY]),
    ):
        yield from (f"## {title}", "", NETWORK_HEADS[title], "")
        rows = [
            (line.channel, line.source, f"`{line.to}`", str(line.port), line.protocol, line.purpose)
            for line in chosen
        ]
        yield from table(headings, rows)
    left_out = set(typing.get_args(Channel)) - {line.channel for line in (*lines, *lines_of(BY_PROXY))}
    if left_out:
        raise LookupError(f"tests/doctor/everything.py has no line of {left_out}")


# --- metrics -----------------------------------------------------------------------------------------


def metrics() -> Iterator[str]:
    """Each family, and each counter among those of `what`."""
    yield from ("## Families", "")
    shown = Metrics(version="", server="", held=lambda: 0, counted={"": 0})
    rows = []
    for family in sorted(shown.families(), key=lambda each: each.name):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        rows.append((f"`{name}`", family.type, METRIC_LABELS[family.name], family.documentation))
    yield from table(("family", "kind", "labels", "meaning"), rows)
    yield from ("## What is counted", "", *COUNTED_HEAD.splitlines(), "")
    rows = [(f"`{what}`", each.means, each.do) for what, each in COUNTED.items()]
    yield from table(("`what`", "it means", "what to do"), rows)


if __name__ == "__main__":
    sys.exit(run(check=sys.argv[1:] == ["--check"]))
