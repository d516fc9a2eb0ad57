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
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.aws.meaning.network_acls import NetworkAcls
from flowbridge.providers.aws.meaning.security_groups import SecurityGroups


def enforcement(terraform: Mapping[str, Any], policy: Policy, site: Site) -> Enforcement:
    """The filters of every interface of `policy`, in the order a packet meets them.

    ValueError names a resource whose meaning cannot be told from the file.
    """
    groups = SecurityGroups.read(terraform, policy, site)
    acls = NetworkAcls.read(terraform, site)
    return stages(groups, acls, policy.interfaces, policy)


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
