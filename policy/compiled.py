"""A policy: the flows of a deployment, seen at each workload interface and direction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.interface import Interface
from flowbridge.policy.packets.line import Intervals, intervals, without
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.packets.relation import Relation, relation_of
from flowbridge.policy.point import Direction, Point


class Demand(NamedTuple):
    """What one flow asks of one point.

    `peer` is the end across the network, `addresses` are its addresses of the point's own IP
    versions but for those inside, `ports` the pairs of source and destination ports.
    """

    flow: Flow
    peer: End
    addresses: Intervals
    ports: Relation

    @property
    def packets(self) -> PacketSet:
        """What is asked for, as a set; made each time it is looked at."""
        return PacketSet.gathered([(self.flow.protocol, self.addresses, self.ports)])

    @property
    def with_inside(self) -> PacketSet:
        """What is asked for where nothing can leave the inside out of the internet."""
        if not self.peer.inside:
            return self.packets
        versions = {4 if last < 1 << 32 else 6 for _, last in self.addresses}
        everyone = intervals(n for n in self.peer.addresses if n.version in versions)
        return PacketSet.gathered([(self.flow.protocol, everyone, self.ports)])


@dataclass(frozen=True, slots=True)
class Policy:
    """`demands` lists, per point, the flows in the order of their content (never of the file)."""

    interfaces: tuple[Interface, ...]
    demands: Mapping[Point, tuple[Demand, ...]]

    def intended(self, point: Point) -> PacketSet:
        """Every packet that some flow asks `point` to let through."""
        return PacketSet.gathered(
            (demand.flow.protocol, demand.addresses, demand.ports)
            for demand in self.demands.get(point, ())
        )

    def with_inside(self, point: Point) -> PacketSet:
        """What `intended` would be where `internet` meant every address: what rules let through
        that cannot deny."""
        demands = self.demands.get(point, ())
        outward = [demand for demand in demands if demand.peer.inside]
        return self.intended(point) | PacketSet.union(each.with_inside for each in outward)

    def rows_for(self, point: Point, packets: PacketSet) -> tuple[str, ...]:
        """The rows that ask for any of `packets` at `point`, sorted."""
        return tuple(
            sorted(
                {
                    row
                    for demand in self.demands.get(point, ())
                    if demand.packets & packets
                    for row in demand.flow.rows
                }
            )
        )


def compile_policy(interfaces: Iterable[Interface], flows: Iterable[Flow]) -> Policy:
    """Place every flow at its managed ends: egress at the source, ingress at the destination."""
    places = _Places()
    by_ports: dict[tuple[Protocol, int, int], tuple[Flow, _Asked]] = {}  # kept, as their ids are
    for flow in flows:
        ports = flow.protocol, id(flow.source_ports), id(flow.destination_ports)
        if ports not in by_ports:
            made = _asked(flow.protocol, flow.source_ports, flow.destination_ports)
            by_ports[ports] = flow, made
        asked = by_ports[ports][1]
        if not asked.ports:
            continue
        source, destination = flow.source, flow.destination
        if source.interface is not None:
            places.of(Direction.EGRESS, source.interface, destination).add(flow, asked)
        if destination.interface is not None:
            if flow.translated_ports:
                asked = _asked(flow.protocol, flow.translated_ports, flow.destination_ports)
            places.of(Direction.INGRESS, destination.interface, source).add(flow, asked)
    met: defaultdict[Point, list[_Place]] = defaultdict(list)
    for place in places:
        if place.demands:
            met[place.point].append(place)
    ordered = {point: tuple(_in_order(met[point])) for point in sorted(met)}
    return Policy(tuple(sorted(interfaces, key=lambda interface: interface.key)), ordered)


def source_ports_at(flow: Flow, direction: Direction) -> tuple[PortRange, ...]:
    """The source ports of `flow` that its source (egress) or destination (ingress) sees."""
    return flow.source_ports if direction is Direction.EGRESS else flow.arriving_ports


class _Asked(NamedTuple):
    """The protocol of a flow and its ports at one end: `content` as it is sorted, `ports` as
    packets have them."""

    content: tuple[int, tuple[str, ...], tuple[str, ...]]
    ports: Relation


@lru_cache(maxsize=4096)
def _asked(
    protocol: Protocol,
    source_ports: tuple[PortRange, ...],
    destination_ports: tuple[PortRange, ...],
) -> _Asked:
    return _Asked(
        (int(protocol), tuple(map(str, destination_ports)), tuple(map(str, source_ports))),
        relation_of(protocol, source_ports, destination_ports),
    )


class _Place:
    """What is asked of one point about one peer: flows share their ends, so that the addresses of
    each are looked at once."""

    def __init__(self, point: Point, families: frozenset[int], peer: End) -> None:
        self.point = point
        self.peer = peer
        self.demands: list[tuple[tuple[object, ...], Demand]] = []
        self._addresses = without(
            intervals(n for n in peer.addresses if n.version in families), intervals(peer.inside)
        )

    def add(self, flow: Flow, asked: _Asked) -> None:
        if self._addresses or self.peer.sets:
            demand = Demand(flow, self.peer, self._addresses, asked.ports)
            self.demands.append(((asked.content, flow.rows), demand))


class _Places:
    """The place of each card, direction and peer, found by the objects themselves: to hash an
    address takes longer than to look at it."""

    def __init__(self) -> None:
        self._known: dict[tuple[Direction, int, int], _Place] = {}
        self._families: dict[int, tuple[Interface, frozenset[int]]] = {}  # kept, as their ids are

    def __iter__(self) -> Iterator[_Place]:
        return iter(self._known.values())

    def of(self, way: Direction, card: Interface, peer: End) -> _Place:
        who = way, id(card), id(peer)
        known = self._known.get(who)
        if known is None:
            if id(card) not in self._families:
                self._families[id(card)] = card, card.families
            families = self._families[id(card)][1]
            known = self._known[who] = _Place(Point(card.key, way), families, peer)
        return known


def _in_order(places: Iterable[_Place]) -> Iterator[Demand]:
    """The demands of one point, by what they say: peer, addresses, protocol, ports and rows."""
    by_key: defaultdict[str, list[_Place]] = defaultdict(list)
    for place in places:
        by_key[place.peer.key].append(place)
    for _, alike in sorted(by_key.items()):
        # Only a party that is met by several ends has to be told apart by its addresses.
        together: defaultdict[tuple[str, ...], list[tuple[tuple[object, ...], Demand]]]
        together = defaultdict(list)
        for place in alike:
            texts = tuple(map(str, place.peer.addresses)) if len(alike) > 1 else ()
            together[texts].extend(place.demands)
        for _, listed in sorted(together.items()):
            yield from (demand for _, demand in sorted(listed, key=itemgetter(0)))
