"""What every section of the settings file has in common."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, PlainValidator

from radius_push.settings import scalars as s


def mapping(value: object) -> object:
    """A key with nothing behind it says what an empty mapping says."""
    return {} if value is None else value


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    REQUIRED: ClassVar[tuple[str, ...]] = ()


Accepted = Annotated[bool, PlainValidator(s.only("accepted"))]
Unchecked = Annotated[bool, PlainValidator(s.only("unchecked"))]
