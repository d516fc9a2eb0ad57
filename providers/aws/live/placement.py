"""Where live things are attached: the cards behind an interface, the ACL of a subnet.

A member of an interface is the card that the deployment names (`eni`), else every card in the
VPC that has one of its addresses. What no card has yet is judged by the groups made for it, as
in Terraform JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Final

from flowbridge.deployment.file.site import Site, Tier
from flowbridge.deployment.interface import Interface, Member
from flowbridge.deployment.interface_key import InterfaceKey
from flowbridge.policy.compiled import Policy
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.providers.aws.emit.terraform import ASSOCIATION
from flowbridge.providers.aws.live.answers import Answers, Part
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.attached import attached_places

# The pseudo-interface of all cards that no interface of the deployment has.
STRANGERS: Final = InterfaceKey("others", "cards")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The deployment's interfaces as they are in the cloud.

    `cards` are the live cards of each interface, each with the member it is; `absent` names the
    members that no card has, by interface; `missing` the cards that are named and not there.
    """

    interfaces: tuple[Interface, ...]
    strangers: Interface | None
    cards: Mapping[str, tuple[tuple[str, Row], ...]]
    absent: Mapping[str, tuple[str, ...]]
    missing: tuple[tuple[str, str], ...]
    groups: Mapping[str, tuple[str, ...]]  # group ids that the command placed on an interface
    found: Mapping[str, frozenset[str]]  # the declared members that some card is, by interface


def place(answers: Answers, policy: Policy, placed: Mapping[str, tuple[str, ...]]) -> Placement:
    """Find the cards of every interface."""
    rows = {row["NetworkInterfaceId"]: row for row in answers.parts.get(Part.CARDS, ())}
    known_groups = {row["GroupId"] for row in answers.rows(Part.GROUPS)}
    occupied = PacketSet.of((n for row in rows.values() for n in addresses_of(row)), None)
    interfaces: list[Interface] = []
    cards: dict[str, tuple[tuple[str, Row], ...]] = {}
    absent: dict[str, tuple[str, ...]] = {}
    missing: list[tuple[str, str]] = []
    groups: dict[str, tuple[str, ...]] = {}
    there: dict[str, frozenset[str]] = {}
    for interface in policy.interfaces:
        given = placed.get(interface.key, ())
        chosen = [name for name in given if name.startswith("sg-")]
        groups[interface.key] = tuple(name for name in chosen if name in known_groups)
        missing += [(interface.key, name) for name in chosen if name not in known_groups]
        named = [name for name in given if not name.startswith("sg-")]
        members = (
            [Member(name, (), (), name) for name in named] if named else list(interface.members)
        )
        live: list[Member] = []
        mine: dict[str, tuple[str, Row]] = {}
        lost: list[str] = []
        for member in members:
            found = _cards(member, rows)
            mine.update({row["NetworkInterfaceId"]: (member.name, row) for row in found})
            if member.attachment and not found and answers.has(Part.CARDS):
                missing.append((interface.key, member.attachment))
            if not found:
                lost.append(member.name)
            if rest := _rest(member, occupied):
                live.append(Member(member.name, rest, member.public))
        live = [_member(row) for _, row in mine.values()] + live
        if groups[interface.key]:
            # Judged as though all of the interface's cards had exactly these groups.
            live = [
                Member(f"{m.name} ", m.private, m.public, attachment_of(interface.key))
                for m in interface.members
            ]
        interfaces.append(
            Interface(
                workload=interface.workload,
                name=interface.name,
                tier=interface.tier,
                members=tuple(live),
            )
        )
        cards[interface.key] = tuple(mine.values())
        absent[interface.key] = tuple(lost)
        declared = frozenset(member.name for member in interface.members)
        # Whoever names cards or groups says that they are the interface.
        said = bool(groups[interface.key]) or (bool(named) and bool(mine))
        there[interface.key] = declared if said else declared - {*lost}
    known = {row["NetworkInterfaceId"] for found in cards.values() for _, row in found}
    others = tuple(_member(row) for name, row in rows.items() if name not in known)
    strangers = (
        Interface(workload=STRANGERS.workload, name=STRANGERS.card, tier="", members=others)
        if others
        else None
    )
    return Placement(
        interfaces=tuple(interfaces),
        strangers=strangers,
        cards=cards,
        absent=absent,
        missing=tuple(missing),
        groups=groups,
        found=there,
    )


