"""What passes a network ACL, and the price of letting more pass.

A price is counted in packets (addresses times ports), a packet from a public address for sixteen
private ones. It is infinite where a management port would open to public addresses.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from functools import partial
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
    cells. `pieces` are sorted and disjoint, and together all addresses: first and last address, the
    ports that pass, and what one port costs there. `starts` are their first addresses. Pieces are
    weighed when they are made, for `price` is asked a hundred times as often as `add`.
    """

    def __init__(
        self, edges: Iterable[int], version: int, managed: Callable[[int], bool] | None
    ) -> None:
        self.edges = sorted({0, HIGHEST_PORT + 1, *edges})
        # How many ports are in all cells before each.
        self.before = self.edges
        self.everything = (1 << (len(self.edges) - 1)) - 1
        cells = enumerate(self.edges[:-1])
        self.managed = sum(1 << cell for cell, edge in cells if managed(edge)) if managed else 0
        self.version = version
        last = (1 << (32 if version == 4 else 128)) - 1
        self.pieces = [(0, last, 0, *_cost_of_a_port(0, last, version))]
        self.starts = [0]
        self._weights: dict[int, int] = {0: 0}

    def copy(self) -> _Plane:
        """The same packets, to be added to apart."""
        twin = copy(self)
        twin.pieces = self.pieces[:]
        twin.starts = self.starts[:]
        return twin

    def mask(self, first: int, last: int) -> int:
        """The cells of `first` to `last`, which must be edges."""
        start = bisect_left(self.edges, first)
        return (1 << bisect_left(self.edges, last + 1)) - (1 << start)

    def weight(self, mask: int) -> int:
        """How many ports are in `mask`."""
        known = self._weights.get(mask)
        if known is None:
            known, cell, left = 0, 0, mask
            while left:  # by runs of cells: most masks are one or two
                skipped = (left & -left).bit_length() - 1
                left >>= skipped
                run = (left ^ (left + 1)).bit_length() - 1
                cell += skipped
                known += self.before[cell + run] - self.before[cell]
                cell += run
                left >>= run
            self._weights[mask] = known
        return known

    def common(self, low: int, high: int) -> int:
        """The ports that pass from every address of `low` to `high`."""
        index = bisect_right(self.starts, low) - 1
        mask = self.everything
        while mask:
            _, end, part, _, _ = self.pieces[index]
            mask &= part
            if end >= high:
                break
            index += 1
        return mask

    def holds(self, low: int, high: int, mask: int) -> bool:
        """Whether the ports of `mask` pass from every address of `low` to `high`."""
        index = bisect_right(self.starts, low) - 1
        while True:
            _, end, part, _, _ = self.pieces[index]
            if mask & ~part:
                return False
            if end >= high:
                return True
            index += 1

    def price(self, low: int, high: int, mask: int) -> float:
        """The weight of what this rectangle would add; infinite where it must not be added."""
        pieces, weights, managed = self.pieces, self._weights, self.managed
        index = bisect_right(self.starts, low) - 1
        total = 0
        while True:
            start, end, part, cost, public = pieces[index]
            new = mask & ~part
            if new:
                if start < low or end > high:
                    cost, public = _cost_of_a_port(max(start, low), min(end, high), self.version)
                if public and new & managed:
                    return math.inf
                ports = weights.get(new)
                total += (self.weight(new) if ports is None else ports) * cost
            if end >= high:
                return total
            index += 1

    def add(self, low: int, high: int, mask: int) -> None:
        """Let this rectangle pass."""
        first = bisect_right(self.starts, low) - 1
        last = bisect_left(self.starts, high + 1, first)
        new: list[tuple[int, int, int, int, bool]] = []
        for piece in self.pieces[first:last]:
            start, end, part, _, _ = piece
            if not mask & ~part:
                new.append(piece)
                continue
            if start < low:
                new.append(self._piece(start, low - 1, part))
            if start >= low and end <= high:
                new.append((start, end, part | mask, *piece[3:]))
                continue
            new.append(self._piece(max(start, low), min(end, high), part | mask))
            if end > high:
                new.append(self._piece(high + 1, end, part))
        self.pieces[first:last] = new
        self.starts[first:last] = [piece[0] for piece in new]

    def _piece(self, start: int, end: int, part: int) -> tuple[int, int, int, int, bool]:
        return (start, end, part, *_cost_of_a_port(start, end, self.version))


def _in_some(spans: Sequence[tuple[int, int]], port: int) -> bool:
    return any(first <= port <= last for first, last in spans)


def _cost_of_a_port(start: int, end: int, version: int) -> tuple[int, bool]:
    """What a port costs at these addresses, and whether some of them are public."""
    public = public_addresses(start, end, version)
    return end - start + 1 + (PUBLIC_WEIGHT - 1) * public, public > 0


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
                partial(_in_some, ports) if ports else None,
            )
        # All other protocols as one plane, whose "ports" are the protocols themselves.
        others = _Plane((), version, None)
        others.before = [0, _PROTOCOL_NUMBERS - len(self.planes)]
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
        protocol, low, high, first, last = rectangle
        if protocol != ANY_PROTOCOL:
            plane = self.planes[protocol]
            return plane.price(low, high, plane.mask(first, last))
        return sum(plane.price(low, high, plane.everything) for plane in self.planes.values())

    def add(self, rectangle: Rectangle) -> None:
        for plane, mask in self.cells(rectangle):
            plane.add(rectangle.low, rectangle.high, mask)

    def holds(self, rectangle: Rectangle) -> bool:
        return all(
            plane.holds(rectangle.low, rectangle.high, mask)
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
