"""What every test may rely on."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from radius_push.store import file

# Who is started in the background of a script ignores Ctrl-C, and hands that on to all that it starts:
# verbs that a test interrupts would go on for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _a_new_store_begins_as_a_copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """To run every migration takes longer than most tests: they are run once, and a store that this process
    makes begins with what they left. Tests that change the migrations run theirs."""
    template, make, all_of_them = tmp_path_factory.mktemp("schema") / "state.db", file._make, file.MIGRATIONS
    file.open_file(template).close()
    octets = template.read_bytes()

    def copied(path: Path) -> None:
        make(path)
        with contextlib.suppress(PermissionError):  # what a test lets nobody read stays as it is
            if all_of_them is file.MIGRATIONS and path.stat().st_size == 0:
                path.write_bytes(octets)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file, "_make", copied)
        yield
