"""`radius-push check` and the file of places: what it is, or what is wrong with it."""

from __future__ import annotations

import json
import time
from pathlib import Path

from click.testing import CliRunner, Result

from radius_push.cli import main
from radius_push.settings import load
from radius_push.settings.changes import differences, needs_restart
from tests.cli.enrolling import SETTINGS, write_settings
from tests.mmdb import VIENNA, write_mmdb

WITH_PLACES = SETTINGS.replace("  enrollment:", "  places: city.mmdb\n  enrollment:")


def check(config: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["check", str(config), *words])


def test_a_good_file_is_named_with_its_day(tmp_path: Path) -> None:
    config = write_settings(tmp_path, WITH_PLACES)
    write_mmdb(tmp_path / "city.mmdb", {"198.51.100.0/24": VIENNA}, built_at=time.time())
    ended = check(config)
    assert ended.exit_code == 0
    assert "Phones are shown:\n  places of addresses by GeoLite2-City of 20" in ended.stdout
    said = json.loads(check(config, "--json").stdout)
    assert said["good"]
    assert said["says"][-1].startswith("places of addresses by GeoLite2-City of 20")


def test_one_that_is_not_there_is_a_mistake_with_its_line_and_its_mend(tmp_path: Path) -> None:
    config = write_settings(tmp_path, WITH_PLACES)
    ended = check(config)
    assert ended.exit_code == 1
    assert ended.stdout.endswith(
        "Serves, but shows phones no places:\n"
        f"  {config}:6:11: server.places: there is no such file; "
        "fetch a GeoLite2-City or DB-IP City Lite file again, or leave server.places out\n"
    )
    said = json.loads(check(config, "--json").stdout)
    assert (said["good"], len(said["mistakes"])) == (False, 1)
    assert "server.places: there is no such file" in said["mistakes"][0]


def test_a_server_is_served_by_these_settings_all_the_same(tmp_path: Path) -> None:
    with_places = load(write_settings(tmp_path, WITH_PLACES), environ={})
    assert with_places.places == str(tmp_path / "city.mmdb")
    without = load(write_settings(tmp_path), environ={})
    assert without.places is None
    assert differences(without, with_places) == ("server.places: changed",)
    assert needs_restart(without, with_places) == ()
