"""What a deployment takes of Azure's limits, and the refusals where it takes too much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.policy.compiled import Policy
from flowbridge.policy.point import Direction
from flowbridge.providers.azure.emit.network_security_groups import Nsg
from flowbridge.providers.azure.emit.rule import Rule, Side
from flowbridge.providers.azure.quotas import Quota, Quotas
from flowbridge.providers.limits.largest_shares import Share, costly
from flowbridge.providers.provider import Usage


def _used(nsg: Nsg, quotas: Quotas) -> Iterator[tuple[Quota, str, int]]:
    """Each limit of one NSG, what is counted in words, and how much is used."""
    yield quotas.nsg_rules, "rules", nsg.needed
    yield quotas.nsg_addresses, "source addresses", nsg.source_addresses
    yield quotas.nsg_addresses, "destination addresses", nsg.destination_addresses
    yield quotas.groups_per_nsg, "application security groups", len(nsg.groups)


def usage(nsgs: Mapping[str, Nsg], policy: Policy, site: Site, quotas: Quotas) -> Iterator[Usage]:
    """How much of each limit is used, NSG by NSG and group by group."""
    for nsg in nsgs.values():
        for quota, counted, used in _used(nsg, quotas):
            scope = f"{site.name} {nsg.key} {counted}"
            yield Usage(quota.limit, scope, used, quota.value, quota.source)
    quota = quotas.members_per_group
    for interface in policy.interfaces:
        used = sum(len(m.private) for m in interface.members if m.attachment)
        if used:
            scope = f"{site.name} {interface.key}"
            yield Usage(quota.limit, scope, used, quota.value, quota.source)


def refusals(nsgs: Mapping[str, Nsg], policy: Policy, quotas: Quotas) -> Iterator[Finding]:
    """What does not fit, with the rows that take most and what to do about it."""
    for nsg in nsgs.values():
        for quota, counted, used in _used(nsg, quotas):
            if used > quota.value:
                yield _too_many(nsg, quota, counted, used)
        lost = nsg.needed - len(nsg.rules) - len(tuple(nsg.inside_denies)) - len(Direction)
        if lost and nsg.needed <= quotas.nsg_rules.value:
            yield _too_many(nsg, quotas.highest_priority, "rules of one direction", nsg.needed)
    quota = quotas.members_per_group
    for interface in policy.interfaces:
        used = sum(len(m.private) for m in interface.members if m.attachment)
        if used > quota.value:
            yield Finding(
                id="azure/group-too-large",
                severity=Severity.REFUSAL,
                message=f"{interface.key} has {used} attached addresses, and an application "
                f"security group takes {quota.value}: split the system into two",
                source=quota.source,
                key="systems",
            )


def _too_many(nsg: Nsg, quota: Quota, counted: str, used: int) -> Finding:
    counting = [(rule, _side(rule, counted)) for _, rule in nsg.rules]
    most = costly(
        Share(rule.rows, ", ".join(rule.parties), len(side.networks) if side else 1)
        for rule, side in counting
    )
    ways = [
        "move workloads to a tier of their own",
        "ask for fewer services",
        "write addresses as fewer, larger ranges",
    ]
    if any(side is rule.local and side.networks for rule, side in counting):
        ways.append("name all network cards as `eni`, so that rules name groups instead")
    return Finding(
        id="azure/nsg-does-not-fit",
        severity=Severity.REFUSAL,
        message=f"the NSG of tier {nsg.tier} would take {used} {counted}, and Azure allows "
        f"{quota.value}; most go to {most}: {', '.join(ways[:-1])}, or {ways[-1]}",
        source=quota.source,
        key=f"quotas.{quota.site}" if quota.site else "network.tiers",
    )


def _side(rule: Rule, counted: str) -> Side | None:
    """The side of a rule whose addresses are counted, if addresses are."""
    sides = {"source addresses": rule.source, "destination addresses": rule.destination}
    return sides.get(counted)
