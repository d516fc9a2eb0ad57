"""Amazon Web Services: security groups for each interface, a network ACL for each tier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.aws.emit.group_split import fills, split, weight
from flowbridge.providers.aws.emit.load_balancer import emit_translator
from flowbridge.providers.aws.emit.load_balancer import findings as translator_findings
from flowbridge.providers.aws.emit.network_acl import NetworkAcl, network_acls
from flowbridge.providers.aws.emit.rule import Rule
from flowbridge.providers.aws.emit.security_groups import InterfaceGroups, security_groups
from flowbridge.providers.aws.emit.terraform import emit_groups, emit_network_acl, outputs
from flowbridge.providers.aws.expressible import expressible
from flowbridge.providers.aws.obligations import obligations
from flowbridge.providers.aws.quotas import Quota, Quotas, quotas_for
from flowbridge.providers.limits.largest_shares import Share, costly
from flowbridge.providers.load_balancer import translator_of, useless
from flowbridge.providers.provider import Lowered, Occupied, TerraformJson, Usage
from flowbridge.providers.terraform.resource_set import ResourceSet

# Wide enough for the majors that know every resource used here; both are tested.
VERSIONS: Final = ">= 5.100.0, < 7.0.0"

# EC2 API, ReplaceNetworkAclAssociation.
_ONE_ACL: Final = (
    "a subnet has one network ACL, which each apply would take from the other: name the subnet in "
    "one of the files only, or describe both deployments in one"
)


class Aws:
    """See the module's opening."""

    name = "aws"

    def lower(self, policy: Policy, site: Site, network_id: str | None = None) -> Lowered:
        """Terraform JSON for `policy`; see `providers.provider.Provider.lower`."""
        quotas = quotas_for(site.quotas)
        network = network_id or site.network.id
        findings: list[Finding] = []
        if network is None:
            findings.append(_no_network())
        resources = ResourceSet()
        groups = security_groups(policy, quotas)
        rules, group_ids = emit_groups(groups, site.name, network or "", resources)
        findings.extend(refused := tuple(_group_limits(groups.interfaces, quotas)))
        # Lists that no group can take are refused already: fitting them into an ACL is for nothing.
        usable, tiers = quotas.usable_acl_entries, site.network.tiers
        acls = () if refused else network_acls(policy, tiers, usable)
        acl_ids: dict[str, str] = {}
        for acl in acls:
            entries, acl_ids[acl.tier] = emit_network_acl(acl, site.name, network or "", resources)
            rules += entries
        findings.extend(_group_moves(groups.interfaces, quotas))
        findings.extend(_acl_limits(acls, quotas))
        findings.extend(_acl_widened(acls, quotas))
        findings.extend(obligations(policy, site))
        findings.extend(useless(policy, site))
        known = outputs(group_ids, acl_ids)
        if (translator := translator_of(policy, site)) is not None:
            known |= emit_translator(translator, network or "", resources)
            findings.extend(translator_findings(translator, policy))
        return Lowered(
            terraform={"resource": resources.json(), "output": known},
            rules=rules,
            usage=(
                *_group_usage(groups.interfaces, site, quotas),
                *_acl_usage(acls, site, quotas),
            ),
            excess=(*groups.excess, *(part for acl in acls for part in acl.excess)),
            findings=tuple(findings),
            occupied=tuple(
                Occupied(subnet, subnet, f"network.tiers.{acl.tier}.subnets", _ONE_ACL)
                for acl in acls
                for subnet in tiers[acl.tier].subnets
            ),
        )

    def enforcement(self, terraform: Mapping[str, Any], policy: Policy, site: Site) -> Enforcement:
        """What `terraform` enforces; see `providers.provider.Provider.enforcement`."""
        from flowbridge.providers.aws.meaning.filters import enforcement

        return enforcement(terraform, policy, site)

    def expressible(self, intended: PacketSet, point: Point) -> PacketSet:  # noqa: ARG002
        """See `providers.aws.expressible`; it is the same at every point."""
        return expressible(intended)

    def settings(self, site: Site) -> TerraformJson:
        """The `terraform.required_providers` and `provider` blocks for `site`."""
        settings = site.provider
        provider: dict[str, Any] = {"region": site.region}
        if settings.profile:
            provider["profile"] = settings.profile
        if settings.assume_role:
            provider["assume_role"] = [{"role_arn": settings.assume_role}]
        if settings.default_tags:
            provider["default_tags"] = [{"tags": dict(sorted(settings.default_tags.items()))}]
        if settings.endpoints:
            provider["endpoints"] = [dict(sorted(settings.endpoints.items()))]
        required = {"source": "hashicorp/aws", "version": settings.version or VERSIONS}
        return {
            "terraform": {"required_providers": {"aws": required}},
            "provider": {"aws": [provider]},
        }


