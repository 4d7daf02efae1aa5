"""What the pages say is what the code does: made from it, loaded by it, and leading where they point."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from radius_push import __version__
from radius_push.cli import VERBS
from radius_push.settings import load

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[(?:[^][]|\[[^][]*\])*\]\(([^()\s]+)\)")
_MACHINE = re.compile(r"/work\b|/root\b|/tmp/|bash_jobs|site-packages")
FILES = {
    "fw.secret": "a secret of a firewall, 32 octets",
    "ldap.secret": "a secret of a directory",
    "corp-ca.pem": "",
    "mfa.pem": "",
    "mfa.key": "",
}
"""What settings in the pages name under /etc/radius-push."""
SHOWN_ONLY = {"", "sh", "text", "ini", "nginx", "sql", "json", "kotlin", "swift"}


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Each block of code: what stands behind its backquotes, and its text without indentation."""
    for indent, info, text in _FENCE.findall(page.read_text(encoding="utf-8")):
        yield info.strip(), re.sub(rf"^{indent}", "", text, flags=re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What GitHub makes of each heading."""
    headings = re.findall(r"^#{1,6} +(.+?) *$", prose(page), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def test_the_reference_says_what_the_code_says() -> None:
    checked = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "reference.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, f"{checked.stderr}run `.venv/bin/python tools/reference.py`"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{name(page)}: {link} leads nowhere"
        assert file.is_relative_to(ROOT), f"{name(page)}: {link} leads out of the project"
        if anchor:
            assert anchor in anchors(file), f"{name(page)}: {name(file)} has no heading for {link}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_speaks_of_the_machine_it_was_written_on(page: Path) -> None:
    found = _MACHINE.search(page.read_text(encoding="utf-8"))
    assert found is None, f"{name(page)}: {found[0]}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_settings_file_in_a_page_is_good(page: Path, tmp_path: Path) -> None:
    for file, text in FILES.items():
        (tmp_path / file).write_text(text)
        (tmp_path / file).chmod(0o600)
    for info, text in blocks(page):
        assert info in {*SHOWN_ONLY, "yaml", "yaml fragment"}, (
            f"{name(page)}: ```{info}: a part of a settings file is a `yaml fragment`"
        )
        if info == "yaml":
            settings = tmp_path / "radius-push.yaml"
            settings.write_text(text.replace("/etc/radius-push/", f"{tmp_path}/"))
            load(settings, environ={"OCSERV_SECRET": "a secret of an ocserv, 32 octets"})


def test_the_sample_is_good(tmp_path: Path) -> None:
    sample = shutil.copy(ROOT / "config" / "radius-push.yaml", tmp_path)
    load(Path(sample), environ={})


def test_every_verb_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "verbs.md").read_text(encoding="utf-8")
    for verb in VERBS:
        assert f"## `{verb}`" in page


def test_every_page_of_the_docs_can_be_reached_from_the_readme() -> None:
    seen, ahead = set[Path](), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        seen.add(page)
        for link in _LINK.findall(prose(page)):
            file = (page.parent / link.partition("#")[0]).resolve()
            if file.suffix == ".md" and file.exists() and file not in seen:
                ahead.append(file)
    lonely = [name(page) for page in PAGES if page not in seen]
    assert not lonely, f"no page leads to {', '.join(lonely)}"


def test_the_changelog_has_a_section_for_what_is_here() -> None:
    headings = re.findall(
        r"^## \[?([^]\s]+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert "Unreleased" in headings or __version__ in headings
