"""A passage: what gets from one managed interface to another, through the filters of both.

A packet between two managed ends is judged twice, with the other end's address each time: the
source's egress sees the destination, the destination's ingress sees the source. The set of such
packets is kept as groups of destination addresses that are alike, each with a packet set whose
peer is the source.

Behind a NAT gateway (`Flow.translated_ports`) the packets are followed that keep their source
port, which are never none; those with another one are covered by the proof of each end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flowbridge.deployment.flow import Flow
from flowbridge.policy.compiled import Policy
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point


@dataclass(frozen=True, slots=True)
class Route:
    """By which addresses of one IP version two interfaces meet: their own, or translated ones
    (NAT reflection).

    `sources` is what the destination's filters see, `destinations` what the source's filters see.
    """

    source: str
    destination: str
    sources: tuple[Network, ...]
    destinations: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class Crossing:
    """Destination addresses that are treated alike, and the packets that reach them."""

    destinations: tuple[Network, ...]
    packets: PacketSet  # the peer is the source


def routes(policy: Policy) -> tuple[Route, ...]:
    """Every pair of interfaces by their own addresses, and by those that flows use."""
    found: set[Route] = set()
    for one in policy.interfaces:
        for other in policy.interfaces:
            found.update(_of_each_family(one.key, other.key, one.private, other.private))
    for flow in internal_flows(policy):
        source, destination = flow.source, flow.destination
        found.update(
            _of_each_family(source.key, destination.key, source.addresses, destination.addresses)
        )
    return tuple(sorted(found, key=_by_content))


def internal_flows(policy: Policy) -> tuple[Flow, ...]:
    """The flows with both ends managed here."""
    return tuple(
        demand.flow
        for point, demands in policy.demands.items()
        if point.direction is Direction.EGRESS
        for demand in demands
        if demand.flow.destination.interface is not None
    )


def _of_each_family(
    source: str, destination: str, sources: Iterable[Network], destinations: Iterable[Network]
) -> Iterator[Route]:
    for version in (4, 6):
        ours = tuple(network for network in sources if network.version == version)
        theirs = tuple(network for network in destinations if network.version == version)
        if ours and theirs:
            yield Route(source, destination, ours, theirs)


def crossings(egress: PacketSet, ingress: PacketSet, route: Route) -> Iterator[Crossing]:
    """What passes along `route` when `egress` and `ingress` pass the filters of its ends.

    Destinations that nothing reaches are listed too, with no packets.
    """
    arriving = ingress.seen_by(route.sources)
    for destinations, leaving in egress.by_peer(route.destinations):
        yield Crossing(destinations, leaving & arriving)


def egress_point(route: Route) -> Point:
    return Point(route.source, Direction.EGRESS)


def ingress_point(route: Route) -> Point:
    return Point(route.destination, Direction.INGRESS)


def _by_content(route: Route) -> tuple[str, str, list[str], list[str]]:
    sources = [str(network) for network in route.sources]
    return route.source, route.destination, sources, [str(n) for n in route.destinations]