PROVIDER: Final = Aws()


def _no_network() -> Finding:
    return Finding(
        id="aws/no-network",
        severity=Severity.REFUSAL,
        message="the VPC is not named: write its id, for instance vpc-0a1b2c3d4e5f60718, as "
        "`network.id`",
        source="EC2 API, CreateSecurityGroup",
        key="network.id",
    )


def _group_usage(
    interfaces: Iterable[InterfaceGroups], site: Site, quotas: Quotas
) -> Iterator[Usage]:
    per_group = quotas.rules_per_security_group
    per_interface = quotas.security_groups_per_interface
    both = quotas.rules_times_groups
    for groups in interfaces:
        scope = f"{site.name} {groups.interface.key}"
        placed = groups.groups or {0: groups.rules}
        for number, rules in placed.items():
            title = f"{scope} group {number}" if number else scope
            for direction in Direction:
                members = [rule for rule in rules if rule.direction is direction]
                for family in (4, 6):
                    used = weight(members, family)
                    if used or family == 4:
                        yield Usage(
                            per_group.limit,
                            f"{title} {direction} IPv{family}",
                            used,
                            per_group.value,
                            per_group.source,
                        )
        yield Usage(
            per_interface.limit, scope, len(placed), per_interface.value, per_interface.source
        )
        yield Usage(
            both.limit,
            scope,
            len(placed) * per_group.value,
            both.value,
            both.source,
        )


def _group_limits(interfaces: Iterable[InterfaceGroups], quotas: Quotas) -> Iterator[Finding]:
    quota = quotas.rules_per_security_group
    for groups in interfaces:
        if groups.groups is not None:
            continue
        over = [
            d for d in Direction if split(_of(groups.rules, d), quota.value, quotas.groups) is None
        ]
        direction, family = max(
            product(over or Direction, (4, 6)),
            key=lambda part: weight(_of(groups.rules, part[0]), part[1]),
        )
        rules = [r for r in _of(groups.rules, direction) if family in r.peer.families]
        needed, room = weight(rules, family), quotas.groups * quota.value
        ceiling = quotas.rules_times_groups.value
        largest = max(rule.peer.weight for rule in rules)
        # That many would fit one by one.
        lists = f", in lists of up to {largest} that stay whole" if needed <= room else ""
        most = costly(Share(r.rows, ", ".join(r.parties), r.peer.weight) for r in rules)
        count = f"{quotas.groups} groups" if quotas.groups > 1 else "one group"
        raised = quota.raising(quotas.highest_rules) if needed <= ceiling else None
        ways = (
            "ask for fewer addresses or services",
            "write addresses as fewer, larger ranges",
            raised or "",
        )
        no_more = "" if raised else f" (an interface takes {ceiling} at the very most)"
        yield Finding(
            id="aws/rules-do-not-fit",
            severity=Severity.REFUSAL,
            message=f"{groups.interface.key} needs {needed} rules "
            f"({direction} IPv{family}){lists}, and its {count} of {quota.value} take {room}; "
            f"most go to {most}: {_either(ways)}{no_more}",
            source=quota.source,
            key="quotas.rules_per_security_group",
        )


