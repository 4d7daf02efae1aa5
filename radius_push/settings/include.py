"""`include:` - more files beside the settings, which add names and nothing else."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path as File
from pathlib import PurePath

from radius_push.settings import schema
from radius_push.settings.mistakes import Path, SettingsError
from radius_push.settings.report import Report
from radius_push.settings.yaml_marks import Document, Tree, read

MAY_HOLD = ("clients", "authentication_profiles", "profiles")
_MOST_FILES = 100
_MOST_OCTETS = 4 << 20
_WILD = frozenset("*?[")


def include(report: Report, tree: dict[str, Tree], folder: File) -> dict[str, Tree]:
    """The settings with the names that the included files add.

    The report's document learns where they stand. Raises SettingsError when a file cannot be read: what
    it would have added is missing, so that all other sentences would mislead.
    """
    if "include" not in tree:
        return tree
    section = report.section(schema.IncludeSection, {"include": tree["include"]}, ())
    unread = False
    for path, file in _files(report, section.include, folder):
        try:
            other = read(file)
        except SettingsError as error:
            unread = True
            if all(mistake.line == 0 for mistake in error.mistakes):
                report.wrong(path, str(error))
            else:
                report.mistakes += error.mistakes
        else:
            tree = _with_names_of(other, report, tree)
    if unread:
        raise SettingsError(report.mistakes)
    return tree


def _files(report: Report, patterns: tuple[str, ...], folder: File) -> Iterator[tuple[Path, File]]:
    """Each file once, pattern by pattern, sorted; never the settings file itself."""
    seen = {File(report.document.file).resolve()}
    octets = 0
    for at, pattern in enumerate(patterns):
        path: Path = ("include", at)
        if ".." in PurePath(pattern).parts:
            report.wrong(path, "leads out of the settings' folder; write an absolute path")
            continue
        # Path.glob takes no absolute pattern.
        try:
            found = [folder / each for each in sorted(glob.glob(pattern, root_dir=folder))]  # noqa: PTH207
            (folder / pattern).resolve().exists()
        except (OSError, ValueError):
            report.wrong(path, "is no name of a file")
            continue
        if not found and _WILD.isdisjoint(pattern):
            found = [folder / pattern]  # reading it says what is wrong with it
        elif not found:
            report.warn(path, "no file fits")
        for file in found:
            if file.resolve() in seen:
                continue
            seen.add(file.resolve())
            octets += file.stat().st_size if file.exists() else 0
            if len(seen) > _MOST_FILES + 1 or octets > _MOST_OCTETS:
                report.wrong(path, f"more than {_MOST_FILES} files, or {_MOST_OCTETS >> 20} MB together")
                return
            yield path, file


def _with_names_of(other: Document, report: Report, tree: dict[str, Tree]) -> dict[str, Tree]:
    theirs = Report(other)
    added = theirs.mapping(other.tree, ())
    for key in added:
        if key == "include":
            theirs.wrong((key,), "an included file includes no other; name it in the main file", of_key=True)
        elif key in schema.SettingsSection.model_fields and key not in MAY_HOLD:
            theirs.wrong(
                (key,), f"belongs in the main file; an included one adds {', '.join(MAY_HOLD)}", of_key=True
            )
        elif key not in MAY_HOLD:
            theirs.unknown_keys({key: None}, (), MAY_HOLD)
    for section in MAY_HOLD:
        if section in added:
            names = theirs.mapping(added[section], (section,))
            tree = {**tree, section: _joined(section, names, other, theirs, report.document, tree)}
    report.mistakes += theirs.mistakes
    return tree


def _joined(
    section: str,
    names: dict[str, Tree],
    other: Document,
    theirs: Report,
    document: Document,
    tree: dict[str, Tree],
) -> Tree:
    ours = tree.get(section)
    if ours is not None and not isinstance(ours, dict):
        return ours  # its own mistake is enough
    joined = dict(ours or {})
    for name, below in names.items():
        path: Path = (section, name)
        if name in joined:
            place = document.place(path)
            theirs.wrong(path, f"is in {place} already; keep one of them", of_key=True)
            continue
        joined[name] = below
        document.adopt(other, path)
    return joined
