"""What an Expressway listens on, so that no two share a port (`catalog/listeners.yaml`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from flowbridge.catalog.condition import ALWAYS, Condition
from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.record import Entries, Record
from flowbridge.catalog.row import L4, Ranges

FILE: Final = Path(__file__).with_name("listeners.yaml")


class Listener(Record):
    """One service that listens, as `listeners.yaml` explains its keys."""

    what: str
    row: Annotated[str, Field(pattern=r"^[a-z-]+/\d+/\d+$")]
    protocols: tuple[L4, ...] = Field(min_length=1)
    ports: Ranges = ()
    parameter: str | None = None
    key: str = ""
    on: tuple[str, ...] = Field(min_length=1)
    when: Condition = ALWAYS
    beside: tuple[str, ...] = ()
    at_start_of: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _ports_in_one_place(self) -> Self:
        if bool(self.ports) == (self.parameter is not None):
            raise ValueError("give either `ports` or `parameter`, not both")
        return self


class Listeners(Entries[dict[str, Listener]]):
    """All of them by name."""


@cache
def listeners() -> dict[str, Listener]:
    """Our own file. Raises BadFileError where it is faulty."""
    return read_model(FILE, Listeners).root
