"""Where live things are: the cards behind an interface, the subnet of a card, its NSGs.

A member of an interface is the card that the deployment names (`eni`), else every card in the
deployment's virtual networks that has one of its addresses. Each IP configuration of a card is
judged by itself. What no card has yet is judged by the groups made for it, as in Terraform JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final

from flowbridge.deployment.file.site import Site, Tier
from flowbridge.deployment.interface import Interface, Member
from flowbridge.policy.compiled import Policy
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.providers.azure.live.answers import Answers, Part, properties, same, subnets_of
from flowbridge.providers.live.answered import Row

# Pseudo-interface and pseudo-tiers: cards that no interface of the deployment has, the networks.
STRANGERS: Final = Interface(workload="others", name="cards", tier="others", members=())
_NETWORK_TIER: Final = "virtual networks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One IP configuration of a live card. `groups` are ids of application security groups."""

    id: str
    card: str
    name: str
    private: tuple[Network, ...]
    public: tuple[str, ...]  # ids
    subnet: str
    nsg: str | None
    groups: tuple[str, ...]

    def as_member(self) -> Member:
        return Member(f"{self.name}/{self.id.rsplit('/', 1)[-1]}", self.private, (), self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """`cards` are those of each interface with the member each is; `absent` the members that no
    card has; `missing` the cards that are named and not there; `placed` the NSGs that the
    command put on an interface."""

    interfaces: tuple[Interface, ...]
    everyone: tuple[Card, ...]
    cards: Mapping[str, tuple[tuple[str, Card], ...]]
    absent: Mapping[str, tuple[str, ...]]
    missing: tuple[tuple[str, str], ...]
    placed: Mapping[str, tuple[str, ...]]
    found: Mapping[str, frozenset[str]]  # the declared members that some card is, by interface

    @property
    def strangers(self) -> tuple[Card, ...]:
        known = {card.id.lower() for found in self.cards.values() for _, card in found}
        return tuple(card for card in self.everyone if card.id.lower() not in known)


def place(answers: Answers, policy: Policy, placed: Mapping[str, tuple[str, ...]]) -> Placement:
    """Find the cards of every interface."""
    everyone = tuple(card for row in answers.rows(Part.CARDS) for card in cards_of(row))
    here = {network.lower() for network in answers.place.networks}
    inside = [card for card in everyone if _network_of(card) in here]
    occupied = PacketSet.of((n for card in inside for n in card.private), None)
    interfaces: list[Interface] = []
    cards: dict[str, tuple[tuple[str, Card], ...]] = {}
    absent: dict[str, tuple[str, ...]] = {}
    missing: list[tuple[str, str]] = []
    holders: dict[str, tuple[str, ...]] = {}
    there: dict[str, frozenset[str]] = {}
    for interface in policy.interfaces:
        given = placed.get(interface.key, ())
        holders[interface.key] = tuple(text for text in given if _is_nsg(text, answers))
        named = [text for text in given if text not in holders[interface.key]]
        members = (
            [Member(text, (), (), text) for text in named] if named else list(interface.members)
        )
        mine: dict[str, tuple[str, Card]] = {}
        lost: list[str] = []
        rest: list[Member] = []
        for member in members:
            found = _cards(member, everyone, inside, answers)
            mine.update({card.id: (member.name, card) for card in found})
            if member.attachment and not found:
                missing.append((interface.key, member.attachment))
            if not found:
                lost.append(member.name)
            free = PacketSet.of(member.private, None) - occupied
            # A card that the deployment names is where it is, whatever address it has.
            left = tuple(dict.fromkeys(peer for box in free.boxes() for peer in box.peers))
            if left and not (found and member.attachment):
                rest.append(Member(member.name, left, member.public))
        live = (*(card.as_member() for _, card in mine.values()), *rest)
        interfaces.append(
            Interface(
                workload=interface.workload, name=interface.name, tier=interface.tier, members=live
            )
        )
        cards[interface.key] = tuple(mine.values())
        absent[interface.key] = tuple(lost)
        declared = frozenset(member.name for member in interface.members)
        # Whoever names cards or NSGs says that they are the interface.
        said = bool(holders[interface.key]) or (bool(named) and bool(mine))
        there[interface.key] = declared if said else declared - {*lost}
    return Placement(
        interfaces=tuple(interfaces),
        everyone=everyone,
        cards=cards,
        absent=absent,
        missing=tuple(missing),
        placed=holders,
        found=there,
    )


def cards_of(row: Row) -> Iterator[Card]:
    """The IP configurations of a network interface. ValueError for an address that is none."""
    own = properties(row)
    for entry in own.get("ipConfigurations") or ():
        config = properties(entry)
        address = config.get("privateIPAddress")
        yield Card(
            id=str(entry.get("id") or f"{row['id']}/ipConfigurations/{entry.get('name')}"),
            card=str(row["id"]),
            name=str(row.get("name")),
            private=(ip_network(address),) if address else (),
            public=_ids([config.get("publicIPAddress")]),
            subnet=next(iter(_ids([config.get("subnet")])), ""),
            nsg=next(iter(_ids([own.get("networkSecurityGroup")])), None),
            groups=_ids(config.get("applicationSecurityGroups") or ()),
        )


def live_site(site: Site, answers: Answers, placement: Placement) -> Site:
    """`site` with every tier's subnets as they are: the named ones and those its cards sit in.

    The address space of the networks, and of those peered with them, is a tier of its own, so
    that the service tag `VirtualNetwork` stands for it.
    """
    subnets = subnets_of(answers)
    tiers: dict[str, Tier] = {}
    for name, tier in site.network.tiers.items():
        named = [answers.place.subnet_id(subnet) for subnet in tier.subnets]
        used = [
            card.subnet
            for interface in placement.interfaces
            if interface.tier == name
            for _, card in placement.cards[interface.key]
        ]
        pairs = [
            (subnet, cidr)
            for subnet in dict.fromkeys(text.lower() for text in (*named, *used))
            if subnet in subnets
            for cidr in prefixes_of(subnets[subnet])
        ]
        changed = {
            "subnets": tuple(subnet for subnet, _ in pairs),
            "cidrs": tuple(cidr for _, cidr in pairs) or tier.cidrs,
        }
        tiers[name] = tier.model_copy(update=changed)
    space = tuple(dict.fromkeys(_space(answers)))
    if space:
        one = next(iter(tiers.values()))
        tiers[_NETWORK_TIER] = one.model_copy(update={"subnets": (), "cidrs": space})
    network = site.network.model_copy(update={"tiers": tiers})
    return site.model_copy(update={"network": network})


def _space(answers: Answers) -> Iterator[Network]:
    for row in answers.rows(Part.NETWORKS):
        own = properties(row)
        spaces = [own.get("addressSpace")]
        for peering in own.get("virtualNetworkPeerings") or ():
            theirs = properties(peering)
            spaces.append(theirs.get("remoteAddressSpace"))
            spaces.append(theirs.get("remoteVirtualNetworkAddressSpace"))
        for space in spaces:
            for text in (space or {}).get("addressPrefixes") or ():
                yield ip_network(text)


def prefixes_of(subnet: Row) -> tuple[Network, ...]:
    """The ranges of a subnet."""
    own = properties(subnet)
    texts = own.get("addressPrefixes") or [own.get("addressPrefix")]
    return tuple(ip_network(text) for text in texts if text)


def _ids(entries: Iterable[Row | None]) -> tuple[str, ...]:
    return tuple(str(entry["id"]) for entry in entries if entry and entry.get("id"))


def _network_of(card: Card) -> str:
    return card.subnet.lower().partition("/subnets/")[0]


def _is_nsg(text: str, answers: Answers) -> bool:
    if "/networksecuritygroups/" in text.lower():
        return True
    return "/" not in text and any(same(row.get("name"), text) for row in answers.rows(Part.NSGS))


def _cards(
    member: Member, everyone: Iterable[Card], inside: Iterable[Card], answers: Answers
) -> list[Card]:
    if member.attachment is not None:
        wanted = answers.place.id_of("networkInterfaces", member.attachment)
        return [card for card in everyone if same(card.card, wanted)]
    mine = PacketSet.of(member.private, None)
    return [card for card in inside if PacketSet.of(card.private, None) & mine]