def attachment_of(key: str) -> str:
    """The made-up card of an interface whose groups the command names."""
    return f"placed:{key}"


def _cards(member: Member, rows: Mapping[str, Row]) -> list[Row]:
    if member.attachment is not None:
        return [rows[member.attachment]] if member.attachment in rows else []
    mine = PacketSet.of(member.private, None)
    return [
        row
        for row in rows.values()
        if not row.get("RequesterManaged") and PacketSet.of(addresses_of(row), None) & mine
    ]


def _rest(member: Member, occupied: PacketSet) -> tuple[Network, ...]:
    """The addresses of `member` that no live card has."""
    free = PacketSet.of(member.private, None) - occupied
    return tuple(dict.fromkeys(peer for box in free.boxes() for peer in box.peers))


def _member(row: Row) -> Member:
    name = row["NetworkInterfaceId"]
    return Member(name, addresses_of(row), public_of(row), name)


def addresses_of(row: Row) -> tuple[Network, ...]:
    """The private addresses of a card, those of delegated prefixes included."""
    texts = [each["PrivateIpAddress"] for each in row.get("PrivateIpAddresses") or ()]
    texts += [each["Ipv6Address"] for each in row.get("Ipv6Addresses") or ()]
    texts += [each["Ipv4Prefix"] for each in row.get("Ipv4Prefixes") or ()]
    texts += [each["Ipv6Prefix"] for each in row.get("Ipv6Prefixes") or ()]
    if not texts and row.get("PrivateIpAddress"):
        texts = [row["PrivateIpAddress"]]
    return tuple(ip_network(text) for text in texts)


def public_of(row: Row) -> tuple[Network, ...]:
    """The public addresses that AWS translates to a card."""
    found = [
        (each.get("Association") or {}).get("PublicIp")
        for each in row.get("PrivateIpAddresses") or ()
    ]
    found.append((row.get("Association") or {}).get("PublicIp"))
    return tuple(dict.fromkeys(ip_network(text) for text in found if text))


def live_site(site: Site, answers: Answers, placement: Placement) -> Site:
    """`site` with every tier's subnets as they are: the named ones and those its cards sit in."""
    if not answers.has(Part.SUBNETS):
        return site
    cidrs = {row["SubnetId"]: cidrs_of(row) for row in answers.rows(Part.SUBNETS)}
    tiers: dict[str, Tier] = {}
    for name, tier in site.network.tiers.items():
        used = [
            row["SubnetId"]
            for interface in placement.interfaces
            if interface.tier == name
            for _, row in placement.cards[interface.key]
        ]
        pairs = [
            (subnet, cidr)
            for subnet in dict.fromkeys((*tier.subnets, *used))
            for cidr in cidrs.get(subnet, ())
        ]
        changed = {
            "subnets": tuple(subnet for subnet, _ in pairs),
            "cidrs": tuple(cidr for _, cidr in pairs) or tier.cidrs,
        }
        tiers[name] = tier.model_copy(update=changed)
    network = site.network.model_copy(update={"tiers": tiers})
    return site.model_copy(update={"network": network})


def cidrs_of(row: Row) -> tuple[Network, ...]:
    """The ranges of a subnet, of IPv4, of IPv6 or of both. ValueError for none."""
    texts = [row["CidrBlock"]] if row.get("CidrBlock") else []
    texts += [
        each["Ipv6CidrBlock"]
        for each in row.get("Ipv6CidrBlockAssociationSet") or ()
        if (each.get("Ipv6CidrBlockState") or {}).get("State") in (None, "associated")
    ]
    if not texts:
        raise ValueError(f"subnet {row['SubnetId']} is given without a range")
    return tuple(ip_network(text) for text in texts)


def planned_subnets(planned: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The subnets that each planned ACL is for, by its address."""
    return attached_places(planned, ASSOCIATION, "network_acl_id", "subnet_id")


def acl_of_subnet(acls: Iterable[Row]) -> dict[str, Row]:
    """The live ACL of each subnet."""
    return {a["SubnetId"]: row for row in acls for a in row["Associations"]}
