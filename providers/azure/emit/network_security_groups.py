"""A network security group for each tier: its rules with their priorities, and what they take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from flowbridge.deployment.addresses import merged, of_families
from flowbridge.deployment.interface import Interface, Network
from flowbridge.policy.compiled import Policy
from flowbridge.policy.point import Direction
from flowbridge.providers.azure.emit.priorities import priorities
from flowbridge.providers.azure.emit.rule import Rule
from flowbridge.providers.azure.emit.security_rules import SecurityRules
from flowbridge.providers.azure.quotas import Quotas

# Rules for the internet stand behind the rule that denies the inside, and that one behind all
# others: what the inside may do is said by them.
_INSIDE = 3000
# The highest priority is the rule that denies; the numbers right below it stay free, so that a
# rule that is put in by hand in an emergency collides with none.
_RESERVED = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Nsg:
    """One tier's NSG, or that of one interface (`card`). `rules` are in the order of evaluation,
    inbound first; `inside` are, by direction, the addresses that are denied before the rules for
    the internet."""

    tier: str
    interfaces: tuple[Interface, ...]
    rules: tuple[tuple[int, Rule], ...]
    needed: int  # rules, the two that deny included
    deny_priority: int
    inside: Mapping[Direction, tuple[Network, ...]]
    card: Interface | None = None

    @property
    def key(self) -> str:
        """What it is for: the tier, or the interface whose cards it is on."""
        return self.tier if self.card is None else self.card.key

    @property
    def inside_denies(self) -> Iterator[tuple[Direction, int, tuple[Network, ...]]]:
        """The rules that deny the inside: direction, priority, and addresses of one family."""
        for direction, networks in self.inside.items():
            for number, version in enumerate((4, 6)):
                if mine := of_families(networks, (version,)):
                    yield direction, _INSIDE + number, mine

    @property
    def source_addresses(self) -> int:
        return sum(len(rule.source.networks) for _, rule in self.rules) + self._denied(
            Direction.INGRESS
        )

    @property
    def destination_addresses(self) -> int:
        return sum(len(rule.destination.networks) for _, rule in self.rules) + self._denied(
            Direction.EGRESS
        )

    def _denied(self, direction: Direction) -> int:
        """Addresses of the rules that deny, at the side of the peers of one direction."""
        others = sum(way is not direction for way, _, _ in self.inside_denies)
        return len(self.inside.get(direction, ())) + others + len(Direction)

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
    policy: Policy, emitted: SecurityRules, quotas: Quotas, *, on_cards: bool = False
) -> Mapping[str, Nsg]:
    """The NSG of each tier that has interfaces, or of each interface (`on_cards`), by its key."""
    if on_cards:
        cards = (_nsg(card.tier, (card,), emitted, quotas, card) for card in policy.interfaces)
        return {nsg.key: nsg for nsg in cards}
    return {
        tier: _nsg(tier, tuple(i for i in policy.interfaces if i.tier == tier), emitted, quotas)
        for tier in sorted({interface.tier for interface in policy.interfaces})
    }


def _nsg(
    tier: str,
    interfaces: tuple[Interface, ...],
    emitted: SecurityRules,
    quotas: Quotas,
    card: Interface | None = None,
) -> Nsg:
    keys = {interface.key for interface in interfaces}
    mine = [rule for rule in emitted.rules if rule.interface in keys]
    highest = quotas.highest_priority.value
    placed: list[tuple[int, Rule]] = []
    inside: dict[Direction, tuple[Network, ...]] = {}
    for direction in Direction:
        for outward, first, last in (
            (False, quotas.lowest_priority.value, _INSIDE - 1),
            (True, _INSIDE + 2, highest - _RESERVED),
        ):
            here = {
                rule.identity: rule
                for rule in mine
                if rule.direction is direction and bool(rule.inside) is outward
            }
            given = priorities(here, first, last)
            placed.extend(sorted((given[key], here[key]) for key in given))
        denied = merged(n for rule in mine if rule.direction is direction for n in rule.inside)
        if denied:
            inside[direction] = denied
    nsg = Nsg(
        tier=tier,
        interfaces=interfaces,
        rules=tuple(placed),
        needed=0,
        deny_priority=highest,
        inside=inside,
        card=card,
    )
    needed = len(mine) + len(tuple(nsg.inside_denies)) + len(Direction)
    return replace(nsg, needed=needed)
