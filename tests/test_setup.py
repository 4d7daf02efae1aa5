"""`setup`: whose everything is, that nothing there is changed over, and that what it writes works."""

from __future__ import annotations

import dataclasses
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from radius_push import setup
from radius_push.cli import main
from radius_push.cli.options import DEFAULT
from radius_push.cli.setup import _next
from radius_push.settings import SAMPLE_PASSWORD_HASH, load
from radius_push.setup import NotPossible, Site, Step, in_the_way, install
from radius_push.setup.root import give_folder, ids
from radius_push.setup.texts import first_settings, unit_text
from tests.systemd.unit import UNIT, values

USER = "nobody"
"""A user that every machine has."""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's: root acts as the server's user in it."""
    folder = Path(tempfile.mkdtemp(prefix="radius-push-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def site(place: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(setup, "UNIT", place / UNIT.name)
    return Site(USER, place / "etc", place / "state", Path("/bin/true"), Path("/bin/sh"), systemd=False)


def played(site: Site, *, dry: bool = False) -> tuple[list[str], list[str], str | None]:
    """What was changed, what was there, and the password that was told."""
    steps: list[tuple[str, bool]] = []
    password = install(site, dry=dry, tell=lambda step: steps.append((step.says, step.do is not None)))
    return [says for says, changes in steps if changes], [says for says, c in steps if not c], password


def everything(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    for path in sorted(folder.rglob("*")):
        status = path.stat()
        owner, group = pwd.getpwuid(status.st_uid).pw_name, status.st_gid
        name = "root" if group == 0 else "theirs"
        yield str(path.relative_to(folder)), owner, name, f"{stat.S_IMODE(status.st_mode):04o}"


@as_root
def test_settings_are_roots_and_read_by_the_server_alone_and_state_is_the_servers(
    site: Site, place: Path
) -> None:
    played(site)
    assert list(everything(place)) == [
        ("etc", "root", "theirs", "0750"),
        ("etc/radius-push.yaml", "root", "theirs", "0640"),
        ("etc/this-machine.secret", "root", "theirs", "0640"),
        ("state", USER, "theirs", "0700"),
        ("state/keys", USER, "theirs", "0700"),
        ("state/keys/pepper", USER, "theirs", "0600"),
        ("state/keys/tag", USER, "theirs", "0600"),
        ("state/keys/try_login_secret", USER, "theirs", "0600"),
        ("state/keys/vapid", USER, "theirs", "0600"),
    ]


@as_root
def test_the_first_settings_are_good_and_hold_no_secret_that_others_know(site: Site) -> None:
    _, _, password = played(site)
    settings = load(site.config, environ={})
    assert settings.store == str(site.state_dir / "state.db")
    assert settings.warnings == ()
    text = site.config.read_text()
    assert "testing123" not in text
    assert SAMPLE_PASSWORD_HASH not in text
    assert password is not None
    assert password not in text
    assert len(password) == 16
    secret = settings.clients["this-machine"].secrets[0].reveal().decode()
    assert len(secret) == 32
    assert secret not in text


@as_root
async def test_the_password_that_is_told_is_the_first_users(site: Site) -> None:
    from radius_push.directory.local import LocalDirectory
    from radius_push.model import Person, Right, Secret
    from radius_push.shapes import LocalProfile

    _, _, password = played(site)
    assert password is not None
    profile = load(site.config, environ={}).authentication_profiles["local-users"]
    assert isinstance(profile, LocalProfile)
    directory = LocalDirectory(profile)
    alice = await directory.find("alice")
    assert isinstance(alice, Person)
    assert await directory.prove(alice, Secret(password)) == Right()
    await directory.close()


@as_root
def test_a_second_time_changes_nothing(site: Site, place: Path) -> None:
    played(site)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    changed, there, password = played(site)
    assert (changed, password) == ([], None)
    assert len(there) == 5
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


@as_root
def test_settings_that_are_there_stay_and_whoever_cannot_read_them_is_told(site: Site) -> None:
    site.config_dir.mkdir()
    site.config.write_text("mine")
    site.config.chmod(0o600)
    steps: list[Step] = []
    assert install(site, dry=False, tell=steps.append) is None
    assert site.config.read_text() == "mine"
    looks = [step.says for step in steps if step.look]
    assert len(looks) == 1
    assert f"chgrp {USER} {site.config}; chmod 640 {site.config}" in looks[0]
    result = CliRunner().invoke(
        main,
        ["setup", "--user", USER, "--config-dir", str(site.config_dir), "--state-dir", str(site.state_dir)],
    )
    assert "  look   the settings are there" in result.output


@as_root
def test_a_store_that_is_not_in_the_state_folder_is_said(site: Site) -> None:
    played(site)
    text = site.config.read_text()
    site.config.write_text(text.replace(str(site.state_dir / "state.db"), "/srv/other/state.db"))
    _, there, _ = played(site)
    assert f"the settings' server.store is /srv/other/state.db, and not in {site.state_dir}" in there


@as_root
def test_root_gives_away_no_folder_that_a_link_in_a_new_ones_place_leads_to(
    site: Site, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever owns the folder above swaps it just after it was made."""
    precious = place / "precious"
    precious.mkdir(mode=0o711)
    mkdir = os.mkdir

    def swapped(path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        mkdir(path, mode, dir_fd=dir_fd)
        if Path(path).name == "etc":
            site.config_dir.rmdir()
            site.config_dir.symlink_to(precious)

    monkeypatch.setattr(os, "mkdir", swapped)
    with pytest.raises(NotPossible, match="could not: make the folder"):
        played(site)
    assert (precious.owner(), stat.S_IMODE(precious.stat().st_mode)) == ("root", 0o711)


@as_root
def test_root_gives_away_only_the_folder_that_it_looked_at(place: Path) -> None:
    folder, precious = place / "state", place / "precious"
    folder.mkdir()
    precious.mkdir()
    seen = folder.stat()
    folder.rename(place / "away")
    folder.symlink_to(precious)
    with pytest.raises(OSError, match=r"directory|symbolic"):
        give_folder(folder, seen, 0o700, lambda: ids(USER))
    folder.unlink()
    precious.rename(folder)
    with pytest.raises(OSError, match="another one"):
        give_folder(folder, seen, 0o700, lambda: ids(USER))
    assert folder.owner() == "root"


@as_root
def test_what_a_server_run_as_root_left_is_given_to_the_user(site: Site) -> None:
    (site.state_dir / "keys").mkdir(parents=True)
    for name in ("state.db", "state.db-wal", "keys/pepper"):
        (site.state_dir / name).touch(mode=0o600)
    changed, _, _ = played(site)
    assert {path.owner() for path in (site.state_dir, *site.state_dir.rglob("*"))} == {USER}
    assert f"give {site.state_dir / 'keys' / 'pepper'} to the server" in changed


@as_root
def test_in_the_servers_own_folder_root_gives_nothing_away(site: Site, place: Path) -> None:
    """Its user could have put a link to any file there, for root to give it to them."""
    played(site)
    precious = place / "precious"
    precious.touch()
    (site.state_dir / "state.db").hardlink_to(precious)
    played(site)
    assert precious.owner() == "root"


@as_root
def test_a_folder_of_others_is_not_taken(site: Site) -> None:
    site.state_dir.mkdir()
    (site.state_dir / "accounts.xls").touch()
    with pytest.raises(NotPossible, match="holds other things"):
        played(site)
    assert site.state_dir.owner() == "root"


def test_a_dry_run_changes_nothing_also_without_root(site: Site, place: Path) -> None:
    changed, _, _ = played(site, dry=True)
    assert len(changed) == 5
    assert list(place.iterdir()) == []


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = CliRunner().invoke(main, ["setup"])
    assert result.exit_code == 2
    assert "run it as root, or with --dry-run" in result.output


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"user": "Robert; --"}, "no name for a system user"),
        ({"state_dir": Path("/etc")}, "must be a full path"),
        ({"state_dir": Path("/srv/a b")}, "must be a full path"),
        ({"state_dir": Path("/srv/x"), "config_dir": Path("/srv/x")}, "a folder each"),
        (
            {"systemd": True, "command": Path("/nowhere/radius-push")},
            "not a command that systemd could start",
        ),
    ],
)
def test_what_is_not_possible_is_said_first(site: Site, change: dict[str, object], says: str) -> None:
    with pytest.raises(NotPossible, match=says):
        played(dataclasses.replace(site, **change), dry=True)  # type: ignore[arg-type]


