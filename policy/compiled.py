"""A policy: the flows of a deployment, seen at each workload interface and direction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from catalog.ports import PortRange
from deployment.flow import End, Flow
from deployment.interface import Interface
from policy.packets import Intervals, PacketSet, intervals
from policy.point import Direction, Point


@dataclass(frozen=True, slots=True)
class Demand:
    """What one flow asks of one point. `peer` is the end across the network."""

    flow: Flow
    peer: End
    packets: PacketSet


@dataclass(frozen=True, slots=True)
class Policy:
    """`demands` lists, per point, the flows in the order of their content (never of the file)."""

    interfaces: tuple[Interface, ...]
    demands: Mapping[Point, tuple[Demand, ...]]

    def intended(self, point: Point) -> PacketSet:
        """Every packet that some flow asks `point` to let through."""
        return PacketSet.union(demand.packets for demand in self.demands.get(point, ()))

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
    peers = _Once(_peer)
    texts = _Once(_texts)
    for flow in flows:
        for end, peer, direction in (
            (flow.source, flow.destination, Direction.EGRESS),
            (flow.destination, flow.source, Direction.INGRESS),
        ):
            if end.interface is None:
                continue
            points, families = cards(end.interface)
            key, addresses, lines = peers(peer)
            packets = PacketSet.on(
                lines[families], flow.protocol, flow.source_ports, flow.destination_ports
            )
            if packets:
                content = (
                    key,
                    addresses,
                    int(flow.protocol),
                    texts(flow.destination_ports),
                    texts(flow.source_ports),
                    flow.rows,
                )
                demands[points[direction]].append((content, Demand(flow, peer, packets)))
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
        self._known: dict[
            int, tuple[Given, Made]
        ] = {}  # the object is kept, so its id stays its own

    def __call__(self, given: Given) -> Made:
        known = self._known.get(id(given))
        if known is None:
            known = self._known[id(given)] = (given, self._make(given))
        return known[1]


def _card(card: Interface) -> tuple[dict[Direction, Point], tuple[int, ...]]:
    return {way: Point(card.key, way) for way in Direction}, tuple(sorted(card.families))


def _peer(end: End) -> tuple[str, tuple[str, ...], dict[tuple[int, ...], Intervals]]:
    """The key, the addresses as texts, and as intervals for each choice of IP versions."""
    choices: tuple[tuple[int, ...], ...] = ((), (4,), (6,), (4, 6))
    lines = {
        versions: intervals(tuple(n for n in end.addresses if n.version in versions))
        for versions in choices
    }
    return end.key, tuple(map(str, end.addresses)), lines


def _texts(ports: tuple[PortRange, ...]) -> tuple[str, ...]:
    return tuple(map(str, ports))
