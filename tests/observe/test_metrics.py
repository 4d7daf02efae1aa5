"""The numbers for Prometheus: made from events, with labels of few words, and none of them left out of the
reference."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

from radius_push import events
from radius_push.events import Rang
from radius_push.listen.connection import End
from radius_push.model import Reason, Verdict
from radius_push.observe.counted import COUNTED
from radius_push.observe.metrics import Metrics
from radius_push.phone_store import Confirmation
from radius_push.portal_store import Opening

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "radius_push"
PAGE = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
RANG = Rang("K7F2QX", "q1", "local:alice", "d1", "web_push", "delivered", "", 1, 40, 900)


def measured(counted: dict[str, int] | None = None) -> Metrics:
    return Metrics(version="1.0", server="first", held=lambda: 3, counted=counted or {})


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Value by name and the labels' values, in the order of the labels' names."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def rejected(reason: Reason, username: str = "alice") -> events.Rejected:
    return events.Rejected(
        "K7F2QX", "fw", username, "local:alice", reason, "detail", "203.0.113.7", None, (), (), 1000.0
    )


def test_a_ring_is_counted_by_channel_and_outcome_with_its_seconds() -> None:
    metrics = measured()
    metrics.hear(1001.0, RANG)
    found = samples(metrics)
    assert found["radius_push_rings_total", "web_push", "delivered"] == 1
    assert found["radius_push_request_to_ring_seconds_sum", "web_push"] == pytest.approx(0.04)
    assert found["radius_push_ring_seconds_sum", "web_push"] == pytest.approx(0.9)
    assert found["radius_push_ring_seconds_bucket", "web_push", "1.0"] == 1
    assert found["radius_push_ring_seconds_bucket", "web_push", "0.5"] == 0


def test_a_receipt_is_counted_when_the_push_came_and_not_when_it_was_opened() -> None:
    metrics = measured()
    for what in ("received", "opened"):
        metrics.hear(
            1002.0,
            events.PushReceived("K7F2QX", "q1", "local:alice", "d1", "apns", "request", what, 700),
        )
    found = samples(metrics)
    assert found["radius_push_ring_to_receipt_seconds_count", "apns"] == 1
    assert found["radius_push_ring_to_receipt_seconds_sum", "apns"] == pytest.approx(0.7)


def test_a_test_request_is_no_request_of_a_gateway() -> None:
    metrics = measured()
    metrics.hear(1001.0, Rang(None, "t1", "local:alice", "d1", "fcm", "refused", "why", 1, 40, 900))
    found = samples(metrics)
    assert found["radius_push_rings_total", "fcm", "refused"] == 1
    assert ("radius_push_request_to_ring_seconds_sum", "fcm") not in found


def test_a_login_is_counted_by_verdict_and_reason() -> None:
    metrics = measured()
    metrics.hear(1002.5, rejected(Reason.WRONG_PASSWORD))
    found = samples(metrics)
    assert found["radius_push_logins_total", "wrong_password", "rejected"] == 1
    assert found["radius_push_login_seconds_sum", "rejected"] == pytest.approx(2.5)


def test_a_clock_that_was_set_back_makes_no_negative_seconds() -> None:
    metrics = measured()
    metrics.hear(900.0, rejected(Reason.DENIED))
    assert samples(metrics)["radius_push_login_seconds_sum", "rejected"] == 0


def test_what_is_held_and_counted_is_of_the_moment_of_asking() -> None:
    counted = {"unknown_client": 2}
    metrics = measured(counted)
    assert samples(metrics)["radius_push_held",] == 3
    counted["unknown_client"] = 5
    assert samples(metrics)["radius_push_counted_total", "unknown_client"] == 5


def test_no_name_device_or_address_is_in_it() -> None:
    metrics = measured()
    metrics.hear(1001.0, RANG)
    metrics.hear(1002.5, rejected(Reason.DENIED, username="canary"))
    text = metrics.text().decode()
    for told in ("canary", "alice", "d1", "q1", "203.0.113.7", "K7F2QX", "fw", "detail"):
        assert not re.search(rf"\b{re.escape(told)}\b", text)


def test_every_family_is_in_the_reference() -> None:
    metrics = measured({"duplicate": 1})
    metrics.hear(1001.0, RANG)
    metrics.hear(1002.5, rejected(Reason.DENIED))
    metrics.hear(1002.0, events.PushReceived(None, "t1", "local:alice", "d1", "fcm", "test", "received", 700))
    named = re.findall(r"^# TYPE (\S+) ", metrics.text().decode(), re.MULTILINE)
    assert named
    for name in named:
        assert f"| `{name}` |" in PAGE


# --- every counter of the code -------------------------------------------------------------------------

_SIDES = ("phone", "portal", "metrics")
_PORTAL_TROUBLE = re.compile(r'Trouble\(\d+, "(\w+)"\)')
EXPANDED: dict[tuple[str, str], tuple[str, ...]] = {
    ("accounting.py", "counter"): ("accounting_not_kept",),
    ("listen/connection.py", "end"): get_args(End),
    ("listen/stream.py", "end"): get_args(End),
    ("listen/reception.py", "counter"): ("accounting_not_served", "not_served"),
    ("listen/tally.py", "counter"): (),
    ("listen/tally.py", "client"): (),
    ("push/ringing.py", "f'push_{rang.outcome}'"): tuple(
        f"push_{outcome}" for outcome in ("delivered", "gone", "unreachable", "refused")
    ),
    ("server.py", "end.reason"): tuple(Reason),
    ("server.py", "f'verdict_{type(verdict).__name__.lower()}'"): tuple(
        f"verdict_{verdict.__name__.lower()}"
        for verdict in get_args(Verdict)
        if verdict.__name__ != "Challenged"
    ),
    ("web/doorway.py", "f'{self._side}_cut_off'"): tuple(f"{side}_cut_off" for side in _SIDES),
    ("web/doorway.py", "f'{self._side}_not_accepted'"): tuple(f"{side}_not_accepted" for side in _SIDES),
    ("web/doorway.py", "f'{self._side}_turned_away'"): tuple(f"{side}_turned_away" for side in _SIDES),
    ("web/front_door.py", "counter"): tuple(
        f"{side}_{what}" for side in _SIDES for what in ("fault", "store_down")
    ),
    ("web/front_door.py", "f'{self._side}_malformed'"): tuple(f"{side}_malformed" for side in _SIDES),
    ("web/phone_api.py", "f'phone_{said}'"): ("phone_approved", "phone_approved_late", "phone_denied"),
    ("web/phone_inviting.py", "f'phone_confirm_{word}'"): tuple(
        f"phone_confirm_{word}" for word in get_args(Confirmation) if word != "not_pending"
    ),
    ("web/portal.py", "f'portal_{why.key}'"): tuple(
        f"portal_{key}"
        for file in sorted((PACKAGE / "web").glob("portal*.py"))
        for key in _PORTAL_TROUBLE.findall(file.read_text(encoding="utf-8"))
    ),
    ("web/portal_signing_in.py", "f'portal_{reason}'"): (
        "portal_unknown_user",
        "portal_wrong_password",
        "portal_directory_down",
        "portal_needs_invitation",
        *(f"portal_{opening}" for opening in get_args(Opening) if opening != "opened"),
    ),
}
"""What a counter's name can be where the code does not write it out."""
_COUNTING = {"note", "tell", "count"}
_NOT_COUNTERS = re.compile(
    r"^(cli|doctor|settings|setup|store|observe|explanation|endings)\b|^web/(proxies|assertions|phone_enrol)\.py"
)


