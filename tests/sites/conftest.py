"""An OpenLDAP with the people and groups of the example sites."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.directory.slapd import Slapd, group, person

PEOPLE = {
    "sam": {"departmentNumber": "IT"},
    "carol": {"departmentNumber": "IT"},
    "vera": {},
    "backup": {},
}
GROUPS = {"vpn-staff": ("sam", "carol"), "vpn-contractors": ("carol",), "vpn-robots": ("backup",)}


@pytest.fixture(scope="session")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    server = Slapd()
    try:
        server.start(tmp_path_factory.mktemp("slapd") / "server")
        admin = server.admin()
        for uid, attributes in PEOPLE.items():
            if uid == "carol":  # is seeded already
                assert admin.modify(person(uid)[0], {"departmentNumber": [("MODIFY_ADD", ["IT"])]})
                continue
            assert admin.add(*person(uid, mail=f"{uid}@example.com", userPassword="pass", **attributes))
        for name, members in GROUPS.items():
            assert admin.add(*group(name, *members))
        admin.unbind()
        yield server
    finally:
        server.stop()
