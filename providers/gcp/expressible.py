"""What the rules of Google Cloud can say: peers, protocols and destination ports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.compiled import Policy
from flowbridge.policy.packets.packet_set import EVERY_ADDRESS, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.provider import Excess

_ICMP: Final = (Protocol.ICMP, Protocol.ICMPV6)


def expressible(intended: PacketSet) -> PacketSet:
    """The tightest set that rules can say around `intended`: every source port, and every ICMP
    type where there is one."""
    return intended.without_source_ports() | _all_types(intended)


def _all_types(intended: PacketSet) -> PacketSet:
    return PacketSet.union(
        PacketSet.of((peer for box in asked.boxes() for peer in box.peers), protocol)
        for protocol in _ICMP
        if intended.line(protocol)
        if (asked := intended & PacketSet.of(EVERY_ADDRESS, protocol))
    )


def excess(policy: Policy) -> Iterator[Excess]:
    """What the rules let through at each interface and nobody asks for."""
    for interface in policy.interfaces:
        for direction in Direction:
            point = Point(interface.key, direction)
            intended = policy.intended(point)
            free = intended.without_source_ports()
            if ports := free - intended:
                yield Excess(
                    str(point), "Google Cloud firewall rules do not match source ports", ports
                )
            if types := _all_types(intended) - free:
                yield Excess(
                    str(point), "Google Cloud firewall rules do not tell ICMP types apart", types
                )
