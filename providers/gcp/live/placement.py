"""Where live things are: the machines behind an interface, and what their tags stand for.

A member of an interface is the card of the instance that the deployment names (`eni`), else every
card in the interface's VPC network that has one of its addresses. Tags and accounts belong to a
machine, so each card is judged by itself, as a pseudo-interface of its own; its primary card is
called `external`, as the meaning of source tags wants it. What no machine has yet is judged as
though it had the tags made for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final

from flowbridge.deployment.clouds.gcp import network_of
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface, Member
from flowbridge.policy.compiled import Policy
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.gcp.emit.targets import TargetKind, targets_of
from flowbridge.providers.gcp.live.answers import Answers, Part, network_parts
from flowbridge.providers.gcp.live.as_terraform import path_of
from flowbridge.providers.gcp.meaning.networks import NetworkName, Networks
from flowbridge.providers.gcp.meaning.targets import PRIMARY, Elsewhere, Targets
from flowbridge.providers.live.answered import Row

_ABSENT: Final = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One network interface of a live instance. `network` is project and name."""

    id: str
    instance: str
    machine: str  # the number of the instance
    name: str
    primary: bool
    network: tuple[str, str]
    private: tuple[Network, ...]
    public: tuple[Network, ...]
    tags: frozenset[str]
    accounts: frozenset[str]
    secure_tags: frozenset[str]

    @property
    def interface(self) -> Interface:
        name = PRIMARY if self.primary else self.name
        member = Member(self.id, self.private, self.public, self.id)
        return Interface(
            workload=f"machine {self.machine}",
            name=name,
            tier=tier_of(self.network),
            members=(member,),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """`cards` are those of each interface with the member each is; `absent` the members that no
    machine has; `missing` the instances that are named and not there."""

    everyone: tuple[Card, ...]
    cards: Mapping[str, tuple[tuple[str, Card], ...]]
    absent: Mapping[str, tuple[Member, ...]]
    missing: tuple[tuple[str, str], ...]
    networks: Mapping[str, tuple[str, str]]
    found: Mapping[str, frozenset[str]]  # the declared members that some machine is

    def judged(self, interface: Interface) -> tuple[Interface, ...]:
        """The pseudo-interfaces that an interface of the deployment is."""
        live = [card.interface for _, card in self.cards[interface.key]]
        if members := self.absent[interface.key]:
            tier = tier_of(self.networks[interface.key])
            workload = f"{_ABSENT} {interface.workload}"
            live.append(
                Interface(workload=workload, name=interface.name, tier=tier, members=members)
            )
        return tuple(dict.fromkeys(live))


def place(
    answers: Answers, policy: Policy, site: Site, placed: Mapping[str, tuple[str, ...]]
) -> Placement:
    """Find the machines of every interface."""
    everyone = tuple(_everyone(answers))
    networks = {
        interface.key: network_parts(network_of(site, interface) or "", answers.place.project)
        for interface in policy.interfaces
    }
    cards: dict[str, tuple[tuple[str, Card], ...]] = {}
    absent: dict[str, tuple[Member, ...]] = {}
    missing: list[tuple[str, str]] = []
    there: dict[str, frozenset[str]] = {}
    for interface in policy.interfaces:
        here = [card for card in everyone if card.network == networks[interface.key]]
        occupied = PacketSet.of((n for card in here for n in card.private), None)
        named = placed.get(interface.key, ())
        members = (
            [Member(text, (), (), text) for text in named] if named else list(interface.members)
        )
        mine: dict[str, tuple[str, Card]] = {}
        rest: list[Member] = []
        lost: set[str] = set()
        for member in members:
            found = [card for card in here if _is(card, member)]
            mine.update({card.id: (member.name, card) for card in found})
            if not found:
                lost.add(member.name)
            if member.attachment and not found:
                missing.append((interface.key, member.attachment))
            free = PacketSet.of(member.private, None) - occupied
            left = tuple(dict.fromkeys(peer for box in free.boxes() for peer in box.peers))
            if left and not (found and member.attachment):
                rest.append(Member(member.name, left, member.public))
        cards[interface.key] = tuple(mine.values())
        absent[interface.key] = tuple(rest)
        declared = frozenset(member.name for member in interface.members)
        # Whoever names machines says that they are the interface.
        said = bool(named) and bool(mine)
        there[interface.key] = declared if said else declared - lost
    return Placement(
        everyone=everyone,
        cards=cards,
        absent=absent,
        missing=tuple(missing),
        networks=networks,
        found=there,
    )


def live_site(site: Site, answers: Answers) -> Site:
    """`site` with a tier for each VPC network, and nothing else that would name a network."""
    one = next(iter(site.network.tiers.values()))
    tiers = {
        tier_of(network): one.model_copy(update={"network": path_of(network)})
        for network in answers.place.networks
    }
    changed = {"tiers": tiers, "networks": {}}
    return site.model_copy(update={"network": site.network.model_copy(update=changed)})


def live_policy(policy: Policy, placement: Placement) -> Policy:
    """`policy` asked of every pseudo-interface."""
    demands = {
        Point(card.key, direction): policy.demands[Point(interface.key, direction)]
        for interface in policy.interfaces
        for card in placement.judged(interface)
        for direction in Direction
        if Point(interface.key, direction) in policy.demands
    }
    cards = {c.key: c for i in policy.interfaces for c in placement.judged(i)}
    return Policy(tuple(cards.values()), demands)


def live_targets(
    policy: Policy, site: Site, placement: Placement, networks: Networks, answers: Answers
) -> Targets:
    """What tags and accounts stand for: the machines that have them, whoever's they are.

    A tag that no machine has stands for none, but in networks of which not all machines were read.
    Members without a machine count as having those that were made for them.
    """
    tags: dict[str, dict[Interface, None]] = {}
    accounts: dict[str, dict[Interface, None]] = {}
    for card in placement.everyone:
        for tag in (*card.tags, *card.secure_tags):
            tags.setdefault(tag, {})[card.interface] = None
        for account in card.accounts:
            accounts.setdefault(account, {})[card.interface] = None
    for key, target in targets_of(site, policy.interfaces).items():
        interface = next(each for each in policy.interfaces if each.key == key)
        held = accounts if target.kind is TargetKind.SERVICE_ACCOUNT else tags
        for judged in placement.judged(interface):
            if judged.workload.startswith(f"{_ABSENT} "):
                held.setdefault(target.value, {})[judged] = None
    known = Targets.read({}, policy, site, networks)
    return Targets(
        tags={tag: tuple(machines) for tag, machines in tags.items()},
        accounts={account: tuple(machines) for account, machines in accounts.items()},
        hosts=known.hosts,
        networks=networks,
        tag_values={},
        tag_keys={},
        elsewhere=Elsewhere(
            frozenset(_named(network) for network in unseen_networks(answers)),
            frozenset(_named(network) for network in peered_networks(answers)),
        ),
    )


def unseen_networks(answers: Answers) -> Iterator[tuple[str, str]]:
    """The networks of which machines of some project were not read."""
    hosts = {row["host"] for row in answers.parts.get(Part.UNSEEN, ())}
    yield from (network for network in answers.place.networks if network[0] in hosts)


def peered_networks(answers: Answers) -> Iterator[tuple[str, str]]:
    """The networks with a peering in force: machines behind it are not read."""
    for row in answers.rows(Part.NETWORKS):
        if any(each.get("state") == "ACTIVE" for each in row.get("peerings") or ()):
            yield row["project"], row["name"]


def _named(network: tuple[str, str]) -> NetworkName:
    project, name = network
    return NetworkName(name, project)


def tier_of(network: tuple[str, str]) -> str:
    return path_of(network)


def _everyone(answers: Answers) -> Iterator[Card]:
    """All cards of all machines in our networks. ValueError for an address that is none."""
    tagged = {
        str(row["instance"]): frozenset(row["tags"]) for row in answers.parts.get(Part.TAGS, ())
    }
    for row in answers.rows(Part.INSTANCES):
        for number, nic in enumerate(row.get("networkInterfaces") or ()):
            network = network_parts(str(nic.get("network", "")), answers.place.project)
            if network not in answers.place.networks:
                continue
            name = str(nic.get("name") or f"nic{number}")
            machine = str(row.get("id") or row["name"])
            own = row.get("project", answers.place.project) == answers.place.project
            instance = str(row["name"]) if own else f"{row['project']}/{row['name']}"
            yield Card(
                id=f"{instance}/{name}",
                instance=instance,
                machine=machine,
                name=name,
                primary=number == 0,
                network=network,
                private=tuple(_private(nic)),
                public=tuple(_public(nic)),
                tags=frozenset((row.get("tags") or {}).get("items") or ()),
                accounts=frozenset(str(each["email"]) for each in row.get("serviceAccounts") or ()),
                secure_tags=tagged.get(machine, frozenset()),
            )


def _private(nic: Row) -> Iterator[Network]:
    texts = [nic.get("networkIP"), nic.get("ipv6Address")]
    texts += [each.get("ipCidrRange") for each in nic.get("aliasIpRanges") or ()]
    for text in texts:
        if text:
            yield ip_network(text, strict=False)


def _public(nic: Row) -> Iterator[Network]:
    for access in (*(nic.get("accessConfigs") or ()), *(nic.get("ipv6AccessConfigs") or ())):
        for text in (access.get("natIP"), access.get("externalIpv6")):
            if text:
                yield ip_network(text)


def _is(card: Card, member: Member) -> bool:
    if member.attachment is not None:
        last = member.attachment.rsplit("/", 1)[-1]
        return last in (card.instance.rsplit("/", 1)[-1], card.machine)
    return bool(PacketSet.of(card.private, None) & PacketSet.of(member.private, None))
