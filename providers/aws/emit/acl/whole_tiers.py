"""Fewer entries by taking whole tiers as peers: the port stays what it is.

"Any port between DMZ and core" reads as no network ACL at all. So where entries are too many,
those that name hosts of one tier on one port become one for the tier's CIDR on that port, the
cheapest for each entry saved first; ports are given up only where that is not enough. What is let
in beside is at most the tier itself, on a port that hosts of it are met at already.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flowbridge.providers.aws.emit.acl.cover import exact_cover
from flowbridge.providers.aws.emit.acl.price import Field, Management
from flowbridge.providers.aws.emit.acl.rectangle import Rectangle

# First and last address of each tier's CIDRs.
Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class WholeTiers:
    """`taken` are the wider needs, `cover` an exact cover of all needs with them, `price` what they
    let in beside what was asked for."""

    taken: tuple[Rectangle, ...]
    cover: tuple[Rectangle, ...]
    price: float


def whole_tiers(
    needs: Sequence[Rectangle],
    cover: tuple[Rectangle, ...],
    version: int,
    capacity: int,
    management: Management,
    tiers: Spans,
) -> WholeTiers:
    """As many whole tiers as it takes for the cover to fit, or all that save an entry."""
    taken: tuple[Rectangle, ...] = ()
    wider = sorted({each for need in needs for each in _wider(need, tiers)} - set(needs))
    field = Field([*needs, *cover, *wider], version, management)
    for one in cover:
        field.add(one)
    price: float = 0
    while len(cover) > capacity:
        best: tuple[float, Rectangle] | None = None
        for one in wider:
            saved = sum(map(one.holds, cover)) - 1
            cost = field.price(one) if saved > 0 else math.inf
            if cost == math.inf:
                continue
            score = (cost / min(saved, len(cover) - capacity), one)
            best = score if best is None or score < best else best
        if best is None:
            break
        price += field.price(best[1])
        field.add(best[1])
        taken = (*taken, best[1])
        wider.remove(best[1])
        fewer = exact_cover(tuple(sorted({*needs, *taken})), version)
        if len(fewer) >= len(cover):  # it was saved otherwise already
            continue
        cover = fewer
    return WholeTiers(taken, cover, price)


def _wider(need: Rectangle, tiers: Spans) -> Iterable[Rectangle]:
    """The same port, from the whole tier that the peer is part of."""
    for low, high in tiers:
        if low <= need.low and need.high <= high and (low, high) != (need.low, need.high):
            yield need._replace(low=low, high=high)
