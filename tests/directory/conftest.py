"""One slapd for all these tests; one that is frozen, stopped or changed is a test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.directory.slapd import Slapd


@pytest.fixture(scope="session")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """Listens on 127.0.0.2 too, which its certificate does not name."""
    server = Slapd(more_addresses=("127.0.0.2",))
    try:
        server.start(tmp_path_factory.mktemp("slapd") / "server")
        yield server
    finally:
        server.stop()


@pytest.fixture
def own_slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    server = Slapd()
    try:
        server.start(tmp_path_factory.mktemp("slapd") / "server")
        yield server
    finally:
        server.stop()
