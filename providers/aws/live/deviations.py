"""How the live estate departs from the plan otherwise than in what its rules let through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from flowbridge.policy.audit.estate import Departure, Deviation
from flowbridge.providers.aws.emit.terraform import GROUP, NETWORK_ACL
from flowbridge.providers.aws.live.answers import Part, marks, tags_of
from flowbridge.providers.aws.live.as_terraform import groups_of
from flowbridge.providers.aws.live.placement import addresses_of, planned_subnets, public_of
from flowbridge.providers.aws.live.situation import Situation
from flowbridge.providers.live.addresses import listed, private_departures
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.strangers import foreign_member
from flowbridge.providers.terraform.blocks import resources, row_ids


def deviations(here: Situation) -> Iterator[Deviation]:
    if here.identity.managed:
        yield from _missing_holders(here)
        yield from _group_attachments(here)
        yield from _acl_attachments(here)
        yield from _lost_tags(here)
    yield from _cards_that_differ(here)


def _missing_holders(here: Situation) -> Iterator[Deviation]:
    for kind, found, what in (
        (GROUP, here.identity.groups, "security group"),
        (NETWORK_ACL, here.identity.network_acls.acls, "network ACL"),
    ):
        if kind == NETWORK_ACL and not here.answers.has(Part.ACLS):
            continue
        for address, block in resources(here.planned, kind).items():
            if address not in found:
                name = block.get("name") or (block.get("tags") or {}).get("Name")
                yield Deviation(
                    Departure.HOLDER_MISSING,
                    address,
                    f"the {what} {name} does not exist",
                    interfaces=here.keys_of(block),
                )


def _group_attachments(here: Situation) -> Iterator[Deviation]:
    wanted: dict[str, list[str]] = {}
    for address, block in resources(here.planned, GROUP).items():
        for key in here.keys_of(block):
            if address in here.identity.groups:
                wanted.setdefault(key, []).append(here.identity.groups[address])
    for interface in here.policy.interfaces:
        due = wanted.get(interface.key, [])
        for _, card in here.on(interface.key):
            yield from _groups_of_card(here, interface.key, card, due)
    yield from _foreign_members(here)


def _groups_of_card(
    here: Situation, key: str, card: Row, due: Iterable[str]
) -> Iterator[Deviation]:
    name, on = card["NetworkInterfaceId"], groups_of(card)
    for group in due:
        if group not in on:
            yield Deviation(
                Departure.DETACHED,
                group,
                f"{here.named(group)} is not on {name}, the card of {key}",
                interfaces=(key,),
            )
    for group in on:
        if group not in due:
            yield Deviation(
                Departure.FOREIGN_HOLDER,
                group,
                f"{here.named(group)}{_of(here, here.groups.get(group))} is on {name}, the card of "
                f"{key}, and not in the plan; what it opens is judged with the rest"
                f"{_put_back(here.groups.get(group))}",
                drift=False,
                interfaces=(key,),
            )


def _foreign_members(here: Situation) -> Iterator[Deviation]:
    wearers = {
        here.identity.groups[address]: here.keys_of(block)
        for address, block in resources(here.planned, GROUP).items()
        if address in here.identity.groups
    }
    own = {
        card["NetworkInterfaceId"]
        for interface in here.policy.interfaces
        for _, card in here.on(interface.key)
    }
    for card in here.answers.parts.get(Part.CARDS, ()):
        name = card["NetworkInterfaceId"]
        for group in groups_of(card) if name not in own else ():
            if group in wearers:
                has = listed(addresses_of(card)) or "no address"
                yield foreign_member(
                    here.policy,
                    here.placement.found,
                    wearers[group],
                    group,
                    f"{here.named(group)} is also on {name} ({has}), which is no card of this "
                    "deployment",
                )


def _acl_attachments(here: Situation) -> Iterator[Deviation]:
    if not here.answers.has(Part.ACLS, Part.SUBNETS):
        return
    there = {row["SubnetId"] for row in here.answers.rows(Part.SUBNETS)}
    due = planned_subnets(here.planned)
    for address, block in resources(here.planned, NETWORK_ACL).items():
        tier = block.tag("flowbridge:tier")
        keys = here.keys_of(block)
        used = {
            card["SubnetId"]: f"{card['NetworkInterfaceId']} of {key}"
            for key in keys
            for _, card in here.on(key)
        }
        for subnet in sorted({*due.get(address, ()), *used}):
            if subnet not in there:
                yield Deviation(
                    Departure.INTERFACE_MISSING,
                    subnet,
                    f"subnet {subnet} of tier {tier} is not in {here.answers.place.vpc}",
                    interfaces=keys,
                )
                continue
            live = here.at_subnet[subnet]
            if live["NetworkAclId"] == here.identity.network_acls.acls.get(address):
                continue
            default = bool(live.get("IsDefault"))
            where, which = f" of tier {tier}", "plan"
            if subnet not in due.get(address, ()):
                where, which = f", where {used[subnet]} is,", f"plan for tier {tier}"
            yield Deviation(
                Departure.FALLBACK if default else Departure.DETACHED,
                subnet,
                f"subnet {subnet}{where} has "
                f"{'the default network ACL ' if default else 'the network ACL '}"
                f"{live['NetworkAclId']}{_of(here, live)}, not that of the {which}",
                interfaces=keys,
            )


def _lost_tags(here: Situation) -> Iterator[Deviation]:
    rows: dict[str, Row] = {**here.groups, **here.acls}
    for name, wanted in here.identity.tags.items():
        if lost := _lost(wanted, rows[name]):
            yield Deviation(Departure.TAGS_LOST, name, f"{name} lost the tags {lost}")
    blocks = {
        address: block
        for kind in ("ingress", "egress")
        for address, block in resources(here.planned, f"aws_vpc_security_group_{kind}_rule").items()
    }
    for row in here.answers.rows(Part.RULES):
        name = row["SecurityGroupRuleId"]
        address = here.identity.rules.get(name)
        if address is None:
            continue
        lost = _lost(marks(blocks[address].get("tags")), row)
        if lost:
            # Without a description of ours either, someone made the rule anew by hand: it
            # does the same, and only its rows are not told any more.
            kept = bool(row_ids(row.get("Description"))) or bool(marks(tags_of(row)))
            yield Deviation(Departure.TAGS_LOST, name, f"{name} lost the tags {lost}", drift=kept)


def _cards_that_differ(here: Situation) -> Iterator[Deviation]:
    for key, name in here.placement.missing:
        what = "security group" if name.startswith("sg-") else "network interface"
        yield Deviation(
            Departure.INTERFACE_MISSING,
            name,
            f"the {what} {name} of {key} is not in {here.answers.place.vpc}",
            interfaces=(key,),
        )
    for interface in here.policy.interfaces:
        members = {member.name: member for member in interface.members}
        for member, card in here.on(interface.key):
            if member not in members:
                continue
            name = card["NetworkInterfaceId"]
            said = members[member]
            has = addresses_of(card)
            yield from private_departures(interface, said.private, has, name, name)
            public = public_of(card)
            if said.public and not set(public) & set(said.public):
                yield Deviation(
                    Departure.ADDRESS_CHANGED,
                    name,
                    f"{name} of {interface.key} has {listed(public) or 'no public address'}, "
                    f"the deployment says {listed(said.public)}",
                    drift=False,
                    interfaces=(interface.key,),
                )


def _of(here: Situation, row: Row | None) -> str:
    """Whose a group or ACL is, where it is another tier's or another deployment's."""
    if row is None:
        return ""
    if other := here.made_for(row):
        return f" of deployment {other}"
    block = resources(here.planned, NETWORK_ACL).get(
        here.identity.planned(str(row.get("NetworkAclId"))) or ""
    )
    return f" of tier {block.tag('flowbridge:tier')}" if block else ""


def _lost(wanted: Mapping[str, str], row: Row) -> str:
    live = tags_of(row)
    return ", ".join(key for key, value in wanted.items() if live.get(key) != value)


# How Firewall Manager calls the replicas of its primary groups (AWS Firewall Manager developer
# guide, common security group policies).
_FIREWALL_MANAGER: Final = "FMManagedSecurityGroup"


def _put_back(row: Row | None) -> str:
    """What is to know of a group that the organisation's Firewall Manager keeps."""
    if row is None or not str(row.get("GroupName")).startswith(_FIREWALL_MANAGER):
        return ""
    return "; AWS Firewall Manager owns it and puts it back where somebody takes it off"
