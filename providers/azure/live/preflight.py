"""What would fail half-way through an apply: names that are taken, things that are not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowbridge.deployment.file.site import AzureSite, Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.policy.audit.estate import Unread
from flowbridge.policy.compiled import Policy
from flowbridge.providers.azure.emit.terraform import ASSOCIATION, GROUP, NSG
from flowbridge.providers.azure.live.answers import (
    Answers,
    Part,
    properties,
    same,
    subnets_of,
    tags_of,
)
from flowbridge.providers.azure.live.faults import garbled
from flowbridge.providers.azure.live.identity import (
    Identity,
    identify,
    in_subscription,
    planned_members,
)
from flowbridge.providers.azure.quotas import quotas_for
from flowbridge.providers.live.contract import Preflight
from flowbridge.providers.live.exceeded import exceeded
from flowbridge.providers.live.reading import split_absent
from flowbridge.providers.live.unjudged import preflight_or_unread
from flowbridge.providers.provider import Usage
from flowbridge.providers.terraform.blocks import Reference, resources

_SOURCE: Final = "read from the subscription"
# What the usages of a region call the things that an apply makes.
_COUNTED: Final = {
    "NetworkSecurityGroups": (NSG, "network security groups per region"),
    "ApplicationSecurityGroups": (GROUP, "application security groups per region"),
}


def preflight(
    answers: Answers,
    policy: Policy,  # noqa: ARG001
    site: Site,
    planned: Mapping[str, Any],
) -> Preflight:
    """See `providers.live.contract.LiveReader.preflight`."""
    absent, rest = split_absent(answers.unread, "Microsoft.Network/virtualNetworks/read")
    if absent:
        return Preflight(tuple(_no_network(each) for each in absent), (), rest)
    if not answers.has(Part.NETWORKS, Part.NSGS, Part.GROUPS, Part.CARDS):
        return Preflight((), (), answers.unread)
    return preflight_or_unread(
        answers.scope, lambda: _preflight(answers, site, planned), garbled, answers.unread
    )


def _preflight(answers: Answers, site: Site, planned: Mapping[str, Any]) -> Preflight:
    identity = identify(answers, planned)
    usage = tuple(_usage(answers, site, planned, identity))
    findings = (
        *_places(answers, site),
        *_subnets(answers, planned, identity),
        *_cards(answers, planned),
        *_taken(answers, site, planned, identity),
        *(_refusal("quota", told, "quotas") for _, told in exceeded(usage)),
    )
    return Preflight(findings, usage, answers.unread)


def _refusal(name: str, message: str, key: str, severity: Severity = Severity.REFUSAL) -> Finding:
    return Finding(
        id=f"azure/live-{name}", severity=severity, message=message, source=_SOURCE, key=key
    )


def _no_network(unread: Unread) -> Finding:
    return _refusal("no-network", f"{unread.scope}: {unread.message}. {unread.remedy}", "network")


def _region(text: object) -> str:
    return str(text or "").replace(" ", "").lower()


def _places(answers: Answers, site: Site) -> Iterator[Finding]:
    for network in answers.rows(Part.NETWORKS):
        if _region(network.get("location")) != _region(site.region):
            yield _refusal(
                "region",
                f"the virtual network {network.get('name')} is in {network.get('location')}, and "
                f"an NSG in {site.region} cannot be put on its subnets: write that region",
                "region",
            )


def _subnets(answers: Answers, planned: Mapping[str, Any], identity: Identity) -> Iterator[Finding]:
    there = subnets_of(answers)
    for block in resources(planned, ASSOCIATION).values():
        subnet = in_subscription(block.text("subnet_id") or "", answers)
        name = subnet.rsplit("/", 1)[-1]
        row = there.get(subnet.lower())
        if row is None:
            yield _refusal(
                "no-subnet",
                f"there is no subnet {name} in {subnet.split('/subnets/')[0].rsplit('/', 1)[-1]}",
                "network.tiers",
            )
            continue
        held = (properties(row).get("networkSecurityGroup") or {}).get("id")
        reference = Reference.parse(block.get("network_security_group_id"))
        ours = identity.nsgs.get(reference.address) if reference else None
        if held and not (ours and same(str(held), str(ours["id"]))):
            yield _refusal(
                "subnet-has-nsg",
                f"the subnet {name} has the NSG {str(held).rsplit('/', 1)[-1]} already, and the "
                "provider refuses to put another one there: take it off before the apply",
                "network.tiers",
            )


def _cards(answers: Answers, planned: Mapping[str, Any]) -> Iterator[Finding]:
    there = {str(row["id"]).lower(): row for row in answers.rows(Part.CARDS)}
    for card, _ in dict.fromkeys(planned_members(planned, answers).values()):
        row = there.get(card.lower())
        if row is None:
            yield _refusal(
                "no-card",
                f"there is no network interface {card.rsplit('/', 1)[-1]} in "
                f"{card.split('/providers/')[0].rsplit('/', 1)[-1]}",
                "",
            )


def _taken(
    answers: Answers, site: Site, planned: Mapping[str, Any], identity: Identity
) -> Iterator[Finding]:
    for kind, rows, what in (
        (NSG, identity.nsgs, "network security group"),
        (GROUP, identity.groups, "application security group"),
    ):
        for address in resources(planned, kind):
            row = rows.get(address)
            if row is None:
                continue
            ours = tags_of(row).get("flowbridge:site") == site.name
            said = f"the {what} {row['name']} exists already"
            if ours:
                yield _refusal(
                    "exists",
                    f"{said}: unless it is in the Terraform state, the apply fails; flowbridge "
                    "adopt writes the import block",
                    "name",
                    Severity.WARNING,
                )
            else:
                yield _refusal(
                    "name-taken",
                    f"{said} and is not marked as this deployment's: rename the deployment, or run "
                    "flowbridge adopt to take it over",
                    "name",
                )
    for row in answers.rows(Part.NETWORKS):
        state = properties(row).get("provisioningState")
        if state not in (None, "Succeeded"):
            yield _refusal(
                "not-ready",
                f"the virtual network {row['name']} is {state}: an apply may collide with that",
                "network",
                Severity.WARNING,
            )


def _usage(
    answers: Answers, site: Site, planned: Mapping[str, Any], identity: Identity
) -> Iterator[Usage]:
    new = {
        NSG: len(resources(planned, NSG)) - len(identity.nsgs),
        GROUP: len(resources(planned, GROUP)) - len(identity.groups),
    }
    for row in answers.parts.get(Part.USAGES, ()):
        name = str((row.get("name") or {}).get("value"))
        if name in _COUNTED:
            kind, limit = _COUNTED[name]
            used = int(row["currentValue"]) + new[kind]
            source = "Azure network API, usages of the region"
            yield Usage(limit, answers.scope, used, int(row["limit"]), source)
    quota = quotas_for(AzureSite.of(site).quotas).nsg_rules
    for address, block in resources(planned, NSG).items():
        scope = f"{site.name} {address.partition('.')[2]}"
        rules = len(block.blocks("security_rule"))
        yield Usage(quota.limit, scope, rules, quota.value, quota.source)
