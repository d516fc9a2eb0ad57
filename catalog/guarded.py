"""Guarded services: what no stranger may reach, whoever asks for it (`catalog/guarded.yaml`).

Port guide, chapter 2: management ports are open to connections from inside only; what serves
inside systems is printed with inside systems as its sources.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, Self

from pydantic import Field, model_validator

from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.record import Entries, Record
from flowbridge.catalog.row import L4, Ranges

FILE: Final = Path(__file__).with_name("guarded.yaml")


class Guard(StrEnum):
    """Why a service is guarded."""

    MANAGEMENT = "management"
    DATABASE = "database"
    INSIDE = "inside"  # for systems of the inside only


class GuardedService(Record):
    """Ports on which a party offers something that is not for strangers.

    `what` names it in a message. Without `ports` and `parameter` it is every packet of its
    protocols; a `parameter` is the deployment's own value of it.
    """

    what: str
    guard: Guard
    protocols: tuple[L4, ...] = Field(min_length=1)
    ports: Ranges = ()
    parameter: str | None = None

    @model_validator(mode="after")
    def _ports_in_one_place(self) -> Self:
        if self.ports and self.parameter is not None:
            raise ValueError("give either `ports` or `parameter`, not both")
        return self


class GuardedParty(Record):
    """The guarded services of one party. `rest` names the party where all it offers is for the
    inside, also on ports that no row prints."""

    services: tuple[GuardedService, ...] = ()
    rest: str | None = None


class GuardedParties(Entries[dict[str, GuardedParty]]):
    """All of them by the name of the party."""


@cache
def guarded() -> dict[str, GuardedParty]:
    """Our own file. Raises BadFileError where it is faulty."""
    return read_model(FILE, GuardedParties).root
