"""The address line: a piecewise constant function from addresses to relations of ports.

Sorted, disjoint address intervals, each with the relation that holds there; neighbours differ, so
equal functions are equal tuples. IPv4 and IPv6 lie on one line.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
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
    # Beyond the addresses that both have, all three keep a side or drop it. A rule of one host
    # against what ten thousand rules let through then costs what the host costs.
    low, high = max(left[0][0], right[0][0]), min(left[-1][1], right[-1][1])
    before_left, left, after_left = _within(left, low, high)
    before_right, right, after_right = _within(right, low, high)
    keeps_left = bool(operation(EVERYTHING, NOTHING))
    keeps_right = bool(operation(NOTHING, EVERYTHING))
    # Of the parts before (and of those after) what both have one side's is empty, but where the
    # two lie apart.
    outside = [
        *((before_left, after_left) if keeps_left else ()),
        *((before_right, after_right) if keeps_right else ()),
    ]
    parts = sorted(part for part in (*outside, _swept(left, right, operation)) if part)
    return _joined(parts)


def _within(line: Pieces, low: int, high: int) -> tuple[Pieces, Pieces, Pieces]:
    """The pieces of `line` before `low`, those with addresses from `low` to `high`, the rest."""
    if low > high:
        # The lines lie apart: the whole of this one is before or after the other.
        return line, (), ()
    first = bisect_left(line, low, key=_last)
    rest = bisect_right(line, high, key=_first)
    return line[:first], line[first:rest], line[rest:]


def _joined(parts: Iterable[Pieces]) -> Pieces:
    """`parts` one after the other; pieces that meet there and are alike are one."""
    out: Pieces = ()
    for part in parts:
        if out and out[-1][1] == part[0][0] - 1 and out[-1][2] == part[0][2]:
            meeting = (out[-1][0], part[0][1], part[0][2])
            out = (*out[:-1], meeting, *part[1:])
        else:
            out = out + part
    return out


def _swept(left: Pieces, right: Pieces, operation: RelationOperation) -> Pieces:
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


def _last(piece: tuple[int, int, Relation]) -> int:
    return piece[1]


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
    """The relation of each interval, which may overlap, along the address line.

    Networks lie in each other or apart, so one walk along the line knows what lies around each:
    the innermost stands last, with everything around it joined to it. An interval that crosses
    the end of the one around it (networks side by side are one interval) goes on behind it.
    """
    out: list[tuple[int, int, Relation]] = []

    def lay(first: int, last: int, relation: Relation) -> None:
        if first > last or not relation:
            return
        if out and out[-1][1] == first - 1 and out[-1][2] == relation:
            out[-1] = (out[-1][0], last, relation)
        else:
            out.append((first, last, relation))

    # By first point, the longer first; the number keeps relations from being compared.
    waiting = [
        (first, -last, number, relation)
        for number, ((first, last), relation) in enumerate(joined.items())
    ]
    heapify(waiting)
    around: list[tuple[int, Relation]] = []
    here = 0
    while waiting:
        first, turned, number, relation = heappop(waiting)
        last = -turned
        while around and around[-1][0] < first:
            end, inner = around.pop()
            lay(here, end, inner)
            here = max(here, end + 1)
        if around:
            end, outer = around[-1]
            lay(here, first - 1, outer)
            if last > end:
                heappush(waiting, (end + 1, -last, number, relation))
                last = end
            relation = join(outer, relation)
        here = first
        around.append((last, relation))
    while around:
        end, inner = around.pop()
        lay(here, end, inner)
        here = max(here, end + 1)
    return tuple(out)


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
