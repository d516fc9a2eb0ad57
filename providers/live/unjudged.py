"""What a step of a live reader answers where an answer of the cloud has no known shape.

No step raises for what it reads (`providers.live.contract`): the steps of all clouds run in here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from flowbridge.policy.audit.estate import Estate, Unread
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.providers.live.contract import Adoption, Preflight
from flowbridge.providers.live.reading import ODD_SHAPE, GarbledError

# The cloud's own words for an answer that came whole and is not as documented.
Garbled = Callable[[str, Exception], Unread]

# The estate of a deployment of which nothing exists.
UNMANAGED: Final = (
    "nothing here was made by Flowbridge for this deployment: the estate is judged against the "
    "documents alone"
)


def refuse_odd_answer(rules: Collection[str], unknown: Iterable[Unknown]) -> None:
    """GarbledError where no rule of a list has a meaning: then it is the answer that is odd.

    `rules` are the live ids of everything in the list.
    """
    odd = {each.rule: each for each in unknown if each.why is Why.MEANING and each.rule in rules}
    if len(rules) > 1 and len(odd) == len(set(rules)):
        raise GarbledError(str(next(iter(odd.values()))))


def unjudged(scope: str, unread: tuple[Unread, ...], read: Mapping[str, int]) -> Estate:
    """An estate of which nothing can be judged, and why."""
    return Estate(
        scope=scope,
        enforcement={},
        rules={},
        deviations=(),
        unread=unread,
        managed=True,
        found=None,
        read=read,
    )


def estate_or_unread(
    scope: str,
    make: Callable[[], Estate],
    garbled: Garbled,
    unread: tuple[Unread, ...],
    read: Mapping[str, int],
) -> Estate:
    """`make()`, else what was not understood beside what was not read."""
    try:
        return make()
    except ODD_SHAPE as error:
        return unjudged(scope, (*unread, garbled(scope, error)), read)


def adoption_or_unread(
    scope: str, make: Callable[[], Adoption], garbled: Garbled, unread: tuple[Unread, ...]
) -> Adoption:
    """As `estate_or_unread`: then nothing is imported."""
    try:
        return make()
    except ODD_SHAPE as error:
        return Adoption(
            imports=(), creates=(), changes=(), left=(), unread=(*unread, garbled(scope, error))
        )


def preflight_or_unread(
    scope: str, make: Callable[[], Preflight], garbled: Garbled, unread: tuple[Unread, ...]
) -> Preflight:
    """As `estate_or_unread`: then nothing is said of an apply."""
    try:
        return make()
    except ODD_SHAPE as error:
        return Preflight((), (), (*unread, garbled(scope, error)))
