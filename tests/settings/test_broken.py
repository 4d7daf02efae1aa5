"""Broken settings files, whole, and what `check` prints of each: broken/NAME.yaml and broken/NAME.txt.

After a change of sentences: `python -m tests.settings.test_broken` writes the .txt files; read the diff.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from radius_push.cli.check import check

BROKEN = Path(__file__).parent / "broken"
FILES = sorted(BROKEN.glob("*.yaml"))
ENVIRON = {"FW_SECRET": "a secret of more than 16 octets", "LDAP_PASSWORD": "another one"}


def printed(file: Path, folder: Path) -> tuple[int, str]:
    """Exit code and output of `check`, with the file's bare name as its path."""
    shutil.copy(file, folder)
    ended = CliRunner().invoke(check, [str(folder / file.name)], env=ENVIRON)
    return ended.exit_code, ended.output.replace(f"{folder}/", "")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_mistake_is_printed_with_its_place_and_its_mend(file: Path, tmp_path: Path) -> None:
    assert printed(file, tmp_path) == (1, file.with_suffix(".txt").read_text(encoding="utf-8"))


def test_there_are_twenty_and_no_more_sentences_than_files() -> None:
    assert len(FILES) >= 20
    assert {file.stem for file in FILES} == {file.stem for file in BROKEN.glob("*.txt")}


if __name__ == "__main__":
    import tempfile

    for each in FILES:
        with tempfile.TemporaryDirectory() as made:
            each.with_suffix(".txt").write_text(printed(each, Path(made))[1], encoding="utf-8")
