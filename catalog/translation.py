"""Ports that something in front of a system has to translate (`catalog/translations.yaml`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from flowbridge.catalog.ports import HIGHEST_PORT
from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.record import Entries, Record

FILE: Final = Path(__file__).with_name("translations.yaml")

Port = Annotated[int, Field(ge=1, le=HIGHEST_PORT)]


class Translation(Record):
    """TCP to `outside` at the public address of `party` has to arrive at `inside`.

    `rows` are the rows that ask for what arrives; they apply one at a time.
    """

    service: str
    party: str
    outside: Port
    inside: Port
    rows: tuple[str, ...] = Field(min_length=1)


class Translations(Entries[dict[str, Translation]]):
    """All of them by name."""


@cache
def translations() -> tuple[Translation, ...]:
    """Our own file. Raises BadFileError where it is faulty."""
    return tuple(read_model(FILE, Translations).root.values())
