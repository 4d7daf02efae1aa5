"""Whether a gateway's people read the trace code."""

from __future__ import annotations

from pathlib import Path

from tests.settings.files import changed, good, mistakes

PATIENCE = "    patience: 60s\n"


def test_the_code_is_read_unless_the_client_or_all_say_no(tmp_path: Path) -> None:
    assert good(tmp_path, changed()).clients["fw1"].trace_code
    said = changed((PATIENCE, f"{PATIENCE}    trace_code: no\n"))
    assert not good(tmp_path, said).clients["fw1"].trace_code
    for_all = changed(("clients:\n", "client_defaults: {trace_code: no}\nclients:\n"))
    assert not good(tmp_path, for_all).clients["fw1"].trace_code
    but_one = for_all.replace(PATIENCE, f"{PATIENCE}    trace_code: yes\n")
    assert good(tmp_path, but_one).clients["fw1"].trace_code


def test_another_word_is_a_mistake(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, changed((PATIENCE, f"{PATIENCE}    trace_code: always\n")))
    assert "clients.fw1.trace_code: write yes or no" in said
