"""`flowbridge trace`."""

from __future__ import annotations

from pydantic import Field

from flowbridge.answers.packets import At, Packet
from flowbridge.answers.part import Answer, Part
from flowbridge.policy.questions.trace import Extent, Leg, Verdict


class End(Part):
    """One end of the packet that was followed."""

    name: str
    """A system, an interface, or the address itself."""
    address: str


class Hop(At):
    """One filter on the way and what it decides."""

    leg: Leg
    """The packet itself, or its reply."""
    filter: str
    kind: str
    """`security-group`, `network-acl`, `nsg`, `vpc-firewall`, …"""
    verdict: Verdict
    rule: str | None
    """The rule that decides; null where the filter's default does."""
    rows: list[str]
    """The documented rows that the rule carries."""
    description: str
    """Of the rule, as it stands in the cloud."""
    why: str
    packet: Packet
    """As this interface sees it."""


class ClosedRow(Part):
    """A documented row that would open it."""

    row: str
    service: str
    purpose: str
    outcome: str
    """Why it opens nothing here: `off`, `absent`, `not-requested`, …"""
    reason: str
    """What would change that, in words."""
    missing_parties: list[str]
    """Parties of the row that the deployment does not list."""


class OtherSourcePorts(Part):
    """A row that asks for the packet from other source ports."""

    row: str
    source_ports: list[str]


class OtherAddresses(Part):
    """A row that asks for the packet between other addresses of the two ends."""

    row: str
    source: str = Field(alias="from")
    destination: str = Field(alias="to")


class OtherPath(Part):
    """Another way in which the two ends meet."""

    path: str
    extent: Extent
    """How many of the packets get through there."""


class TracePart(Part):
    """The verdict on packets between two ends, followed hop by hop on one of them."""

    question: str
    verdict: Verdict
    extent: Extent
    """How many of the packets asked about get through."""
    covers: str | None = None
    """Where some do: how many, in words."""
    source: End = Field(alias="from")
    destination: End = Field(alias="to")
    protocol: str
    source_port: int
    port: int
    rows: list[str]
    """Rows that ask for the packet; none though it is allowed: excess."""
    decided_by: Hop | None
    """The hop that refuses, or the last one; null where no filter sees the packet."""
    hops: list[Hop]
    would_open: list[ClosedRow]
    other_source_ports: list[OtherSourcePorts]
    other_addresses: list[OtherAddresses]
    others: list[OtherPath]
    not_judged: list[str] | None = None
    """What else an end may be behind, which is not known here."""


class Trace(TracePart, Answer):
    """The answer of `flowbridge trace`."""
