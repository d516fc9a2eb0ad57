"""A slow reader of flows: is this packet asked for? Loops and `in`, nothing of the engine."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.interface import Interface
from flowbridge.policy.point import Direction


@dataclass(frozen=True)
class FiveTuple:
    source: IPv4Address | IPv6Address
    destination: IPv4Address | IPv6Address
    protocol: int
    source_port: int
    port: int


def asked_at(
    flows: Iterable[Flow], card: Interface, direction: Direction, packet: FiveTuple
) -> bool:
    """Whether some flow asks `card` to let `packet` pass in `direction`."""
    for flow in flows:
        here, peer, address, sources = (
            (flow.source, flow.destination, packet.destination, flow.source_ports)
            if direction is Direction.EGRESS
            else (flow.destination, flow.source, packet.source, flow.arriving_ports)
        )
        if here.interface is None or here.interface.key != card.key:
            continue
        if flow.protocol != packet.protocol:
            continue
        if not any(address in network for network in peer.addresses):
            continue
        if flow.protocol.has_ports and not any(packet.source_port in s for s in sources):
            continue
        ports = flow.protocol.has_ports or flow.protocol in (Protocol.ICMP, Protocol.ICMPV6)
        if ports and not any(packet.port in span for span in flow.destination_ports):
            continue
        return True
    return False


def near(flows: tuple[Flow, ...], dice: random.Random) -> FiveTuple:
    """A packet in a flow or just beside it: most random packets would hit nothing."""
    flow = dice.choice(flows)

    def address(networks: tuple[object, ...]) -> IPv4Address | IPv6Address:
        network = dice.choice(networks)
        offset = dice.randrange(min(network.num_addresses, 2**32))  # type: ignore[attr-defined]
        found = network.network_address + offset + dice.choice([0, 0, 0, 0, 1])  # type: ignore[attr-defined]
        return ip_address(str(found))

    def port(spans: tuple[object, ...]) -> int:
        span = dice.choice(spans)
        around = (span.first, span.last, dice.randint(span.first, span.last))  # type: ignore[attr-defined]
        return min(65535, max(0, dice.choice(around) + dice.choice([0, 0, 0, 1, -1])))

    return FiveTuple(
        address(flow.source.addresses),
        address(flow.destination.addresses),
        dice.choice([flow.protocol, flow.protocol, flow.protocol, Protocol.TCP, Protocol.UDP]),
        port(flow.source_ports),
        port(flow.destination_ports),
    )
