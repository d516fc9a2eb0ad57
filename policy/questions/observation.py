"""What was seen on the wire, held against what the documents ask for and what is enforced.

A record is judged at each of our interfaces that it touches: a request that a flow asks for, the
reply to one, or neither. Nothing seen is no proof that nothing is needed: a sampled or incomplete
log says so (`Observation.conclusive`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol as Shape

from flowbridge.catalog.port_set import ALL_PORTS
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, passes
from flowbridge.policy.packets.packet import Address, Packet
from flowbridge.policy.packets.packet_set import EMPTY, PacketSet
from flowbridge.policy.point import Direction, Point


class Record(Shape):
    """What is needed of a record; `providers.logs.gather.Seen` has it."""

    @property
    def source(self) -> Address: ...
    @property
    def destination(self) -> Address: ...
    @property
    def protocol(self) -> int: ...
    @property
    def source_port(self) -> int: ...
    @property
    def destination_port(self) -> int: ...
    @property
    def accepted(self) -> bool: ...
    @property
    def records(self) -> int: ...
    @property
    def first(self) -> int | None: ...
    @property
    def last(self) -> int | None: ...


class Fate(StrEnum):
    """What became of packets, against what was asked for."""

    USED = "used"  # asked for, and let through
    REFUSED = "refused-though-documented"
    LET_IN = "let-in-though-undocumented"
    NOISE = "noise"  # nobody asks for it, and it was refused


@dataclass(slots=True, kw_only=True)
class Tally:
    """Records that share a fate at one point, for the same rows."""

    point: Point
    fate: Fate
    rows: tuple[str, ...]
    reply: bool
    records: int = 0
    first: int | None = None
    last: int | None = None
    example: Packet | None = None
    # Whether what is emitted lets it through: excess of the cloud; else somebody's own rule does.
    emitted: bool = False
    peers: set[str] = field(default_factory=set)

    def add(self, record: Record, packet: Packet) -> None:
        self.records += record.records
        self.first = min((t for t in (self.first, record.first) if t is not None), default=None)
        self.last = max((t for t in (self.last, record.last) if t is not None), default=None)
        self.example = self.example or packet
        self.peers.add(str(packet.peer))


@dataclass(frozen=True, slots=True)
class Observation:
    """All tallies, and the rows of the deployment that no record showed at work."""

    tallies: tuple[Tally, ...]
    used_rows: Mapping[str, int]
    never_seen: tuple[str, ...]
    conclusive: bool

    def of(self, fate: Fate) -> tuple[Tally, ...]:
        return tuple(tally for tally in self.tallies if tally.fate is fate)


def port_classes(policy: Policy, enforcement: Enforcement) -> tuple[int, ...]:
    """Masks of ports that no flow and no rule tells apart; together all ports, each once."""
    masks: set[int] = set()
    for demands in policy.demands.values():
        for demand in demands:
            for sources, destinations in demand.ports:
                masks |= {sources, destinations}
    for filters in enforcement.values():
        for stage in filters:
            for rule in stage.rules:
                for _, _, relation in _lines(rule.packets):
                    for sources, destinations in relation:
                        masks |= {sources, destinations}
    classes = [ALL_PORTS]
    for mask in sorted(masks):
        classes = [part for each in classes for part in (each & mask, each & ~mask) if part]
    return tuple(classes)


def address_edges(policy: Policy, enforcement: Enforcement) -> frozenset[int]:
    """Where on the address line a flow or a rule begins, or has ended."""
    edges: set[int] = set()
    for demands in policy.demands.values():
        for demand in demands:
            edges.update(edge for a, b in demand.addresses for edge in (a, b + 1))
    for filters in enforcement.values():
        for stage in filters:
            for rule in stage.rules:
                for first, last, _ in _lines(rule.packets):
                    edges.update((first, last + 1))
    return frozenset(edges)


def _lines(packets: PacketSet) -> Iterator[tuple[int, int, frozenset[tuple[int, int]]]]:
    for number in range(256):
        yield from packets.line(number)


class Observer:
    """Judges records at the points of one policy; sets are made once a point."""

    def __init__(self, policy: Policy, enforcement: Enforcement) -> None:
        self._policy = policy
        self._by_address: dict[Address, list[str]] = {}
        for interface in policy.interfaces:
            for network in (*interface.private, *interface.public):
                if network.num_addresses == 1:
                    at = self._by_address.setdefault(network.network_address, [])
                    at.append(interface.key)
        self._asked: dict[Point, PacketSet] = {}
        self._replies: dict[Point, PacketSet] = {}
        self._emitted: dict[Point, PacketSet] = {}
        for interface in policy.interfaces:
            for direction in Direction:
                point = Point(interface.key, direction)
                other = Point(interface.key, direction.opposite)
                self._asked[point] = policy.intended(point)
                self._replies[point] = policy.intended(other).replies()
                self._emitted[point] = passes(enforcement.get(point, ()))

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The addresses of our machines, which records are told apart by."""
        return tuple(self._by_address)

    def observe(self, records: Iterable[Record], *, conclusive: bool) -> Observation:
        """`conclusive`: every packet of the period would have been in the log."""
        tallies: dict[tuple[Point, Fate, tuple[str, ...], bool], Tally] = {}
        for record in records:
            for point, packet in self._seen(record):
                rows, reply = self._rows(point, packet)
                fate = _fate(bool(rows), record.accepted)
                key = (point, fate, rows, reply)
                if key not in tallies:
                    emitted = packet in self._emitted[point]
                    tallies[key] = Tally(
                        point=point, fate=fate, rows=rows, reply=reply, emitted=emitted
                    )
                tallies[key].add(record, packet)
        used: dict[str, int] = {}
        for tally in tallies.values():
            if tally.fate is Fate.USED:
                for row in tally.rows:
                    used[row] = used.get(row, 0) + tally.records
        asked = {
            row
            for demands in self._policy.demands.values()
            for demand in demands
            for row in demand.flow.rows
        }
        ordered = sorted(tallies.values(), key=lambda t: (t.fate, t.point, t.rows, t.reply))
        never = tuple(sorted(asked - used.keys()))
        return Observation(tuple(ordered), used, never, conclusive)

    def _seen(self, record: Record) -> Iterator[tuple[Point, Packet]]:
        """The packet of `record` at each of our interfaces that it touches."""
        for address, direction, peer in (
            (record.source, Direction.EGRESS, record.destination),
            (record.destination, Direction.INGRESS, record.source),
        ):
            for key in self._by_address.get(address, ()):
                yield (
                    Point(key, direction),
                    Packet(peer, record.protocol, record.source_port, record.destination_port),
                )

    def _rows(self, point: Point, packet: Packet) -> tuple[tuple[str, ...], bool]:
        """The rows that ask for `packet` or for what it answers; whether it is an answer."""
        if packet in self._asked.get(point, EMPTY):
            return self._asking(point, packet), False
        if packet in self._replies.get(point, EMPTY):
            question = packet.reply()
            other = Point(point.interface, point.direction.opposite)
            if question is not None:
                return self._asking(other, question), True
        return (), False

    def _asking(self, point: Point, packet: Packet) -> tuple[str, ...]:
        rows = {
            row
            for demand in self._policy.demands.get(point, ())
            if packet in demand.packets
            for row in demand.flow.rows
        }
        return tuple(sorted(rows))


def _fate(documented: bool, accepted: bool) -> Fate:
    if documented:
        return Fate.USED if accepted else Fate.REFUSED
    return Fate.LET_IN if accepted else Fate.NOISE
