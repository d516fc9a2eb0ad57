"""What became of each rule: carried, changed, or not ours.

A planned rule is carried where the live filter of the same kind lets all of its packets through,
by whichever rules. A live rule that is no planned one has a state; it is drift only where it
opens or closes something, or stands in the place of a planned rule that is not carried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policy.estate import Departure, Estate, LiveRule
from policy.filter import Enforcement, Filter
from policy.packets import EMPTY, PacketSet
from policy.plain import plain_packets


@dataclass(frozen=True, slots=True)
class RuleState:
    """A live rule that the plan does not have. `was`: the planned rule that it must have been."""

    rule: LiveRule
    was: str | None
    drift: bool
    opens: PacketSet
    effect: str

    def as_plain(self) -> dict[str, Any]:
        return {
            "rule": self.rule.id,
            "holder": self.rule.holder,
            "ours": self.rule.ours,
            "text": self.rule.text,
            "description": self.rule.description,
            "was": self.was,
            "drift": self.drift,
            "effect": self.effect,
            "opens": plain_packets(self.opens),
        }


def uncarried(plan: Enforcement, live: Enforcement) -> frozenset[str]:
    """The planned allow rules whose packets do not all pass their live filter, at some point."""
    lost: set[str] = set()
    allowed = _Passing()
    for point in plan.keys() & live.keys():
        for kind in {stage.kind for stage in plan[point]}:
            passing = [allowed.by(stage) for stage in live[point] if stage.kind == kind]
            for stage in plan[point]:
                if stage.kind != kind or any(allowed.by(stage) <= each for each in passing):
                    continue
                for rule, share in zip(stage.rules, stage.decided().shares, strict=True):
                    if rule.allow and not any(share <= each for each in passing):
                        lost.add(rule.name)
    return frozenset(lost)


def rule_states(
    plan: Enforcement,
    estate: Estate,
    lost: frozenset[str],
    opening: Mapping[str, PacketSet],
    refusing: frozenset[str],
) -> tuple[tuple[RuleState, ...], tuple[RuleState, ...]]:
    """The changed rules of ours, and the rules that are not ours."""
    described = _described(plan, lost)
    planned = {rule.planned for rule in estate.rules.values() if rule.planned}
    doubted = {
        each.subject: each.drift
        for each in estate.deviations
        if each.departure is Departure.UNRESOLVED
    }
    changed: list[RuleState] = []
    unmanaged: list[RuleState] = []
    for rule in estate.rules.values():
        opens = opening.get(rule.id, EMPTY)
        if rule.planned is not None:
            if opens:
                # The rule is as planned; what its peers stand for is not.
                changed.append(
                    RuleState(rule, rule.planned, True, opens, "its peers are more than planned")
                )
            continue
        closes = rule.id in refusing
        was = rule.was or described.get(rule.description) if rule.ours else None
        was = was if was not in planned else None
        drift = bool(opens) or closes or was in lost or doubted.get(rule.id, False)
        effect = _effect(opens, closes, was in lost, rule.id in doubted)
        state = RuleState(rule, was, drift, opens, effect)
        (changed if rule.ours else unmanaged).append(state)
    return tuple(changed), tuple(unmanaged)


def _effect(opens: PacketSet, closes: bool, replaces: bool, doubted: bool) -> str:
    said = [
        text
        for holds, text in (
            (bool(opens), "opens what nobody asked for"),
            (closes, "refuses what is asked for"),
            (replaces, "does less than the planned rule did"),
        )
        if holds
    ]
    if doubted:
        return " and ".join([*said, f"what {'else ' if said else ''}it does cannot be told"])
    return " and ".join(said) or "changes nothing that passes"


def _described(plan: Enforcement, lost: frozenset[str]) -> dict[str, str]:
    """Planned rules by their description; those that are not carried go before others."""
    found: dict[str, str] = {}
    for rule in _rules(plan):
        if rule[1] and (rule[1] not in found or rule[0] in lost):
            found[rule[1]] = rule[0]
    return found


def _rules(plan: Enforcement) -> Iterator[tuple[str, str]]:
    for filters in plan.values():
        for stage in filters:
            for rule in stage.rules:
                yield rule.name, rule.description


class _Passing:
    """What each filter lets through, computed once a filter."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Filter, PacketSet]] = {}

    def by(self, stage: Filter) -> PacketSet:
        if id(stage) not in self._known:
            self._known[id(stage)] = (stage, stage.allowed())
        return self._known[id(stage)][1]
