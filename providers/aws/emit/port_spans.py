"""Port ranges as AWS can say them: one contiguous range a rule, and no parity.

RTP goes to the even and RTCP to the odd ports of one range. Where a peer asks for both halves
they are together the whole range, in one rule. A half alone becomes single ports while they are
few, else its whole range, which lets the other half in as well: that is reported as excess.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from flowbridge.catalog.port_set import EVEN_PORTS, port_mask, port_runs
from flowbridge.catalog.ports import Parity, PortRange

# Rules are scarce (60 a group): more single ports than this and the whole range is the better rule.
FEW_SINGLE_PORTS: Final = 8

_Half = tuple[int, int]  # the first and last port of one parity


@dataclass(frozen=True, slots=True)
class Asked:
    """A range that a flow asks for, the flow's rows and the name of its other end."""

    ports: PortRange
    rows: frozenset[str]
    party: str


@dataclass(frozen=True, slots=True)
class Span:
    """A range for one rule. `widened` if it holds ports of the parity nobody asked for."""

    first: int
    last: int
    widened: bool
    asked: tuple[Asked, ...]


def spans(asked: Iterable[Asked]) -> tuple[Span, ...]:
    """The ranges of the rules that serve `asked`, all for one peer and protocol.

    A range without parity stays as it was asked for, so that it changes with its own flow only.
    """
    whole: dict[tuple[int, int], list[Asked]] = {}
    halves: dict[_Half, list[Asked]] = {}
    for item in asked:
        ports = item.ports
        if ports.parity is None:
            whole.setdefault((ports.first, ports.last), []).append(item)
            continue
        odd = ports.parity is Parity.ODD
        first = ports.first + (ports.first % 2 != odd)
        last = ports.last - (ports.last % 2 != odd)
        if first <= last:
            halves.setdefault((first, last), []).append(item)
    widened: set[tuple[int, int]] = set()
    for half, items in sorted(halves.items()):
        partner = next((other for other in sorted(halves) if _complete(half, other)), None)
        first, last = half
        if partner is not None:
            joined = (min(first, partner[0]), max(last, partner[1]))
            whole.setdefault(joined, []).extend(items)
        elif (last - first) // 2 < FEW_SINGLE_PORTS:
            for port in range(first, last + 1, 2):
                whole.setdefault((port, port), []).extend(items)
        else:
            whole.setdefault(half, []).extend(items)
            widened.add(half)
    return tuple(
        Span(first, last, (first, last) in widened, tuple(items))
        for (first, last), items in sorted(whole.items())
    )


@lru_cache(maxsize=4096)
def filled(mask: int) -> int:
    """A bit mask of ports with every half of more than `FEW_SINGLE_PORTS` made whole.

    Only gaps of one port in a long row of such gaps are filled: a port that is missing between
    two ranges is not every second port of anything.
    """
    gaps = ~mask & mask << 1 & mask >> 1
    for half in (gaps & EVEN_PORTS, gaps & ~EVEN_PORTS):
        for row in port_runs(half | half << 1):
            if (row.last - row.first + 1) // 2 + 1 > FEW_SINGLE_PORTS:
                mask |= half & port_mask([row])
    return mask


def _complete(half: _Half, other: _Half) -> bool:
    """Whether two halves are together a range without gaps."""
    return abs(half[0] - other[0]) == 1 and abs(half[1] - other[1]) == 1
