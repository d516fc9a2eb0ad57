"""Exact sets of packets at one interface and direction, in one canonical form.

A packet is (peer address, protocol, source port, destination port). A set is kept as, per
protocol, a piecewise constant function along the address line: sorted, disjoint address
intervals, each with the relation of source and destination ports allowed there
(`policy.packets.relation`). Every step of that is unique, so equal sets are equal objects, and
union, intersection and difference are one sweep over two sorted lists.

Units: ports 0..65535; for ICMP and ICMPv6 the "destination port" is `type * 256 + code` and
the source port is free; for protocols without ports (AH, ESP, GRE) both are free.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from ipaddress import (
    IPv4Network,
    IPv6Network,
    ip_address,
    summarize_address_range,
)
from typing import Final, cast

from flowbridge.catalog.port_set import port_ranges
from flowbridge.catalog.ports import PortRange
from flowbridge.policy.packets.line import (
    Intervals,
    Pieces,
    RelationOperation,
    address_at,
    address_index,
    changed,
    everywhere,
    halved,
    laid_out,
    pieces_of,
    relation_at,
    sweep,
    union_of,
)
from flowbridge.policy.packets.packet import ICMP_ANSWERS, Box, Network, Packet
from flowbridge.policy.packets.relation import (
    EVERYTHING,
    ICMP,
    WITH_PORTS,
    Relation,
    answer,
    from_any_port,
    join,
    meet,
    minus,
    relation_of,
    request,
    swap,
)

PROTOCOLS: Final = 256


class PacketSet:
    """An immutable, hashable, exact set of packets (see the module's opening)."""

    __slots__ = ("_hash", "_named", "_rest")

    def __init__(self, named: Mapping[int, Pieces], rest: Pieces = ()) -> None:
        """`named` maps protocol numbers to pieces; `rest` holds for every other protocol."""
        self._rest = rest
        self._named = (
            {number: named[number] for number in sorted(named) if named[number] != rest}
            if len(named) > 1
            else {number: line for number, line in named.items() if line != rest}
        )
        self._hash: int | None = None

    @classmethod
    def of(
        cls,
        peers: Iterable[Network],
        protocol: int | None,
        source_ports: Iterable[PortRange] | None = None,
        destination_ports: Iterable[PortRange] | None = None,
    ) -> PacketSet:
        """All packets of `protocol` (None: of any) with a peer in `peers` and these ports.

        Ports left out are free. They are ignored where the protocol has none.
        """
        if protocol is None:
            return cls({}, pieces_of(peers, EVERYTHING))
        relation = relation_of(
            protocol,
            None if source_ports is None else tuple(source_ports),
            None if destination_ports is None else tuple(destination_ports),
        )
        return cls({protocol: pieces_of(peers, relation)})

    @classmethod
    def gathered(cls, parts: Iterable[tuple[int, Intervals, Relation]]) -> PacketSet:
        """The union of parts, each of one protocol, addresses and a relation of ports.

        Faster than a set for each of them: flows share their addresses, whose ports are joined
        first.
        """
        # By the identity of the addresses, which takes longer to hash than to keep.
        shared: dict[tuple[int, int], tuple[Intervals, Relation]] = {}
        for protocol, addresses, relation in parts:
            who = protocol, id(addresses)
            known = shared.get(who)
            shared[who] = addresses, relation if known is None else join(known[1], relation)
        spans: dict[int, dict[tuple[int, int], Relation]] = {}
        for (protocol, _), (addresses, relation) in shared.items():
            joined = spans.setdefault(protocol, {})
            for span in addresses:
                there = joined.get(span)
                joined[span] = relation if there is None else join(there, relation)
        return cls({number: laid_out(joined) for number, joined in spans.items()})

    @classmethod
    def union(cls, sets: Iterable[PacketSet]) -> PacketSet:
        """The union of many sets, faster than one by one."""
        members = list(sets)
        if any(member._rest for member in members):
            return halved(members, cls.__or__)
        lines: dict[int, list[Pieces]] = {}
        for member in members:
            for number, line in member._named.items():
                lines.setdefault(number, []).append(line)
        return cls({number: union_of(each) for number, each in lines.items()})

    def _combine(self, other: PacketSet, operation: RelationOperation) -> PacketSet:
        rest = sweep(self._rest, other._rest, operation)
        return PacketSet(
            {
                number: sweep(
                    self._named.get(number, self._rest),
                    other._named.get(number, other._rest),
                    operation,
                )
                for number in self._named.keys() | other._named.keys()
            },
            rest,
        )

    def __or__(self, other: PacketSet) -> PacketSet:
        return self._combine(other, join)

    def __and__(self, other: PacketSet) -> PacketSet:
        return self._combine(other, meet)

    def __sub__(self, other: PacketSet) -> PacketSet:
        return self._combine(other, minus)

    def __le__(self, other: PacketSet) -> bool:
        return not self - other

    def __bool__(self) -> bool:
        return bool(self._rest) or any(self._named.values())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PacketSet):
            return NotImplemented
        return self._rest == other._rest and self._named == other._named

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self._rest, tuple(self._named.items())))
        return self._hash

    def __contains__(self, packet: Packet) -> bool:
        relation = relation_at(self.line(packet.protocol), address_index(packet.peer))
        source, destination = 1 << packet.source_port, 1 << packet.destination_port
        return any(
            destinations & destination and sources & source for sources, destinations in relation
        )

    def _map(self, change: Callable[[Relation], Relation], numbers: Iterable[int]) -> PacketSet:
        lines = dict(self._named)
        for number in numbers:
            lines[number] = changed(self._named.get(number, self._rest), change)
        return PacketSet(lines, self._rest)

    def replies(self) -> PacketSet:
        """The packets that answer these: ports change places, the peer stays.

        An ICMP request is answered by its reply type; ICMP errors and announcements by nothing.
        Protocols without ports answer with the same protocol.
        """
        answered = self._map(swap, WITH_PORTS)
        for number, answers in ICMP_ANSWERS.items():
            answered = answered._map(partial(answer, answers), (number,))
        return answered

    def requests(self) -> PacketSet:
        """Every packet that one of these answers; the reverse of `replies`."""
        asking = self._map(swap, WITH_PORTS)
        for number, answers in ICMP_ANSWERS.items():
            asking = asking._map(partial(request, answers), (number,))
        return asking

    def without_source_ports(self) -> PacketSet:
        """The tightest superset of a cloud that cannot match source ports."""

        return self._map(from_any_port, WITH_PORTS)

    def seen_by(self, peers: Iterable[Network]) -> PacketSet:
        """The part of this set whose peer lies in `peers`."""
        return self & PacketSet.of(peers, None)

    def by_peer(self, peers: Iterable[Network]) -> Iterator[tuple[tuple[Network, ...], PacketSet]]:
        """`peers` in groups that this set treats alike, each with what it lets pass there.

        What passes is put on every address, so that it can be asked about the other end of the
        same packets. Together the groups are exactly `peers`, also where nothing passes.
        """
        wanted = pieces_of(peers, EVERYTHING)
        lines = {number: sweep(line, wanted, meet) for number, line in self._named.items()}
        rest = sweep(self._rest, wanted, meet)
        everything = (wanted, rest, *lines.values())
        edges = sorted({edge for line in everything for a, b, _ in line for edge in (a, b + 1)})
        groups: dict[PacketSet, list[Network]] = {}
        for start, end in itertools.pairwise(edges):
            if not relation_at(wanted, start):
                continue
            alike = PacketSet(
                {number: everywhere(relation_at(line, start)) for number, line in lines.items()},
                everywhere(relation_at(rest, start)),
            )
            first, last = address_at(start), address_at(end - 1)
            covered = cast("Iterable[Network]", summarize_address_range(first, last))
            groups.setdefault(alike, []).extend(covered)
        for alike, networks in groups.items():
            yield tuple(networks), alike

    def line(self, protocol: int) -> Pieces:
        """What is allowed of one protocol along the address line."""
        return self._named.get(protocol, self._rest)

    def boxes(self) -> Iterator[Box]:
        """The set as disjoint boxes in a stable order; same relation, one box."""
        keys: list[tuple[int | None, Pieces]] = [*self._named.items(), (None, self._rest)]
        for number, pieces in keys:
            but = tuple(self._named) if number is None else ()
            grouped: dict[tuple[int, int], list[Network]] = {}
            for first, last, relation in pieces:
                for pair in relation:
                    grouped.setdefault(pair, []).extend(
                        cast(
                            "Iterable[Network]",
                            summarize_address_range(address_at(first), address_at(last)),
                        )
                    )
            for (sources, destinations), peers in sorted(
                grouped.items(), key=lambda item: (item[0][1] & -item[0][1], item[0])
            ):
                ends = port_ranges(sources), port_ranges(destinations)
                yield Box(tuple(peers), number, *ends, but)

    def example(self) -> Packet | None:
        """One packet of the set, always the same one; None where it is empty.

        Among the first packets it prefers what a person takes for a real one: an address for
        documentation (RFC 5737, RFC 3849) where all addresses are alike, a source port that a
        client would use.
        """
        lines: list[tuple[int, Pieces]] = [(n, p) for n, p in self._named.items() if p]
        if not lines and self._rest:
            lines = [(next(n for n in range(PROTOCOLS) if n not in self._named), self._rest)]
        for number, pieces in lines:
            first, last, relation = pieces[0]
            peer = first + (last - first > 1)  # rather a host than a network's own address
            for likely in _LIKELY_PEERS:
                if there := relation_at(pieces, likely):
                    peer, relation = likely, there
                    break
            sources, destinations = min(relation, key=lambda pair: pair[1] & -pair[1])
            likely_sources = sources >> _EPHEMERAL << _EPHEMERAL or sources
            return Packet(address_at(peer), number, _lowest(likely_sources), _lowest(destinations))
        return None

    def count(self) -> int:
        """How many packets: addresses times source ports times destination ports.

        ICMP counts types and codes, a protocol without ports counts addresses.
        """
        total = sum(_count(number, pieces) for number, pieces in self._named.items())
        if self._rest:
            others = [number for number in range(PROTOCOLS) if number not in self._named]
            total += sum(_count(number, self._rest) for number in others)
        return total

    def __str__(self) -> str:
        return "; ".join(map(str, self.boxes())) or "nothing"

    def __repr__(self) -> str:
        return f"PacketSet({self})"


def _count(number: int, pieces: Pieces) -> int:
    total = 0
    for first, last, relation in pieces:
        size = 0
        for sources, destinations in relation:
            if number in WITH_PORTS:
                size += sources.bit_count() * destinations.bit_count()
            elif number in ICMP:
                size += destinations.bit_count()
            else:
                size += 1
        total += (last - first + 1) * size
    return total


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


_EPHEMERAL: Final = 1024
_LIKELY_PEERS: Final = tuple(
    address_index(ip_address(text)) for text in ("198.51.100.1", "2001:db8::1")
)

EMPTY: Final = PacketSet({})
EVERY_ADDRESS: Final[tuple[Network, ...]] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
ALL: Final = PacketSet.of(EVERY_ADDRESS, None)
