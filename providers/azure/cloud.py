"""Microsoft Azure: a network security group for each tier, an application security group for each
interface."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowbridge.deployment.file.site import AzureSite, Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.places.atlas import Atlas
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Point
from flowbridge.policy.surrounding import Surrounding
from flowbridge.providers.azure import limits
from flowbridge.providers.azure.emit.flow_log import emit_flow_logs, flow_log_refusals
from flowbridge.providers.azure.emit.load_balancer import emit_translator
from flowbridge.providers.azure.emit.load_balancer import findings as translator_findings
from flowbridge.providers.azure.emit.network_security_groups import network_security_groups
from flowbridge.providers.azure.emit.security_rules import SecurityRules, security_rules
from flowbridge.providers.azure.emit.terraform import emit_groups, emit_nsg, outputs
from flowbridge.providers.azure.expressible import expressible
from flowbridge.providers.azure.obligations import obligations
from flowbridge.providers.azure.quotas import quotas_for
from flowbridge.providers.azure.resource_ids import ResourceIds, data_for
from flowbridge.providers.load_balancer import translator_of, useless
from flowbridge.providers.meaning.foreign import Foreign, Wearing
from flowbridge.providers.provider import Lowered, Occupied, TerraformJson
from flowbridge.providers.terraform.resource_set import ResourceSet
from flowbridge.providers.terraform.shown.document import FlatDocument
from flowbridge.providers.terraform.world import World

# Both majors know every attribute used here by the same name.
VERSIONS: Final = ">= 4.0.0, < 6.0.0"
# Flow logs of subnets came with it (the provider's CHANGELOG).
_LOGGING_VERSIONS: Final = ">= 4.13.0, < 6.0.0"

# azurerm_subnet_network_security_group_association: one for a subnet, and none is replaced.
_ONE_NSG: Final = (
    "a subnet has one network security group, so the second apply would fail: name the subnet in "
    "one of the files only, or describe both deployments in one"
)


class Azure:
    """See the module's opening."""

    name = "azure"

    def lower(self, policy: Policy, site: Site, network_id: str | None = None) -> Lowered:
        """Terraform JSON for `policy`; `network_id` is the name or id of the virtual network.

        See `providers.provider.Provider.lower`.
        """
        quotas = quotas_for(AzureSite.of(site).quotas)
        ids = ResourceIds.of(site, network_id)
        emitted = security_rules(
            policy,
            quotas,
            peers=AzureSite.of(site).options.azure.peers,
            apart=Atlas.of(site).inspected,
        )
        on_cards = AzureSite.of(site).options.azure.nsg == "card"
        nsgs = network_security_groups(policy, emitted, quotas, on_cards=on_cards)
        resources = ResourceSet()
        memberships = emit_groups(policy.interfaces, site, ids, resources)
        rules = [
            rule
            for nsg in nsgs.values()
            for rule in emit_nsg(nsg, site, ids, memberships, resources)
        ]
        known = outputs(policy.interfaces, nsgs.values())
        if (translator := translator_of(policy, site)) is not None:
            known |= emit_translator(translator, ids, resources)
        logging = AzureSite.of(site).options.logging
        standing = [interface.tier for interface in policy.interfaces]
        emit_flow_logs(logging, site, ids, standing, resources)
        terraform: TerraformJson = {"resource": resources.json(), "output": known}
        data = data_for(json.dumps(terraform))
        if data:
            terraform["data"] = data
        return Lowered(
            terraform=terraform,
            rules=tuple(rules),
            usage=tuple(limits.usage(nsgs, policy, site, quotas)),
            excess=emitted.excess,
            findings=(
                *_no_network(ids),
                *_named_twice(policy, site),
                *_impossible(emitted),
                *limits.refusals(nsgs, policy, quotas),
                *flow_log_refusals(logging, site.network.tiers, standing),
                *obligations(policy, site),
                *useless(policy, site),
                *(translator_findings(translator) if translator else ()),
            ),
            occupied=tuple(
                Occupied(
                    ids.subnet(subnet).lower(), subnet, f"network.tiers.{tier}.subnets", _ONE_NSG
                )
                for tier in (() if on_cards else nsgs)
                for subnet in site.network.tiers[tier].subnets
            ),
        )

    def enforcement(self, terraform: Mapping[str, Any], policy: Policy, site: Site) -> Enforcement:
        """What `terraform` enforces; see `providers.provider.Provider.enforcement`."""
        from flowbridge.providers.azure.meaning.filters import enforcement

        return enforcement(terraform, policy, site)

    def around(
        self, terraform: Mapping[str, Any], policy: Policy, site: Site
    ) -> tuple[Surrounding, ...]:
        """What NSGs of subnets decide for other hosts; see `providers.provider.Provider.around`."""
        from flowbridge.providers.azure.meaning.filters import around

        return around(terraform, policy, site)

    def world(self, plan: TerraformJson, policy: Policy, site: Site) -> World:
        """What is ours; see `providers.provider.Provider.world`."""
        from flowbridge.providers.azure.meaning.world import world

        return world(plan, policy, site)

    def foreign(
        self,
        flat: FlatDocument,
        prior: FlatDocument,
        policy: Policy,
        site: Site,
        wearing: Wearing,
    ) -> Foreign:
        """Estates of others; see `providers.provider.Provider.foreign`."""
        from flowbridge.providers.azure.meaning.foreign import foreign

        return foreign(flat, prior, policy, site, wearing)

    def expressible(
        self,
        intended: PacketSet,
        point: Point,  # noqa: ARG002
        policy: Policy | None = None,  # noqa: ARG002
    ) -> PacketSet:
        """`intended` with every ICMP type, and long rows of every second port without gaps."""
        return expressible(intended)

    def settings(self, site: Site) -> TerraformJson:
        """The `terraform.required_providers` and `provider` blocks for `site`."""
        provider: dict[str, Any] = {"features": [{}]}
        settings = AzureSite.of(site).provider
        if settings.subscription:
            provider["subscription_id"] = settings.subscription
        if settings.tenant:
            provider["tenant_id"] = settings.tenant
        if settings.client:
            provider["client_id"] = settings.client
        if settings.use_oidc:
            provider["use_oidc"] = True
        required = {
            "source": "hashicorp/azurerm",
            "version": site.provider.version or _versions(site),
        }
        return {
            "terraform": {"required_providers": {"azurerm": required}},
            "provider": {"azurerm": [provider]},
        }


