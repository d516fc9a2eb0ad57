"""Redundant rules: rules without which exactly the same packets pass, at every point they serve.

A rule is covered by all the others together, not only by a single wider one. A rule that serves
several points (a group on several interfaces) is redundant only if it is so at each of them: the
same packets for another target are other packets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flowbridge.policy.filter import Enforcement, Filter, FilterRule, Order
from flowbridge.policy.packets.packet_set import EMPTY, EVERY_ADDRESS, PacketSet
from flowbridge.policy.point import Point


@dataclass(frozen=True, slots=True)
class Redundancy:
    """`rule` decides nothing at `points`. `covered_by` names rules that together decide its
    packets the same way; empty for a rule that matches nothing that reaches it and whose packets
    fall to the filter's default anyway.

    `removable`: all rules so marked can be removed together; the others are redundant only while
    those stay.
    """

    rule: str
    filter: str
    points: tuple[Point, ...]
    covered_by: tuple[str, ...]
    removable: bool

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "rule": self.rule,
            "filter": self.filter,
            "points": [str(point) for point in self.points],
            "covered_by": list(self.covered_by),
            "removable": self.removable,
        }


@dataclass(frozen=True, slots=True)
class _Use:
    """One rule at one point."""

    point: Point
    stage: Filter
    index: int


def redundant_rules(enforcement: Enforcement) -> tuple[Redundancy, ...]:
    """Every redundant rule, in the order of points and rules."""
    uses: dict[str, list[_Use]] = {}
    for point in sorted(enforcement):
        for stage in enforcement[point]:
            for index, rule in enumerate(stage.rules):
                if rule.built_in or _closing(rule):
                    continue
                uses.setdefault(rule.name, []).append(_Use(point, stage, index))
    engine = _Coverage()
    found = [
        name
        for name, where in uses.items()
        if all(engine.covered(use, frozenset()) for use in where)
    ]
    # From the narrowest: of two that cover each other, the wider one stays.
    removed: frozenset[str] = frozenset()
    sizes = {
        name: sum(u.stage.rules[u.index].packets.count() for u in uses[name]) for name in found
    }
    for name in sorted(found, key=lambda name: (sizes[name], -list(uses).index(name))):
        if all(engine.covered(use, removed) for use in uses[name]):
            removed |= {name}
    return tuple(
        Redundancy(
            name,
            uses[name][0].stage.name,
            tuple(use.point for use in uses[name]),
            tuple(dict.fromkeys(other for use in uses[name] for other in engine.covering(use))),
            name in removed,
        )
        for name in found
    )


_FAMILIES = tuple(PacketSet.of((whole,), None) for whole in EVERY_ADDRESS)


def _closing(rule: FilterRule) -> bool:
    return not rule.allow and any(family <= rule.packets for family in _FAMILIES)


class _Coverage:
    """Whether a filter passes the same without one of its rules."""

    def covered(self, use: _Use, without: frozenset[str]) -> bool:
        """Whether the rule changes nothing, when the rules named in `without` are gone too."""
        rule = use.stage.rules[use.index]
        if not rule.packets:
            return True
        kept = [
            other for other in use.stage.rules if other is not rule and other.name not in without
        ]
        if use.stage.order is Order.UNION:
            if not rule.allow:
                return True
            others = PacketSet.union(other.packets & rule.packets for other in kept if other.allow)
            return rule.packets <= others | use.stage.bypassed_by
        return _same_below(use, without)

    def covering(self, use: _Use) -> tuple[str, ...]:
        """Few rules that decide the packets of this one the same way."""
        rule = use.stage.rules[use.index]
        if use.stage.order is Order.UNION:
            if not rule.allow:
                return ()
            return _few(rule.packets - use.stage.bypassed_by, use.stage.rules, use.index)
        decided_before = _few(
            rule.packets - use.stage.bypassed_by, use.stage.rules[: use.index], None
        )
        reaching = _reaching(use, frozenset())
        after = [other for other in use.stage.rules[use.index + 1 :] if other.packets & reaching]
        return (*decided_before, *_few(reaching, after, None))


def _reaching(use: _Use, without: frozenset[str]) -> PacketSet:
    """The packets of a first-match rule that no earlier rule decides."""
    left = use.stage.rules[use.index].packets - use.stage.bypassed_by
    for earlier in use.stage.rules[: use.index]:
        if earlier.name not in without:
            left = left - earlier.packets
    return left


def _same_below(use: _Use, without: frozenset[str]) -> bool:
    """Whether what reaches a first-match rule is decided the same way without it."""
    rule = use.stage.rules[use.index]
    left = _reaching(use, without)
    for later in use.stage.rules[use.index + 1 :]:
        if not left:
            return True
        if later.name in without:
            continue
        if later.allow != rule.allow and left & later.packets:
            return False
        left = left - later.packets
    return not left or use.stage.default_allow == rule.allow


def _few(packets: PacketSet, rules: Sequence[FilterRule], leave_out: int | None) -> tuple[str, ...]:
    """Names of rules that together cover `packets`, greedily few; of what they cannot cover,
    nothing."""
    left = packets
    names: list[str] = []
    candidates = [rule for index, rule in enumerate(rules) if index != leave_out and rule.packets]
    while left:
        shares = [(left & rule.packets, rule) for rule in candidates]
        share, best = max(shares, key=lambda pair: pair[0].count(), default=(EMPTY, None))
        if best is None or not share:
            break
        names.append(best.name)
        left = left - share
    return tuple(names)
