"""Azure: network security groups as a construct and as a stack."""

from __future__ import annotations

from flowbridge.deployment.file.site import Cloud
from flowbridge.stacks.described import Site
from flowbridge.stacks.exports import Exports
from flowbridge.stacks.firewall import Firewall
from flowbridge.stacks.site_stack import SiteStack

__all__ = ["AzureFirewall", "AzureStack", "Site"]


class AzureExports(Exports):
    """KeyError where the deployment has no such interface or tier."""

    def application_security_group_id(self, interface: str) -> str:
        """The group of `expressway-e/external`, for the IP configurations of its cards."""
        return str(self.exported("application_security_group_ids")[interface])

    def network_security_group_id(self, tier: str) -> str:
        """The network security group of a tier's subnets."""
        return str(self.exported("network_security_group_ids")[tier])


class AzureFirewall(Firewall, AzureExports):
    """See `Firewall`. `network_id` is the name of the virtual network."""

    cloud = Cloud.AZURE


class AzureStack(SiteStack, AzureExports):
    """One deployment in Azure."""


STACK = AzureStack
