"""Secrets and other files that the settings name: read here, and never repeated in a sentence."""

from __future__ import annotations

import codecs
import stat
from collections.abc import Mapping
from pathlib import Path as File

from radius_push.model import Secret
from radius_push.settings.mistakes import Path
from radius_push.settings.report import Report
from radius_push.settings.scalars import FromEnvironment, FromFile, SecretSource, Written

_LONGEST = 4096
_ANYBODY = stat.S_IROTH | stat.S_IWOTH


class Vault:
    """Where secrets come from: files beside the settings, the environment, the settings themselves."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._in_the_open: set[str] = set()

    def path(self, written: str, report: Report, path: Path) -> str:
        """A relative path is relative to the folder of the file it stands in."""
        return str(File(report.document.file_of(path)).parent / written)

    def secret(self, source: SecretSource, report: Report, path: Path) -> Secret | None:
        """None: it is not to be had, and the report says why."""
        match source:
            case Written(secret):
                report.warn(
                    path,
                    "a secret that all who read this file see; write {file: PATH} or {env: NAME} instead",
                )
                return secret
            case FromEnvironment(name):
                found = self._environ.get(name, "")
                if not found:
                    report.wrong(path, f"the environment has no {name}; set it for the service")
                return Secret(found) if found else None
            case FromFile(written):
                return self._from_file(written, report, path)

    def document(self, source: SecretSource, report: Report, path: Path, *, longest: int) -> bytes | None:
        """A secret of several lines, as it is written; None as for `secret`. `longest`: octets."""
        match source:
            case FromFile(written):
                octets = self._octets(written, report, path, longest=longest)
            case _:
                found = self.secret(source, report, path)
                octets = None if found is None else found.reveal()
        if octets is not None and (not octets.strip() or len(octets) > longest):
            what = "empty" if not octets.strip() else f"longer than {longest // 1000} kB"
            where = self.path(source.path, report, path) if isinstance(source, FromFile) else "the secret"
            report.wrong(path, f"{where} is {what}")
            return None
        return octets

    def in_the_open(self, what: str, report: Report, path: Path) -> None:
        """Warn, once for each file, where others on this machine can read what stands there."""
        file = report.document.file_of(path)
        try:
            open_to_all = File(file).stat().st_mode & _ANYBODY
        except OSError:
            return
        if open_to_all and file not in self._in_the_open:
            self._in_the_open.add(file)
            report.warn(path, f"everybody on this machine can log in with the {what} in {file}; chmod o= it")

    def _from_file(self, written: str, report: Report, path: Path) -> Secret | None:
        octets = self._octets(written, report, path)
        if octets is None:
            return None
        octets = octets.removesuffix(b"\n").removesuffix(b"\r")
        if not octets or len(octets) > _LONGEST:
            report.wrong(
                path, f"{self.path(written, report, path)} is {'longer than 4 kB' if octets else 'empty'}"
            )
            return None
        if octets != octets.strip() or octets.startswith(codecs.BOM_UTF8):
            file = self.path(written, report, path)
            report.warn(
                path,
                f"{file} begins or ends with a space, a line break or a byte order "
                "mark, which is then part of the secret; write it alone, in one line",
            )
        return Secret(octets)

    def readable(self, written: str, report: Report, path: Path, *, private: bool = False) -> str:
        """The path of a file that is there and can be opened."""
        if private:
            self._octets(written, report, path)
        else:
            self._open(written, report, path)
        return self.path(written, report, path)

    def _octets(self, written: str, report: Report, path: Path, *, longest: int = _LONGEST) -> bytes | None:
        octets = self._open(written, report, path, longest=longest)
        if octets is not None and File(self.path(written, report, path)).stat().st_mode & _ANYBODY:
            report.warn(
                path, f"{self.path(written, report, path)} is open to everybody on this machine; chmod o= it"
            )
        return octets

    def _open(self, written: str, report: Report, path: Path, *, longest: int = _LONGEST) -> bytes | None:
        try:
            with File(self.path(written, report, path)).open("rb") as opened:
                return opened.read(longest + 2)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "not a path"
            report.wrong(path, f"cannot read {self.path(written, report, path)}: {why.lower()}")
            return None
