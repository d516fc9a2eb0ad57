"""Where packets are judged: one interface of one workload, in one direction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Seen from the interface: `ingress` arrives at it, `egress` leaves it."""

    INGRESS = "ingress"
    EGRESS = "egress"

    __hash__ = str.__hash__  # the one of an enumeration looks up its name each time

    @property
    def opposite(self) -> Direction:
        return Direction.EGRESS if self is Direction.INGRESS else Direction.INGRESS


@dataclass(frozen=True, order=True, slots=True)
class Point:
    """`expressway-e/external ingress`: the key of every packet set in a policy."""

    interface: str
    direction: Direction

    @property
    def opposite(self) -> Point:
        """The way back, which answers take."""
        return Point(self.interface, self.direction.opposite)

    def __str__(self) -> str:
        return f"{self.interface} {self.direction}"
