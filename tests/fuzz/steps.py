"""Work, counted and not timed: how many calls something makes, and how many octets it hashes."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch


@dataclass(slots=True)
class Work:
    calls: int = 0
    """Of Python's functions and of C's."""
    lines: int = 0
    """Of Python that were passed, each time round a loop again."""
    hashed: int = 0
    """Octets."""


@contextlib.contextmanager
def counted() -> Iterator[Work]:
    """What is done inside, on this thread."""
    work = Work()

    def called(frame: object, event: str, argument: object) -> None:
        if event in {"call", "c_call"}:
            work.calls += 1

    def passed(frame: object, event: str, argument: object) -> Callable[..., Any]:
        work.lines += event == "line"
        return passed

    with (
        patch.object(hashlib, "md5", _weighed(hashlib.md5, work)),
        patch.object(hashlib, "sha256", _weighed(hashlib.sha256, work)),
        patch.object(hmac, "digest", _weighed_digest(work)),
    ):
        sys.setprofile(called)
        sys.settrace(passed)
        try:
            yield work
        finally:
            sys.settrace(None)
            sys.setprofile(None)


def _weighed(real: Callable[..., Any], work: Work) -> Callable[..., Any]:
    def made(octets: bytes = b"", **flags: Any) -> Any:
        work.hashed += len(octets)
        return real(octets, **flags)

    return made


def _weighed_digest(work: Work) -> Callable[..., bytes]:
    real = hmac.digest

    def digest(key: bytes, octets: bytes, name: str) -> bytes:
        work.hashed += len(octets)
        return real(key, octets, name)

    return digest
