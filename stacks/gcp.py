"""Google Cloud: firewall rules as a construct and as a stack."""

from __future__ import annotations

from flowbridge.deployment.file.site import Cloud
from flowbridge.stacks.described import Site
from flowbridge.stacks.exports import Exports
from flowbridge.stacks.firewall import Firewall
from flowbridge.stacks.site_stack import SiteStack

__all__ = ["GcpFirewall", "GcpStack", "Site"]


class GcpExports(Exports):
    """KeyError where the deployment has no such interface."""

    def network_tag(self, interface: str) -> str:
        """The network tag for the machines of `expressway-e/external`."""
        return str(self.exported("network_tags")[interface])


class GcpFirewall(Firewall, GcpExports):
    """See `Firewall`. `network_id` is the name or self link of the VPC network."""

    cloud = Cloud.GCP


class GcpStack(SiteStack, GcpExports):
    """One deployment in Google Cloud."""


STACK = GcpStack
