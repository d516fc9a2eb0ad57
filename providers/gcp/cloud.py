"""Google Cloud: VPC firewall rules, or network firewall policies, for each interface."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowbridge.deployment.clouds.gcp import network_of, whole_name
from flowbridge.deployment.file.site import GcpSite, Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.interface import Interface
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Point
from flowbridge.policy.surrounding import Surrounding
from flowbridge.providers.gcp.emit.firewall_logs import add_logging
from flowbridge.providers.gcp.emit.load_balancer import findings as translator_findings
from flowbridge.providers.gcp.emit.load_balancer import translator_outputs, translator_resources
from flowbridge.providers.gcp.emit.network_policy import emit_network_policies
from flowbridge.providers.gcp.emit.outputs import outputs
from flowbridge.providers.gcp.emit.rules import rules_of
from flowbridge.providers.gcp.emit.targets import targets_of
from flowbridge.providers.gcp.emit.vpc_rules import emit_vpc_rules
from flowbridge.providers.gcp.expressible import excess, expressible
from flowbridge.providers.gcp.limits import refusals, unknown_tuples, usage
from flowbridge.providers.gcp.obligations import facts, obligations
from flowbridge.providers.gcp.quotas import quotas_for
from flowbridge.providers.load_balancer import translator_of, useless
from flowbridge.providers.meaning.foreign import Foreign, Wearing
from flowbridge.providers.provider import Lowered, Occupied, TerraformJson
from flowbridge.providers.terraform.shown.document import FlatDocument
from flowbridge.providers.terraform.world import World

# Every major that knows the resources used; policies with their rules came later than the rest.
VERSIONS: Final = {
    "vpc-rules": ">= 6.0.0, < 9.0.0",
    "network-policy": ">= 6.49.1, < 9.0.0",
}

# Cloud NGFW, network firewall policies: one global policy is associated with a VPC network.
_ONE_POLICY: Final = (
    "a VPC network has one global network firewall policy, so the second apply would fail: write "
    "options.gcp.rules: vpc-rules in one of the files, or describe both deployments in one"
)

# Those of users, of Compute Engine and of App Engine all end like this (compute API,
# Firewall.targetServiceAccounts: e-mail addresses).
_ACCOUNT: Final = re.compile(r"[a-z0-9][a-z0-9._-]*@(?:[a-z0-9-]+\.)+gserviceaccount\.com")


class Gcp:
    """See the module's opening."""

    name = "gcp"

    def lower(self, policy: Policy, site: Site, network_id: str | None = None) -> Lowered:
        """Terraform JSON for `policy`; see `providers.provider.Provider.lower`.

        `network_id` stands for `network.id`; networks that the site names for single interfaces
        or tiers keep their names.
        """
        site = GcpSite.of(site)
        quotas = quotas_for(site.quotas)
        options = site.options.gcp
        in_policies = options.rules == "network-policy"
        networks = _networks(policy, site, network_id)
        targets = targets_of(site, policy.interfaces)
        rules = [
            rule
            for interface in policy.interfaces
            for rule in rules_of(
                policy, site.name, interface, networks[interface.key], quotas.ports_per_protocol
            )
        ]
        if in_policies:
            emitted = emit_network_policies(rules, targets, site.network.project or "")
        else:
            emitted = emit_vpc_rules(rules, targets, options.priority)
        add_logging(emitted.resources, site.options.logging)
        known = facts(policy, site, networks, targets, emitted.resources)
        resources = emitted.resources
        described = outputs(policy, networks, targets, resources)
        if (translator := translator_of(policy, site)) is not None:
            resources = {**resources, **translator_resources(translator)}
            described |= translator_outputs()
        return Lowered(
            terraform={"resource": resources, "output": described},
            rules=emitted.rules,
            usage=tuple(usage(rules, site.name, quotas, in_policies)),
            excess=tuple(excess(policy)),
            findings=(
                *_network_refusals(policy, site, networks),
                *_account_refusals(policy, site),
                *refusals(rules, site.name, quotas, in_policies),
                *obligations(known),
                *useless(policy, site),
                *(translator_findings(translator) if translator else ()),
                *(unknown_tuples(rules, quotas) if in_policies else ()),
            ),
            occupied=_occupied(policy, site, networks) if in_policies else (),
        )

    def enforcement(self, terraform: Mapping[str, Any], policy: Policy, site: Site) -> Enforcement:
        """What `terraform` enforces; see `providers.provider.Provider.enforcement`."""
        from flowbridge.providers.gcp.meaning.filters import enforcement

        return enforcement(terraform, policy, site)

    def around(
        self,
        terraform: Mapping[str, Any],  # noqa: ARG002
        policy: Policy,  # noqa: ARG002
        site: Site,  # noqa: ARG002
    ) -> tuple[Surrounding, ...]:
        """Nothing: rules of Google Cloud are for machines, and subnets have none."""
        return ()

    def world(self, plan: TerraformJson, policy: Policy, site: Site) -> World:
        """What is ours; see `providers.provider.Provider.world`."""
        from flowbridge.providers.gcp.meaning.world import world

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
        from flowbridge.providers.gcp.meaning.foreign import foreign

        return foreign(flat, prior, policy, site, wearing)

    def expressible(
        self,
        intended: PacketSet,
        point: Point,  # noqa: ARG002
        policy: Policy | None = None,  # noqa: ARG002
    ) -> PacketSet:
        """`intended` with every source port and every ICMP type, which rules cannot match."""
        return expressible(intended)

    def settings(self, site: Site) -> TerraformJson:
        """The `terraform.required_providers` and `provider` blocks for `site`.

        `provider.endpoints` are the provider's `<service>_custom_endpoint` arguments.
        """
        site = GcpSite.of(site)
        settings = site.provider
        provider: dict[str, Any] = {"region": site.region}
        if site.network.project:
            provider["project"] = site.network.project
        account = GcpSite.of(site).provider.impersonate_service_account
        if account:
            provider["impersonate_service_account"] = account
        if settings.default_tags:
            provider["default_labels"] = dict(sorted(settings.default_tags.items()))
        for service, address in sorted(settings.endpoints.items()):
            provider[f"{service}_custom_endpoint"] = address
        version = settings.version or VERSIONS[site.options.gcp.rules]
        required = {"source": "hashicorp/google", "version": version}
        return {
            "terraform": {"required_providers": {"google": required}},
            "provider": {"google": [provider]},
        }


