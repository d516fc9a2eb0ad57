"""What a cloud enforces at a point, in one shape for every cloud and for live state.

A cloud's semantics reads Terraform JSON (or its live API) into filters; proof, trace, audit and
diff then work on filters alone and know no cloud.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from flowbridge.policy.packets.packet_set import ALL, EMPTY, PacketSet
from flowbridge.policy.point import Point
from flowbridge.policy.unknown import Unknown

# Of so few rules each is held against all before it.
_AT_ONCE: Final = 16


class Order(StrEnum):
    """How the rules of one filter are combined."""

    UNION = "union"  # AWS security groups: any allow admits, there is no deny
    FIRST_MATCH = "first-match"  # network ACLs, NSGs, GCP priorities: the first match decides


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRule:
    """One rule as it is enforced. `packets` is over peers, exactly as the cloud matches."""

    name: str  # Terraform address or live id: what a person can look up
    allow: bool
    packets: PacketSet
    rows: tuple[str, ...] = ()
    description: str = ""
    built_in: bool = False  # the cloud's own (implied, default): nobody wrote or can remove it


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One stage a packet meets, for instance a security group set or a network ACL.

    Rules are in the order of evaluation. What no rule matches is denied, unless
    `default_allow`. A stateful filter lets the replies of what it allowed pass by itself.
    """

    name: str
    kind: str  # `security-group`, `network-acl`, `nsg`, `vpc-firewall`, ...
    order: Order
    stateful: bool
    rules: tuple[FilterRule, ...]
    default_allow: bool = False
    # Peers whose packets never meet this filter (a network ACL inside its own subnet).
    bypassed_by: PacketSet = EMPTY
    # What the rules leave open (a group that is not in the file).
    unknown: tuple[Unknown, ...] = ()

    def allowed(self) -> PacketSet:
        """Every packet this filter lets through."""
        return self.decided().allowed

    def shares(self) -> tuple[PacketSet, ...]:
        """`decided().shares`; of a union without what all its rules together allow."""
        if self.order is Order.UNION:
            return tuple(rule.packets for rule in self.rules)
        return self.decided().shares

    def decided(self) -> Decided:
        """What each rule decides by itself: rules shadowed by earlier ones decide less."""
        if self.order is Order.UNION:
            union = PacketSet.union(rule.packets for rule in self.rules if rule.allow)
            return Decided(union | self.bypassed_by, self.shares())
        found = _first_match(self.rules)
        shares, allowed = found.shares, found.allowed
        if self.bypassed_by:
            shares = tuple(share - self.bypassed_by for share in shares)
            allowed = allowed | self.bypassed_by
        if self.default_allow:
            allowed = allowed | (ALL - found.matched)
        return Decided(allowed, shares)


@dataclass(frozen=True, slots=True)
class Decided:
    """A filter's outcome: what passes, and for each rule the packets that it decided."""

    allowed: PacketSet
    shares: tuple[PacketSet, ...]


@dataclass(frozen=True, slots=True)
class _Matched:
    """What some rules in a row match together, what of it they allow, and the share of each."""

    matched: PacketSet
    allowed: PacketSet
    shares: tuple[PacketSet, ...]


def _first_match(rules: Sequence[FilterRule]) -> _Matched:
    """By halves, so that a rule is held against few of the others: thousands of rules of others
    are no rare filter, and one after the other they would take the square of their number."""
    if len(rules) > _AT_ONCE:
        middle = len(rules) // 2
        first, then = _first_match(rules[:middle]), _first_match(rules[middle:])
        return _Matched(
            first.matched | then.matched,
            first.allowed | (then.allowed - first.matched),
            (*first.shares, *(share - first.matched for share in then.shares)),
        )
    matched = allowed = EMPTY
    shares: list[PacketSet] = []
    for rule in rules:
        share = rule.packets - matched
        shares.append(share)
        matched = matched | rule.packets
        if rule.allow:
            allowed = allowed | share
    return _Matched(matched, allowed, tuple(shares))


class AllowedPackets:
    """What each of many filters allows, found once a filter: points share network ACLs."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Filter, PacketSet]] = {}

    def by(self, stage: Filter) -> PacketSet:
        """Everything that `stage` lets through."""
        if id(stage) not in self._known:
            self._known[id(stage)] = (stage, stage.allowed())
        return self._known[id(stage)][1]


# In the order a packet meets them at that point.
Enforcement = Mapping[Point, tuple[Filter, ...]]


def passes(filters: Iterable[Filter]) -> PacketSet:
    """What gets through all of `filters`."""
    through = ALL
    for stage in filters:
        through = through & stage.allowed()
    return through


def unknown_of(enforcement: Enforcement) -> tuple[Unknown, ...]:
    """Everything that the filters leave open, sorted, each thing once."""
    stages = (stage for filters in enforcement.values() for stage in filters)
    return tuple(sorted({each for stage in stages for each in stage.unknown}))
