"""Makes a place to live for the server: its user, folders, keys, first settings, and its systemd unit.

A list of steps. Each looks first, and changes nothing that is there; a dry run only looks.
"""

from __future__ import annotations

import functools
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from radius_push.directory.local import hash_password
from radius_push.settings import SettingsError, load
from radius_push.setup.reach import expect_for_the_service, in_the_way
from radius_push.setup.root import NotPossible, give_folder, ids, known, make_folder, open_folder, run, write
from radius_push.setup.texts import first_settings, unit_text
from radius_push.store.keys import keys_folder, load_keys

__all__ = ["NotPossible", "Site", "Step", "in_the_way", "install"]

CONFIG = "radius-push.yaml"
STORE = "state.db"
SECRET = "this-machine.secret"
UNIT = Path("/etc/systemd/system/radius-push.service")
_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,30}")


@dataclass(frozen=True, slots=True)
class Site:
    """What is to be there."""

    user: str
    config_dir: Path
    state_dir: Path
    command: Path
    """Of the radius-push that the unit starts."""
    interpreter: Path
    """The Python that runs it."""
    systemd: bool
    preset: str = "fortigate"
    """The kind of gateway that the first settings show."""

    @property
    def config(self) -> Path:
        return self.config_dir / CONFIG


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is there, or (`do`) is to be made."""

    says: str
    do: Callable[[], None] | None = None
    look: bool = False
    """It is there, and somebody should look at it: `says` tells why."""


def install(site: Site, *, dry: bool, tell: Callable[[Step], None]) -> str | None:
    """Take every step that is left, and `tell` each.

    Returns the first user's new password if settings were written. Raises NotPossible or StoreDown.
    """
    _possible(site)
    password = secrets.token_urlsafe(12) if not site.config.exists() else None
    for step in _steps(site, password):
        tell(step)
        if step.do is not None and not dry:
            try:
                step.do()
            except OSError as error:
                raise NotPossible(f"could not: {step.says}: {error}") from error
    return password


def _possible(site: Site) -> None:
    if not _NAME.fullmatch(site.user):
        raise NotPossible(f"{site.user!r} is no name for a system user: a-z, 0-9, - and _, 31 at most")
    for folder in (site.config_dir, site.state_dir):
        if not folder.is_absolute() or not re.fullmatch(r"[\w./-]+", str(folder)) or len(folder.parts) < 3:
            raise NotPossible(
                f"{folder} must be a full path of letters, digits, - and _, such as /srv/radius"
            )
    if site.config_dir == site.state_dir:
        raise NotPossible("settings and state need a folder each: the server may not write its own settings")
    if site.systemd:
        expect_for_the_service(site.command)
        expect_for_the_service(site.interpreter)


# --- the steps -------------------------------------------------------------------------------------


def _steps(site: Site, password: str | None) -> Iterator[Step]:
    """Each is looked at when the ones before it are done."""
    yield _user(site)
    group = lambda: (0, ids(site.user)[1])  # noqa: E731  # asked when the user is there
    yield _folder(site.config_dir, 0o750, group, ours=(CONFIG, SECRET))
    # Before the folder is the server's: what root gives away in it, nobody else could have put there.
    yield from _state_of_root(site)
    yield _folder(site.state_dir, 0o700, lambda: ids(site.user), ours=(STORE, "keys"))
    yield _keys(site)
    if password is None:
        yield from _settings_there(site)
    else:
        yield from _settings(site, password)
    if site.systemd:
        yield from _unit(site)


def _user(site: Site) -> Step:
    if known(site.user):
        return Step(f"the system user is there: {site.user}")
    command = (
        *("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(site.state_dir)),
        *("--shell", "/usr/sbin/nologin", "--comment", "radius-push", site.user),
    )
    return Step(f"make the system user {site.user}", lambda: run(*command))


def _folder(folder: Path, mode: int, owner: Callable[[], tuple[int, int]], *, ours: tuple[str, ...]) -> Step:
    """`ours`: names that tell a folder of this program from one that holds other things."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise NotPossible(f"{folder} is there and is no folder")
    if folder.is_dir():
        return _folder_there(folder, mode, owner, ours)

    return Step(f"make the folder {folder} ({mode:04o})", lambda: make_folder(folder, mode, owner))


