"""What passes a network ACL, and the price of letting more pass.

A price is counted in packets (addresses times ports), a packet from a public address for sixteen
private ones. It is infinite where a management port would open to public addresses.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from typing import Final

from flowbridge.catalog.ports import HIGHEST_PORT
from flowbridge.catalog.protocol import Protocol
from flowbridge.providers.aws.emit.acl.rectangle import (
    ANY_PROTOCOL,
    ICMP,
    Rectangle,
    public_addresses,
    type_block,
)

# A wrong packet from the internet reaches more attackers than one from a private network.
PUBLIC_WEIGHT: Final = 16
_PROTOCOL_NUMBERS: Final = 256

# (protocol, first port, last port) that must not open to public addresses.
Management = frozenset[tuple[int, int, int]]


class _Plane:
    """The packets of one protocol that pass: along the addresses, which ports.

    Ports are cut into the cells that the rectangles need, and a set of ports is a bit mask over
    cells. `pieces` are sorted, disjoint and never empty.
    """

    def __init__(self, edges: Iterable[int], version: int, managed: Callable[[int], bool]) -> None:
        self.edges = sorted({0, HIGHEST_PORT + 1, *edges})
        self.sizes = [end - start for start, end in zip(self.edges, self.edges[1:], strict=False)]
        self.everything = (1 << len(self.sizes)) - 1
        self.managed = sum(1 << cell for cell, edge in enumerate(self.edges[:-1]) if managed(edge))
        self.version = version
        self.pieces: list[tuple[int, int, int]] = []
        self._weights: dict[int, int] = {0: 0}

    def copy(self) -> _Plane:
        """The same packets, to be added to apart."""
        twin = copy(self)
        twin.pieces = self.pieces[:]
        return twin

    def mask(self, first: int, last: int) -> int:
        """The cells of `first` to `last`, which must be edges."""
        start = bisect_left(self.edges, first)
        return (1 << bisect_left(self.edges, last + 1)) - (1 << start)

    def weight(self, mask: int) -> int:
        """How many ports are in `mask`."""
        known = self._weights.get(mask)
        if known is None:
            known = sum(size for cell, size in enumerate(self.sizes) if mask >> cell & 1)
            self._weights[mask] = known
        return known

    def _within(self, low: int, high: int) -> Iterator[tuple[int, int, int]]:
        """What passes from `low` to `high`, gaps as pieces with the mask 0."""
        at = low
        index = bisect_left(self.pieces, (low + 1,))
        if index and self.pieces[index - 1][1] >= low:
            index -= 1
        while index < len(self.pieces) and self.pieces[index][0] <= high:
            start, end, mask = self.pieces[index]
            if start > at:
                yield at, start - 1, 0
            yield max(start, at), min(end, high), mask
            at = end + 1
            index += 1
        if at <= high:
            yield at, high, 0

    def common(self, low: int, high: int) -> int:
        """The ports that pass from every address of `low` to `high`."""
        mask = self.everything
        for _, _, part in self._within(low, high):
            mask &= part
            if not mask:
                break
        return mask

    def price(self, low: int, high: int, mask: int) -> float:
        """The weight of what this rectangle would add; infinite where it must not be added."""
        total = 0
        for start, end, part in self._within(low, high):
            new = mask & ~part
            if new:
                public = public_addresses(start, end, self.version)
                if public and new & self.managed:
                    return math.inf
                total += self.weight(new) * (end - start + 1 + (PUBLIC_WEIGHT - 1) * public)
        return total

    def add(self, low: int, high: int, mask: int) -> None:
        """Let this rectangle pass."""
        inside = [(start, end, part | mask) for start, end, part in self._within(low, high)]
        outside: list[tuple[int, int, int]] = []
        for start, end, part in self.pieces:
            if start < low:
                outside.append((start, min(end, low - 1), part))
            if end > high:
                outside.append((max(start, high + 1), end, part))
        self.pieces = []
        for start, end, part in sorted(outside + inside):
            if self.pieces and self.pieces[-1][1] == start - 1 and self.pieces[-1][2] == part:
                self.pieces[-1] = (self.pieces[-1][0], end, part)
            elif part:
                self.pieces.append((start, end, part))


class Field:
    """The packets that pass, of every protocol."""

    def __init__(self, needs: Sequence[Rectangle], version: int, management: Management) -> None:
        protocols = {need.protocol for need in needs} - {ANY_PROTOCOL}
        self.planes: dict[int, _Plane] = {}
        for protocol in sorted(protocols | {int(Protocol.TCP), int(Protocol.UDP)}):
            ports = [(first, last) for number, first, last in management if number == protocol]
            spans = [(n.first, n.last) for n in needs if n.protocol == protocol]
            if protocol in ICMP:
                spans += [type_block(first) for first, _ in spans]
            self.planes[protocol] = _Plane(
                {edge for first, last in (*spans, *ports) for edge in (first, last + 1)},
                version,
                lambda port, ports=tuple(ports): any(a <= port <= b for a, b in ports),  # type: ignore[misc]
            )
        # All other protocols as one plane, whose "ports" are the protocols themselves.
        others = _Plane((), version, lambda _: False)
        others.sizes = [_PROTOCOL_NUMBERS - len(self.planes)]
        self.planes[ANY_PROTOCOL] = others

    def copy(self) -> Field:
        """The same packets, to be added to apart."""
        twin = copy(self)
        twin.planes = {protocol: plane.copy() for protocol, plane in self.planes.items()}
        return twin

    def cells(self, rectangle: Rectangle) -> Iterator[tuple[_Plane, int]]:
        """The planes that `rectangle` lies in, with its ports there."""
        if rectangle.protocol == ANY_PROTOCOL:
            for plane in self.planes.values():
                yield plane, plane.everything
        else:
            plane = self.planes[rectangle.protocol]
            yield plane, plane.mask(rectangle.first, rectangle.last)

    def price(self, rectangle: Rectangle) -> float:
        return sum(
            plane.price(rectangle.low, rectangle.high, mask)
            for plane, mask in self.cells(rectangle)
        )

    def add(self, rectangle: Rectangle) -> None:
        for plane, mask in self.cells(rectangle):
            plane.add(rectangle.low, rectangle.high, mask)

    def holds(self, rectangle: Rectangle) -> bool:
        return all(
            plane.common(rectangle.low, rectangle.high) & mask == mask
            for plane, mask in self.cells(rectangle)
        )


def excess(
    entries: Iterable[Rectangle], asked: Sequence[Rectangle], version: int, management: Management
) -> float:
    """The price of all packets in `entries` and not in `asked`."""
    field = Field([*asked, *entries], version, management)
    for one in asked:
        field.add(one)
    total: float = 0
    for entry in entries:
        total += field.price(entry)
        field.add(entry)
    return total
