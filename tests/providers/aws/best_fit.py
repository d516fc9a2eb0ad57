"""The best entries there are, by trying everything: the yardstick for `providers.aws.emit.acl.fit`.

    python -m tests.providers.aws.best_fit CASES

prints in how many random cases the fit is the best there is, and how far off it is in the others,
with the exchanges of single rectangles and without.

For a handful of rectangles only. Everything is cut into cells (protocol, addresses, ports);
the first cell that must pass and does not yet is given to each rectangle that could carry it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from ipaddress import ip_network
from itertools import combinations, islice, pairwise

from flowbridge.deployment.addresses import PRIVATE
from flowbridge.providers.aws.emit.acl import fit as acl_fit
from flowbridge.providers.aws.emit.acl.price import PUBLIC_WEIGHT
from flowbridge.providers.aws.emit.acl.rectangle import ANY_PROTOCOL, Rectangle

TCP, UDP = 6, 17
NETWORKS = (
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.1/32",
    "10.0.0.2/32",
    "10.0.0.4/31",
    "10.0.0.8/29",
    "10.0.1.0/24",
    "203.0.113.7/32",
)
PORTS = (22, 80, 443, 1024, 5060, 5062, 7001, 8443, 36000, 59999, 65535)

_OTHERS = 255  # stands for every protocol but TCP and UDP
_Cell = tuple[int, int, int, int, int]


def rectangle(protocol: int, network: str, first: int, last: int | None = None) -> Rectangle:
    return Rectangle.of(protocol, ip_network(network), first, first if last is None else last)


def ratios(seed: int) -> Iterator[float]:
    """For random cases that can be fitted: the excess of the fit by the least there is (1: the
    best)."""
    draw = random.Random(seed)  # noqa: S311
    while True:
        needs = {
            rectangle(
                draw.choice([TCP, TCP, UDP]),
                draw.choice(NETWORKS),
                *sorted(draw.choices(PORTS, k=2)),
            )
            for _ in range(draw.randint(3, 6))
        }
        ordered, capacity = tuple(sorted(needs)), draw.randint(2, 3)
        least, found = least_excess(ordered, capacity), acl_fit.fit(ordered, 4, capacity)
        assert (least is None) == (found is None)
        if least is not None and found is not None:
            assert found.excess >= least
            yield found.excess / least if least else 1.0 + found.excess


def least_excess(needs: Sequence[Rectangle], capacity: int) -> int | None:
    """The least weight of unasked packets that `capacity` IPv4 entries let in; None if none do."""
    cidrs = _supernets({(need.low, need.high) for need in needs})
    edges = sorted({edge for low, high in cidrs for edge in (low, high + 1)})
    steps = sorted({edge for n in needs for edge in (n.first, n.last + 1)} | {0, 65536})
    cells = [
        (protocol, low, high - 1, first, last - 1)
        for protocol in (6, 17, _OTHERS)
        for low, high in pairwise(edges)
        for first, last in pairwise(steps)
        if protocol != _OTHERS or first == 0
    ]
    weights = [_weight(cell) for cell in cells]
    asked = _mask(cells, needs)
    choices: set[int] = set()
    for low, high in cidrs:
        if not _public(low, high):
            choices.add(_mask(cells, [Rectangle(ANY_PROTOCOL, low, high, 0, 65535)]))
        for protocol in (6, 17):
            for first, last in combinations(steps, 2):
                choices.add(_mask(cells, [Rectangle(protocol, low, high, first, last - 1)]))
    best: int | None = None
    useful = {choice for choice in choices if choice & asked}
    carriers = [[c for c in sorted(useful) if c >> i & 1] for i in range(len(cells))]

    @cache
    def price(mask: int) -> int:
        return sum(w for i, w in enumerate(weights) if mask >> i & 1)

    def search(passing: int, left: int) -> None:
        nonlocal best
        cost = price(passing & ~asked)
        missing = asked & ~passing
        if best is not None and cost >= best:
            return
        if not missing:
            best = cost
        elif left:
            for choice in carriers[(missing & -missing).bit_length() - 1]:
                search(passing | choice, left - 1)

    search(0, capacity)
    return best


def _supernets(cidrs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    while True:
        joined = set(cidrs)
        for (low, _), (_, high) in combinations(sorted(cidrs), 2):
            size = (low ^ high).bit_length()
            joined.add((low >> size << size, ((low >> size) + 1 << size) - 1))
        if joined == cidrs:
            return cidrs
        cidrs = joined


def _mask(cells: Sequence[_Cell], rectangles: Sequence[Rectangle]) -> int:
    mask = 0
    for index, (protocol, low, high, first, last) in enumerate(cells):
        for r in rectangles:
            if (
                r.protocol in (protocol, ANY_PROTOCOL)
                and r.low <= low
                and high <= r.high
                and (protocol == _OTHERS or (r.first <= first and last <= r.last))
            ):
                mask |= 1 << index
    return mask


def _public(low: int, high: int) -> int:
    count = high - low + 1
    for block in PRIVATE:
        if block.version == 4:
            first, last = int(block.network_address), int(block.broadcast_address)
            count -= max(0, min(high, last) - max(low, first) + 1)
    return count


def _weight(cell: _Cell) -> int:
    protocol, low, high, first, last = cell
    ports = 254 if protocol == _OTHERS else last - first + 1
    return ports * (high - low + 1 + (PUBLIC_WEIGHT - 1) * _public(low, high))


def _report(cases: int) -> None:
    for words in ("with exchanges", "without exchanges"):
        found = list(islice(ratios(20), cases))
        worse = sorted(ratio for ratio in found if ratio > 1)
        rest = ", ".join(f"{ratio:.2f}" for ratio in worse) or "none"
        best = cases - len(worse)
        sys.stdout.write(f"{words}: the best in {best} of {cases}; times the least else: {rest}\n")
        acl_fit.fit.cache_clear()
        acl_fit._exchanged = lambda entries, *_: list(entries)


if __name__ == "__main__":
    _report(int(sys.argv[1]))
