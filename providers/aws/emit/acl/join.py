"""Fewer entries by joining: the two whose common rectangle lets in least, again and again."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop
from typing import Final

from flowbridge.providers.aws.emit.acl.price import Field, Management
from flowbridge.providers.aws.emit.acl.rectangle import (
    ANY_PROTOCOL,
    Rectangle,
    common_of_two,
    is_private,
)

# Up to so many entries every pair is tried.
_ALL_PAIRS: Final = 64


@dataclass(frozen=True, slots=True)
class Opening:
    """Where joining starts: entries, what they let pass, the price of each common rectangle."""

    entries: tuple[Rectangle, ...]
    field: Field
    prices: Mapping[Rectangle, float]


def opening_of(
    cover: tuple[Rectangle, ...],
    needs: Sequence[Rectangle],
    version: int,
    capacity: int,
    management: Management,
) -> Opening:
    field = Field([*cover, *needs], version, management)
    for one in cover:
        field.add(one)
    entries = _thinned_out(cover, field, version, max(capacity, _ALL_PAIRS))
    pairs = set(common_rectangles(entries, entries, version, all_protocols=True))
    return Opening(entries, field, {pair: field.price(pair) for pair in sorted(pairs)})


def _thinned_out(
    cover: tuple[Rectangle, ...], field: Field, version: int, enough: int
) -> tuple[Rectangle, ...]:
    """Join neighbours in rounds until `enough` entries are left, or no join is allowed.

    Trying all pairs of many entries would take too long, and most are far apart.
    """
    entries = list(cover)
    while len(entries) > enough:
        priced = sorted(
            (price, one, other, joined)
            for one, other in _neighbours(entries)
            for joined in common_rectangles([one], [other], version, all_protocols=False)
            if (price := field.price(joined)) != math.inf
        )
        taken: set[Rectangle] = set()
        for _, one, other, joined in priced[: max(1, len(entries) // 4)]:
            if one in taken or other in taken or len(entries) <= enough:
                continue
            taken |= {one, other}
            field.add(joined)
            entries = [entry for entry in entries if not joined.holds(entry)]
            entries.append(joined)
        if not taken:
            break
    return tuple(entries)


def _neighbours(entries: Iterable[Rectangle]) -> set[tuple[Rectangle, Rectangle]]:
    """Pairs of one protocol that are next to each other by address or by port."""
    by_address = sorted(entries)
    by_port = sorted(by_address, key=lambda r: (r.protocol, r.first, r.last, r.low))
    return {
        (one, other)
        for line in (by_address, by_port)
        for one, other in itertools.pairwise(line)
        if one.protocol == other.protocol
    }


def common_rectangles(
    some: Iterable[Rectangle], others: Sequence[Rectangle], version: int, *, all_protocols: bool
) -> Iterator[Rectangle]:
    """The common rectangle of each of `some` with each of `others`, as far as allowed."""
    for one in some:
        for other in others:
            if one is other or (one.protocol != other.protocol and not all_protocols):
                continue
            common = common_of_two(one, other)
            if common.protocol != ANY_PROTOCOL or is_private(common, version):
                yield common


@dataclass(slots=True)
class _Join:
    """A common rectangle: its price, and how many entries it holds.

    Both can only fall as other entries are joined, and only where these meet it: then `slack` is
    by how much the price may have fallen, and both are found again when it matters.
    """

    price: float
    held: int
    slack: float = 0
    known: bool = True

    def score(self, over: int, per_entry: bool) -> float:
        """At best: the price, or the price per entry saved of the `over` that are too many."""
        price = max(self.price - self.slack, 0)
        return price / max(min(self.held - 1, over), 1) if per_entry else price


class Joining:
    """Entries on the way to fewer."""

    def __init__(self, opening: Opening, version: int, all_protocols: bool) -> None:
        self.version = version
        self.all_protocols = all_protocols
        self.entries = list(opening.entries)
        self.field = opening.field.copy()
        self.joins = {
            pair: _Join(price, len(self.entries), known=False)
            for pair, price in opening.prices.items()
            if price != math.inf and (all_protocols or pair.protocol != ANY_PROTOCOL)
        }

    def join(self, capacity: int, per_entry: bool) -> list[Rectangle] | None:
        """Join the cheapest until the entries fit, by price or by price per entry saved."""
        while len(self.entries) > capacity:
            chosen = self._cheapest(len(self.entries) - capacity, per_entry)
            if chosen is None:
                return None
            paid = self.joins.pop(chosen).price
            for candidate, join in self.joins.items():
                if chosen.meets(candidate):
                    join.slack += paid
                    join.known = False
            self.field.add(chosen)
            self.entries = [entry for entry in self.entries if not chosen.holds(entry)]
            pairs = common_rectangles(
                [chosen], self.entries, self.version, all_protocols=self.all_protocols
            )
            self.entries.append(chosen)
            for pair in dict.fromkeys(pairs):
                price = self.field.price(pair)
                if price != math.inf:
                    self.joins[pair] = _Join(price, self._held(pair))
        return self.entries

    def _held(self, candidate: Rectangle) -> int:
        """How many entries it holds: `Rectangle.holds`, written out for what is asked most."""
        protocol, low, high, first, last = candidate
        return sum(
            protocol in (entry_protocol, ANY_PROTOCOL)
            and low <= entry_low
            and entry_high <= high
            and first <= entry_first
            and entry_last <= last
            for entry_protocol, entry_low, entry_high, entry_first, entry_last in self.entries
        )

    def _cheapest(self, over: int, per_entry: bool) -> Rectangle | None:
        best: tuple[float, Rectangle] | None = None
        bounds = [(join.score(over, per_entry), c) for c, join in self.joins.items()]
        heapify(bounds)
        while bounds:
            bound, candidate = heappop(bounds)
            if best and (bound, candidate) > best:
                break
            join = self.joins[candidate]
            if not join.known:
                join.price, join.held = self.field.price(candidate), self._held(candidate)
                join.slack, join.known = 0, True
                if join.held < 2:
                    del self.joins[candidate]
                    continue
            score = join.score(over, per_entry)
            if best is None or (score, candidate) < best:
                best = (score, candidate)
        return best[1] if best else None