def _group_moves(interfaces: Iterable[InterfaceGroups], quotas: Quotas) -> Iterator[Finding]:
    """Where a change would move rules between groups that have no room for the moment it takes."""
    quota = quotas.rules_per_security_group
    for groups in interfaces:
        if groups.groups is None or not fills(groups.rules, quota.value, quotas.groups):
            continue
        ways = (
            quota.raising(quotas.highest_rules) or "",
            "ask for fewer addresses or services",
            "write addresses as fewer, larger ranges",
        )
        yield Finding(
            id="aws/groups-filled",
            severity=Severity.WARNING,
            message=f"the rules of {groups.interface.key} fit {quotas.groups} groups of "
            f"{quota.value} only where each is filled before the next. A further rule then moves "
            "others from group to group, each open in both for a moment, and where a group is full "
            "AWS refuses that and the apply stops half-way. Before the next change, "
            f"{_either(ways)}",
            source=quota.source,
            key="quotas.rules_per_security_group",
        )


def _of(rules: Iterable[Rule], direction: Direction) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules if rule.direction is direction)


def _either(ways: Iterable[str]) -> str:
    """`this, that, or the other`; empty ones are none."""
    *first, last = filter(None, ways)
    return f"{', '.join(first)}, or {last}" if first else last


def _acl_usage(acls: Iterable[NetworkAcl], site: Site, quotas: Quotas) -> Iterator[Usage]:
    quota = quotas.network_acl_entries
    for acl in acls:
        for direction in Direction:
            for version in (4, 6):
                if (direction, version) in acl.exact_entries:
                    yield Usage(
                        quota.limit,
                        f"{site.name} {acl.tier} {direction} IPv{version}",
                        acl.count(direction, version) + 1,
                        quota.value,
                        quota.source,
                    )


def _acl_limits(acls: Iterable[NetworkAcl], quotas: Quotas) -> Iterator[Finding]:
    quota = quotas.network_acl_entries
    for acl in acls:
        for overflow in acl.overflows:
            most = "; ".join(
                f"{', '.join(flow.rows)} ({flow.source.key} to {flow.destination.key}, {count} "
                f"{'entry' if count == 1 else 'entries'})"
                for count, flow in overflow.costly
            )
            yield Finding(
                id="aws/network-acl-does-not-fit",
                severity=Severity.REFUSAL,
                message=f"the network ACL of tier {overflow.tier} needs {overflow.needed} "
                f"{overflow.direction} entries for IPv{overflow.version} and has room for "
                f"{quotas.usable_acl_entries}, and nothing wider is safe; most entries go to "
                f"{most}: {_either(_acl_ways(quota))}",
                source=quota.source,
                key="quotas.network_acl_entries",
            )


def _acl_ways(quota: Quota) -> tuple[str, ...]:
    """What lets a network ACL say more."""
    return (
        "move workloads to a tier of their own",
        "ask for fewer addresses",
        quota.raising() or "",
    )


def _acl_widened(acls: Iterable[NetworkAcl], quotas: Quotas) -> Iterator[Finding]:
    quota = quotas.network_acl_entries
    for acl in acls:
        for (direction, version), exact in acl.exact_entries.items():
            used = acl.count(direction, version)
            if 0 < used < exact:
                yield Finding(
                    id="aws/network-acl-widened",
                    severity=Severity.WARNING,
                    message=f"the network ACL of tier {acl.tier} would need {exact} {direction} "
                    f"entries for IPv{version} and has room for {quotas.usable_acl_entries}: "
                    f"{used} wider ones are used, and the security groups behind them refuse what "
                    f"they let in. To have it tighter, {_either(_acl_ways(quota))}",
                    source=quota.source,
                    key="quotas.network_acl_entries",
                )