OTHERS = {f"self._{name}" for name in ("tries", "made", "told", "acts", "of_places", "of_names", "shown")}
"""Limits that take note of somebody, who was shown what, and the like."""


def counters() -> Iterator[tuple[str, str, bool]]:
    """File, what stands where a counter's name belongs, and whether that is the name itself."""
    for path in sorted(PACKAGE.rglob("*.py")):
        file = str(path.relative_to(PACKAGE))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Subscript(value=ast.Attribute(attr="counters" | "_counters"), slice=name):
                    pass
                case ast.Call(func=ast.Attribute(attr=verb, value=whose), args=[name, *_]) if (
                    verb in _COUNTING and not _NOT_COUNTERS.match(file) and ast.unparse(whose) not in OTHERS
                ):
                    pass
                case ast.Call(func=ast.Name(id="note" | "tell"), args=[name, *_]) if not _NOT_COUNTERS.match(
                    file
                ):
                    pass
                case _:
                    continue
            for each in (name.body, name.orelse) if isinstance(name, ast.IfExp) else (name,):
                if not isinstance(each, ast.Constant):
                    yield file, ast.unparse(each), False
                elif isinstance(each.value, str):
                    yield file, each.value, True


def names() -> Iterator[str]:
    for file, written, plain in counters():
        if file == "web/front_door.py" and written in {"fault", "store_down"}:
            continue  # with its side before it
        if plain:
            yield written
        else:
            assert (file, written) in EXPANDED, f"{file}: what can {written} be? say so in EXPANDED"
            yield from EXPANDED[file, written]


def test_every_counter_of_the_code_has_a_meaning_and_a_mend() -> None:
    occurring = {str(name) for name in names()}
    assert not occurring - COUNTED.keys(), "say in observe/counted.py what they mean"
    assert not COUNTED.keys() - occurring, "nothing counts these any more"
    for what, each in COUNTED.items():
        assert each.means.endswith("."), what
        assert each.do.endswith((".", "?")), what
        assert f"| `{what}` |" in PAGE
