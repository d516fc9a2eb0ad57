"""Covering what must pass exactly, with few rectangles that let nothing else in."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from flowbridge.providers.aws.emit.acl.price import Field
from flowbridge.providers.aws.emit.acl.rectangle import ICMP, Rectangle, sayable, type_block


@lru_cache(maxsize=1024)
def exact_cover(needs: tuple[Rectangle, ...], version: int) -> tuple[Rectangle, ...]:
    """Few rectangles whose union is exactly the union of `needs`."""
    field = Field(needs, version, frozenset())
    for need in needs:
        field.add(need)
    grown = {
        grow(need, field, version)
        for need in needs
        for grow in (_ports_then_addresses, _addresses_then_ports)
    }
    kept = sorted(grown, key=lambda r: (-(r.high - r.low + 1) * (r.last - r.first + 1), r))
    kept = [
        one for index, one in enumerate(kept) if not any(other.holds(one) for other in kept[:index])
    ]
    return tuple(sorted(without_redundant(kept, needs, version)))


def without_redundant(
    kept: list[Rectangle], needs: Sequence[Rectangle], version: int
) -> list[Rectangle]:
    """Drop each rectangle, the smallest first, that the union of the others holds."""
    for one in reversed(kept[:]):
        rest = [other for other in kept if other is not one]
        near = [other for other in rest if other.meets(one)]
        if not near:
            continue
        field = Field([*needs, *near, one], version, frozenset())
        for other in near:
            field.add(other)
        if field.holds(one):
            kept = rest
    return kept


def _ports_then_addresses(need: Rectangle, field: Field, version: int) -> Rectangle:
    return _more_addresses(_more_ports(need, field), field, version)


def _addresses_then_ports(need: Rectangle, field: Field, version: int) -> Rectangle:
    return _more_ports(_more_addresses(need, field, version), field)


def _more_ports(need: Rectangle, field: Field) -> Rectangle:
    """Widen the ports as far as nothing new passes."""
    plane = field.planes[need.protocol]
    mask = plane.common(need.low, need.high)
    start, end = bisect_left(plane.edges, need.first), bisect_left(plane.edges, need.last + 1)
    while start > 0 and mask >> (start - 1) & 1:
        start -= 1
    while mask >> end & 1:
        end += 1
    first, last = plane.edges[start], plane.edges[end] - 1
    if need.protocol in ICMP and (first, last) != sayable(need.protocol, first, last):
        block = type_block(need.first)
        if not (first <= block[0] and block[1] <= last):
            return need
        first, last = block
    return need._replace(first=first, last=last)


def _more_addresses(need: Rectangle, field: Field, version: int) -> Rectangle:
    """Widen the CIDR as far as nothing new passes."""
    plane = field.planes[need.protocol]
    mask = plane.mask(need.first, need.last)
    bits = 32 if version == 4 else 128
    while need.high - need.low + 1 < 1 << bits:
        size = (need.high - need.low + 1) * 2
        low = need.low // size * size
        if plane.common(low, low + size - 1) & mask != mask:
            break
        need = need._replace(low=low, high=low + size - 1)
    return need
