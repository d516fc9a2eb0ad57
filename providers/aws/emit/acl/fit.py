"""Fitting what must cross a subnet border into the few entries of a network ACL.

An entry is a rectangle: one CIDR and one range of destination ports, of one protocol or of all.
What must pass is a union of such rectangles. First it is covered exactly (`acl_cover`). Where
that takes more entries than there is room for, the cheapest are joined (`acl_join`) until they
fit, by several rules that compete; then single rectangles change from one entry to another as
long as that lets in less. Two things are never done to save an entry: open a management port to
public addresses, and open all protocols to public addresses. All of it is deterministic.

Allow entries only: their order means nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from flowbridge.providers.aws.emit.acl.cover import exact_cover, without_redundant
from flowbridge.providers.aws.emit.acl.join import Joining, opening_of
from flowbridge.providers.aws.emit.acl.price import Field, Management, excess
from flowbridge.providers.aws.emit.acl.rectangle import (
    ANY_PROTOCOL,
    Rectangle,
    common_rectangle,
    is_private,
)


@dataclass(frozen=True, slots=True)
class Fit:
    """The entries, and the price of what they let in beside what was asked for (0: exact)."""

    entries: tuple[Rectangle, ...]
    excess: float


@lru_cache(maxsize=512)
def fit(
    needs: tuple[Rectangle, ...],
    version: int,
    capacity: int,
    management: Management = frozenset(),
) -> Fit | None:
    """At most `capacity` rectangles that hold all of `needs`, and little else.

    `management` must not become open to public addresses that did not ask for it. None where no
    sensible entries are few enough.
    """
    cover = exact_cover(needs, version)
    if len(cover) <= capacity:
        return Fit(cover, 0)
    opening = opening_of(cover, needs, version, capacity, management)
    results: list[Fit] = []
    for per_entry in (True, False):
        for all_protocols in (True, False):
            joined = Joining(opening, version, all_protocols).join(capacity, per_entry)
            if joined is None:
                continue
            for entries in (joined, _exchanged(joined, cover, version, capacity, management)):
                tight = _cut_down(entries, needs, version)
                results.append(Fit(tight, excess(tight, cover, version, management)))
            if not any(entry.protocol == ANY_PROTOCOL for entry in joined):
                break  # without such entries it comes out the same
    return min(results, key=lambda result: (result.excess, result.entries), default=None)


def _exchanged(
    entries: Sequence[Rectangle],
    cover: Sequence[Rectangle],
    version: int,
    capacity: int,
    management: Management,
) -> list[Rectangle]:
    """Give single rectangles of the cover from entry to entry while that lets in less.

    Entries are priced one by one here, as if they did not overlap; `fit` judges the outcome.
    """
    if capacity < 2:
        return list(entries)
    field = Field(cover, version, management)
    for one in cover:
        field.add(one)
    prices: dict[Rectangle | None, float] = {None: 0}

    def price(whole: Rectangle | None) -> float:
        if whole is not None and whole not in prices:
            open_to_all = whole.protocol == ANY_PROTOCOL and not is_private(whole, version)
            prices[whole] = math.inf if open_to_all else field.price(whole)
        return prices[whole]

    groups: list[list[Rectangle]] = [[] for _ in range(capacity)]
    homes: dict[Rectangle, int] = {}
    for one in cover:
        homes[one] = next(i for i, entry in enumerate(entries) if entry.holds(one))
        groups[homes[one]].append(one)
    wholes = [_whole(group) for group in groups]
    better = True
    while better:
        better = False
        for one in cover:
            home = homes[one]
            without = _whole([other for other in groups[home] if other != one])
            saved = price(wholes[home]) - price(without)
            if not saved > 0:
                continue
            cost, best = min(
                (price(common_rectangle((whole, one)) if whole else one) - price(whole), i)
                for i, whole in enumerate(wholes)
                if i != home
            )
            if cost < saved:
                groups[home].remove(one)
                groups[best].append(one)
                wholes[home], wholes[best] = without, _whole(groups[best])
                homes[one], better = best, True
    return [whole for whole in wholes if whole]


def _whole(group: Sequence[Rectangle]) -> Rectangle | None:
    """The common rectangle of all of `group`; None where there are none."""
    return common_rectangle(group) if group else None


def _cut_down(
    entries: Sequence[Rectangle], needs: Sequence[Rectangle], version: int
) -> tuple[Rectangle, ...]:
    """Each entry cut down to what the others do not carry already, the largest first."""
    kept = without_redundant(sorted(entries), needs, version)
    for one in sorted(kept, key=lambda r: (-(r.high - r.low) * (r.last - r.first + 1), r)):
        others = [other for other in kept if other is not one]
        carried = Field([*needs, *others], version, frozenset())
        for other in others:
            carried.add(other)
        left = [need for need in needs if one.meets(need) and not carried.holds(need)]
        if left and all(one.holds(need) for need in left):
            kept = [*others, common_rectangle(left)]
    return tuple(sorted(kept))
