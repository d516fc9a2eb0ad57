"""One packet, and a block of packets, as an interface sees them.

Units: ports 0..65535; for ICMP and ICMPv6 the "destination port" is `type * 256 + code` and the
source port is free; for protocols without ports (AH, ESP, GRE) both are free.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
)
from typing import Final

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.packets.relation import (
    ICMP,
    WITH_PORTS,
)

Network = IPv4Network | IPv6Network

Address = IPv4Address | IPv6Address

# ICMP types that are answered, and the type of the answer (code 0): RFC 792, RFC 950, RFC 4443,
# RFC 4620. All other types are errors or announcements and have no reply.
ICMP_ANSWERS: Final = {
    Protocol.ICMP: {8: 0, 13: 14, 15: 16, 17: 18},
    Protocol.ICMPV6: {128: 129, 139: 140},
}


def icmp_code(kind: int, code: int | None = None) -> PortRange:
    """The "destination ports" that stand for an ICMP type and code (all codes without one)."""
    return PortRange(kind * 256 + (code or 0), kind * 256 + (255 if code is None else code))


def icmp_span(span: PortRange) -> str:
    """`8/0`, `3/0-255` or `0-255` (whole types) for a span of type * 256 + code."""
    (first, first_code), (last, last_code) = divmod(span.first, 256), divmod(span.last, 256)
    if (first_code, last_code) == (0, 255):
        return str(first) if first == last else f"{first}-{last}"
    if span.first == span.last:
        return f"{first}/{first_code}"
    return f"{first}/{first_code}-{last}/{last_code}"


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet as an interface sees it; `peer` is the remote address in either direction."""

    peer: Address
    protocol: int
    source_port: int
    destination_port: int

    def reply(self) -> Packet | None:
        """The packet that answers this one, seen from the same interface; None: nothing does."""
        if self.protocol in WITH_PORTS:
            return Packet(self.peer, self.protocol, self.destination_port, self.source_port)
        if self.protocol in ICMP:
            reply = ICMP_ANSWERS[Protocol(self.protocol)].get(self.destination_port // 256)
            return None if reply is None else Packet(self.peer, self.protocol, 0, reply * 256)
        return self

    def __str__(self) -> str:
        name = protocol_label(self.protocol)
        if self.protocol in WITH_PORTS:
            return f"{name} peer {self.peer}, port {self.source_port} to {self.destination_port}"
        if self.protocol in ICMP:
            kind, code = divmod(self.destination_port, 256)
            return f"{name} type {kind} code {code}, peer {self.peer}"
        return f"{name}, peer {self.peer}"


@dataclass(frozen=True, slots=True)
class Box:
    """A block of a packet set: every combination of its parts is in the set.

    `protocol` None stands for every protocol but those in `but`, of which the set has other blocks
    or nothing.
    """

    peers: tuple[Network, ...]
    protocol: int | None
    source_ports: tuple[PortRange, ...]
    destination_ports: tuple[PortRange, ...]
    but: tuple[int, ...] = ()

    def __str__(self) -> str:
        peers = ", ".join(map(_short, self.peers[:4])) + (" ..." if len(self.peers) > 4 else "")
        but = f" but {', '.join(map(protocol_label, self.but))}" if self.but else ""
        text = f"{protocol_label(self.protocol)}{but} peers {peers}"
        if self.protocol in WITH_PORTS:
            sources = ", ".join(map(str, self.source_ports[:4]))
            destinations = ", ".join(map(str, self.destination_ports[:8]))
            return f"{text}, source ports {sources}, destination ports {destinations}"
        if self.protocol in ICMP:
            return f"{text}, type {', '.join(map(icmp_span, self.destination_ports[:8]))}"
        return text


def _short(network: Network) -> str:
    """A host without its prefix length."""
    return str(network.network_address if network.num_addresses == 1 else network)


def protocol_label(number: int | None) -> str:
    """`tcp`, `ah`, or `protocol 132` for a number without a name here."""
    if number is None:
        return "any protocol"
    try:
        return Protocol(number).label
    except ValueError:
        return f"protocol {number}"
