"""A deployment resolved against the catalog: interfaces, flows, and why each row is in or out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flowbridge.catalog.edition_choice import EditionChoice
from flowbridge.catalog.reading.located_yaml import Location
from flowbridge.catalog.row import Row, Table
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.interface import Interface


class Outcome(StrEnum):
    """What became of a row of a requested service."""

    CARRIED = "carried"  # became flows
    OFF = "off"  # a switch of the deployment keeps it closed
    OTHER = "other"  # for another release, size, platform or topology
    ABSENT = "absent"  # a party of the row is not in the deployment
    ELSEWHERE = "elsewhere"  # both ends are outside this deployment
    LOCAL = "local"  # never leaves one host
    REPLY = "reply"  # answers of another row, which return with its own packets
    UNPRINTED = "unprinted"  # errata: printed, and the printed row cannot be resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A row of a requested service, its outcome, and in words what decided it."""

    id: str
    table: Table
    row: Row
    outcome: Outcome
    reason: str
    flows: tuple[Flow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Everything later rooms need; nothing in it depends on a cloud's rule format.

    `editions` are those that the rows of the requested services are read from. Of a file with
    places `place` says which one this is, and `moved` where the keys of `site` stand in the file.
    """

    site: Site
    file: str
    interfaces: tuple[Interface, ...]
    flows: tuple[Flow, ...]
    selected: tuple[Selected, ...]
    findings: tuple[Finding, ...]
    editions: tuple[EditionChoice, ...] = ()
    place: str = ""
    moved: Mapping[Location, Location] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The file, and which of its places."""
        return f"{self.file} ({self.place})" if self.place else self.file
