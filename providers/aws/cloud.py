"""Amazon Web Services: security groups for each interface, a network ACL for each tier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from flowbridge.deployment.file.site import AwsSite, Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.places.atlas import Atlas
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.surrounding import Surrounding
from flowbridge.providers.aws.emit.flow_log import emit_flow_logs, flow_log_refusals
from flowbridge.providers.aws.emit.load_balancer import emit_translator
from flowbridge.providers.aws.emit.load_balancer import findings as translator_findings
from flowbridge.providers.aws.emit.network_acl import NetworkAcl, network_acls
from flowbridge.providers.aws.emit.security_groups import security_groups
from flowbridge.providers.aws.emit.terraform import emit_groups, emit_network_acl, outputs
from flowbridge.providers.aws.expressible import expressible
from flowbridge.providers.aws.limits import (
    acl_limits,
    acl_usage,
    acl_widened,
    group_limits,
    group_moves,
    group_usage,
)
from flowbridge.providers.aws.obligations import obligations
from flowbridge.providers.aws.quotas import quotas_for
from flowbridge.providers.load_balancer import translator_of, useless
from flowbridge.providers.meaning.foreign import Foreign, Wearing
from flowbridge.providers.provider import Lowered, Occupied, TerraformJson
from flowbridge.providers.terraform.resource_set import ResourceSet
from flowbridge.providers.terraform.shown.document import FlatDocument
from flowbridge.providers.terraform.world import World

# Wide enough for the majors that know every resource used here; both are tested.
VERSIONS: Final = ">= 5.100.0, < 7.0.0"
# aws_vpc_security_group_rules_exclusive came with it (the provider's CHANGELOG).
EXCLUSIVE_VERSIONS: Final = ">= 6.29.0, < 7.0.0"

# EC2 API, ReplaceNetworkAclAssociation.
_ONE_ACL: Final = (
    "a subnet has one network ACL, which each apply would take from the other: name the subnet in "
    "one of the files only, or describe both deployments in one"
)


class Aws:
    """See the module's opening."""

    name = "aws"

    def lower(self, policy: Policy, site: Site, network_id: str | None = None) -> Lowered:
        """Terraform JSON for `policy`; see `providers.provider.Provider.lower`."""
        quotas = quotas_for(AwsSite.of(site).quotas)
        network = network_id or site.network.id
        findings: list[Finding] = []
        if network is None:
            findings.append(_no_network())
        peers = AwsSite.of(site).options.aws.peers
        apart = Atlas.of(site).inspected
        groups = security_groups(policy, quotas, peers=peers, apart=apart)
        findings.extend(refused := tuple(group_limits(groups.interfaces, quotas)))
        # Lists that no group can take are refused already: fitting them into an ACL is for nothing.
        usable, tiers = quotas.usable_acl_entries, site.network.tiers
        made = AwsSite.of(site).options.aws.network_acl == "make"
        acls = network_acls(policy, tiers, usable) if made and not refused else ()
        if not refused and (undenied := frozenset(_undenied(policy, acls))):
            groups = security_groups(policy, quotas, undenied, peers=peers, apart=apart)
        resources = ResourceSet()
        rules, group_ids = emit_groups(
            groups,
            site.name,
            network or "",
            resources,
            exclusive=AwsSite.of(site).options.aws.exclusive,
        )
        acl_ids: dict[str, str] = {}
        for acl in acls:
            entries, acl_ids[acl.tier] = emit_network_acl(acl, site.name, network or "", resources)
            rules += entries
        logging = AwsSite.of(site).options.logging
        standing = [interface.tier for interface in policy.interfaces]
        emit_flow_logs(logging, site.name, tiers, standing, resources)
        findings.extend(flow_log_refusals(logging, tiers, standing))
        findings.extend(group_moves(groups.interfaces, quotas))
        findings.extend(acl_limits(acls, quotas))
        findings.extend(acl_widened(acls, quotas))
        findings.extend(obligations(policy, site))
        findings.extend(useless(policy, site))
        known = outputs(group_ids, acl_ids)
        if (translator := translator_of(policy, site)) is not None:
            known |= emit_translator(translator, network or "", resources)
            findings.extend(translator_findings(translator, policy))
        return Lowered(
            terraform={"resource": resources.json(), "output": known},
            rules=rules,
            usage=(
                *group_usage(groups.interfaces, site, quotas),
                *acl_usage(acls, site, quotas),
            ),
            excess=(*groups.excess, *(part for acl in acls for part in acl.excess)),
            findings=tuple(findings),
            occupied=tuple(
                Occupied(subnet, subnet, f"network.tiers.{acl.tier}.subnets", _ONE_ACL)
                for acl in acls
                for subnet in tiers[acl.tier].subnets
            ),
        )

    def enforcement(self, terraform: Mapping[str, Any], policy: Policy, site: Site) -> Enforcement:
        """What `terraform` enforces; see `providers.provider.Provider.enforcement`."""
        from flowbridge.providers.aws.meaning.filters import enforcement

        return enforcement(terraform, policy, site)

    def around(
        self, terraform: Mapping[str, Any], policy: Policy, site: Site
    ) -> tuple[Surrounding, ...]:
        """What network ACLs decide for other hosts; see `providers.provider.Provider.around`."""
        from flowbridge.providers.aws.meaning.filters import around

        return around(terraform, policy, site)

    def world(self, plan: TerraformJson, policy: Policy, site: Site) -> World:
        """What is ours; see `providers.provider.Provider.world`."""
        from flowbridge.providers.aws.meaning.world import world

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
        from flowbridge.providers.aws.meaning.foreign import foreign

        return foreign(flat, prior, policy, site, wearing)

    def expressible(
        self, intended: PacketSet, point: Point, policy: Policy | None = None
    ) -> PacketSet:
        """See `providers.aws.expressible`. Groups have no deny, so that the internet may be all."""
        if policy is None:
            return expressible(intended)
        back = policy.with_inside(Point(point.interface, point.direction.opposite))
        return expressible(intended | policy.with_inside(point) | back.replies())

    def settings(self, site: Site) -> TerraformJson:
        """The `terraform.required_providers` and `provider` blocks for `site`."""
        settings = AwsSite.of(site).provider
        provider: dict[str, Any] = {"region": site.region}
        if settings.profile:
            provider["profile"] = settings.profile
        if settings.assume_role:
            role = {"role_arn": settings.assume_role}
            if settings.web_identity_token_file:
                role["web_identity_token_file"] = settings.web_identity_token_file
                provider["assume_role_with_web_identity"] = [role]
            else:
                if settings.external_id:
                    role["external_id"] = settings.external_id
                provider["assume_role"] = [role]
        if settings.default_tags:
            provider["default_tags"] = [{"tags": dict(sorted(settings.default_tags.items()))}]
        if settings.endpoints:
            provider["endpoints"] = [dict(sorted(settings.endpoints.items()))]
        exclusive = AwsSite.of(site).options.aws.exclusive
        version = settings.version or (EXCLUSIVE_VERSIONS if exclusive else VERSIONS)
        required = {"source": "hashicorp/aws", "version": version}
        return {
            "terraform": {"required_providers": {"aws": required}},
            "provider": {"aws": [provider]},
        }


PROVIDER: Final = Aws()


def _undenied(policy: Policy, acls: Iterable[NetworkAcl]) -> Iterator[Point]:
    """The points at which the internet is asked for and no network ACL denies the inside."""
    known = {acl.tier: acl for acl in acls}
    for interface in policy.interfaces:
        for direction in Direction:
            point = Point(interface.key, direction)
            outward = any(demand.peer.inside for demand in policy.demands.get(point, ()))
            acl = known.get(interface.tier)
            if outward and (acl is None or any(way is direction for way, _ in acl.undenied)):
                yield point


def _no_network() -> Finding:
    return Finding(
        id="aws/no-network",
        severity=Severity.REFUSAL,
        message="the VPC is not named: write its id, for instance vpc-0a1b2c3d4e5f60718, as "
        "`network.id`",
        source="EC2 API, CreateSecurityGroup",
        key="network.id",
    )
