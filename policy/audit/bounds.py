"""The bounds of a live estate: a packet passes for sure, is refused for sure, or cannot be told.

What was not read, found or understood takes away from what passes for sure, adds to what may
pass, or does both:

* a rule that allows, and whose peers or machines cannot be told, may let through anything more;
* one that denies may refuse anything, and so may one of which nothing is known;
* what was not read may be anything, and a machine that was not found has no filters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from flowbridge.policy.audit.estate import Estate
from flowbridge.policy.audit.members import absent_members
from flowbridge.policy.audit.untold import Standing, untold
from flowbridge.policy.compiled import Policy
from flowbridge.policy.doubt import Bounds
from flowbridge.policy.filter import Enforcement, Filter, FilterRule, Order
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.surrounding import Surrounding
from flowbridge.policy.unknown import Unknown, Why

_NOTHING: Final = Filter(
    name="not told", kind="unknown", order=Order.UNION, stateful=True, rules=()
)
# Answers may be refused as well: a stage of which nothing is known keeps no state for sure.
_NO_ANSWER: Final = Filter(
    name="not told", kind="unknown", order=Order.UNION, stateful=False, rules=()
)
_REFUSED: Final = (_NOTHING, _NO_ANSWER)


def bounds(
    policy: Policy,
    plan: Enforcement,
    estate: Estate,
    around: Iterable[Surrounding] = (),
    *,
    before_machines: bool = False,
) -> Bounds:
    """`around` are the subnets of ours, in which other hosts stand.

    `before_machines`: members that are not there are none that were lost.
    """
    least: dict[Point, tuple[Filter, ...]] = {}
    most: dict[Point, tuple[Filter, ...]] = {}
    reasons: dict[Point, tuple[str, ...]] = {}
    planned = frozenset(
        each.unknown for each in untold(plan, estate) if each.standing is Standing.AS_PLANNED
    )
    missing: dict[str, list[str]] = {}
    for absent in () if before_machines else absent_members(policy, estate):
        missing.setdefault(absent.interface, []).append(str(absent))
    for interface in policy.interfaces:
        key = interface.key
        unread = [str(each) for each in estate.unread if key in (each.interfaces or (key,))]
        for point in (Point(key, direction) for direction in Direction):
            found = estate.enforcement.get(point)
            told = [*unread, *missing.get(key, ())]
            if found is None:
                told = told or [f"{key} was not read"]
            takes, adds = bool(told), bool(unread) or found is None or key in estate.uncertain
            doubt = _Doubt(found or (), planned)
            told += doubt.told
            least[point] = _REFUSED if takes or doubt.takes else found or ()
            most[point] = () if adds or doubt.adds else found or ()
            if told or adds:
                told = told or [f"members of groups or entries of lists at {key} were not read"]
                reasons[point] = tuple(dict.fromkeys(told))
    unread = [str(each) for each in estate.unread if not each.interfaces]
    live = {each.anyone.private: each.filters for each in estate.around}
    for each in around:
        for direction in Direction:
            point = Point(each.anyone.key, direction)
            filters = live.get(each.anyone.private, {}).get(direction)
            if filters is None or unread:
                words = f"what {point.interface} does to hosts that are no cards of ours"
                least[point], most[point] = _REFUSED, ()
                reasons[point] = (f"{words} is not read", *unread)
                continue
            doubt = _Doubt(filters, planned)
            least[point] = _REFUSED if doubt.takes else filters
            most[point] = () if doubt.adds else filters
            reasons[point] = tuple(doubt.told)
    return Bounds(least, most, reasons)


class _Doubt:
    """What the filters of one point leave open beyond what the plan does: `takes` away, `adds`,
    and in words."""

    def __init__(self, stages: Iterable[Filter], planned: frozenset[Unknown]) -> None:
        left = [
            (stage, unknown)
            for stage in stages
            for unknown in stage.unknown
            if unknown not in planned and unknown.why is not Why.EVERY_MACHINE
        ]
        self.told = [str(unknown) for _, unknown in left]
        self.takes = any(_may_refuse(*each) for each in left)
        self.adds = any(_may_allow(*each) for each in left)


def _may_allow(stage: Filter, unknown: Unknown) -> bool:
    """Whether what is left open may let through more. A union has nothing that refuses."""
    if stage.order is Order.UNION:
        return True
    return any(rule.allow for rule in _named(stage, unknown)) or not _is_named(stage, unknown)


def _may_refuse(stage: Filter, unknown: Unknown) -> bool:
    """Whether what is left open may take away: a rule ahead of others that denies, or of which
    nothing is known."""
    if stage.order is Order.UNION:
        return False
    return any(not rule.allow for rule in _named(stage, unknown)) or not _is_named(stage, unknown)


def _is_named(stage: Filter, unknown: Unknown) -> bool:
    return any(rule.name == unknown.rule for rule in stage.rules)


def _named(stage: Filter, unknown: Unknown) -> Iterator[FilterRule]:
    return (rule for rule in stage.rules if rule.name == unknown.rule)
