"""The app's texts as a test can read them: what stands in `texts/*.js` is JSON but for its manners."""

from __future__ import annotations

import json
import re
from typing import cast

from radius_push.web.phone_files import FOLDER

Texts = dict[str, str | dict[str, str]]

LANGUAGES = ("en", "tr", "de", "es")

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")|(//[^\n]*)|(\w+)(?=:)|,(?=\s*\})|(export default )|;')


def texts_of(language: str) -> Texts:
    written = (FOLDER / "texts" / f"{language}.js").read_text()
    return cast("Texts", json.loads(_TOKEN.sub(_as_json, written)))


def _as_json(token: re.Match[str]) -> str:
    text, _, key, _ = token.groups()
    return text or (f'"{key}"' if key else "")
