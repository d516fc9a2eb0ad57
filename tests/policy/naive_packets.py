"""Packet sets as a reader who distrusts cleverness would do them: lists of plain Python sets.

The universe has eight addresses and a few ports; every set under test is built from networks and
ranges that treat all ports above the highest representative alike, so that agreement on the
universe is agreement everywhere.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from hypothesis import strategies as st

from flowbridge.catalog.ports import ANY_PORT, Parity, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.packets.packet import Network, Packet
from flowbridge.policy.packets.packet_set import PacketSet

ADDRESSES = tuple(
    ip_address(text)
    for text in ("9.255.255.255", "10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "::", "fd00::1")
)
NETWORKS: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/0",
        "10.0.0.0/30",
        "10.0.0.0/31",
        "10.0.0.2/31",
        "10.0.0.1/32",
        "10.0.0.3/32",
        "::/0",
        "fd00::/16",
        "::/128",
    )
)
TOP = 8  # ports above TOP are treated alike, but for parity: hence two representatives
PORTS = (*range(TOP + 1), 65534, 65535)
PROTOCOLS = (Protocol.TCP, Protocol.UDP, Protocol.ICMP, Protocol.AH, 200)

RANGES = st.one_of(
    st.just(ANY_PORT),
    st.builds(
        lambda a, b, parity: PortRange(min(a, b), max(a, b), parity),
        st.integers(0, TOP),
        st.integers(0, TOP),
        st.sampled_from([None, None, Parity.EVEN, Parity.ODD]),
    ),
    st.sampled_from([PortRange(0, 65535, Parity.EVEN), PortRange(3, 65535, Parity.ODD)]),
)


@dataclass(frozen=True)
class Block:
    """What one `PacketSet.of` was asked for."""

    peers: tuple[Network, ...]
    protocol: int | None
    source_ports: tuple[PortRange, ...]
    destination_ports: tuple[PortRange, ...]

    def packets(self) -> PacketSet:
        return PacketSet.of(self.peers, self.protocol, self.source_ports, self.destination_ports)

    def holds(self, packet: Packet) -> bool:
        if self.protocol is not None and self.protocol != packet.protocol:
            return False
        if not any(packet.peer in peer for peer in self.peers):
            return False
        if self.protocol in (Protocol.TCP, Protocol.UDP):
            return any(packet.source_port in span for span in self.source_ports) and any(
                packet.destination_port in span for span in self.destination_ports
            )
        if self.protocol == Protocol.ICMP:
            return any(packet.destination_port in span for span in self.destination_ports)
        return True


BLOCKS = st.builds(
    Block,
    st.lists(st.sampled_from(NETWORKS), max_size=3).map(tuple),
    st.sampled_from([*PROTOCOLS, None]),
    st.lists(RANGES, min_size=1, max_size=2).map(tuple),
    st.lists(RANGES, min_size=1, max_size=2).map(tuple),
)
LISTS = st.lists(BLOCKS, max_size=4)

UNIVERSE = tuple(
    Packet(peer, protocol, source, destination)
    for peer, protocol in itertools.product(ADDRESSES, PROTOCOLS)
    for source, destination in itertools.product(PORTS, PORTS)
)


def engine_set(blocks: list[Block]) -> PacketSet:
    return PacketSet.union(block.packets() for block in blocks)


def naive_set(blocks: list[Block]) -> frozenset[Packet]:
    return frozenset(p for p in UNIVERSE if any(block.holds(p) for block in blocks))


def members(packets: PacketSet) -> frozenset[Packet]:
    """The part of the universe that is in an engine's set."""
    return frozenset(packet for packet in UNIVERSE if packet in packets)
