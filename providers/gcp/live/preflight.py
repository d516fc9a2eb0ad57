"""What would fail half-way through an apply: names that are taken, things that are not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowbridge.deployment.file.site import GcpSite, Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.policy.audit.estate import Unread
from flowbridge.policy.compiled import Policy
from flowbridge.providers.gcp.emit.network_policy import POLICY
from flowbridge.providers.gcp.emit.targets import TargetKind, targets_of
from flowbridge.providers.gcp.emit.vpc_rules import FIREWALL
from flowbridge.providers.gcp.live.answers import Answers, Part, network_parts
from flowbridge.providers.gcp.live.as_terraform import firewalls, is_above, policies, policy_name
from flowbridge.providers.gcp.live.estate import unseen_projects
from flowbridge.providers.gcp.live.faults import garbled
from flowbridge.providers.gcp.live.identity import Identity, identify, other_associations
from flowbridge.providers.gcp.live.placement import Placement, place
from flowbridge.providers.gcp.markers import Marker
from flowbridge.providers.live.contract import Preflight
from flowbridge.providers.live.exceeded import exceeded
from flowbridge.providers.live.reading import split_absent
from flowbridge.providers.live.unjudged import preflight_or_unread
from flowbridge.providers.provider import Usage
from flowbridge.providers.terraform.blocks import resources

_SOURCE: Final = "read from the project"


def preflight(
    answers: Answers, policy: Policy, site: Site, planned: Mapping[str, Any]
) -> Preflight:
    """See `providers.live.contract.LiveReader.preflight`."""
    absent, rest = split_absent(answers.unread, "compute.networks.get")
    if absent:
        return Preflight(tuple(_no_network(each) for each in absent), (), rest)
    if not answers.has(Part.NETWORKS, Part.FIREWALLS, Part.INSTANCES):
        return Preflight((), (), answers.unread)
    return preflight_or_unread(
        answers.scope, lambda: _preflight(answers, policy, site, planned), garbled, answers.unread
    )


def _preflight(
    answers: Answers, policy: Policy, site: Site, planned: Mapping[str, Any]
) -> Preflight:
    identity = identify(answers, site, planned)
    placement = place(answers, policy, site, {})
    usage = tuple(_usage(answers, planned, identity))
    findings = (
        *_taken(answers, site, planned),
        *_tags(answers, site, planned),
        *_policies(answers, site, planned),
        *_before_ours(answers, site, identity),
        *_machines(policy, site, placement),
        *(_found("unseen", each, "network", Severity.WARNING) for each in unseen_projects(answers)),
        *(_found("quota", told, "quotas.firewall_rules") for _, told in exceeded(usage)),
    )
    return Preflight(findings, usage, answers.unread)


def _found(name: str, message: str, key: str, severity: Severity = Severity.REFUSAL) -> Finding:
    return Finding(
        id=f"gcp/live-{name}", severity=severity, message=message, source=_SOURCE, key=key
    )


def _no_network(unread: Unread) -> Finding:
    return _found("no-network", f"{unread.scope}: {unread.message}. {unread.remedy}", "network")


def _taken(answers: Answers, site: Site, planned: Mapping[str, Any]) -> Iterator[Finding]:
    """Names of firewall rules are the project's, whatever network a rule is in."""
    home = answers.place.project
    there = {(row["project"], row["name"]): row for row in answers.rows(Part.FIREWALLS)}
    existing = 0
    for block in resources(planned, FIREWALL).values():
        row = there.get((block.text("project") or home, block.text("name")))
        if row is None:
            continue
        marker = Marker.parse(row.get("description"))
        network = network_parts(row["network"], row["project"])
        if marker is None or marker.site != site.name:
            yield _found(
                "name-taken",
                f"the firewall rule {row['name']} exists already in network {network[1]} and is "
                "not marked as this deployment's: rename the deployment, or run flowbridge adopt "
                "to take it over",
                "name",
            )
        else:
            existing += 1
    if existing:
        yield _found(
            "exists",
            f"{existing} firewall rules of this deployment exist already: unless they are in the "
            "Terraform state, the apply fails; flowbridge adopt writes the import blocks",
            "name",
            Severity.WARNING,
        )


