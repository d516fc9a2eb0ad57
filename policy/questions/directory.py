"""The directory: what a name in a question stands for, and what an address is called.

`internet` is every public address that nobody in this deployment is known by: what a stranger may
have. Left out are private and unusable blocks, the deployment's own addresses and those of parties
that it lists (an administrator's office is not the internet). A listed party of 2**24 public
addresses or more (IPv6: 2**96) is no longer one organisation's and stays in: listing 0.0.0.0/0 as
administrators must not make a test about the internet hold. `any` is every address, minus nothing.
Where one end has one IP family only, only packets of that family can reach it, so only they are
asked about.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network

from flowbridge.catalog.party import Party
from flowbridge.deployment.addresses import PRIVATE, UNUSABLE, within
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.interface import Interface, Member
from flowbridge.deployment.management_sources import opens_to_many
from flowbridge.deployment.selection.parties import without_public
from flowbridge.policy.compiled import Policy
from flowbridge.policy.packets.packet import Address, Network
from flowbridge.policy.packets.packet_set import ALL, EMPTY, EVERY_ADDRESS, PacketSet
from flowbridge.policy.surrounding import Surrounding

_NOT_A_STRANGER = PacketSet.of((*PRIVATE, *UNUSABLE), None)
_EVERYONE = tuple(PacketSet.of((network,), None) for network in EVERY_ADDRESS)


class UnknownPlaceError(ValueError):
    """A name that is neither an interface, a workload, a party nor an address; str() helps."""


@dataclass(frozen=True, slots=True)
class Place:
    """One end of a question.

    `interface` is set when the end is managed here; `addresses` are then the ones asked about, or
    None for all of its own.
    """

    name: str
    interface: Interface | None
    addresses: tuple[Network, ...] | None = None

    @property
    def label(self) -> str:
        return self.interface.key if self.interface else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """`parties` are all names that are no interface; `strangers` those of them that stand for
    the internet, whole or in large part."""

    interfaces: tuple[Interface, ...]
    parties: Mapping[str, tuple[Network, ...]]
    strangers: frozenset[str]
    hosts: Mapping[Network, Interface]  # single addresses of interfaces, own and public
    ranges: tuple[tuple[Network, Interface], ...]  # and CIDRs (fleets)
    gateways: tuple[tuple[Network, Interface], ...] = ()  # addresses of NAT gateways before them
    around: tuple[Interface, ...] = ()  # whoever else stands in our subnets
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)  # who plays another's part

    @classmethod
    def of(
        cls,
        policy: Policy,
        site: Site | None = None,
        parties: Mapping[str, Party] | None = None,
        around: Iterable[Surrounding] = (),
    ) -> Directory:
        """From a policy; with `site` also systems that no flow uses, with `parties` (the
        catalog's) also those that stand for the internet, with `around` every other address of
        the subnets whose filters are ours."""
        known: dict[str, tuple[Network, ...]] = {}
        own: list[Network] = []
        seen: set[tuple[Network, ...]] = set()
        for name, party in (parties or {}).items():
            if party.default == "internet":
                known[name] = EVERY_ADDRESS
        for flow in _flows(policy):
            for end in (flow.source, flow.destination):
                if end.interface is not None:
                    if end.addresses not in seen:
                        seen.add(end.addresses)
                        # What is called one's own and is as wide as the internet is the internet.
                        own.extend(() if opens_to_many(end.addresses) else end.addresses)
                else:
                    addresses = (*known.get(end.party, ()), *end.addresses)
                    known[end.party] = tuple(dict.fromkeys(addresses))
        if site is not None:
            known.update(
                (name, (*system.addresses, *system.public))
                for name, system in site.systems.items()
                if system.tier is None
            )
        for card in policy.interfaces:
            own.extend((*card.private, *card.public))
        strangers = {name for name, addresses in known.items() if opens_to_many(addresses)}
        for name, addresses in known.items():
            if name not in strangers:
                own.extend(addresses)
        known["any"] = EVERY_ADDRESS
        known["internet"] = _networks(ALL - _NOT_A_STRANGER - PacketSet.of(own, None))
        held = [(own, card) for card in policy.interfaces for own in (*card.private, *card.public)]
        return cls(
            interfaces=policy.interfaces,
            parties=known,
            strangers=frozenset(strangers | {"any", "internet"}),
            hosts={own: card for own, card in reversed(held) if own.num_addresses == 1},
            ranges=tuple((own, card) for own, card in held if own.num_addresses > 1),
            gateways=tuple(_gateways(policy, site)) if site is not None else (),
            around=tuple(each.anyone for each in around),
            roles={} if site is None else _roles(site),
        )

    def places(self, name: str) -> tuple[Place, ...]:
        """What `name` stands for: an interface, every interface of a workload, a party, or an
        address or CIDR. UnknownPlaceError lists the names there are."""
        players = self.roles.get(name, frozenset())
        cards = tuple(
            Place(name, card)
            for card in (*self.interfaces, *self.around)
            if name in (card.key, card.local_key, card.workload, card.kind)
            or name in (f"{card.kind}/{card.name}", f"{card.place}:{card.workload}")
            or card.workload in players
        )
        rest = self.parties.get(name)
        if cards or rest is not None:
            return cards if rest is None else (*cards, Place(name, None, rest))
        try:
            network = ip_network(name, strict=False)
        except ValueError:
            raise UnknownPlaceError(self._unknown(name)) from None
        return self._address(name, network)

    def names(self) -> tuple[str, ...]:
        """Every name that a question may use, interfaces first."""
        keys = [card.key for card in self.interfaces]
        workloads = sorted({n for card in self.interfaces for n in (card.workload, card.kind)})
        others = (*sorted(self.parties), *sorted(self.roles))
        return tuple(dict.fromkeys((*keys, *workloads, *others)))

    def called(self, networks: Iterable[Network]) -> tuple[str, ...]:
        """The interfaces and parties whose addresses hold any of `networks`, `internet` last.

        The whole internet is named only where nothing narrower covers all of `networks`, and every
        address of an IP family is `any`.
        """
        asked = PacketSet.of(networks, None)
        if any(everyone <= asked for everyone in _EVERYONE):
            return ("any",)
        found: list[str] = []
        covered = EMPTY
        for name, addresses in self._narrow():
            held = PacketSet.of(addresses, None)
            if held & asked:
                found.append(name)
                covered = covered | held
        if not asked <= covered:
            found.append("internet")
        return tuple(found)

    def holding(self, address: Address) -> tuple[str, ...]:
        """The interfaces and parties that have this address, the whole internet left out."""
        network = ip_network(address)
        return tuple(name for name, addresses in self._narrow() if within(network, addresses))

    def leaving_by(self, address: Address) -> tuple[str, ...]:
        """The interfaces whose hosts may have this address on the internet: a NAT gateway's."""
        network = ip_network(address)
        return tuple(card.key for gateway, card in self.gateways if within(network, (gateway,)))

    def _narrow(self) -> Iterator[tuple[str, tuple[Network, ...]]]:
        for card in self.interfaces:
            yield card.key, (*card.private, *card.public)
        for name, addresses in sorted(self.parties.items()):
            if name not in self.strangers:
                yield name, addresses

    def _address(self, name: str, network: Network) -> tuple[Place, ...]:
        if (host := self.hosts.get(network)) is not None:
            return (Place(name, host, (network,)),)
        for own, card in self.ranges:
            if within(network, (own,)):
                return (Place(name, card, (network,)),)
        for anyone in self.around:
            if within(network, anyone.private):
                return tuple(self._in_subnet(name, network, anyone))
        return (Place(name, None, (network,)),)

    def _in_subnet(self, name: str, network: Network, anyone: Interface) -> Iterator[Place]:
        """The cards in a part of a subnet, and whoever else is there."""
        others = PacketSet.of((network,), None)
        for card in self.interfaces:
            cards = tuple(own for own in card.private if within(own, (network,)))
            if cards:
                yield Place(name, card, cards)
                others = others - PacketSet.of(cards, None)
        if others:
            yield Place(name, anyone, _networks(others))

    def _unknown(self, name: str) -> str:
        names = self.names()
        near = difflib.get_close_matches(name, names, n=1)
        hint = f": did you mean {near[0]!r}?" if near else "."
        return (
            f"{name!r} is not known here{hint} Write an address, a CIDR or one of: "
            f"{', '.join(names)}"
        )


def _roles(site: Site) -> dict[str, frozenset[str]]:
    """The systems here that play the part of another party, by that party."""
    found: dict[str, set[str]] = {}
    for name, system in site.systems.items():
        for role in system.roles:
            found.setdefault(role, set()).add(name)
    return {role: frozenset(names) for role, names in found.items()}


def member_of(card: Interface, network: Network) -> Member | None:
    """The member that has `network` among its own or its public addresses."""
    for member in card.members:
        if within(network, (*member.private, *member.public)):
            return member
    return None


def _networks(packets: PacketSet) -> tuple[Network, ...]:
    return tuple(peer for box in packets.boxes() for peer in box.peers)


def _gateways(policy: Policy, site: Site) -> Iterator[tuple[Network, Interface]]:
    """The NAT gateways of each interface that has hosts without a public address."""
    for card in policy.interfaces:
        for network in site.network.tiers[card.tier].nat:
            if network.version in without_public(card):
                yield network, card


def _flows(policy: Policy) -> Iterator[Flow]:
    for demands in policy.demands.values():
        for demand in demands:
            yield demand.flow
