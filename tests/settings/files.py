"""A small settings file that is good, to be broken one line at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from radius_push import shapes
from radius_push.settings import SettingsError, load

HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A"
SECRET = "a-secret-of-32-octets-0123456789"
GOOD = f"""\
server:
  store: sqlite://state.db
  listen:
    authentication: ["127.0.0.1:1812"]
    phone: {{address: "127.0.0.1:8443", url: "http://localhost:8443"}}
methods: {{push: {{}}}}
clients:
  fw1:
    addresses: [10.0.0.11]
    secret: {{env: FW1}}
    profiles: [staff-push]
    patience: 60s
authentication_profiles:
  corp:
    type: ldap
    urls: [ldaps://dc1.example.com]
    base_dn: dc=example,dc=com
    bind_dn: cn=reader,dc=example,dc=com
    bind_password: {{env: LDAP}}
  local:
    type: local
    users:
      zoe: {{password_hash: "{HASH}", group_name: [admins]}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [corp, local]}}
policies:
  - name: IT
    profile: staff-push
    authentication_profile: corp
    attribute: department
    values: [IT]
"""
ENVIRON = {"FW1": SECRET, "LDAP": "ldap-password-canary", "EMPTY": ""}


def written(folder: Path, text: str, name: str = "radius-push.yaml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def changed(*changes: tuple[str, str]) -> str:
    """The good file, with the second text of each pair in place of the first."""
    text = GOOD
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the good file"
        text = text.replace(old, new)
    return text


def good(folder: Path, text: str, environ: Mapping[str, str] = ENVIRON) -> shapes.Settings:
    return load(written(folder, text), environ=environ)


def mistakes(folder: Path, text: str, environ: Mapping[str, str] = ENVIRON) -> list[str]:
    """`LINE:COL: path: sentence`, each; the text must not be good."""
    with pytest.raises(SettingsError) as caught:
        load(written(folder, text), environ=environ)
    prefix = f"{folder / 'radius-push.yaml'}:"
    return [str(each).removeprefix(prefix).strip() for each in caught.value.mistakes]


def warnings(folder: Path, text: str, environ: Mapping[str, str] = ENVIRON) -> list[str]:
    prefix = f"{folder / 'radius-push.yaml'}:"
    return [each.removeprefix(prefix) for each in good(folder, text, environ).warnings]