def _folder_there(
    folder: Path, mode: int, owner: Callable[[], tuple[int, int]], ours: tuple[str, ...]
) -> Step:
    opened = open_folder(folder)
    try:
        names, status = set(os.listdir(opened)), os.fstat(opened)  # noqa: PTH208  # no path: it could change
    finally:
        os.close(opened)
    if names and not names & set(ours):
        raise NotPossible(
            f"{folder} is there and holds other things: name a folder that is radius-push's alone"
        )
    try:
        if (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (*owner(), mode):
            return Step(f"the folder is there: {folder}")
    except KeyError:  # a dry run has not made the user
        pass

    return Step(
        f"give the folder {folder} to the server ({mode:04o})",
        lambda: give_folder(folder, status, mode, owner),
    )


def _state_of_root(site: Site) -> Iterator[Step]:
    """What a server left that was run as root before there was a user for it."""
    if not site.state_dir.is_dir() or site.state_dir.stat().st_uid != 0:
        return
    keys = keys_folder(site.state_dir / STORE)
    stores = [site.state_dir / f"{STORE}{suffix}" for suffix in ("", "-wal", "-shm")]
    for path in (*stores, keys, *(keys.iterdir() if keys.is_dir() else ())):
        if path.exists() and path.lstat().st_uid == 0:
            yield Step(f"give {path} to the server", functools.partial(_give, path, site.user))


def _give(path: Path, user: str) -> None:
    os.chown(path, *ids(user), follow_symlinks=False)


def _keys(site: Site) -> Step:
    folder = keys_folder(site.state_dir / STORE)
    if folder.exists():
        return Step(f"the keys are there: {folder}")
    return Step(f"make the keys in {folder}", lambda: _make_keys(folder))


def _make_keys(folder: Path) -> None:
    load_keys(folder, create=True)


def _settings_there(site: Site) -> Iterator[Step]:
    there = f"the settings are there: {site.config}"
    status = site.config.stat()
    user, group = ids(site.user) if known(site.user) else (-1, -1)
    # As the kernel asks: the first that fits decides.
    bit = stat.S_IRUSR if status.st_uid == user else stat.S_IRGRP if status.st_gid == group else stat.S_IROTH
    if status.st_mode & bit:
        yield Step(there)
    else:
        mend = f"chgrp {site.user} {site.config}; chmod 640 {site.config}"
        yield Step(f"{there}, and the server may not read them: {mend}", look=True)
    try:
        store = Path(load(site.config, environ=os.environ).store)
    except (SettingsError, OSError):  # `check` says what is wrong with them
        return
    if not store.resolve().is_relative_to(site.state_dir.resolve()):
        yield Step(f"the settings' server.store is {store}, and not in {site.state_dir}", look=True)


def _settings(site: Site, password: str) -> Iterator[Step]:
    group = lambda: (0, ids(site.user)[1])  # noqa: E731  # asked when the user is there
    secret = site.config_dir / SECRET
    if secret.exists():
        yield Step(f"the client's secret is there: {secret}")
    else:
        fresh = secrets.token_urlsafe(24)
        yield Step(
            f"write a fresh client secret to {secret}", lambda: write(secret, f"{fresh}\n", 0o640, group)
        )
    yield Step(
        f"write the first settings to {site.config}",
        lambda: write(site.config, _first_settings(site, password), 0o640, group),
    )


def _unit(site: Site) -> Iterator[Step]:
    text = _unit_text(site)
    if UNIT.exists():
        if UNIT.read_text(encoding="utf-8") == text:
            yield Step(f"the unit is there: {UNIT}")
        else:
            yield Step(
                f"the unit {UNIT} is there, differs from what this version would write, and stays as it is: "
                "move it away and run this again for the new one (own changes: systemctl edit radius-push)"
            )
        return
    yield Step(f"write the unit {UNIT}", lambda: write(UNIT, text, 0o644, lambda: (0, 0)))
    if Path("/run/systemd/system").is_dir():
        yield Step("tell systemd about it", lambda: run("systemctl", "daemon-reload"))


def _first_settings(site: Site, password: str) -> str:
    return first_settings(
        config=site.config,
        store=site.state_dir / STORE,
        secret=SECRET,
        password_hash=hash_password(password.encode()),
        preset=site.preset,
    )


def _unit_text(site: Site) -> str:
    return unit_text(user=site.user, config=site.config, state_dir=site.state_dir, command=site.command)
