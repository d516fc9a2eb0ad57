"""What Terraform JSON enforces in Azure: the NSG of the subnet and the NSG of the card.

Both must allow. Arriving, a packet meets the subnet's NSG first; leaving, the card's. That holds
inside one subnet too. Rules are tried by rising priority, the built-in default rules last, and
replies pass. Where there is no NSG at all everything passes. Source: how network security groups
filter traffic. Platform addresses (168.63.129.16, 169.254.169.254) are not judged: they reach a
machine whatever the NSG says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface, Member
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, Filter, FilterRule, Order
from flowbridge.policy.packets.packet_set import EMPTY, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.surrounding import Surrounding
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.providers.azure.meaning.attachment import Placement, hosts_of_subnets
from flowbridge.providers.azure.meaning.rule import (
    HIGHEST_PRIORITY,
    NsgRule,
    default_rules,
    read_rule,
    without_meaning,
)
from flowbridge.providers.meaning.members import across_members
from flowbridge.providers.meaning.odd import Odd
from flowbridge.providers.meaning.rule_side import Coverage, coverages, in_families, of_members
from flowbridge.providers.terraform.blocks import Block, is_expression, refer, resources


def enforcement(
    terraform: Mapping[str, Any],
    policy: Policy,
    site: Site,
    judged: Iterable[Interface] | None = None,
    odd: Odd = Odd.REFUSE,
) -> Enforcement:
    """The filters of every interface of `policy`, in the order a packet meets them.

    `judged`: only of these; the others are known as members of groups. ValueError names a
    resource whose meaning cannot be told from the file.
    """
    _refuse_admin_rules(terraform)
    nsgs = resources(terraform, "azurerm_network_security_group")
    placement = Placement.read(terraform, nsgs, policy, site)
    rules = _rules(terraform, nsgs, placement, site, odd)
    out: dict[Point, tuple[Filter, ...]] = {}
    for interface in policy.interfaces if judged is None else judged:
        for direction in Direction:
            point = Point(interface.key, direction)
            asked = policy.intended(point)
            stages = [
                _stage(interface, attached, direction, rules, placement, asked)
                for attached in (
                    placement.on_subnet(interface),
                    placement.on_card(interface),
                )
                if attached is not None
            ]
            out[point] = tuple(stages if direction is Direction.INGRESS else reversed(stages))
    return out


def around(
    terraform: Mapping[str, Any], policy: Policy, site: Site, odd: Odd = Odd.REFUSE
) -> tuple[Surrounding, ...]:
    """The NSG of each subnet of our tiers, as every other host of the subnet meets it.

    ValueError as `enforcement`.
    """
    nsgs = resources(terraform, "azurerm_network_security_group")
    placement = Placement.read(terraform, nsgs, policy, site)
    rules = _rules(terraform, nsgs, placement, site, odd)
    found: list[Surrounding] = []
    for tier in sorted({interface.tier for interface in policy.interfaces}):
        for anyone in hosts_of_subnets(tier, site.network.tiers[tier]):
            attached = placement.on_subnet(anyone)
            if attached is not None:
                met = {
                    way: (_stage(anyone, attached, way, rules, placement, EMPTY),)
                    for way in Direction
                }
                found.append(Surrounding(anyone, met))
    return tuple(found)


def _refuse_admin_rules(terraform: Mapping[str, Any]) -> None:
    for block in resources(terraform, "azurerm_network_manager_admin_rule").values():
        raise block.refusal(
            "security admin rules are decided before any NSG, for networks that the file does "
            "not tell; judge this file without them"
        )


def _rules(
    terraform: Mapping[str, Any],
    nsgs: Mapping[str, Block],
    placement: Placement,
    site: Site,
    odd: Odd,
) -> dict[str, tuple[NsgRule, ...]]:
    """The rules of each NSG by rising priority, default rules last."""
    blocks: dict[str, list[Block]] = {
        nsg: list(b.blocks("security_rule")) for nsg, b in nsgs.items()
    }
    for block in resources(terraform, "azurerm_network_security_rule").values():
        owner = _owner(block, nsgs)
        if owner is not None:
            blocks[owner].append(block)
    out: dict[str, tuple[NsgRule, ...]] = {}
    for nsg, listed in blocks.items():
        read = [
            rule
            for block in listed
            for rule in odd.read(
                block.address,
                partial(_read, block, placement, site),
                partial(without_meaning, block),
            )
        ]
        read.sort(key=lambda rule: (rule.direction, rule.priority))
        for one, two in pairwise(read):
            both = (one.direction, one.priority) == (two.direction, two.priority)
            if both and odd is Odd.REFUSE:
                raise ValueError(
                    f"{two.name}: priority {two.priority} is taken by {one.name} in this direction"
                )
        out[nsg] = (*read, *default_rules(nsg, site))
    return out


def _read(block: Block, placement: Placement, site: Site) -> tuple[NsgRule, ...]:
    return (read_rule(block, placement.groups, placement.addresses, site),)


def _owner(block: Block, nsgs: Mapping[str, Block]) -> str | None:
    """The NSG that a rule resource names; None for one that is not in this file."""
    name = block.text("network_security_group_name")
    if name is None:
        raise block.refusal("`network_security_group_name` is missing")
    if is_expression(name):
        return refer(name, nsgs, block, "network_security_group_name")
    # Azure takes names in any case.
    named = [a for a, nsg in nsgs.items() if (nsg.text("name") or "").lower() == name.lower()]
    if len(named) > 1:
        raise block.refusal(f"{' and '.join(named)} are both called {name}")
    return named[0] if named else None


def _stage(
    interface: Interface,
    attached: Mapping[str, tuple[str | None, ...]],
    direction: Direction,
    rules: Mapping[str, tuple[NsgRule, ...]],
    placement: Placement,
    asked: PacketSet,
) -> Filter:
    """One level. `attached` is, by member, the NSGs there (None: none at all)."""
    members: defaultdict[str | None, list[Member]] = defaultdict(list)
    for member in interface.members:
        for nsg in attached[member.name]:
            members[nsg].append(member)
    found: list[Filter] = []
    for nsg, filtered in members.items():
        if nsg is None or nsg not in rules:
            found.append(_open(interface, nsg))
            continue
        here = [rule for rule in rules[nsg] if rule.direction is direction]
        sides = [rule.local for rule in here]
        ways = of_members(
            (member, covered)
            for member in filtered
            for covered in coverages(member, sides, placement.groups_of(interface, member))
        )
        found.extend(_filter(nsg, here, covered) for covered in ways)
    return across_members(found, asked)


def _open(interface: Interface, nsg: str | None) -> Filter:
    """No NSG, or one whose rules are elsewhere: everything passes."""
    name = "no NSG"
    unknown: tuple[Unknown, ...] = ()
    if nsg is not None:
        name, unknown = nsg, (Unknown(interface.key, nsg, Why.RULES),)
    return Filter(
        name=name,
        kind="nsg",
        order=Order.FIRST_MATCH,
        stateful=True,
        rules=(),
        default_allow=True,
        unknown=unknown,
    )


def _filter(nsg: str, rules: Iterable[NsgRule], covered: Coverage) -> Filter:
    shown = [
        FilterRule(
            name=rule.name,
            allow=rule.allow,
            packets=packets,
            rows=rule.rows,
            description=rule.description,
            built_in=rule.priority > HIGHEST_PRIORITY,
        )
        for rule, versions in zip(rules, covered, strict=True)
        if (packets := in_families(rule.packets, versions)) or rule.unknown
    ]
    # What a rule leaves open of its remote side matters where the rule is for the machine at all.
    unknown = (
        each
        for rule, versions in zip(rules, covered, strict=True)
        if versions or rule.local.unknown
        for each in rule.unknown
    )
    return Filter(
        name=nsg,
        kind="nsg",
        order=Order.FIRST_MATCH,
        stateful=True,
        rules=tuple(shown),
        unknown=tuple(dict.fromkeys(unknown)),
    )
