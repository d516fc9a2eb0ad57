"""A public load balancer that translates ports: rules with another port behind than in front.

The backend pool has Expressway-E by its private addresses. Rules of an NSG see the client's own
address and the port behind; health probes come from 168.63.129.16 (row platform/2/2).
"""

from __future__ import annotations

from collections.abc import Iterator

from flowbridge.deployment.file.options import AzureLoadBalancer
from flowbridge.deployment.file.site import AzureSite
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.providers.azure.emit.naming import azure_name
from flowbridge.providers.azure.resource_ids import ResourceIds
from flowbridge.providers.load_balancer import LABEL, Translator
from flowbridge.providers.provider import TerraformJson
from flowbridge.providers.terraform.content_names import terraform_name
from flowbridge.providers.terraform.resource_set import ResourceSet

_FRONT = "clients"


def emit_translator(
    translator: Translator, ids: ResourceIds, resources: ResourceSet
) -> TerraformJson:
    """Add the load balancer; its outputs."""
    site = translator.site
    here = {"location": site.region, "resource_group_name": ids.resource_group}
    tags = {
        **site.provider.default_tags,
        "flowbridge:site": site.name,
        "flowbridge:service": LABEL,
    }
    name, label = azure_name("flowbridge", site.name, LABEL), terraform_name(LABEL)
    public_ip = _place(translator).public_ip
    outputs: TerraformJson = {}
    if public_ip is None:
        resources.add(
            "azurerm_public_ip",
            label,
            {**here, "name": name, "allocation_method": "Static", "sku": "Standard", "tags": tags},
        )
        public_ip = f"${{azurerm_public_ip.{label}.id}}"
        outputs["jabber_guest_address"] = {
            "description": "Where the name of Jabber Guest has to lead",
            "value": f"${{azurerm_public_ip.{label}.ip_address}}",
        }
    front = {"name": _FRONT, "public_ip_address_id": public_ip}
    resources.add(
        "azurerm_lb",
        label,
        {
            **here,
            "name": name,
            "sku": "Standard",
            "frontend_ip_configuration": [front],
            "tags": tags,
        },
    )
    balancer = f"${{azurerm_lb.{label}.id}}"
    resources.add(
        "azurerm_lb_backend_address_pool", label, {"name": LABEL, "loadbalancer_id": balancer}
    )
    pool = f"${{azurerm_lb_backend_address_pool.{label}.id}}"
    for member, address in translator.targets:
        resources.add(
            "azurerm_lb_backend_address_pool_address",
            terraform_name(LABEL, member.name),
            {
                "name": azure_name(LABEL, member.name),
                "backend_address_pool_id": pool,
                "virtual_network_id": ids.vnet,
                "ip_address": address,
            },
        )
    for part in translator.ports:
        probe = terraform_name(LABEL, part.inside)
        resources.add(
            "azurerm_lb_probe",
            probe,
            {
                "name": f"{LABEL}-{part.inside}",
                "loadbalancer_id": balancer,
                "protocol": "Tcp",
                "port": part.inside,
            },
        )
        resources.add(
            "azurerm_lb_rule",
            terraform_name(LABEL, part.outside),
            {
                "name": f"{LABEL}-{part.outside}-to-{part.inside}",
                "loadbalancer_id": balancer,
                "protocol": "Tcp",
                "frontend_port": part.outside,
                "backend_port": part.inside,
                "frontend_ip_configuration_name": _FRONT,
                "backend_address_pool_ids": [pool],
                "probe_id": f"${{azurerm_lb_probe.{probe}.id}}",
                # What Expressway-E opens itself keeps leaving by its own public address.
                "disable_outbound_snat": True,
            },
        )
    return outputs


def _place(translator: Translator) -> AzureLoadBalancer:
    """Where the file says that it stands."""
    return AzureSite.of(translator.site).options.jabber_guest.load_balancer


def findings(translator: Translator) -> Iterator[Finding]:
    """What the load balancer leaves to the deployer."""
    ports = ", ".join(f"{part.outside} to {part.inside}" for part in translator.ports)
    where = (
        "the public IP that the file names"
        if _place(translator).public_ip
        else "the output `jabber_guest_address`"
    )
    yield Finding(
        id="azure/port-translation",
        severity=Severity.OBLIGATION,
        message=f"the load balancer translates {ports} in front of {translator.interface.key}, "
        f"for every "
        "client, administrators too: administer over private addresses. The name of Jabber Guest "
        f"has to lead to {where}; media (TURN) goes to the public address of Expressway-E itself. "
        "Clients are seen by their own addresses, and their rules stay as they are.",
        source="Azure network security groups overview; Azure load balancer rules",
        key="options.jabber_guest.translator",
    )
