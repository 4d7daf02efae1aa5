"""What `setup` writes: the sample settings and the shipped unit, made this installation's own."""

from __future__ import annotations

import re
from pathlib import Path

from radius_push.radius.presets import PRESETS
from radius_push.settings import SAMPLE_PASSWORD_HASH
from radius_push.setup.root import NotPossible

DEFAULT = Path("/etc/radius-push/radius-push.yaml")
"""Where verbs look that are told nothing."""
_HEAD = """\
# radius-push, the first settings. They work as they are, on this machine alone:
#
#   systemctl start radius-push              (what starts it without a service, `setup` has printed)
#   radius-push enroll alice{where}         (scan the code, or open the link here)
#   radius-push try-login alice{where}      (`setup` printed her password once)
#
# `radius-push check{where}` says what this file means, or every mistake in it with its line; with --online it
# asks the directories. `radius-push explain alice{where}` says what a login would come to, and why.
# Whole sites: {examples}
"""
_PASSWORD = "        # Another password: radius-push hash-password\n"


def first_settings(*, config: Path, store: Path, secret: str, password_hash: str, preset: str) -> str:
    """The sample with another store, the client's secret from a file, and a password that nobody knows."""
    text = shipped("config", "radius-push.yaml")
    where = "" if config == DEFAULT else f" --config {config}"
    head = _HEAD.format(where=where, examples=_folder("config") / "examples")
    for what, old, new in (
        ("head", r"\A# radius-push.*?(?=^# Durations carry units)", head.replace("\\", r"\\")),
        ("store", r"^(  store: )sqlite:.*?$", rf"\1sqlite://{store}    # keys/ lies beside it"),
        ("secret", r"secret: testing123\b[^\n]*", f"secret: {{file: {secret}}}        # beside this file"),
        ("password", r"(?<=^      alice:\n)(        #[^\n]*\n)+", _PASSWORD),
        ("gateway", r"^(  #   preset: )fortigate\b", rf"\g<1>{preset}"),
        ("patience", r"^(  #   patience: )60s\b", rf"\g<1>{PRESETS[preset].patience:g}s"),
        ("hash", re.escape(SAMPLE_PASSWORD_HASH), password_hash.replace("\\", r"\\")),
    ):
        text, found = re.subn(old, new, text, flags=re.MULTILINE | re.DOTALL)
        if found != 1:
            raise NotPossible(
                f"the sample settings are not those of this version: its {what} is not there once"
            )
    return text


def unit_text(*, user: str, config: Path, state_dir: Path, command: Path) -> str:
    """The shipped unit with the paths and the user of this installation."""
    text = shipped("systemd", "radius-push.service")
    start = f"ExecStart={command} serve --config {config}"
    text = re.sub(r"(?m)^ExecStart=.*$", lambda _: start, text)
    text = re.sub(r"(?m)^(User|Group)=.*$", rf"\1={user}", text)
    for folder, root, key in (
        (config.parent, "/etc", "ConfigurationDirectory"),
        (state_dir, "/var/lib", "StateDirectory"),
    ):
        if folder.is_relative_to(root):
            text = re.sub(rf"(?m)^{key}=.*$", f"{key}={folder.relative_to(root)}", text)
        else:  # systemd makes such folders under its own roots only; `setup` has made this one
            writable = f"ReadWritePaths={folder}\n" if key == "StateDirectory" else ""
            text = re.sub(rf"(?m)^{key}=.*\n{key}Mode=.*\n", writable, text)
    return text


def shipped(folder: str, name: str) -> str:
    """A file of the installed package, else of the repository."""
    return (_folder(folder) / name).read_text(encoding="utf-8")


def _folder(name: str) -> Path:
    package = Path(__file__).resolve().parent.parent
    root = package if (package / name).is_dir() else package.parent
    return root / name
