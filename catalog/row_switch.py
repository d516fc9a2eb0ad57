"""Switches: settings that exist only to open or close rows (`catalog/switches.yaml`).

A row names one in its `when` as `option.switches.<name>`; a deployment sets it under
`options.switches`. A switch of one's own stands in an overlay. No code knows any of them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Self

from pydantic import Field, model_validator

from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.record import Entries, Record

FILE: Final = Path(__file__).with_name("switches.yaml")


class RowSwitch(Record):
    """`default` with nothing set; `values` where it is more than true and false."""

    description: str
    default: bool | str = False
    values: tuple[str, ...] = Field(())

    @property
    def choices(self) -> tuple[str, ...]:
        """What a deployment may write, as text."""
        return self.values or ("true", "false")

    def takes(self, value: bool | str) -> bool:
        """Whether a deployment may set it to this."""
        return value in self.values if self.values else isinstance(value, bool)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.values and self.default not in self.values:
            raise ValueError(f"`default` is one of the values: {', '.join(self.values)}")
        if not self.values and not isinstance(self.default, bool):
            raise ValueError("`default` is true or false where no `values` are given")
        return self


class RowSwitches(Entries[dict[str, RowSwitch]]):
    """All switches by name."""


@cache
def row_switches() -> dict[str, RowSwitch]:
    """Our own switches. BadFileError where the data is faulty."""
    return read_model(FILE, RowSwitches).root
