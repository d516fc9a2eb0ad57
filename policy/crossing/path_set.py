"""Exact sets of packets by both ends: source, destination, protocol and ports.

A set is a piecewise constant function along the line of destinations: sorted, disjoint intervals,
each with the packet set over sources that is allowed there. Neighbours that are alike are one, so
equal sets are equal objects.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from flowbridge.policy.filter import Filter, FilterRule, Order
from flowbridge.policy.packets.line import Intervals, address_at, address_index
from flowbridge.policy.packets.packet import Address, Packet
from flowbridge.policy.packets.packet_set import EMPTY, PacketSet
from flowbridge.policy.packets.relation import Relation

_Pieces = tuple[tuple[int, int, PacketSet], ...]


@dataclass(frozen=True, slots=True)
class PathPacket:
    """One packet with both of its ends; `packet.peer` is the source."""

    packet: Packet
    destination: Address

    def __str__(self) -> str:
        return f"{self.packet} to {self.destination}"


@dataclass(frozen=True, slots=True)
class PathRule:
    """A rule as a firewall matches it; `protocol` None: every one."""

    allow: bool
    sources: Intervals
    destinations: Intervals
    protocol: int | None
    ports: Relation

    def from_sources(self) -> PacketSet:
        """What it matches, at any one of its destinations."""
        line = tuple((first, last, self.ports) for first, last in self.sources)
        return PacketSet({}, line) if self.protocol is None else PacketSet({self.protocol: line})


@dataclass(frozen=True, slots=True)
class PathSet:
    """An immutable exact set (see the module's opening)."""

    pieces: _Pieces = ()

    @classmethod
    def allowed(cls, rules: Iterable[PathRule]) -> PathSet:
        """What passes where the first rule that matches decides, and nothing else passes."""
        listed = list(rules)
        sets = [
            FilterRule(name="", allow=rule.allow, packets=rule.from_sources()) for rule in listed
        ]
        edges = sorted({e for r in listed for a, b in r.destinations for e in (a, b + 1)})
        place = {edge: number for number, edge in enumerate(edges)}
        cells: list[list[int]] = [[] for _ in edges]
        for number, rule in enumerate(listed):
            for first, last in rule.destinations:
                for cell in range(place[first], place[last + 1]):
                    cells[cell].append(number)

        @cache
        def of(numbers: tuple[int, ...]) -> PacketSet:
            here = tuple(sets[number] for number in numbers)
            union = all(rule.allow for rule in here)
            order = Order.UNION if union else Order.FIRST_MATCH
            return Filter(name="", kind="", order=order, stateful=True, rules=here).allowed()

        return cls(
            _joined(
                (start, end - 1, of(tuple(cell)))
                for (start, end), cell in zip(itertools.pairwise(edges), cells, strict=False)
            )
        )

    def _combine(
        self, other: PathSet, operation: Callable[[PacketSet, PacketSet], PacketSet]
    ) -> PathSet:
        edges = sorted({e for a, b, _ in (*self.pieces, *other.pieces) for e in (a, b + 1)})
        return PathSet(
            _joined(
                (start, end - 1, operation(self._at(start), other._at(start)))
                for start, end in itertools.pairwise(edges)
            )
        )

    def _at(self, point: int) -> PacketSet:
        index = bisect_right(self.pieces, point, key=lambda piece: piece[0]) - 1
        return self.pieces[index][2] if index >= 0 and point <= self.pieces[index][1] else EMPTY

    def __or__(self, other: PathSet) -> PathSet:
        return self._combine(other, PacketSet.__or__)

    def __and__(self, other: PathSet) -> PathSet:
        return self._combine(other, PacketSet.__and__)

    def __sub__(self, other: PathSet) -> PathSet:
        return self._combine(other, PacketSet.__sub__)

    def __bool__(self) -> bool:
        return bool(self.pieces)

    def __contains__(self, path: PathPacket) -> bool:
        return path.packet in self._at(address_index(path.destination))

    def example(self) -> PathPacket | None:
        """One packet of the set, always the same one; None where it is empty."""
        for first, last, packets in self.pieces:
            packet = packets.example()
            if packet is not None:
                return PathPacket(packet, address_at(first + (last - first > 1)))
        return None

    def count(self) -> int:
        """How many packets."""
        return sum((last - first + 1) * packets.count() for first, last, packets in self.pieces)


def _joined(pieces: Iterable[tuple[int, int, PacketSet]]) -> _Pieces:
    """Without empty pieces; neighbours that are alike are one."""
    out: list[tuple[int, int, PacketSet]] = []
    for first, last, packets in pieces:
        if not packets:
            continue
        if out and out[-1][1] == first - 1 and out[-1][2] == packets:
            out[-1] = (out[-1][0], last, packets)
        else:
            out.append((first, last, packets))
    return tuple(out)
