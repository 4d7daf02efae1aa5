"""What every section of the settings file has in common."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, PlainValidator

from radius_push.settings import scalars as s


def mapping(value: object) -> object:
    """A key with nothing behind it says what an empty mapping says."""
    return {} if value is None else value


def key_of(field: str) -> str:
    """As the file writes it: `from` is no name in Python, and its field is called `from_`."""
    return field.removesuffix("_")


class Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        alias_generator=lambda name: key_of(name),
    )
    REQUIRED: ClassVar[tuple[str, ...]] = ()


Accepted = Annotated[bool, PlainValidator(s.only("accepted"))]
Unchecked = Annotated[bool, PlainValidator(s.only("unchecked"))]