PROVIDER: Final = Gcp()


def _networks(policy: Policy, site: Site, network_id: str | None) -> dict[str, str]:
    """The VPC network of each interface, by its key; empty where the site names none."""
    if network_id is not None:
        section = site.network.model_copy(update={"id": network_id})
        site = site.model_copy(update={"network": section})
    return {card.key: network_of(site, card) or "" for card in policy.interfaces}


def _occupied(policy: Policy, site: GcpSite, networks: Mapping[str, str]) -> tuple[Occupied, ...]:
    """Networks whose policy this is; one that another construct makes has no name yet."""
    whole = {
        networks[card.key]: whole_name(networks[card.key], site.network.project)
        for card in policy.interfaces
        if "${" not in networks[card.key]
    }
    return tuple(
        Occupied(f"{project}/{name}", name, "network", _ONE_POLICY)
        for project, name in sorted(set(whole.values()), key=str)
    )


def _network_refusals(
    policy: Policy, site: GcpSite, networks: Mapping[str, str]
) -> Iterator[Finding]:
    first: dict[tuple[str, str | None, str], Interface] = {}
    for interface in policy.interfaces:
        network = networks[interface.key]
        if not network:
            yield Finding(
                id="gcp/no-network",
                severity=Severity.REFUSAL,
                message=f"the VPC network of {interface.key} is not named: write it as "
                f"`network.networks.{interface.name}` or `network.id`",
                source="compute API, Firewall.network",
                key="network",
            )
            continue
        whole = whole_name(network, site.network.project)
        other = first.setdefault((interface.workload, *whole), interface)
        if other is not interface:
            yield Finding(
                id="gcp/one-network-for-two-cards",
                severity=Severity.REFUSAL,
                message=f"{other.key} and {interface.key} are two cards of one machine and both in "
                f"network {network}, where no rule could tell them apart: write "
                "`network.networks: {external: ..., internal: ...}`",
                source="VPC, multiple network interfaces: each in a network of its own",
                key="network.networks",
            )


def _account_refusals(policy: Policy, site: GcpSite) -> Iterator[Finding]:
    """An account that is nobody's, or that would put one workload's rules on another's machines."""
    workloads = sorted({interface.workload for interface in policy.interfaces})
    owner: dict[str, str] = {}
    for workload, account in sorted(site.options.gcp.service_accounts.items()):
        other = owner.setdefault(account, workload)
        if workload not in workloads:
            message = (
                f"{workload!r} is no workload of this deployment, so no rule is for its service "
                f"account: write one of {', '.join(workloads)}"
            )
        elif not _ACCOUNT.fullmatch(account):
            message = (
                f"{account!r} is no service account: write its e-mail address, such as "
                "NAME@PROJECT.iam.gserviceaccount.com"
            )
        elif other != workload:
            message = (
                f"{other} and {workload} run as one service account, so the rules of each would be "
                "for the machines of both: give each its own, or leave both out to use tags"
            )
        else:
            continue
        yield Finding(
            id="gcp/service-account",
            severity=Severity.REFUSAL,
            message=message,
            source="compute API, Firewall.targetServiceAccounts",
            key=f"options.gcp.service_accounts.{workload}",
        )
