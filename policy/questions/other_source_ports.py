"""Rows that ask for a packet but for its source port: the near miss of a question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from flowbridge.catalog.ports import ANY_PORT, PortRange
from flowbridge.policy.compiled import Policy
from flowbridge.policy.packets.as_json import plain_ports
from flowbridge.policy.packets.packet import Packet
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Point


@dataclass(frozen=True, order=True, slots=True)
class OtherSourcePorts:
    """`row` asks for the packet if it comes from one of `source_ports`."""

    row: str
    source_ports: tuple[PortRange, ...]

    def __str__(self) -> str:
        return f"{self.row} (from source ports {', '.join(plain_ports(self.source_ports))})"

    def as_plain(self) -> dict[str, Any]:
        return {"row": self.row, "source_ports": plain_ports(self.source_ports)}


def other_source_ports(
    policy: Policy, ends: list[tuple[Point, Packet]]
) -> tuple[OtherSourcePorts, ...]:
    """The rows that ask at every one of `ends` for the packet with another source port."""
    found = [frozenset(_near(policy, point, packet)) for point, packet in ends]
    return tuple(sorted(frozenset.intersection(*found))) if found else ()


def _near(policy: Policy, point: Point, packet: Packet) -> Iterator[OtherSourcePorts]:
    port = PortRange(packet.destination_port, packet.destination_port)
    asked = PacketSet.of((ip_network(packet.peer),), packet.protocol, (ANY_PORT,), (port,))
    for demand in policy.demands.get(point, ()):
        flow = demand.flow
        if flow.protocol == packet.protocol and demand.packets & asked:
            yield from (OtherSourcePorts(row, flow.source_ports) for row in flow.rows)
