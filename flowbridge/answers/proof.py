"""The proof, as a part of `flowbridge check`."""

from __future__ import annotations

from pydantic import Field

from flowbridge.answers.packets import At, Packet, Packets
from flowbridge.answers.part import Part


class Decision(Part):
    """What one filter does with a counterexample."""

    filter: str
    allowed: bool
    rule: str | None
    """The rule that decides; null where the filter's default does."""
    why: str


class Counterexample(Part):
    """A packet for which the proof fails."""

    packet: Packet
    rows: list[str]
    """The rows that ask for it."""
    decisions: list[Decision]


class FilterProof(Part):
    """One filter by itself, against what it needs: flows, and replies where it has no state."""

    filter: str
    kind: str
    stateful: bool
    missing: Packets
    """Needed and refused."""
    missing_replies: Packets
    excess: Packets
    """Allowed beyond its need."""
    refused_behind: Packets
    """The part of the excess that the other filters of the point stop."""
    unplanned: Packets
    """Allowed beyond the same filter of the plan."""


class PointProof(At):
    """What is enforced at one point against what is intended there."""

    holds: bool
    intended: int
    """How many packets the flows ask for."""
    enforced: int
    """How many packets the filters let through."""
    missing: Packets
    missing_replies: Packets
    excess: Packets
    unexplained: Packets
    """Excess that the cloud would not have needed."""
    filters: list[FilterProof]
    counterexamples: list[Counterexample]


class Crossing(Packets):
    """Packets between two interfaces, to these destinations."""

    destinations: list[str]


class PassageProof(Part):
    """What goes from one interface of the deployment to another, past the filters of both."""

    source: str = Field(alias="from")
    destination: str = Field(alias="to")
    sources: list[str]
    destinations: list[str]
    holds: bool
    missing: list[Crossing]
    missing_replies: list[Crossing]
    excess: list[Crossing]
    rows: list[str]
    unserved: list[str]
    """Rows that ask for what is missing."""


class Proof(Part):
    """Emitted against intended: every point, and every passage between interfaces."""

    holds: bool
    failures: list[str]
    """One sentence for each way in which it fails."""
    points: list[PointProof]
    passages: list[PassageProof]
