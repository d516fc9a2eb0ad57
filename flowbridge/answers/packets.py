"""Packets, as every answer spells them."""

from __future__ import annotations

from pydantic import Field

from flowbridge.answers.part import Part
from flowbridge.policy.point import Direction


class Packet(Part):
    """One packet, seen from the interface that it is about."""

    peer: str
    """The address of the other end."""
    protocol: str
    """`tcp`, `udp`, `icmp`, or the number of another."""
    source_port: int | None = None
    """Of TCP and UDP only."""
    port: int | None = None
    """The destination port, of TCP and UDP only."""
    type: int | None = None
    """Of ICMP only."""
    code: int | None = None
    """Of ICMP only."""


class Block(Part):
    """Every packet between these peers, from these source ports, to these ports."""

    peers: list[str]
    """Networks in CIDR notation."""
    protocol: str
    """A protocol, or `any protocol`."""
    but: list[str] | None = Field(None, alias="except")
    """With `any protocol`: those that are not meant."""
    source_ports: list[str] | None = None
    """Ranges such as `36000-36010 even`; not of ICMP."""
    ports: list[str] | None = None
    """Ranges of destination ports; not of ICMP."""
    types: list[str] | None = None
    """Of ICMP only: types, with codes where not all are meant."""


class Packets(Part):
    """A set of packets, exactly."""

    count: int
    """How many there are."""
    blocks: list[Block]
    """The set as blocks that do not overlap."""
    example: Packet | None
    """One of them; null where the set is empty."""


class At(Part):
    """What happens at one interface in one direction."""

    interface: str
    """`expressway-e/external`."""
    direction: Direction
