"""Priorities of allow rules: spread over a wide band by the content of each rule.

The order among allow rules decides nothing, because every rule of the band allows and the one
rule that denies stands behind them all. So a rule may have any priority that is its own. Each
rule has a series of places that follows from its content alone; in the order of their digests,
each takes the first of its places that is still free. The outcome depends on the set of rules
and on no order or history. A rule that is added leaves all others where they are unless it takes
a place that another held; then that one goes on to its own next free place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from flowbridge.providers.terraform.content_names import content_digest

_HASHED_PLACES = 32


def priorities(identities: Iterable[str], first: int, last: int) -> Mapping[str, int]:
    """A priority in `first` to `last` for each identity, all different.

    Identities for which the band has no place are left out.
    """
    taken: dict[int, str] = {}
    for identity in sorted(set(identities), key=content_digest):
        free = (place for place in _places(identity, first, last) if place not in taken)
        for place in islice(free, 1):
            taken[place] = identity
    return {identity: place for place, identity in taken.items()}


def _places(identity: str, first: int, last: int) -> Iterator[int]:
    """Every place of the band: some at random, then all in their order from the last of these."""
    width = last - first + 1
    place = 0
    for number in range(_HASHED_PLACES):
        place = content_digest(identity, number) % width
        yield first + place
    for step in range(1, width):
        yield first + (place + step) % width
