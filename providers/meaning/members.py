"""One filter for an interface whose members (the peers of a cluster) may be filtered unequally.

A flow is asked for every member, and nothing else is asked for any of them. So where members
differ on a packet, the interface shows the verdict that is wrong: refused if some member
refuses a packet that is asked for, allowed if some member lets in a packet that is not. What
is missing or too much for one member can then never hide behind another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce

from flowbridge.policy.filter import Filter, FilterRule, Order
from flowbridge.policy.packets.packet_set import PacketSet


def across_members(filters: Sequence[Filter], asked: PacketSet) -> Filter:
    """The filter of all members, given each member's own; `asked`: what they must let through.

    The filters are one kind and order. Equal ones are returned as they are.
    """
    first, *others = dict.fromkeys(filters)
    if not others:
        return first
    allowed = [stage.allowed() for stage in (first, *others)]
    some = PacketSet.union(allowed)
    split = some - reduce(lambda left, right: left & right, allowed)
    stages = (first, *others)
    return replace(
        first,
        name=" / ".join(dict.fromkeys(stage.name for stage in stages)),
        rules=_merged(stages, refused=split & asked, admitted=split - asked),
        # What the default lets through everywhere, as rules are written for the rest.
        default_allow=False,
        bypassed_by=_everywhere(stages, split - asked),
        unknown=tuple(dict.fromkeys(each for stage in stages for each in stage.unknown)),
    )


def _everywhere(stages: Sequence[Filter], admitted: PacketSet) -> PacketSet:
    """What passes without a rule: the bypass that all share, and defaults that allow."""
    allowed = [stage.allowed() for stage in stages]
    common = reduce(lambda left, right: left & right, allowed)
    unruled = PacketSet.union(
        stage.allowed() - PacketSet.union(rule.packets for rule in _deciding(stage))
        for stage in stages
    )
    return unruled & (common | admitted)


def _deciding(stage: Filter) -> Iterable[FilterRule]:
    if stage.order is Order.UNION:
        return (rule for rule in stage.rules if rule.allow)
    shares = stage.shares()
    return (
        replace(rule, packets=share)
        for rule, share in zip(stage.rules, shares, strict=True)
        if rule.allow
    )


def _merged(
    stages: Iterable[Filter], refused: PacketSet, admitted: PacketSet
) -> tuple[FilterRule, ...]:
    """Every member's rules, each with the packets it decides and the verdict allows it."""
    rules: dict[tuple[str, bool], FilterRule] = {}
    for stage in stages:
        for rule, share in zip(stage.rules, stage.shares(), strict=True):
            packets = share - (refused if rule.allow else admitted)
            known = rules.get((rule.name, rule.allow))
            merged = packets if known is None else known.packets | packets
            rules[rule.name, rule.allow] = replace(rule, packets=merged)
    return tuple(rules.values())