def _tags(answers: Answers, site: Site, planned: Mapping[str, Any]) -> Iterator[Finding]:
    """Rules of other deployments for the network tags of this one: they reach its machines."""
    ours = {
        tag for block in resources(planned, FIREWALL).values() for tag in block.texts("target_tags")
    }
    for row in answers.rows(Part.FIREWALLS):
        marker = Marker.parse(row.get("description"))
        shared = ours & set(row.get("targetTags") or ())
        if marker is not None and marker.site != site.name and shared:
            yield _found(
                "tag-taken",
                f"the firewall rule {row['name']} of the deployment {marker.site} is for the "
                f"network tag {', '.join(sorted(shared))} too, so it reaches machines of this one: "
                "rename one of the two deployments",
                "name",
            )


def _policies(answers: Answers, site: Site, planned: Mapping[str, Any]) -> Iterator[Finding]:
    for _, why in other_associations(answers, planned):
        yield _found("associated", why, "network")
    there = {row["name"] for row in answers.parts.get(Part.POLICIES, ())}
    for block in resources(planned, POLICY).values():
        if (name := block.text("name")) in there:
            yield _found(
                "exists",
                f"the firewall policy {name} of {site.name} exists already: unless it is in the "
                "Terraform state, the apply fails; flowbridge adopt writes the import block",
                "name",
                Severity.WARNING,
            )


def _before_ours(answers: Answers, site: Site, identity: Identity) -> Iterator[Finding]:
    """Rules of others that are decided before ours, whatever ours say."""
    first = GcpSite.of(site).options.gcp.priority
    for row in firewalls(answers):
        priority = int(row.get("priority", 1000))
        if row["name"] in identity.ours or row.get("disabled") or priority > first:
            continue
        yield _found(
            "before-ours",
            f"the firewall rule {row['name']} has priority {priority} and decides before those of "
            f"this deployment ({first}): audit tells what it opens or refuses",
            "options.gcp.priority",
            Severity.WARNING,
        )
    for policy in policies(answers):
        deciding = any(
            rule.get("action") != "goto_next" and not rule.get("disabled")
            for rule in policy.get("rules") or ()
        )
        if deciding and is_above(policy):
            yield _found(
                "before-ours",
                f"the policy {policy_name(policy)} decides before the rules of network "
                f"{policy['network'][1]}: audit tells what it opens or refuses",
                "network",
                Severity.WARNING,
            )


def _machines(policy: Policy, site: Site, placement: Placement) -> Iterator[Finding]:
    for key, name in placement.missing:
        yield _found(
            "no-instance",
            f"no instance {name.rsplit('/', 1)[-1]} of {key} is in network "
            f"{placement.networks[key][1]}",
            "",
            Severity.WARNING,
        )
    for key, target in targets_of(site, policy.interfaces).items():
        if target.kind is TargetKind.SECURE_TAG:
            continue
        for _, card in placement.cards[key]:
            has = card.accounts if target.kind is TargetKind.SERVICE_ACCOUNT else card.tags
            if target.value not in has:
                yield _found(
                    "no-target",
                    f"the instance {card.instance} of {key} does not have the {target.kind} "
                    f"{target.value}: until it has, no rule of this deployment is for it",
                    "",
                    Severity.WARNING,
                )


def _usage(answers: Answers, planned: Mapping[str, Any], identity: Identity) -> Iterator[Usage]:
    new = len(resources(planned, FIREWALL)) - len(identity.firewalls)
    for row in answers.parts.get(Part.PROJECT, ()):
        for quota in row.get("quotas") or ():
            if quota.get("metric") == "FIREWALLS":
                yield Usage(
                    "VPC firewall rules per project",
                    f"project {row.get('name')}",
                    int(quota.get("usage", 0)) + new,
                    int(quota.get("limit", 0)),
                    "compute API, Project.quotas",
                )
