"""What else stands in the subnets of the deployment: instances of others, NAT gateways, endpoints,
load balancers. Every one of them has a card, and cards are read for the audit in any case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface, Member, Network
from flowbridge.policy.audit.bystanders import Bystander, Filters
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Filter
from flowbridge.policy.packets.packet_set import EMPTY
from flowbridge.policy.point import Direction
from flowbridge.providers.aws.live.answers import Answers, Part, tags_of
from flowbridge.providers.aws.live.as_terraform import groups_of, live_id, live_terraform
from flowbridge.providers.aws.live.placement import STRANGERS, addresses_of, cidrs_of, public_of
from flowbridge.providers.aws.live.situation import Situation
from flowbridge.providers.aws.meaning.security_groups import SecurityGroups
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.bystander_kinds import kind_of
from flowbridge.providers.live.contract import Access
from flowbridge.providers.meaning.odd import Odd

_TABLE: Final = Path(__file__).with_name("bystanders.yaml")


def bystanders(
    answers: Answers, policy: Policy, site: Site, planned: Mapping[str, Any], access: Access
) -> tuple[Bystander, ...]:
    """See `providers.live.contract.LiveReader.bystanders`."""
    if not answers.has(Part.GROUPS, Part.RULES, Part.CARDS, Part.SUBNETS):
        return ()
    here = Situation.of(answers, policy, site, planned, access)
    covered = {s for tier in site.network.tiers.values() for s in tier.subnets}
    subnets = {row["SubnetId"]: cidrs_of(row) for row in answers.rows(Part.SUBNETS)}
    ours = {card["NetworkInterfaceId"] for key in here.placement.cards for _, card in here.on(key)}
    others = [
        row
        for row in answers.rows(Part.CARDS)
        if row["NetworkInterfaceId"] not in ours and row["SubnetId"] in covered & subnets.keys()
    ]
    own = _own_filters(here, others)
    network = tuple(_network(answers))
    seen = (_bystander(row, subnets[row["SubnetId"]], network, own) for row in others)
    return (*seen, *_unseen(here, covered))


def _unseen(here: Situation, covered: set[str]) -> Iterator[Bystander]:
    """Who may stand in subnets that another account shares with this one."""
    owner = here.host_account
    if owner is not None and covered:
        yield Bystander(
            kind="network interfaces of other accounts",
            id=here.answers.place.vpc,
            text=f"shared by account {owner}",
            subnet=", ".join(sorted(covered)),
            addresses=(),
            stands_in=(),
            unseen=f"the VPC belongs to account {owner}, and a participant sees its own interfaces "
            "alone (VPC user guide, Share your VPC subnets): ask its owner who else is in these "
            "subnets",
        )


def _bystander(
    row: Row, cidrs: tuple[Network, ...], network: tuple[Network, ...], own: Mapping[str, Filters]
) -> Bystander:
    card = str(row["NetworkInterfaceId"])
    text = str(row.get("Description") or tags_of(row).get("Name") or "")
    kind = kind_of(
        _TABLE, {"type": str(row.get("InterfaceType") or ""), "description": text}, network
    )
    instance = (row.get("Attachment") or {}).get("InstanceId")
    told = ", ".join(filter(None, (text, f"of {instance}" if instance else "")))
    found = Bystander(
        kind="network interface",
        id=card,
        text=told,
        subnet=str(row["SubnetId"]),
        addresses=(*addresses_of(row), *public_of(row)),
        stands_in=cidrs,
        own=own.get(card, {}),
    )
    if kind is None:
        return found
    own_filters = found.own if kind.has_groups else {}
    return replace(found, kind=kind.called, needs=kind.needs, source=kind.source, own=own_filters)


def _own_filters(here: Situation, others: list[Row]) -> dict[str, Filters]:
    """What the groups of each card decide, by the card."""
    cards = {row["NetworkInterfaceId"]: row for row in others if groups_of(row)}
    interfaces = tuple(
        Interface(
            workload=STRANGERS.workload,
            name=name,
            tier="",
            members=(Member(name, addresses_of(row), public_of(row), name),),
        )
        for name, row in cards.items()
    )
    document = live_terraform(here.answers, here.identity.tags, {}, here.partly_seen())
    known = replace(here.policy, interfaces=(*here.placement.interfaces, *interfaces))
    groups = SecurityGroups.read(document, known, here.site, Odd.TELL)
    return {
        each.name: {way: (_live(groups.filter(each, way, EMPTY)),) for way in Direction}
        for each in interfaces
    }


def _live(stage: Filter) -> Filter:
    """The filter with live ids for names."""
    rules = tuple(replace(rule, name=live_id(rule.name)) for rule in stage.rules)
    return replace(stage, rules=rules)


def _network(answers: Answers) -> Iterator[Network]:
    for row in answers.parts.get(Part.VPCS, ()):
        texts = [row.get("CidrBlock")]
        texts += [each.get("CidrBlock") for each in row.get("CidrBlockAssociationSet") or ()]
        yield from (ip_network(text) for text in dict.fromkeys(texts) if text)
