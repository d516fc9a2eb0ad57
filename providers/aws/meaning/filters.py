"""What Terraform JSON enforces in AWS: groups at the interface, a network ACL at the subnet.

Order: leaving, a packet meets the interface's groups and then the subnet's network ACL;
arriving, the network ACL and then the groups (VPC user guide, network ACLs).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, Filter
from flowbridge.policy.packets.packet_set import EMPTY
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.surrounding import Surrounding
from flowbridge.providers.aws.meaning.network_acls import NetworkAcls, hosts_of_subnets
from flowbridge.providers.aws.meaning.security_groups import SecurityGroups


def enforcement(terraform: Mapping[str, Any], policy: Policy, site: Site) -> Enforcement:
    """The filters of every interface of `policy`, in the order a packet meets them.

    ValueError names a resource whose meaning cannot be told from the file.
    """
    groups = SecurityGroups.read(terraform, policy, site)
    acls = NetworkAcls.read(terraform, site)
    return stages(groups, acls, policy.interfaces, policy)


def around(terraform: Mapping[str, Any], policy: Policy, site: Site) -> tuple[Surrounding, ...]:
    """The network ACL of each subnet of our tiers, as every other host of the subnet meets it.

    ValueError as `enforcement`.
    """
    return surroundings(NetworkAcls.read(terraform, site), policy, site)


def surroundings(acls: NetworkAcls, policy: Policy, site: Site) -> tuple[Surrounding, ...]:
    """`around`, of network ACLs that were read already."""
    return tuple(
        Surrounding(anyone, {way: (stage,) for way, stage in met.items() if stage is not None})
        for tier in sorted({interface.tier for interface in policy.interfaces})
        for anyone in hosts_of_subnets(tier, site.network.tiers[tier])
        if any((met := {way: acls.filter(anyone, way, EMPTY) for way in Direction}).values())
    )


def stages(
    groups: SecurityGroups,
    acls: NetworkAcls | None,
    interfaces: Iterable[Interface],
    policy: Policy,
) -> Enforcement:
    """The filters of each of `interfaces`; without `acls` the groups alone."""
    out: dict[Point, tuple[Filter, ...]] = {}
    for interface in interfaces:
        for direction in Direction:
            point = Point(interface.key, direction)
            asked = policy.intended(point)
            group = groups.filter(interface, direction, asked)
            replies = policy.intended(Point(interface.key, direction.opposite)).replies()
            acl = acls.filter(interface, direction, asked | replies) if acls else None
            met = (group,) if acl is None else (group, acl)
            out[point] = met if direction is Direction.EGRESS else met[::-1]
    return out
