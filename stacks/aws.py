"""AWS: security groups and network ACLs as a construct and as a stack."""

from __future__ import annotations

from flowbridge.deployment.file.site import Cloud
from flowbridge.stacks.described import Description, Site
from flowbridge.stacks.engine import Construct
from flowbridge.stacks.exports import Exports
from flowbridge.stacks.firewall import Firewall
from flowbridge.stacks.site_stack import SiteStack

__all__ = ["AwsFirewall", "AwsStack", "Site"]


class AwsExports(Exports):
    """KeyError where the deployment has no such interface or tier."""

    def security_group_ids(self, interface: str) -> list[str]:
        """The groups of `expressway-e/external`, to attach to a network interface."""
        found: list[str] = self.exported("security_group_ids")[interface]
        return found

    def network_acl_id(self, tier: str) -> str:
        """The network ACL of a tier."""
        return str(self.exported("network_acl_ids")[tier])


class AwsFirewall(Firewall, AwsExports):
    """See `Firewall`. `vpc_id` may be a token, for instance of a VPC made in the same app."""

    cloud = Cloud.AWS

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        deployment: Description,
        vpc_id: str | None = None,
        place: str | None = None,
    ) -> None:
        super().__init__(scope, id, deployment, vpc_id, place)


class AwsStack(SiteStack, AwsExports):
    """One deployment in AWS."""


STACK = AwsStack
