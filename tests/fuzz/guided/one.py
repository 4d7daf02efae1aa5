"""One harness under libFuzzer, in a process of its own: `python -m tests.fuzz.guided.one door FLAGS...`."""

from __future__ import annotations

import atexit
import logging
import random
import sys

import atheris

with atheris.instrument_imports(include=["radius_push.radius", "radius_push.proofs", "radius_push.listen"]):
    from tests.fuzz.guided.table import HARNESSES


from tests.fuzz.guided import sealing
from tests.fuzz.guided.harness import Harness


def main() -> None:
    """Fuzz until libFuzzer's own flags say stop; it ends the process."""
    program, name, *flags = sys.argv
    harness = HARNESSES[name]
    logging.disable()
    atexit.register(harness.close)
    mutator = {"custom_mutator": _mutator(harness)} if harness.mend else {}
    atheris.Setup([program, *flags], harness.play, **mutator)
    atheris.Fuzz()


def _mutator(harness: Harness):  # type: ignore[no-untyped-def]  # atheris has no types
    def mutate(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        changed = (
            atheris.Mutate(data, most)
            if rng.random() < 0.5
            else sealing.shuffled(data, rng, atheris.Mutate, most)
        )
        # Now and then it stays broken: the seal itself is a parser, too.
        return harness.mend(changed) if harness.mend and rng.random() < 0.9 else changed

    return mutate


if __name__ == "__main__":
    main()
