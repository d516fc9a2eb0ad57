"""What a deployment takes of Azure's limits, and the refusals where it takes too much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deployment.finding import Finding, Severity
from deployment.site import Site
from policy.compiled import Policy
from policy.point import Direction
from providers.azure.network_security_groups import Nsg
from providers.azure.quotas import Quota, Quotas
from providers.provider import Usage


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
            scope = f"{site.name} {nsg.tier} {counted}"
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
        lost = nsg.needed - len(nsg.rules) - len(Direction)
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
    costly: dict[str, int] = {}
    for _, rule in nsg.rules:
        weight = 1 if "rules" in counted else len(rule.remote.networks) + len(rule.local.networks)
        for row in rule.rows:
            costly[row] = costly.get(row, 0) + weight
    most = sorted(costly.items(), key=lambda item: (-item[1], item[0]))[:5]
    shown = ", ".join(f"{row} ({count})" for row, count in most)
    return Finding(
        id="azure/nsg-does-not-fit",
        severity=Severity.REFUSAL,
        message=f"the NSG of tier {nsg.tier} would take {used} {counted}, and Azure allows "
        f"{quota.value}; most go to {shown}: move workloads to a tier of their own, ask for fewer "
        "services, or write addresses as fewer, larger ranges (naming all network cards as `eni` "
        "lets rules name groups instead)",
        source=quota.source,
        key=f"quotas.{quota.site}" if quota.site else "network.tiers",
    )