PROVIDER: Final = Azure()


def _versions(site: Site) -> str:
    return _LOGGING_VERSIONS if AzureSite.of(site).options.logging.to else VERSIONS


def _no_network(ids: ResourceIds) -> Iterator[Finding]:
    for value, key, message in (
        (ids.resource_group, "resource_group", "the resource group is not named"),
        (ids.network, "vnet", "the virtual network is not named"),
    ):
        if not value:
            yield Finding(
                id=f"azure/no-{key.replace('_', '-')}",
                severity=Severity.REFUSAL,
                message=f"{message}: write its name as `network.{key}`",
                source="Azure network API",
                key=f"network.{key}",
            )


def _named_twice(policy: Policy, site: Site) -> Iterator[Finding]:
    """Subnets in two tiers and network cards of two interfaces: one would undo the other."""
    tiers = [
        (subnet, tier)
        for tier in sorted({interface.tier for interface in policy.interfaces})
        for subnet in dict.fromkeys(site.network.tiers[tier].subnets)
    ]
    cards = [
        (member.attachment, f"{interface.key} {member.name}")
        for interface in policy.interfaces
        for member in interface.members
        if member.attachment
    ]
    for named, what, key, source in (
        (tiers, "the subnet", "network.tiers", "one NSG for each subnet"),
        (cards, "the network card", "", "a card is one machine's"),
    ):
        owners: dict[str, str] = {}
        for name, owner in named:
            first = owners.setdefault(name.lower(), owner)
            if first != owner:
                yield Finding(
                    id="azure/named-twice",
                    severity=Severity.REFUSAL,
                    message=f"{what} {name} is named for {first} and for {owner}: name it once",
                    source=f"Azure network security groups: {source}",
                    key=key,
                )


_WITHOUT_ITS_END: Final = "leave out the service or this party, or its addresses of that family"
_WITHOUT: Final = {
    "gre": "write options.cucm.ipsec_protocols: [esp, ah], where gateways do without it, "
    "or leave out the service or this party",
}


def _impossible(emitted: SecurityRules) -> Iterator[Finding]:
    """Protocols that no rule can name: opening all protocols instead is no answer."""
    seen: set[tuple[object, ...]] = set()
    for point, demand in emitted.impossible:
        flow = demand.flow
        if (key := (flow.protocol, flow.rows)) in seen:
            continue
        seen.add(key)
        yield Finding(
            id=f"azure/no-{flow.protocol.label}",
            severity=Severity.REFUSAL,
            message=f"{', '.join(flow.rows)} asks {point.interface} for {flow.protocol.label} "
            f"with {demand.peer.key}, and Terraform's Azure rules can only allow it by allowing "
            f"every protocol: {_WITHOUT.get(flow.protocol.label, _WITHOUT_ITS_END)}",
            source="azurerm provider, security_rule: Tcp, Udp, Icmp, Esp, Ah (issue 30751)",
            key="services",
        )
