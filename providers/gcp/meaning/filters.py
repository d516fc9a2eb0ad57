"""What Terraform JSON enforces in Google Cloud: one filter an interface, at its network.

Order: VPC firewall rules, then the network's firewall policies (the other way round where the
network says so), then the implied rules: what arrives is refused, what leaves is allowed
(compute API, Network.networkFirewallPolicyEnforcementOrder). Replies pass. Platform addresses
(169.254.169.254) are not judged: they are reachable whatever the rules say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, Filter, FilterRule, Order
from flowbridge.policy.packets.packet_set import ALL, EMPTY
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.providers.gcp.meaning.networks import NetworkName, Networks
from flowbridge.providers.gcp.meaning.policies import policy_stages
from flowbridge.providers.gcp.meaning.rule import Action, FirewallRule
from flowbridge.providers.gcp.meaning.targets import Targets
from flowbridge.providers.gcp.meaning.vpc_rules import classic_rules
from flowbridge.providers.meaning.members import across_members
from flowbridge.providers.meaning.odd import Odd
from flowbridge.providers.meaning.rule_side import Coverage, coverages, in_families, of_members
from flowbridge.providers.terraform.blocks import row_ids

Stages = tuple[tuple[FirewallRule, ...], ...]


def enforcement(
    terraform: Mapping[str, Any],
    policy: Policy,
    site: Site,
    *,
    targets: Targets | None = None,
    above: Mapping[str, Any] | None = None,
    odd: Odd = Odd.REFUSE,
) -> Enforcement:
    """The filter of every interface of `policy` and direction.

    `targets`: whose tags and accounts are known otherwise than from the deployment. `above`: the
    policies that are decided before all of `terraform`, as network firewall policies. ValueError
    names a resource whose meaning cannot be told from the file.
    """
    networks = Networks.read(terraform, site)
    targets = targets or Targets.read(terraform, policy, site, networks)
    of_network: dict[NetworkName, Stages] = {}
    out: dict[Point, tuple[Filter, ...]] = {}
    for interface in policy.interfaces:
        here = networks.of(interface)
        if here not in of_network:
            of_network[here] = (
                *policy_stages(above or {}, here, networks, targets, site, odd),
                *_stages(terraform, here, networks, targets, site, odd),
            )
        for direction in Direction:
            point = Point(interface.key, direction)
            stages = tuple(
                tuple(rule for rule in stage if _is_for(rule, interface, direction))
                for stage in of_network[here]
            )
            unknown = tuple(
                each
                for stage in of_network[here]
                for rule in stage
                if rule.direction is direction and _may_be_for(rule, interface)
                for each in rule.unknown
            )
            sides = [rule.local for stage in stages for rule in stage]
            covered = of_members(
                (member, way) for member in interface.members for way in coverages(member, sides)
            )
            out[point] = (
                across_members(
                    [_filter(here, direction, stages, way, unknown) for way in covered],
                    policy.intended(point),
                ),
            )
    return out


def _stages(
    terraform: Mapping[str, Any],
    here: NetworkName,
    networks: Networks,
    targets: Targets,
    site: Site,
    odd: Odd,
) -> Stages:
    classic = classic_rules(terraform, here, networks, targets, odd)
    policies = policy_stages(terraform, here, networks, targets, site, odd)
    return (*policies, classic) if networks.policies_first(here) else (classic, *policies)


def _is_for(rule: FirewallRule, interface: Interface, direction: Direction) -> bool:
    return rule.direction is direction and (rule.targets is None or interface.key in rule.targets)


def _may_be_for(rule: FirewallRule, interface: Interface) -> bool:
    """Whether a rule is for machines of `interface`, or for some that cannot be told."""
    if rule.targets is None or interface.key in rule.targets:
        return True
    return any(each.why is Why.TARGETS for each in rule.unknown)


def _filter(
    here: NetworkName,
    direction: Direction,
    stages: Iterable[Iterable[FirewallRule]],
    covered: Coverage,
    unknown: tuple[Unknown, ...],
) -> Filter:
    versions = iter(covered)
    rules: list[FilterRule] = []
    for stage in stages:
        sent_on = EMPTY  # what this stage leaves to the next one
        for rule in stage:
            packets = in_families(rule.packets, next(versions)) - sent_on
            if rule.action is Action.GOTO_NEXT:
                sent_on = sent_on | packets
                continue
            description = rule.block.text("description") or ""
            rules.append(
                FilterRule(
                    name=rule.block.address,
                    allow=rule.action is Action.ALLOW,
                    packets=packets,
                    rows=row_ids(description),
                    description=description,
                )
            )
    implied = direction is Direction.EGRESS
    word = "allow" if implied else "deny"
    name = f"implied {word} {direction} rule of {here.name}"
    rules.append(FilterRule(name=name, allow=implied, packets=ALL, built_in=True))
    return Filter(
        name=f"firewall of network {here.name}",
        kind="vpc-firewall",
        order=Order.FIRST_MATCH,
        stateful=True,
        rules=tuple(rules),
        unknown=unknown,
    )
