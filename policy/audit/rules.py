"""What became of each rule: carried, changed, or not ours.

A planned rule is carried where the live filter of the same kind lets all of its packets through,
by whichever rules. A live rule that is no planned one has a state; it is drift only where it
opens or closes something, or stands in the place of a planned rule that is not carried.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flowbridge.policy.audit.estate import Departure, Estate, LiveRule
from flowbridge.policy.filter import AllowedPackets, Enforcement, Order
from flowbridge.policy.packets.as_json import plain_packets
from flowbridge.policy.packets.packet_set import EMPTY, PacketSet
from flowbridge.policy.point import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """A live rule that the plan does not have. `was`: the planned rule that it must have been;
    `interface`: the first one whose packets meet it, where any does."""

    rule: LiveRule
    was: str | None
    drift: bool
    opens: PacketSet
    effect: str
    interface: str = ""

    def as_plain(self) -> dict[str, Any]:
        return {
            "rule": self.rule.id,
            "holder": self.rule.holder,
            "ours": self.rule.ours,
            "made_for": self.rule.made_for,
            "text": self.rule.text,
            "description": self.rule.description,
            "was": self.was,
            "drift": self.drift,
            "effect": self.effect,
            "opens": plain_packets(self.opens),
        }


def uncarried(plan: Enforcement, live: Enforcement) -> frozenset[str]:
    """The planned allow rules whose packets do not all pass their live filter, at some point.

    A live filter of a kind that the plan does not have (an NSG on a card) is in the way of all.
    """
    lost: set[str] = set()
    allowed = AllowedPackets()
    for point in plan.keys() & live.keys():
        kinds = {stage.kind for stage in plan[point]}
        more = [allowed.by(stage) for stage in live[point] if stage.kind not in kinds]
        for kind in kinds:
            own = [allowed.by(stage) for stage in live[point] if stage.kind == kind]
            passing = [_through(each, more) for each in own] if more else own
            for stage in plan[point]:
                if stage.kind != kind or any(allowed.by(stage) <= each for each in passing):
                    continue
                for rule, share in zip(stage.rules, stage.shares(), strict=True):
                    if rule.allow and not any(share <= each for each in passing):
                        lost.add(rule.name)
    return frozenset(lost)


def _through(passing: PacketSet, more: Iterable[PacketSet]) -> PacketSet:
    for each in more:
        passing = passing & each
    return passing


def unrefused(plan: Enforcement, defaults: Mapping[tuple[Point, str], PacketSet]) -> frozenset[str]:
    """The planned deny rules that would have refused what a filter's default now lets through.

    `defaults` are those packets by point and kind of filter.
    """
    return frozenset(
        rule.name
        for (point, kind), packets in defaults.items()
        for stage in plan.get(point, ())
        if stage.kind == kind and stage.order is Order.FIRST_MATCH
        for rule, share in zip(stage.rules, stage.shares(), strict=True)
        if not rule.allow and share & packets
    )


def rule_states(
    plan: Enforcement,
    estate: Estate,
    lost: frozenset[str],
    opening: Mapping[str, PacketSet],
    refusing: frozenset[str],
    reopened: frozenset[str],
) -> tuple[tuple[RuleState, ...], tuple[RuleState, ...]]:
    """The changed rules of ours, and the rules that are not ours.

    `lost` are planned rules that are not carried, `reopened` denies that do not refuse any more;
    `opening` is what live rules open, `refusing` the live rules that refuse what is asked for.
    """
    planned = {rule.planned for rule in estate.rules.values() if rule.planned}
    told = {rule.was for rule in estate.rules.values() if rule.was}
    described = _Described(plan, lost, planned | told)
    doubted = {
        each.subject: each.drift
        for each in estate.deviations
        if each.departure is Departure.UNRESOLVED
    }
    met = {
        rule.name: point.interface
        for point, filters in sorted(estate.enforcement.items(), reverse=True)
        for stage in filters
        for rule in stage.rules
    }
    changed: list[RuleState] = []
    unmanaged: list[RuleState] = []
    for rule in estate.rules.values():
        where = met.get(rule.id, "")
        opens = opening.get(rule.id, EMPTY)
        if rule.planned is not None:
            if opens:
                # The rule is as planned; what its peers stand for is not.
                changed.append(
                    RuleState(
                        rule=rule,
                        was=rule.planned,
                        drift=True,
                        opens=opens,
                        effect="its peers are more than planned",
                        interface=where,
                    )
                )
            continue
        closes = rule.id in refusing
        was = (rule.was or described.take(rule.description)) if rule.ours else None
        was = was if was not in planned else None
        effects = {
            "opens what nobody asked for": bool(opens),
            "refuses what is asked for": closes,
            "does less than the planned rule did": was in lost,
            "no longer refuses what the planned rule did": was in reopened,
        }
        drift = any(effects.values()) or doubted.get(rule.id, False)
        effect = _effect([text for text, holds in effects.items() if holds], rule.id in doubted)
        state = RuleState(
            rule=rule, was=was, drift=drift, opens=opens, effect=effect, interface=where
        )
        (changed if rule.ours else unmanaged).append(state)
    return tuple(changed), tuple(unmanaged)


def _effect(said: list[str], doubted: bool) -> str:
    if doubted:
        return " and ".join([*said, f"what {'else ' if said else ''}it does cannot be told"])
    return " and ".join(said) or "changes nothing that passes"


class _Described:
    """Planned rules that have no live rule, by their description.

    Each is given to one live rule of that description, those that are not carried first. The last
    of them is given to all that still come: it may have been split.
    """

    def __init__(self, plan: Enforcement, lost: frozenset[str], known: Container[str]) -> None:
        found: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for name, description in _rules(plan):
            if description and name not in known:
                found[description][name] = None
        self._left = {
            description: sorted(names, key=lambda name: name not in lost)
            for description, names in found.items()
        }

    def take(self, description: str) -> str | None:
        left = self._left.get(description, [])
        return left.pop(0) if len(left) > 1 else next(iter(left), None)


def _rules(plan: Enforcement) -> Iterator[tuple[str, str]]:
    for filters in plan.values():
        for stage in filters:
            for rule in stage.rules:
                yield rule.name, rule.description