# --- what can be typed next -----------------------------------------------------------------------------


def copied_to(folder: Path) -> Path:
    """A command that its owner alone may reach, or everybody: as the folder is."""
    command = folder / "radius-push"
    shutil.copy("/bin/true", command)
    command.chmod(0o755)
    return command


@pytest.fixture
def readable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package lies where everybody may look, wherever this checkout does."""
    monkeypatch.setattr("radius_push.setup.reach.PACKAGE", Path("/bin/sh"))


@as_root
@pytest.mark.usefixtures("readable")
def test_what_the_servers_user_cannot_start_is_said_and_why(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o755)
    command, python = copied_to(closed), Path("/bin/sh")
    assert in_the_way(USER, command=command, interpreter=python) is None
    command.chmod(0o700)
    assert in_the_way(USER, command=command, interpreter=python) == f"{USER} may not start {command}"
    os.chown(command, *ids(USER))
    assert in_the_way(USER, command=command, interpreter=python) is None
    closed.chmod(0o700)
    why = f"{USER} may not enter {closed}, and {command} is there"
    assert in_the_way(USER, command=command, interpreter=python) == why
    link = place / "radius-push"
    link.symlink_to(command)
    assert in_the_way(USER, command=link, interpreter=python) == why
    assert in_the_way(USER, command=Path("/bin/true"), interpreter=command) == why
    gone = place / "gone"
    assert in_the_way(USER, command=gone, interpreter=python) == f"there is no {gone}"


@as_root
@pytest.mark.usefixtures("readable")
@pytest.mark.parametrize("there", [("runuser", "sudo"), ("runuser",), ()])
def test_the_command_that_is_printed_runs_here(
    site: Site, place: Path, monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...]
) -> None:
    """As the server's user, and by what there is: not every root has sudo."""
    tools, which = place / "tools", shutil.which
    tools.mkdir()
    for name in there:
        copied_to(tools).rename(tools / name)
    monkeypatch.setattr(shutil, "which", lambda name, **_: which(name, path=str(tools)))
    said = _next(site, None)
    (line,) = [line for line in said.splitlines() if " serve --config " in line]
    by = {2: f"sudo -u {USER} ", 1: f"runuser -u {USER} -- ", 0: "su -s /bin/sh -c '"}[len(there)]
    assert line.startswith(f"  {by}/bin/true serve --config {site.config}")
    if len(there) < 2:
        words = line.partition("        (")[0].replace("/bin/true serve --config", "/usr/bin/id -un #")
        monkeypatch.undo()
        ran = subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=True)
        assert ran.stdout == f"{USER}\n"


