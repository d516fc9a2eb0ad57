"""A policy: the flows of a deployment, seen at each workload interface and direction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, NamedTuple, TypeVar

from catalog.ports import PortRange
from catalog.protocol import Protocol
from deployment.flow import End, Flow
from deployment.interface import Interface
from policy.packets import Intervals, PacketSet, Relation, intervals, relation_of
from policy.point import Direction, Point


@dataclass(frozen=True)
class Demand:
    """What one flow asks of one point.

    `peer` is the end across the network, `addresses` are its addresses of the point's own IP
    versions, `ports` the pairs of source and destination ports.
    """

    flow: Flow
    peer: End
    addresses: Intervals
    ports: Relation

    @cached_property
    def packets(self) -> PacketSet:
        """What is asked for, as a set; made when it is looked at."""
        return PacketSet.gathered([(self.flow.protocol, self.addresses, self.ports)])


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
    demands: defaultdict[Point, list[tuple[tuple[object, ...], Demand]]] = defaultdict(list)
    cards = _Once(_card)
    peers = _Once(_Peer)
    ports = _Ports()
    for flow in flows:
        asked = ports(flow)
        if not asked.ports:
            continue
        for end, peer, direction in (
            (flow.source, flow.destination, Direction.EGRESS),
            (flow.destination, flow.source, Direction.INGRESS),
        ):
            if end.interface is None:
                continue
            points, families = cards(end.interface)
            across = peers(peer)
            addresses = across.seen_in(families)
            if addresses:
                content = (*across.content, *asked.content, flow.rows)
                demand = Demand(flow, peer, addresses, asked.ports)
                demands[points[direction]].append((content, demand))
    ordered = {
        point: tuple(demand for _, demand in sorted(demands[point], key=_content))
        for point in sorted(demands)
    }
    return Policy(tuple(sorted(interfaces, key=lambda interface: interface.key)), ordered)


def _content(placed: tuple[tuple[object, ...], Demand]) -> tuple[object, ...]:
    return placed[0]


Given = TypeVar("Given")
Made = TypeVar("Made")


class _Once(Generic[Given, Made]):
    """What `make` makes of each object, made once: flows share their ends and ports, and to hash
    an address takes longer than to look at it."""

    def __init__(self, make: Callable[[Given], Made]) -> None:
        self._make = make
        # The object is kept, so its id stays its own.
        self._known: dict[int, tuple[Given, Made]] = {}

    def __call__(self, given: Given) -> Made:
        known = self._known.get(id(given))
        if known is None:
            known = self._known[id(given)] = (given, self._make(given))
        return known[1]


def _card(card: Interface) -> tuple[dict[Direction, Point], tuple[int, ...]]:
    return {way: Point(card.key, way) for way in Direction}, tuple(sorted(card.families))


class _Peer:
    """The end across the network: its key, its addresses as texts and as intervals."""

    def __init__(self, end: End) -> None:
        self.content = end.key, tuple(map(str, end.addresses))
        self._end = end
        self._lines: dict[tuple[int, ...], Intervals] = {}

    def seen_in(self, families: tuple[int, ...]) -> Intervals:
        """The addresses of these IP versions."""
        known = self._lines.get(families)
        if known is None:
            known = self._lines[families] = intervals(
                network for network in self._end.addresses if network.version in families
            )
        return known


class _Asked(NamedTuple):
    """The protocol and ports of a flow: `content` as it is sorted, `ports` as packets have them."""

    content: tuple[int, tuple[str, ...], tuple[str, ...]]
    ports: Relation


class _Ports:
    """The protocol and ports of each flow, made once for all flows that share them."""

    def __init__(self) -> None:
        self._known: dict[tuple[Protocol, int, int], _Asked] = {}
        self._kept: list[Flow] = []  # so that an id stays that of the same ports

    def __call__(self, flow: Flow) -> _Asked:
        who = flow.protocol, id(flow.source_ports), id(flow.destination_ports)
        known = self._known.get(who)
        if known is None:
            known = self._known[who] = _Asked(
                (
                    int(flow.protocol),
                    _texts(flow.destination_ports),
                    _texts(flow.source_ports),
                ),
                relation_of(flow.protocol, flow.source_ports, flow.destination_ports),
            )
            self._kept.append(flow)
        return known


def _texts(ports: tuple[PortRange, ...]) -> tuple[str, ...]:
    return tuple(map(str, ports))
