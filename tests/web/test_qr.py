"""A QR code is what a camera makes of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from radius_push.web.qr import svg

LINK = "https://mfa.example.com/#enrol=" + "A" * 22


def test_it_is_a_whole_file_black_on_white() -> None:
    file = svg(LINK).decode()
    assert file.startswith("<?xml")
    assert 'fill="#fff"' in file
    assert 'stroke="#000"' in file


@pytest.mark.slow
def test_a_camera_reads_the_link_from_a_dark_page(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    (tmp_path / "qr.svg").write_bytes(svg(LINK))
    page_file, shot = tmp_path / "page.html", tmp_path / "page.png"
    page_file.write_text('<body style="background:#000"><img src="qr.svg" width="300">')
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(page_file.as_uri())
        page.screenshot(path=shot)
        browser.close()
    read = subprocess.run(["zbarimg", "-q", "--raw", shot], capture_output=True, text=True, check=True)
    assert read.stdout.strip() == LINK
