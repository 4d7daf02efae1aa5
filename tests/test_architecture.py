"""The floors of the house: who may import whom, and which library stands behind which door."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "radius_push"

FLOORS = {
    1: {
        "__init__",
        "model",
        "attempts",
        "shapes",
        "push_shapes",
        "waking",
        "client_table",
        "events",
        "evidence",
        "ports",
        "phone_store",
        "post_store",
        "notices",
        "portal_events",
        "push_events",
        "portal_store",
        "dn",
        "proofs",
        "hush",
        "gateway",
        "sessions",
        "trace_code",
    },
    2: {"radius", "policy", "factors", "simulate"},
    3: {
        "login",
        "story",
        "doors",
        "credentials",
        "endings",
        "explanation",
        "come_back",
        "deciding",
        "first_factor",
        "authorizing",
        "hanging_up",
        "enrollment",
        "portal_password",
        "janitor",
        "allowance",
        "pressure",
        "gateways",
        "meter",
        "heard",
        "accounting",
        "tls",
    },
    4: {"places", "notify", "directory", "push", "store", "listen", "web", "client", "observe", "test_phone"},
    5: {"settings"},
    6: {
        "opening",
        "own_clients",
        "simulation",
        "lent_phone",
        "directories",
        "descriptors",
        "listeners",
        "phone_doors",
        "metrics_door",
        "doctor",
        "push_trial",
        "proving",
        "inviting",
        "portal_doors",
        "server",
        "serving",
        "inspection",
        "demo",
        "setup",
    },
    7: {"cli"},
}
FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms}

SIDEWAYS = {
    ("gateways", "meter"),
    ("login", "story"),
    ("login", "doors"),
    ("login", "come_back"),
    ("login", "deciding"),
    ("login", "heard"),
    ("login", "first_factor"),
    ("login", "authorizing"),
    ("deciding", "credentials"),
    ("deciding", "doors"),
    ("deciding", "story"),
    ("first_factor", "credentials"),
    ("first_factor", "doors"),
    ("first_factor", "story"),
    ("authorizing", "credentials"),
    ("authorizing", "deciding"),
    ("authorizing", "doors"),
    ("authorizing", "endings"),
    ("authorizing", "first_factor"),
    ("authorizing", "story"),
    ("explanation", "deciding"),
    ("explanation", "first_factor"),
    ("login", "credentials"),
    ("credentials", "story"),
    ("login", "hanging_up"),
    ("hanging_up", "story"),
    ("login", "endings"),
    ("endings", "doors"),
    ("endings", "story"),
    ("doors", "story"),
    ("explanation", "login"),
    ("explanation", "credentials"),
    ("explanation", "doors"),
    ("explanation", "story"),
    ("simulate", "radius"),
}
"""Rooms of one floor that may be imported by another room of it. Floors 1, 6 and 7 are each one family."""
FAMILIES = {1, 6, 7}

IMPURE = {
    "asyncio", "socket", "selectors", "time", "os", "random", "secrets", "logging", "threading", "subprocess",
    "yaml", "aiohttp", "ldap3", "sqlite3", "urllib", "http",
}  # fmt: skip
"""What decides must be told the time, the randomness and the packet: then a test can tell it too."""

DOORS = {
    "pyrad": {"radius/dictionary.py", "radius/packet.py"},
    "ldap3": {"directory"},
    "argon2": {"directory/local.py"},
    "aiohttp": {
        "web",
        "push/line.py",
        "push/outside.py",
        "push/webpush.py",
        "test_phone.py",
        "cli/test_phone.py",
    },
    "yaml": {"settings"},
    "pydantic": {"settings"},
    "re2": {"policy"},
    "segno": {"cli/invitation.py", "web/qr.py"},
    "sqlite3": {"store"},
    "sqlite_utils": {"store"},
    "Crypto": {"proofs/mschapv2.py"},
    "cryptography": {
        "factors/answer.py",
        "push/service_account.py",
        "settings/apns.py",
        "settings/fcm.py",
        "settings/radsec.py",
        "test_phone.py",
    },
    "jwt": {"push/service_account.py"},
    "aioapns": {"push/apns.py", "push/apns_identity.py", "push/apns_line.py", "push/apns_streams.py"},
    "h2": {"push/apns_line.py", "push/apns_streams.py"},
    "pywebpush": {"push/webpush.py"},
    "py_vapid": {"push/webpush.py"},
    "uvloop": {"cli/serve.py"},
    "webauthn": {"web/authenticator.py"},
    "click": {"cli"},
    "maxminddb": {"places.py"},
    "prometheus_client": {"observe/metrics.py"},
}
"""Each third-party library is imported by the one door that is for it, so that it can be exchanged there."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Dotted names of what a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written out, so that floors can be read from them"
            module = node.module or ""
            if module == "radius_push":
                yield from (f"radius_push.{alias.name}" for alias in node.names)
            else:
                yield module


def room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", modules(), ids=name)
def test_every_module_has_a_floor_and_imports_point_down(path: Path) -> None:
    here = room(path)
    assert here in FLOOR_OF, (
        f"{name(path)}: say in tests/test_architecture.py on which floor the new room lies"
    )
    for imported in imports(path):
        if not imported.startswith("radius_push."):
            continue
        there = imported.split(".")[1]
        if there == here or there.startswith("__"):
            continue
        floor, other = FLOOR_OF[here], FLOOR_OF[there]
        assert other <= floor, f"{name(path)} (floor {floor}) imports {imported} (floor {other}): up"
        if other == floor and floor not in FAMILIES:
            assert (here, there) in SIDEWAYS, (
                f"{name(path)} imports {imported}: rooms of one floor stay apart, or they become one room"
            )


@pytest.mark.parametrize("path", [p for p in modules() if FLOOR_OF.get(room(p), 9) <= 2], ids=name)
def test_what_decides_is_pure(path: Path) -> None:
    impure = {top for imported in imports(path) if (top := imported.split(".")[0]) in IMPURE}
    assert not impure, f"{name(path)} imports {impure}: time, randomness and the outside come in as arguments"


@pytest.mark.parametrize("path", modules(), ids=name)
def test_each_library_stays_behind_its_door(path: Path) -> None:
    for imported in imports(path):
        doors = DOORS.get(imported.split(".")[0])
        if doors is not None:
            assert any(name(path) == door or name(path).startswith(f"{door}/") for door in doors), (
                f"{name(path)} imports {imported}, whose door is {', '.join(sorted(doors))}"
            )


def test_every_dependency_has_a_door_and_every_door_its_dependency() -> None:
    import tomllib

    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    declared = {line.split()[0].lower().replace("-", "_") for line in project["dependencies"]}
    imported_as = {
        "pyyaml": "yaml",
        "google_re2": "re2",
        "argon2_cffi": "argon2",
        "pycryptodome": "Crypto",
        "pyjwt": "jwt",
    }
    libraries = {imported_as.get(name, name) for name in declared}
    assert libraries == set(DOORS) - {"sqlite3"}


LISTS = {"model.py": 640, "events.py": 740, "radius/presets.py": 600}
"""Closed lists of values: one of them is no harder to read for being long."""


def test_no_file_becomes_a_hall() -> None:
    long = {
        name(path): lines
        for path in [*modules(), *sorted(PACKAGE.rglob("*.js"))]
        if (lines := len(path.read_text().splitlines())) > LISTS.get(name(path), 400)
    }
    assert not long, f"over 400 lines: {long}; a room with two purposes is two rooms"