@as_root
def test_where_it_cannot_be_started_no_command_is_printed(site: Site, place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    said = _next(dataclasses.replace(site, command=copied_to(closed)), None)
    assert " serve --config " not in said
    assert f"The server cannot be started from here: {USER} may not enter {closed}" in said
    assert "/opt/radius-push" in said


# --- the unit ----------------------------------------------------------------------------------------


def test_the_unit_of_the_usual_folders_is_the_shipped_one_but_for_the_command() -> None:
    text = unit_text(
        user="radius-push",
        config=Path("/etc/radius-push/radius-push.yaml"),
        state_dir=Path("/var/lib/radius-push"),
        command=Path("/opt/radius-push/bin/radius-push"),
    )
    shipped = UNIT.read_text(encoding="utf-8")
    assert text == shipped.replace("/usr/local/bin/", "/opt/radius-push/bin/")


def test_other_folders_and_users_reach_the_unit() -> None:
    text = unit_text(
        user="mfa",
        config=Path("/srv/mfa/etc/radius-push.yaml"),
        state_dir=Path("/srv/mfa/state"),
        command=Path("/opt/radius-push/bin/radius-push"),
    )
    assert values(text, "User") == values(text, "Group") == ["mfa"]
    assert values(text, "ReadWritePaths") == ["/srv/mfa/state"]
    assert values(text, "ConfigurationDirectory") == values(text, "StateDirectory") == []
    assert values(text, "ExecStart") == [
        "/opt/radius-push/bin/radius-push serve --config /srv/mfa/etc/radius-push.yaml"
    ]


@as_root
def test_a_unit_that_is_there_and_differs_stays(site: Site) -> None:
    with_unit = dataclasses.replace(site, systemd=True)
    changed, _, _ = played(with_unit)
    assert changed[-1] == f"write the unit {setup.UNIT}"
    assert f"the unit is there: {setup.UNIT}" in played(with_unit)[1]
    setup.UNIT.write_text("mine")
    changed, there, _ = played(with_unit)
    assert changed == []
    assert "stays as it is" in there[-1]
    assert setup.UNIT.read_text() == "mine"


@pytest.mark.parametrize("folder", ["/root/venv/bin", "/home/ann/venv/bin", "/tmp/venv/bin"])
def test_a_command_that_the_service_cannot_see_is_refused(
    site: Site, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: True)
    with_unit = dataclasses.replace(site, systemd=True, command=Path(folder) / "radius-push")
    with pytest.raises(NotPossible, match="the service cannot look into"):
        played(with_unit, dry=True)


# --- the whole verb, on a machine of its own ---------------------------------------------------------------

APART = """\
set -eu
mkdir -p "$1/etc" "$1/lib"
cp -a /etc/passwd /etc/group /etc/shadow /etc/gshadow /etc/login.defs "$1/etc/"
mount --bind "$1/etc" /etc
mount --bind "$1/lib" /var/lib
shift
"$@" setup
"$@" check
"$@" setup
stat -c '%U:%G %a %n' /etc/radius-push /etc/radius-push/* /var/lib/radius-push /var/lib/radius-push/keys/*
"""


@as_root
@pytest.mark.slow
def test_with_its_own_user_and_the_usual_folders(tmp_path: Path) -> None:
    """In a mount namespace whose /etc and /var/lib are copies, so that this machine stays as it was."""
    told = subprocess.run(
        ["unshare", "--mount", "sh", "-c", APART, "sh", str(tmp_path), sys.executable, "-c", VERB],
        capture_output=True,
        text=True,
        check=False,
        cwd=UNIT.parent.parent,
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert "now    make the system user radius-push" in told.stdout
    assert "/etc/radius-push/radius-push.yaml: good" in told.stdout
    assert "ok     the system user is there: radius-push" in told.stdout
    assert len(re.findall("kept nowhere", told.stdout)) == 1
    assert told.stdout.splitlines()[-8:] == [
        "root:radius-push 750 /etc/radius-push",
        "root:radius-push 640 /etc/radius-push/radius-push.yaml",
        "root:radius-push 640 /etc/radius-push/this-machine.secret",
        "radius-push:radius-push 700 /var/lib/radius-push",
        "radius-push:radius-push 600 /var/lib/radius-push/keys/pepper",
        "radius-push:radius-push 600 /var/lib/radius-push/keys/tag",
        "radius-push:radius-push 600 /var/lib/radius-push/keys/try_login_secret",
        "radius-push:radius-push 600 /var/lib/radius-push/keys/vapid",
    ]


VERB = "from radius_push.cli import main; main()"


def test_the_first_settings_show_the_kind_of_gateway_that_was_asked_for(site: Site) -> None:
    text = first_settings(
        config=site.config,
        store=site.state_dir / "state.db",
        secret="fw.secret",
        password_hash="$argon2id$",
        preset="globalprotect",
    )
    shown = text[text.index("  # fw:") :]
    assert "  #   preset: globalprotect " in shown
    assert "  #   patience: 25s " in shown


@pytest.mark.parametrize("folder", ["/etc/radius-push", "/srv/mfa"])
def test_what_the_first_settings_name_is_there_and_every_verb_finds_them(site: Site, folder: str) -> None:
    config = Path(folder) / "radius-push.yaml"
    text = first_settings(
        config=config, store=site.state_dir / "state.db", secret="fw.secret", password_hash="$argon2id$",
        preset="fortigate",
    )  # fmt: skip
    (examples,) = re.findall(r"^# Whole sites: (.+)$", text, re.MULTILINE)
    assert len(list(Path(examples).glob("*.yaml"))) == 6
    verbs = re.findall(r"radius-push (?:check|enroll alice|try-login alice|explain alice)(.*)", text)
    assert len(verbs) == 4
    needed = "" if config == Path(DEFAULT) else f" --config {config}"
    assert all(re.match(rf"{needed}(`|  )", each) for each in verbs)
    assert "examples/." not in text


def test_a_minute_is_written_there_as_everywhere_else_in_that_file(site: Site) -> None:
    text = first_settings(
        config=site.config,
        store=site.state_dir / "state.db",
        secret="fw.secret",
        password_hash="$argon2id$",
        preset="fortigate",
    )
    assert re.findall(r"patience: (\w+)", text) == ["60s"] * 3
