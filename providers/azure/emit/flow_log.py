"""Flow logs of the tiers' subnets, where the deployment asks for them (options.logging)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from flowbridge.deployment.file.options import AzureLogging
from flowbridge.deployment.file.site import Site, Tier
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.providers.azure.emit.naming import azure_name
from flowbridge.providers.azure.resource_ids import ResourceIds
from flowbridge.providers.terraform.content_names import content_hash, terraform_name
from flowbridge.providers.terraform.resource_set import ResourceSet

FLOW_LOG: Final = "azurerm_network_watcher_flow_log"


def emit_flow_logs(
    logging: AzureLogging, site: Site, ids: ResourceIds, used: Iterable[str], to: ResourceSet
) -> None:
    """A flow log of each subnet of the tiers in `used`, by the network watcher of the region."""
    if logging.to is None:
        return
    region = site.region.replace(" ", "").lower()
    for name in sorted(set(used)):
        for subnet in dict.fromkeys(site.network.tiers[name].subnets):
            target = ids.subnet(subnet)
            unique = content_hash(target)
            to.add(
                FLOW_LOG,
                terraform_name(name, unique),
                {
                    "name": azure_name("flowbridge", site.name, name, unique),
                    "network_watcher_name": logging.watcher or f"NetworkWatcher_{region}",
                    "resource_group_name": logging.watcher_group,
                    "location": site.region,
                    "target_resource_id": target,
                    "storage_account_id": logging.to,
                    "enabled": True,
                    "version": 2,
                    "retention_policy": [{"enabled": logging.days > 0, "days": logging.days}],
                    "tags": {
                        **site.provider.default_tags,
                        "flowbridge:site": site.name,
                        "flowbridge:tier": name,
                    },
                },
            )


def flow_log_refusals(
    logging: AzureLogging, tiers: Mapping[str, Tier], used: Iterable[str]
) -> Iterator[Finding]:
    """Tiers of which nothing can be logged."""
    for name in sorted(set(used)) if logging.to else ():
        if not tiers[name].subnets:
            yield Finding(
                id="azure/flow-log-subnets",
                severity=Severity.REFUSAL,
                message=f"tier {name} names no subnets, so that no flow log can be made of it: "
                f"write "
                f"network.tiers.{name}.subnets, or leave options.logging.to out",
                source="Azure Network Watcher, virtual network flow logs",
                key=f"network.tiers.{name}",
            )
