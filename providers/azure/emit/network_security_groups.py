"""A network security group for each tier: its rules with their priorities, and what they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flowbridge.deployment.interface import Interface
from flowbridge.policy.compiled import Policy
from flowbridge.policy.point import Direction
from flowbridge.providers.azure.emit.priorities import priorities
from flowbridge.providers.azure.emit.rule import Rule
from flowbridge.providers.azure.emit.security_rules import SecurityRules
from flowbridge.providers.azure.quotas import Quotas

# The highest priority is the rule that denies; the numbers right below it stay free, so that a
# rule that is put in by hand in an emergency collides with none.
_RESERVED = 96


@dataclass(frozen=True, slots=True)
class Nsg:
    """One tier's NSG. `rules` are in the order of evaluation, inbound first."""

    tier: str
    interfaces: tuple[Interface, ...]
    rules: tuple[tuple[int, Rule], ...]
    needed: int  # rules, the two that deny included
    deny_priority: int

    @property
    def source_addresses(self) -> int:
        return sum(len(rule.source.networks) for _, rule in self.rules) + len(Direction)

    @property
    def destination_addresses(self) -> int:
        return sum(len(rule.destination.networks) for _, rule in self.rules) + len(Direction)

    @property
    def groups(self) -> frozenset[str]:
        """Interfaces whose application security group some rule names."""
        return frozenset(
            side.group
            for _, rule in self.rules
            for side in (rule.local, rule.remote)
            if side.group is not None
        )


def network_security_groups(
    policy: Policy, emitted: SecurityRules, quotas: Quotas
) -> Mapping[str, Nsg]:
    """The NSG of each tier that has interfaces, by the tier's name."""
    return {
        tier: _nsg(tier, policy, emitted, quotas)
        for tier in sorted({interface.tier for interface in policy.interfaces})
    }


def _nsg(tier: str, policy: Policy, emitted: SecurityRules, quotas: Quotas) -> Nsg:
    interfaces = tuple(i for i in policy.interfaces if i.tier == tier)
    keys = {interface.key for interface in interfaces}
    mine = [rule for rule in emitted.rules if rule.interface in keys]
    highest = quotas.highest_priority.value
    placed: list[tuple[int, Rule]] = []
    for direction in Direction:
        here = {rule.identity: rule for rule in mine if rule.direction is direction}
        given = priorities(here, quotas.lowest_priority.value, highest - _RESERVED)
        placed.extend(sorted((given[key], here[key]) for key in given))
    return Nsg(tier, interfaces, tuple(placed), len(mine) + len(Direction), highest)
