"""Parameters: settings of a system that move a printed port (`catalog/parameters.yaml`)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from flowbridge.catalog.record import Entries, Record
from flowbridge.catalog.row import Ranges


class Parameter(Record):
    """A named setting: where its default is printed, and which option of a deployment moves it.

    `row` is the row that prints the default (`expressway/3/10`); `source` stands for it where the
    default is in no table. `default` is the ports with nothing configured; empty where they depend
    on the size of the system (the rows print each) or where the deployment has to supply them.
    `supplied_by` is the path of the option in a deployment file.
    """

    row: Annotated[str, Field(pattern=r"^[a-z-]+/\d+/\d+$")] | None = None
    source: str | None = None
    default: Ranges | None = None
    description: str
    supplied_by: Annotated[str, Field(pattern=r"^options\.[a-z0-9_.-]+$")]

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.row is None) == (self.source is None):
            raise ValueError("give either `row` (a row prints the default) or `source`, not both")
        return self


class Parameters(Entries[dict[str, Parameter]]):
    """All parameters by name."""
