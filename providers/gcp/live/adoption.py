"""Import blocks for what exists already: the ids as the google provider takes them.

google documentation, Import: `projects/P/global/firewalls/N`, `.../global/firewallPolicies/N`, and
`.../associations/A` below a policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flowbridge.deployment.file.site import Site
from flowbridge.policy.compiled import Policy
from flowbridge.providers.gcp.emit.network_policy import (
    ASSOCIATION,
    POLICY,
    TAG_BINDING,
    TAG_KEY,
    TAG_VALUE,
)
from flowbridge.providers.gcp.emit.vpc_rules import FIREWALL
from flowbridge.providers.gcp.live.answers import Answers, Part, network_parts
from flowbridge.providers.gcp.live.as_terraform import firewalls
from flowbridge.providers.gcp.live.faults import garbled
from flowbridge.providers.gcp.live.identity import Identity, identify, other_associations
from flowbridge.providers.gcp.live.tags import tag_imports, tags_in_use
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.contract import Adoption, Import
from flowbridge.providers.live.unjudged import adoption_or_unread
from flowbridge.providers.terraform.blocks import Block, Reference, resources

_MADE = (FIREWALL, POLICY, ASSOCIATION, TAG_KEY, TAG_VALUE, TAG_BINDING)


def adoption(
    answers: Answers,
    policy: Policy,  # noqa: ARG001
    site: Site,
    planned: Mapping[str, Any],
) -> Adoption:
    """See `providers.live.contract.LiveReader.adoption`."""
    if not answers.has(Part.NETWORKS, Part.FIREWALLS):
        return Adoption(imports=(), creates=(), changes=(), left=(), unread=answers.audit_unread)
    return adoption_or_unread(
        answers.scope, lambda: _adoption(answers, site, planned), garbled, answers.audit_unread
    )


def _adoption(answers: Answers, site: Site, planned: Mapping[str, Any]) -> Adoption:
    identity = identify(answers, site, planned)
    imports: list[Import] = []
    changes: list[tuple[str, str]] = []
    conflicts = [*_taken(answers, planned, identity), *other_associations(answers, planned)]
    for address, row in identity.firewalls.items():
        project = row["project"]
        block = resources(planned, FIREWALL)[address]
        if row.get("direction") != (block.text("direction") or "INGRESS"):
            why = f"{row['name']} is for the other direction, and Terraform would replace it"
            conflicts.append((address, f"{why}: delete it, or give the deployment another name"))
            continue
        imports.append(
            Import(address, f"projects/{project}/global/firewalls/{row['name']}", "name")
        )
        if said := "; ".join(_differences(block, row, identity, address)):
            changes.append((address, said))
    imports += _policies(answers, planned)
    imports += tag_imports(answers, planned)
    conflicts += tags_in_use(answers, planned, {each.to for each in imports})
    known = {each.to for each in imports} | {address for address, _ in conflicts}
    wanted = {address for kind in _MADE for address in resources(planned, kind)}
    return Adoption(
        imports=tuple(sorted(imports, key=lambda each: each.to)),
        creates=tuple(sorted(wanted - known)),
        changes=tuple(sorted(changes)),
        left=tuple(_left(answers, identity)),
        unread=answers.audit_unread,
        conflicts=tuple(sorted(conflicts)),
    )


def _differences(block: Block, row: Row, identity: Identity, address: str) -> Iterator[str]:
    if identity.rules.get(str(row["name"])) != address:
        yield "what it matches is made what the plan says"
    planned = block.number("priority")
    live = row.get("priority", 1000)
    if planned is not None and planned != live:
        yield f"its priority {live} becomes {planned}"
    if (block.text("description") or "") != (row.get("description") or ""):
        yield "its description is written anew"
    logs = bool((row.get("logConfig") or {}).get("enable"))
    if logs != block.has("log_config"):
        yield "its logging is switched off" if logs else "its logging is switched on"


def _taken(
    answers: Answers, planned: Mapping[str, Any], identity: Identity
) -> Iterator[tuple[str, str]]:
    """Planned rules whose name a rule of a network that is not ours has: names are the project's,
    and a rule cannot move to another network."""
    home = answers.place.project
    there = {(row["project"], row["name"]): row for row in answers.rows(Part.FIREWALLS)}
    for address, block in resources(planned, FIREWALL).items():
        row = there.get((block.text("project") or home, block.text("name")))
        if row is not None and address not in identity.firewalls:
            network = network_parts(row["network"], row["project"])[1]
            why = f"network {network} has a rule of the name {row['name']}"
            yield address, f"{why}: delete it, or give the deployment another name"


def _policies(answers: Answers, planned: Mapping[str, Any]) -> Iterator[Import]:
    """Policies by name, and what associates them."""
    rows = {row["name"]: row for row in answers.parts.get(Part.POLICIES, ())}
    home = answers.place.project
    for address, block in resources(planned, POLICY).items():
        name = block.text("name")
        if name in rows:
            project = block.text("project") or home
            yield Import(address, f"projects/{project}/global/firewallPolicies/{name}", "name")
    for address, block in resources(planned, ASSOCIATION).items():
        reference = Reference.parse(block.get("firewall_policy"))
        policy = resources(planned, POLICY).get(reference.address) if reference else None
        name = policy.text("name") if policy else None
        for each in rows.get(name, {}).get("associations") or ():
            mine = network_parts(block.text("attachment_target") or "", home)
            if network_parts(str(each.get("attachmentTarget")), home) != mine:
                continue
            project = block.text("project") or home
            path = f"projects/{project}/global/firewallPolicies/{name}"
            if each.get("name") == block.text("name"):
                yield Import(address, f"{path}/associations/{each['name']}", "name and network")


def _left(answers: Answers, identity: Identity) -> Iterator[str]:
    adopted = {row["name"] for row in identity.firewalls.values()}
    for row in firewalls(answers):
        if row["name"] not in adopted:
            network = str(row["network"]).rsplit("/", 1)[-1]
            yield f"the firewall rule {row['name']} of network {network} stays as it is"
