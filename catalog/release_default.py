"""Facts whose default the release decides (`catalog/release-defaults.yaml`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from flowbridge.catalog.condition import Condition
from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.record import Entries, Record

FILE: Final = Path(__file__).parent / "release-defaults.yaml"


class ReleaseDefault(Record):
    """`true_when`: where the fact is true by default; `row`: the row that says so."""

    true_when: Condition
    row: Annotated[str, Field(pattern=r"^[a-z-]+/\d+/\d+$")]
    description: str


class ReleaseDefaults(Entries[dict[str, ReleaseDefault]]):
    """All of them, by fact."""


@cache
def release_defaults() -> dict[str, ReleaseDefault]:
    """By fact. BadFileError where the data is faulty."""
    return read_model(FILE, ReleaseDefaults).root
