"""Fitting what must cross a subnet border into the few entries of a network ACL.

An entry is a rectangle: one CIDR and one range of destination ports, of one protocol or of all.
What must pass is a union of such rectangles. First it is covered exactly (`cover`). Where that
takes more entries than there is room for, whole tiers become peers on the ports that hosts of them
are met at (`whole_tiers`). Where that is not enough, the cheapest are joined (`join`) until they
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
from typing import Protocol, TypeVar

from flowbridge.catalog.ports import HIGHEST_PORT
from flowbridge.providers.aws.emit.acl.cover import exact_cover, without_redundant
from flowbridge.providers.aws.emit.acl.join import Joining, opening_of
from flowbridge.providers.aws.emit.acl.price import Field, Management, excess
from flowbridge.providers.aws.emit.acl.rectangle import (
    ANY_PROTOCOL,
    Rectangle,
    common_of_two,
    common_rectangle,
    is_private,
)
from flowbridge.providers.aws.emit.acl.whole_tiers import Spans, WholeTiers, whole_tiers


@dataclass(frozen=True, slots=True)
class Fit:
    """The entries, and the price of what they let in beside what was asked for (0: exact).

    `whole_tiers` keep their port and have a whole tier for their peer; `given_up` have other ports
    than those that were asked for.
    """

    entries: tuple[Rectangle, ...]
    excess: float
    whole_tiers: tuple[Rectangle, ...] = ()
    given_up: tuple[Rectangle, ...] = ()


@lru_cache(maxsize=512)
def fit(
    needs: tuple[Rectangle, ...],
    version: int,
    capacity: int,
    management: Management = frozenset(),
    tiers: Spans = (),
) -> Fit | None:
    """At most `capacity` rectangles that hold all of `needs`, and little else.

    `management` must not become open to public addresses that did not ask for it. `tiers` are what
    a peer is widened to before a port is given up. None where no sensible entries are few enough.
    """
    cover = exact_cover(needs, version)
    if len(cover) <= capacity:
        return Fit(cover, 0)
    wide = whole_tiers(needs, cover, version, capacity, management, tiers)
    if len(wide.cover) <= capacity:
        return _told(wide.cover, cover, wide, version, management)
    ways = _joined(needs, cover, version, capacity, management)
    if wide.taken:
        asked = tuple(sorted({*needs, *wide.taken}))
        ways += _joined(asked, wide.cover, version, capacity, management)
    told = [_told(entries, cover, wide, version, management) for entries in ways]
    return preferred(sorted(told, key=lambda one: one.entries), tiers)


class _Wider(Protocol):
    @property
    def excess(self) -> float: ...

    @property
    def given_up(self) -> tuple[Rectangle, ...]: ...


Way = TypeVar("Way", bound=_Wider)


def preferred(ways: Sequence[Way], tiers: Spans) -> Way | None:
    """The way that lets in least; or one that gives up fewer protocols and ports, where it lets in
    no more beyond that than the largest tier on every port."""
    if not ways:
        return None
    least = min(way.excess for way in ways)
    room = max((high - low + 1 for low, high in tiers), default=0) * (HIGHEST_PORT + 1)
    near = [way for way in ways if way.excess <= least + room]
    return min(near, key=lambda way: (*(_given_up(way) if tiers else ()), way.excess))


def _given_up(way: _Wider) -> tuple[int, int]:
    every = sum(one.protocol == ANY_PROTOCOL for one in way.given_up)
    return every, len(way.given_up)


def _told(
    entries: tuple[Rectangle, ...],
    cover: tuple[Rectangle, ...],
    wide: WholeTiers,
    version: int,
    management: Management,
) -> Fit:
    """The fit, with how each entry came to be wider than what was asked for."""
    asked = Field([*cover, *entries], version, management)
    for one in cover:
        asked.add(one)
    kept = Field([*cover, *wide.taken, *entries], version, management)
    for one in (*cover, *wide.taken):
        kept.add(one)
    wider = [entry for entry in entries if not asked.holds(entry)]
    return Fit(
        entries,
        excess(entries, cover, version, management),
        tuple(entry for entry in wider if kept.holds(entry)),
        tuple(entry for entry in wider if not kept.holds(entry)),
    )


def _joined(
    needs: tuple[Rectangle, ...],
    cover: tuple[Rectangle, ...],
    version: int,
    capacity: int,
    management: Management,
) -> list[tuple[Rectangle, ...]]:
    """Several ways to join entries whatever their ports."""
    opening = opening_of(cover, needs, version, capacity, management)
    ways: list[tuple[Rectangle, ...]] = []
    for per_entry in (True, False):
        for all_protocols in (True, False):
            joined = Joining(opening, version, all_protocols).join(capacity, per_entry)
            if joined is None:
                continue
            exchanged = _exchanged(joined, cover, version, capacity, management)
            ways += [_cut_down(entries, needs, version) for entries in (joined, exchanged)]
            if not any(entry.protocol == ANY_PROTOCOL for entry in joined):
                break  # without such entries it comes out the same
    return ways


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
                (price(common_of_two(whole, one) if whole else one) - price(whole), i)
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
    nothing = Field([*needs, *kept], version, frozenset())
    for one in sorted(kept, key=lambda r: (-(r.high - r.low) * (r.last - r.first + 1), r)):
        others = [other for other in kept if other is not one]
        met = [need for need in needs if one.meets(need)]
        carried = nothing.copy()
        near = common_rectangle(met) if met else one
        for other in others:
            if near.meets(other):
                carried.add(other)
        left = [need for need in met if not carried.holds(need)]
        if left and all(map(one.holds, left)):
            kept = [*others, common_rectangle(left)]
    return tuple(sorted(kept))
