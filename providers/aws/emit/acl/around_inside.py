"""Entries around the inside: what the inside may do, then its denial, then the internet.

A network ACL tries its entries in order, so that the internet can be said as every address once
the inside is denied before it. What flows ask of hosts inside has to be allowed before that, by
entries of its own, which would else be held by those for every address.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flowbridge.catalog.ports import HIGHEST_PORT
from flowbridge.deployment.addresses import is_private
from flowbridge.deployment.interface import Network
from flowbridge.providers.aws.emit.acl.cover import exact_cover
from flowbridge.providers.aws.emit.acl.fit import fit, preferred
from flowbridge.providers.aws.emit.acl.price import Management
from flowbridge.providers.aws.emit.acl.rectangle import ANY_PROTOCOL, Rectangle
from flowbridge.providers.aws.emit.acl.whole_tiers import Spans

_SHARES = 3  # ways to share the room between both parts that are tried


@dataclass(frozen=True, slots=True, kw_only=True)
class AroundInside:
    """`before` and `behind` allow; `denied` stands between them. `exact` is how many entries
    all of it would take without widening, `excess` the price of the widening; `whole_tiers` and
    `given_up` as in `Fit`."""

    before: tuple[Rectangle, ...]
    denied: tuple[Network, ...]
    behind: tuple[Rectangle, ...]
    exact: int
    excess: float
    whole_tiers: tuple[Rectangle, ...] = ()
    given_up: tuple[Rectangle, ...] = ()


def around_inside(
    needs: Sequence[Rectangle],
    outward: Sequence[Rectangle],
    inside: Sequence[Network],
    version: int,
    capacity: int,
    management: Management,
    tiers: Spans = (),
) -> AroundInside | None:
    """At most `capacity` entries for `needs` and for `outward`, which the internet is asked.

    Where it takes too many, public addresses of the inside are left to the internet. None where
    the inside cannot be denied at all.
    """
    private = tuple(network for network in inside if is_private(network))
    for denied in dict.fromkeys((tuple(inside), private)):
        found = _around(needs, outward, denied, version, capacity - len(denied), management, tiers)
        if denied and found is not None:
            return found
    return None


def _around(
    needs: Sequence[Rectangle],
    outward: Sequence[Rectangle],
    denied: tuple[Network, ...],
    version: int,
    room: int,
    management: Management,
    tiers: Spans,
) -> AroundInside | None:
    blocks = [Rectangle.of(ANY_PROTOCOL, network, 0, HIGHEST_PORT) for network in denied]
    inner = tuple(sorted({one for one in needs if any(block.meets(one) for block in blocks)}))
    outer = tuple(sorted({*outward, *(one for one in needs if one not in inner)}))
    first, last = exact_cover(inner, version) if inner else (), exact_cover(outer, version)
    exact = len(first) + len(denied) + len(last)
    if len(first) + len(last) <= room:
        return AroundInside(before=first, denied=denied, behind=last, exact=exact, excess=0)
    found: list[AroundInside] = []
    for mine, theirs in _shares(len(first), len(last), room):
        before = fit(inner, version, mine, management, tiers) if inner else None
        behind = fit(outer, version, theirs, management, tiers)
        if behind is not None and (before is not None or not inner):
            entries = before.entries if before else ()
            price = behind.excess + (before.excess if before else 0)
            parts = (before, behind) if before else (behind,)
            kept = tuple(one for part in parts for one in part.whole_tiers)
            lost = tuple(one for part in parts for one in part.given_up)
            found.append(
                AroundInside(
                    before=entries,
                    denied=denied,
                    behind=behind.entries,
                    exact=exact,
                    excess=price,
                    whole_tiers=kept,
                    given_up=lost,
                )
            )
    return preferred(found, tiers)


def _shares(first: int, last: int, room: int) -> Iterator[tuple[int, int]]:
    """The room of both parts: the one behind has what it needs, or a little less."""
    for less in range(_SHARES):
        theirs = last - less
        mine = min(first, room - theirs)
        if theirs > 0 and (mine > 0 or not first):
            yield mine, min(theirs, room - mine)
