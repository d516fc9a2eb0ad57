"""The answers of one place seen from one deployment: what is whose, and what sits where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowbridge.deployment.file.site import Site
from flowbridge.policy.compiled import Policy
from flowbridge.policy.point import Direction
from flowbridge.providers.aws.live.acl_identity import live_content
from flowbridge.providers.aws.live.answers import Answers, Part, tags_of
from flowbridge.providers.aws.live.as_terraform import acl_entries, groups_of
from flowbridge.providers.aws.live.identity import Identity, identify
from flowbridge.providers.aws.live.placement import Placement, acl_of_subnet, place
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.reading import GarbledError
from flowbridge.providers.terraform.blocks import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Needs the groups and their rules; the rest as far as it was read.

    GarbledError for answers that contradict each other.
    """

    answers: Answers
    policy: Policy
    site: Site
    planned: Mapping[str, Any]
    identity: Identity
    placement: Placement
    groups: Mapping[str, Row]
    acls: Mapping[str, Row]
    at_subnet: Mapping[str, Row]

    @classmethod
    def of(
        cls,
        answers: Answers,
        policy: Policy,
        site: Site,
        planned: Mapping[str, Any],
        access: Access,
    ) -> Situation:
        acls = answers.parts.get(Part.ACLS, ())
        _agree(answers, site)
        return cls(
            answers=answers,
            policy=policy,
            site=site,
            planned=planned,
            identity=identify(answers, planned),
            placement=place(answers, policy, access.placed),
            groups={row["GroupId"]: row for row in answers.rows(Part.GROUPS)},
            acls={row["NetworkAclId"]: row for row in acls},
            at_subnet=acl_of_subnet(acls),
        )

    def on(self, key: str) -> list[tuple[str, Row]]:
        return list(self.placement.cards[key])

    def relevant_groups(self) -> dict[str, Row]:
        """Ours, and those on our cards."""
        ids = dict.fromkeys(self.identity.groups.values())
        for interface in self.placement.interfaces:
            for _, card in self.on(interface.key):
                ids.update(dict.fromkeys(groups_of(card)))
            ids.update(dict.fromkeys(self.placement.groups[interface.key]))
        return {name: self.groups[name] for name in ids if name in self.groups}

    def relevant_acls(self) -> dict[str, Row]:
        subnets = {s for tier in self.site.network.tiers.values() for s in tier.subnets}
        for interface in self.placement.interfaces:
            subnets |= {card["SubnetId"] for _, card in self.on(interface.key)}
        found = {live: self.acls[live] for live in self.identity.network_acls.acls.values()}
        for subnet in sorted(subnets & self.at_subnet.keys()):
            found.setdefault(self.at_subnet[subnet]["NetworkAclId"], self.at_subnet[subnet])
        return found

    def partly_seen(self) -> frozenset[str]:
        """Groups whose members are not all in the list of cards: those of another VPC, and, in a
        VPC that another account shares with ours, those of other accounts (VPC user guide, Share
        your VPC subnets: a participant sees its own cards alone)."""
        vpc = self.answers.place.vpc
        owners = {row.get("OwnerId") for row in self.answers.parts.get(Part.VPCS, ())} - {None}
        ours = {self.groups[live].get("OwnerId") for live in self.identity.groups.values()}
        guest = bool(owners) and bool(ours) and owners.isdisjoint(ours)
        return frozenset(
            name
            for name, row in self.groups.items()
            if row.get("VpcId") != vpc or (guest and row.get("OwnerId") not in ours)
        )

    @property
    def host_account(self) -> str | None:
        """The account that shares its VPC with ours; None where the VPC is ours, or nothing says
        whose it is. An owner always sees the VPC's own default group, and a participant never."""
        vpc = self.answers.place.vpc
        owners = {row.get("OwnerId") for row in self.answers.parts.get(Part.VPCS, ())} - {None}
        there = {row.get("OwnerId") for row in self.groups.values() if row.get("VpcId") == vpc}
        return min(map(str, owners)) if owners and owners.isdisjoint(there) else None

    def keys_of(self, block: Block) -> tuple[str, ...]:
        workload, name = block.tag("flowbridge:workload"), block.tag("flowbridge:interface")
        if workload and name:
            return (f"{workload}/{name}",)
        tier = block.tag("flowbridge:tier")
        return tuple(i.key for i in self.policy.interfaces if i.tier == tier)

    def named(self, group: str) -> str:
        row = self.groups.get(group)
        return f"security group {group} ({row['GroupName']})" if row else f"security group {group}"

    def made_for(self, row: Row) -> str | None:
        """The other deployment that the tags of a group or ACL name."""
        site = tags_of(row).get("flowbridge:site")
        return site if site != self.site.name else None


def _agree(answers: Answers, site: Site) -> None:
    """A subnet of ours that an ACL or a card is on is there, or a page of subnets was lost; and of
    all entries of network ACLs one has a meaning."""
    contents = [
        live_content(entry, direction)
        for row in answers.parts.get(Part.ACLS, ())
        for direction in Direction
        for entry in acl_entries(row, direction)
    ]
    if len(contents) > 1 and not any(contents):
        raise GarbledError("no entry of a network ACL has a protocol, an action and a peer")
    if not answers.has(Part.SUBNETS):
        return
    there = {row["SubnetId"] for row in answers.rows(Part.SUBNETS)}
    named = {subnet for tier in site.network.tiers.values() for subnet in tier.subnets}
    used = named & acl_of_subnet(answers.parts.get(Part.ACLS, ())).keys()
    used |= {row["SubnetId"] for row in answers.parts.get(Part.CARDS, ())}
    if lost := sorted(used - there):
        raise GarbledError(f"{lost[0]} is in use, and not in the list of subnets")
