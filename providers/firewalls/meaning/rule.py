"""Rules as they are read, and what ends a reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network

from flowbridge.catalog.ports import PortRange
from flowbridge.policy.crossing.path_set import PathRule
from flowbridge.policy.packets.line import intervals
from flowbridge.policy.packets.relation import relation_of

Place = tuple[str, str]
"""Where a rule is met: two zones, or one and `*`, as the kind of firewall has it."""
Read = Mapping[Place, tuple[PathRule, ...]]


class NotReadError(ValueError):
    """A text that says something whose meaning is not known."""


def path_rule(
    allow: bool,
    sources: Iterable[str],
    destinations: Iterable[str],
    protocol: int | None,
    source_ports: Iterable[PortRange] | None = None,
    destination_ports: Iterable[PortRange] | None = None,
) -> PathRule:
    """A rule of texts of networks. ValueError for one that is none."""
    ports = relation_of(
        17 if protocol is None else protocol,
        None if source_ports is None else tuple(source_ports),
        None if destination_ports is None else tuple(destination_ports),
    )
    return PathRule(
        allow,
        intervals(map(_network, sources)),
        intervals(map(_network, destinations)),
        protocol,
        ports,
    )


def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)


def span(text: str, between: str = "-") -> PortRange:
    """`22` or `22-25`."""
    first, _, last = text.partition(between)
    return PortRange(int(first), int(last or first))


def icmp_types(first: int, codes: PortRange | None = None) -> PortRange:
    """A type with its codes, as ports are written."""
    low, high = (0, 255) if codes is None else (codes.first, codes.last)
    return PortRange(first * 256 + low, first * 256 + high)
