"""How much of each AWS quota a deployment takes, and what to do where it is too much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.policy.packets.packet import protocol_label
from flowbridge.policy.point import Direction
from flowbridge.providers.aws.emit.acl.rectangle import ANY_PROTOCOL, Rectangle
from flowbridge.providers.aws.emit.group_split import fills, split, weight
from flowbridge.providers.aws.emit.network_acl import NetworkAcl, Widened
from flowbridge.providers.aws.emit.rule import Rule
from flowbridge.providers.aws.emit.security_groups import InterfaceGroups
from flowbridge.providers.aws.quotas import Quota, Quotas
from flowbridge.providers.limits.largest_shares import Share, costly
from flowbridge.providers.provider import Usage


def group_usage(
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


def group_limits(interfaces: Iterable[InterfaceGroups], quotas: Quotas) -> Iterator[Finding]:
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


def group_moves(interfaces: Iterable[InterfaceGroups], quotas: Quotas) -> Iterator[Finding]:
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


def acl_usage(acls: Iterable[NetworkAcl], site: Site, quotas: Quotas) -> Iterator[Usage]:
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


def acl_limits(acls: Iterable[NetworkAcl], quotas: Quotas) -> Iterator[Finding]:
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


def _how(widened: Widened | None, version: int) -> str:
    """What was chosen, and why: the port before the peer."""
    if widened is None:
        return ""
    parts = []
    if widened.whole_tiers:
        told = ", ".join(_said(one, version) for one in widened.whole_tiers)
        parts.append(f"keep their port and take the whole tier for their peer: {told}")
    if widened.given_up:
        told = ", ".join(_said(one, version) for one in widened.given_up)
        parts.append(f"take other ports as well, since whole tiers did not save enough: {told}")
    return "".join(f". These {part}" for part in parts)


def _said(one: Rectangle, version: int) -> str:
    protocol = protocol_label(None if one.protocol == ANY_PROTOCOL else one.protocol)
    ports = "" if one.protocol == ANY_PROTOCOL else f" {PortRange(one.first, one.last)}"
    return f"{protocol}{ports} {one.network(version)}"


def acl_widened(acls: Iterable[NetworkAcl], quotas: Quotas) -> Iterator[Finding]:
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
                    f"{used} wider ones are used, and the security groups behind them refuse "
                    f"what they let in{_how(acl.widened.get((direction, version)), version)}. To "
                    f"have it tighter, {_either(_acl_ways(quota))}",
                    source=quota.source,
                    key="quotas.network_acl_entries",
                )
