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
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    summarize_address_range,
)
from typing import Final, TypeVar, cast

from flowbridge.catalog.port_set import port_ranges
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.packets.relation import (
    EVERYTHING,
    ICMP,
    NOTHING,
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

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

PROTOCOLS: Final = 256

# IPv6 lies on the same address line, far enough above IPv4 that no interval spans both.
_V6_BASE: Final = 1 << 128


# ICMP types that are answered, and the type of the answer (code 0): RFC 792, RFC 950, RFC 4443,
# RFC 4620. All other types are errors or announcements and have no reply.
_ICMP_ANSWERS: Final = {
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


# (first address, last address, relation), sorted, disjoint; neighbours differ in relation.
Pieces = tuple[tuple[int, int, Relation], ...]
RelationOperation = Callable[[Relation, Relation], Relation]


def _sweep(left: Pieces, right: Pieces, operation: RelationOperation) -> Pieces:
    if left == right:
        probe = operation(EVERYTHING, EVERYTHING)
        return left if probe else ()
    # Of a set and an empty one, all three operations leave the whole set or nothing.
    if not right:
        return left if operation(EVERYTHING, NOTHING) else ()
    if not left:
        return right if operation(NOTHING, EVERYTHING) else ()
    edges = sorted(
        {edge for first, last, _ in left for edge in (first, last + 1)}
        | {edge for first, last, _ in right for edge in (first, last + 1)}
    )
    out: list[tuple[int, int, Relation]] = []
    i = j = 0
    for start, end in itertools.pairwise(edges):
        while i < len(left) and left[i][1] < start:
            i += 1
        while j < len(right) and right[j][1] < start:
            j += 1
        here = left[i][2] if i < len(left) and left[i][0] <= start else NOTHING
        there = right[j][2] if j < len(right) and right[j][0] <= start else NOTHING
        relation = operation(here, there)
        if not relation:
            continue
        if out and out[-1][1] == start - 1 and out[-1][2] == relation:
            out[-1] = (out[-1][0], end - 1, relation)
        else:
            out.append((start, end - 1, relation))
    return tuple(out)


def _first(piece: tuple[int, int, Relation]) -> int:
    return piece[0]


def _changed(pieces: Pieces, change: Callable[[Relation], Relation]) -> Pieces:
    """Every piece with its relation changed; neighbours that became alike are one piece."""
    out: list[tuple[int, int, Relation]] = []
    for first, last, relation in pieces:
        after = change(relation)
        if not after:
            continue
        if out and out[-1][1] == first - 1 and out[-1][2] == after:
            out[-1] = (out[-1][0], last, after)
        else:
            out.append((first, last, after))
    return tuple(out)


def _interval(network: Network) -> tuple[int, int]:
    first = int(network.network_address) + (_V6_BASE if network.version == 6 else 0)
    return first, first + (1 << network.max_prefixlen - network.prefixlen) - 1


def address_index(address: Address) -> int:
    """Where `address` lies on the address line that all sets share."""
    return int(address) + (_V6_BASE if address.version == 6 else 0)


def _address(point: int) -> Address:
    return IPv6Address(point - _V6_BASE) if point >= _V6_BASE else IPv4Address(point)


Intervals = tuple[tuple[int, int], ...]
"""First and last points of the address line, sorted, not touching."""


def intervals(networks: Iterable[Network]) -> Intervals:
    """The addresses of `networks` as sorted intervals that do not touch."""
    out: list[tuple[int, int]] = []
    for first, last in sorted(map(_interval, networks)):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(last, out[-1][1]))
        else:
            out.append((first, last))
    return tuple(out)


def _pieces(networks: Iterable[Network], relation: Relation) -> Pieces:
    if not relation:
        return ()
    return tuple((first, last, relation) for first, last in intervals(networks))


def _union(lines: Sequence[Pieces]) -> Pieces:
    """What any of `lines` holds. Most rules name the same few systems, so pieces of the very same
    addresses are joined first; only where others overlap, lines are swept two by two."""
    joined: dict[tuple[int, int], Relation] = {}
    for line in lines:
        for first, last, relation in line:
            known = joined.get((first, last))
            joined[first, last] = relation if known is None else join(known, relation)
    return _laid_out(joined)


def _laid_out(joined: Mapping[tuple[int, int], Relation]) -> Pieces:
    """The relation of each interval, which may overlap, along the address line."""
    out: list[tuple[int, int, Relation]] = []
    for span in sorted(joined):
        first, last = span
        relation = joined[span]
        if out:
            before, end, other = out[-1]
            if first <= end:
                break  # these overlap
            if first == end + 1 and relation == other:
                out[-1] = before, last, relation
                continue
        out.append((first, last, relation))
    else:
        return tuple(out)
    level = [((first, last, relation),) for (first, last), relation in joined.items()]
    return _halved(level, lambda one, other: _sweep(one, other, join))


Line = TypeVar("Line")


def _halved(level: Sequence[Line], combine: Callable[[Line, Line], Line]) -> Line:
    """All of `level` combined (at least one), halving so that no long line is swept once a
    member."""
    while len(level) > 1:
        level = [
            combine(level[i], level[i + 1]) if i + 1 < len(level) else level[i]
            for i in range(0, len(level), 2)
        ]
    return level[0]


def _at(pieces: Pieces, point: int) -> Relation:
    """The relation at one address."""
    index = bisect_right(pieces, point, key=_first) - 1
    return pieces[index][2] if index >= 0 and point <= pieces[index][1] else NOTHING


_WHOLE_LINE: Final = (_interval(IPv4Network("0.0.0.0/0")), _interval(IPv6Network("::/0")))


def _everywhere(relation: Relation) -> Pieces:
    return tuple((first, last, relation) for first, last in _WHOLE_LINE) if relation else ()


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
            reply = _ICMP_ANSWERS[Protocol(self.protocol)].get(self.destination_port // 256)
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
            return cls({}, _pieces(peers, EVERYTHING))
        relation = relation_of(
            protocol,
            None if source_ports is None else tuple(source_ports),
            None if destination_ports is None else tuple(destination_ports),
        )
        return cls({protocol: _pieces(peers, relation)})

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
        return cls({number: _laid_out(joined) for number, joined in spans.items()})

    @classmethod
    def union(cls, sets: Iterable[PacketSet]) -> PacketSet:
        """The union of many sets, faster than one by one."""
        members = list(sets)
        if any(member._rest for member in members):
            return _halved(members, cls.__or__)
        lines: dict[int, list[Pieces]] = {}
        for member in members:
            for number, line in member._named.items():
                lines.setdefault(number, []).append(line)
        return cls({number: _union(each) for number, each in lines.items()})

    def _combine(self, other: PacketSet, operation: RelationOperation) -> PacketSet:
        rest = _sweep(self._rest, other._rest, operation)
        return PacketSet(
            {
                number: _sweep(
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
        relation = _at(self.line(packet.protocol), address_index(packet.peer))
        source, destination = 1 << packet.source_port, 1 << packet.destination_port
        return any(
            destinations & destination and sources & source for sources, destinations in relation
        )

    def _map(self, change: Callable[[Relation], Relation], numbers: Iterable[int]) -> PacketSet:
        changed = dict(self._named)
        for number in numbers:
            changed[number] = _changed(self._named.get(number, self._rest), change)
        return PacketSet(changed, self._rest)

    def replies(self) -> PacketSet:
        """The packets that answer these: ports change places, the peer stays.

        An ICMP request is answered by its reply type; ICMP errors and announcements by nothing.
        Protocols without ports answer with the same protocol.
        """
        answered = self._map(swap, WITH_PORTS)
        for number, answers in _ICMP_ANSWERS.items():
            answered = answered._map(partial(answer, answers), (number,))
        return answered

    def requests(self) -> PacketSet:
        """Every packet that one of these answers; the reverse of `replies`."""
        asking = self._map(swap, WITH_PORTS)
        for number, answers in _ICMP_ANSWERS.items():
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
        wanted = _pieces(peers, EVERYTHING)
        lines = {number: _sweep(line, wanted, meet) for number, line in self._named.items()}
        rest = _sweep(self._rest, wanted, meet)
        everything = (wanted, rest, *lines.values())
        edges = sorted({edge for line in everything for a, b, _ in line for edge in (a, b + 1)})
        groups: dict[PacketSet, list[Network]] = {}
        for start, end in itertools.pairwise(edges):
            if not _at(wanted, start):
                continue
            alike = PacketSet(
                {number: _everywhere(_at(line, start)) for number, line in lines.items()},
                _everywhere(_at(rest, start)),
            )
            groups.setdefault(alike, []).extend(
                cast(
                    "Iterable[Network]", summarize_address_range(_address(start), _address(end - 1))
                )
            )
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
                            summarize_address_range(_address(first), _address(last)),
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
                if there := _at(pieces, likely):
                    peer, relation = likely, there
                    break
            sources, destinations = min(relation, key=lambda pair: pair[1] & -pair[1])
            likely_sources = sources >> _EPHEMERAL << _EPHEMERAL or sources
            return Packet(_address(peer), number, _lowest(likely_sources), _lowest(destinations))
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
