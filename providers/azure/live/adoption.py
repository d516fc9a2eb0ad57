"""Import blocks for what exists already: the ids as the azurerm provider takes them.

azurerm documentation, Import: an NSG, a group and a subnet's association go by the resource's id,
a card's membership in a group by both ids with `|` between them. The provider tells capitals
apart, so ids are written in its own spelling.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.policy.compiled import Policy
from flowbridge.providers.azure.emit.terraform import ASSOCIATION, GROUP, MEMBERSHIP, NSG
from flowbridge.providers.azure.live.answers import (
    Answers,
    Part,
    properties,
    same,
    subnets_of,
    tags_of,
)
from flowbridge.providers.azure.live.as_terraform import rules_of
from flowbridge.providers.azure.live.faults import garbled
from flowbridge.providers.azure.live.identity import (
    Identity,
    identify,
    in_subscription,
    planned_members,
    rule_id,
)
from flowbridge.providers.azure.live.placement import cards_of
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.contract import Adoption, Import
from flowbridge.providers.live.unjudged import adoption_or_unread
from flowbridge.providers.terraform.blocks import Block, Reference, resources

_SPELLING: Final = {
    word.lower(): word
    for word in (
        "subscriptions",
        "resourceGroups",
        "providers",
        "Microsoft.Network",
        "networkSecurityGroups",
        "applicationSecurityGroups",
        "virtualNetworks",
        "subnets",
        "networkInterfaces",
    )
}


def adoption(
    answers: Answers,
    policy: Policy,  # noqa: ARG001
    site: Site,  # noqa: ARG001
    planned: Mapping[str, Any],
) -> Adoption:
    """See `providers.live.contract.LiveReader.adoption`."""
    if not answers.has(Part.NETWORKS, Part.NSGS, Part.GROUPS, Part.CARDS):
        return Adoption(imports=(), creates=(), changes=(), left=(), unread=answers.audit_unread)
    return adoption_or_unread(
        answers.scope, lambda: _adoption(answers, planned), garbled, answers.audit_unread
    )


def _adoption(answers: Answers, planned: Mapping[str, Any]) -> Adoption:
    identity = identify(answers, planned)
    imports: list[Import] = []
    changes: list[tuple[str, str]] = []
    conflicts: list[tuple[str, str]] = []
    for kind, rows in ((NSG, identity.nsgs), (GROUP, identity.groups)):
        blocks = resources(planned, kind)
        for address, row in rows.items():
            if why := _elsewhere(blocks[address], row):
                conflicts.append((address, why))
                continue
            imports.append(Import(address, terraform_spelling(str(row["id"])), "name"))
            said = [*_differences(blocks[address], row)]
            said += [*_rule_changes(blocks[address], row, identity)] if kind == NSG else []
            if said:
                changes.append((address, "; ".join(said)))
    kept = {each.to for each in imports}
    imports += _associations(answers, planned, conflicts, identity, kept)
    imports += _memberships(answers, planned, identity, kept)
    known = {each.to for each in imports} | {address for address, _ in conflicts}
    wanted = [a for kind in (NSG, GROUP, ASSOCIATION, MEMBERSHIP) for a in resources(planned, kind)]
    return Adoption(
        imports=tuple(sorted(imports, key=lambda each: each.to)),
        creates=tuple(sorted(set(wanted) - known)),
        changes=tuple(sorted(changes)),
        left=tuple(_left(answers, identity)),
        unread=answers.audit_unread,
        conflicts=tuple(sorted(conflicts)),
    )


def terraform_spelling(resource: str) -> str:
    """An id with the capitals that the azurerm provider wants in its fixed parts."""
    parts = resource.split("/")
    # The fixed parts stand at the odd places, but for the provider's own name.
    return "/".join(
        _SPELLING.get(part.lower(), part) if place % 2 or place == 6 else part
        for place, part in enumerate(parts)
    )


def _differences(block: Block, row: Row) -> Iterator[str]:
    live = tags_of(row)
    wanted = block.get("tags") or {}
    if lost := [key for key, value in wanted.items() if live.get(key) != value]:
        yield f"sets the tags {', '.join(lost)}"
    if more := sorted(live.keys() - wanted.keys()):
        yield f"takes away the tags {', '.join(more)}"


def _elsewhere(block: Block, row: Row) -> str:
    """Why Terraform would replace a thing of the same name; empty where it would not."""
    location = str(row.get("location", "")).replace(" ", "").lower()
    if not location or location == str(block.get("location") or "").replace(" ", "").lower():
        return ""
    return (
        f"{row['name']} is in {row['location']}, and the plan in {block.get('location')}: "
        "Terraform would replace it. Write that region, or give the deployment another name"
    )


def _rule_changes(block: Block, row: Row, identity: Identity) -> Iterator[str]:
    """All rules of an NSG are part of it: the next apply makes them what the plan says."""
    planned = {rule.address: rule for rule in block.blocks("security_rule")}
    live = {rule_id(row, rule): rule for rule in rules_of(row)}
    kept = {name: identity.rules[name] for name in live if name in identity.rules}
    added = [planned[a].get("name") for a in planned if a not in kept.values()]
    gone = [name.rsplit("/", 1)[-1] for name in live if name not in kept]
    if added:
        yield f"adds {len(added)} rules ({_few(added)})"
    if gone:
        yield f"removes {len(gone)} rules that the plan does not have ({_few(gone)})"
    moved = [
        str(planned[address].get("name"))
        for name, address in kept.items()
        if properties(live[name]).get("priority") != planned[address].get("priority")
    ]
    if moved:
        yield f"gives {len(moved)} rules another priority ({_few(moved)})"
    renamed = [
        str(planned[address].get("name"))
        for name, address in kept.items()
        if live[name].get("name") != planned[address].get("name")
        or (properties(live[name]).get("description") or "")
        != (planned[address].get("description") or "")
    ]
    if renamed:
        yield f"gives {len(renamed)} rules their name and description ({_few(renamed)})"


def _associations(
    answers: Answers,
    planned: Mapping[str, Any],
    conflicts: list[tuple[str, str]],
    identity: Identity,
    kept: Container[str],
) -> Iterator[Import]:
    """An association is both its ends: one with another NSG would be taken off, and the subnet
    would be open until the planned one is on it."""
    subnets = subnets_of(answers)
    for address, block in resources(planned, ASSOCIATION).items():
        subnet = in_subscription(block.text("subnet_id") or "", answers)
        row = subnets.get(subnet.lower())
        held = (properties(row).get("networkSecurityGroup") or {}).get("id") if row else None
        if row is None or held is None:
            continue
        reference = Reference.parse(block.get("network_security_group_id"))
        ours = identity.nsgs.get(reference.address) if reference else None
        if ours is not None and reference and same(str(held), str(ours["id"])):
            if reference.address in kept:
                yield Import(address, terraform_spelling(str(row["id"])), "the subnet has it")
            continue
        why = (
            f"the subnet {row['name']} has the NSG {str(held).rsplit('/', 1)[-1]}, and the "
            "provider refuses to put another one there: take it off before the apply, or put the "
            "planned one in its place as soon as it exists, and adopt again"
        )
        conflicts.append((address, why))


def _memberships(
    answers: Answers, planned: Mapping[str, Any], identity: Identity, kept: Container[str]
) -> Iterator[Import]:
    for address, (card_id, group_address) in planned_members(planned, answers).items():
        group = identity.groups.get(group_address)
        for row in answers.rows(Part.CARDS):
            if group is None or group_address not in kept or not same(str(row["id"]), card_id):
                continue
            configs = list(cards_of(row))
            if configs and all(
                any(same(each, str(group["id"])) for each in config.groups) for config in configs
            ):
                both = (
                    f"{terraform_spelling(str(row['id']))}|{terraform_spelling(str(group['id']))}"
                )
                yield Import(address, both, "the card is a member")


def _left(answers: Answers, identity: Identity) -> Iterator[str]:
    """NSGs on cards of ours' subnets stay what they are."""
    ours = {str(row["id"]).lower() for row in identity.nsgs.values()}
    for row in answers.rows(Part.NSGS):
        if str(row["id"]).lower() in ours:
            continue
        cards = [str(each["id"]) for each in properties(row).get("networkInterfaces") or ()]
        here = [
            card.name
            for each in answers.rows(Part.CARDS)
            for card in cards_of(each)
            if any(same(card.card, text) for text in cards)
            and any(card.subnet.lower().startswith(n.lower()) for n in answers.place.networks)
        ]
        if here:
            yield f"the NSG {row['name']} on the cards {_few(here)} stays as it is"


def _few(texts: list[Any]) -> str:
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return ", ".join(map(str, texts[:3])) + more
