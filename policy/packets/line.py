"""The address line: a piecewise constant function from addresses to relations of ports.

Sorted, disjoint address intervals, each with the relation that holds there; neighbours differ, so
equal functions are equal tuples. IPv4 and IPv6 lie on one line.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
)
from typing import Final, TypeVar

from flowbridge.policy.packets.packet import Address, Network
from flowbridge.policy.packets.relation import (
    EVERYTHING,
    NOTHING,
    Relation,
    join,
)

# IPv6 lies on the same address line, far enough above IPv4 that no interval spans both.
_V6_BASE: Final = 1 << 128

# (first address, last address, relation), sorted, disjoint; neighbours differ in relation.
Pieces = tuple[tuple[int, int, Relation], ...]

RelationOperation = Callable[[Relation, Relation], Relation]


def sweep(left: Pieces, right: Pieces, operation: RelationOperation) -> Pieces:
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


def changed(pieces: Pieces, change: Callable[[Relation], Relation]) -> Pieces:
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


def address_at(point: int) -> Address:
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


def without(some: Intervals, others: Intervals) -> Intervals:
    """The points of `some` that are in none of `others`."""
    out: list[tuple[int, int]] = []
    for first, last in some:
        start = first
        for begin, end in others:
            if end < start or begin > last:
                continue
            if begin > start:
                out.append((start, begin - 1))
            start = end + 1
        if start <= last:
            out.append((start, last))
    return tuple(out)


def pieces_of(networks: Iterable[Network], relation: Relation) -> Pieces:
    if not relation:
        return ()
    return tuple((first, last, relation) for first, last in intervals(networks))


def union_of(lines: Sequence[Pieces]) -> Pieces:
    """What any of `lines` holds. Most rules name the same few systems, so pieces of the very same
    addresses are joined first; only where others overlap, lines are swept two by two."""
    joined: dict[tuple[int, int], Relation] = {}
    for line in lines:
        for first, last, relation in line:
            known = joined.get((first, last))
            joined[first, last] = relation if known is None else join(known, relation)
    return laid_out(joined)


def laid_out(joined: Mapping[tuple[int, int], Relation]) -> Pieces:
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
    return halved(level, lambda one, other: sweep(one, other, join))


Line = TypeVar("Line")


def halved(level: Sequence[Line], combine: Callable[[Line, Line], Line]) -> Line:
    """All of `level` combined (at least one), halving so that no long line is swept once a
    member."""
    while len(level) > 1:
        level = [
            combine(level[i], level[i + 1]) if i + 1 < len(level) else level[i]
            for i in range(0, len(level), 2)
        ]
    return level[0]


def relation_at(pieces: Pieces, point: int) -> Relation:
    """The relation at one address."""
    index = bisect_right(pieces, point, key=_first) - 1
    return pieces[index][2] if index >= 0 and point <= pieces[index][1] else NOTHING


_WHOLE_LINE: Final = (_interval(IPv4Network("0.0.0.0/0")), _interval(IPv6Network("::/0")))


def everywhere(relation: Relation) -> Pieces:
    return tuple((first, last, relation) for first, last in _WHOLE_LINE) if relation else ()
