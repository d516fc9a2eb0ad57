"""Where a party of the documents stands in one deployment.

A party is managed here (Expressways described by their peers, systems with a tier), or a set of
addresses elsewhere (systems without one, the internet), or not in the deployment at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from flowbridge.catalog.party import Party, PartyKind
from flowbridge.catalog.row import PartyReference, Side
from flowbridge.deployment.addresses import EVERYWHERE, in_order, is_public, of_families
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface, Network
from flowbridge.deployment.interfaces import CORE, EDGE, EXTERNAL, INTERNAL, SINGLE, interfaces_of

CLUSTER_PARTIES: Final = ("this-peer", "other-peer")


@dataclass(frozen=True)
class Placement:
    """One party as firewalls meet it.

    `private` are its own addresses, `public` those that are translated to it, `nat` those of the
    NAT gateway through which those of its hosts leave that have none. `outward`: it stands on the
    internet side. `nat_key` is the key of the deployment file that would name its public address.
    """

    party: str
    interface: Interface | None
    private: tuple[Network, ...]
    public: tuple[Network, ...] = ()
    nat: tuple[Network, ...] = ()
    outward: bool = False
    host_names: tuple[str, ...] = ()
    nat_key: str = ""

    @property
    def key(self) -> str:
        """The key of the deployment file that lists its addresses."""
        if self.interface is not None and self.party in (CORE, EDGE):
            return f"{self.party.replace('-', '_')}.peers"
        return f"systems.{self.party}.addresses"

    @property
    def reached_at(self) -> tuple[Network, ...]:
        """The addresses at which a host on the internet reaches it, as far as they are known."""
        return self._with_untranslated(self.public)

    @property
    def arrives_from(self) -> tuple[Network, ...]:
        """The addresses from which its packets arrive on the internet, as far as they are known."""
        return self._with_untranslated((*self.public, *self.nat))

    def _with_untranslated(self, translated: tuple[Network, ...]) -> tuple[Network, ...]:
        """`translated`, and the party's own public addresses of families without translation."""
        families = {network.version for network in translated}
        own = (network for network in self.private if network.version not in families)
        return in_order((*translated, *(network for network in own if is_public(network))))


class Places:
    """All placements of a site."""

    def __init__(self, site: Site, parties: Mapping[str, Party]) -> None:
        self._site = site
        self._parties = parties
        self.interfaces: Final = interfaces_of(site)

    @cached_property
    def _by_key(self) -> dict[str, Interface]:
        return {interface.key: interface for interface in self.interfaces}

    def peers(self, of: str | None = None) -> Iterable[Placement]:
        """The Expressways (`of`: the one) of two or more peers, by the card of cluster traffic."""
        for workload in (EDGE, CORE) if of is None else (of,):
            interface = self._card(workload, INTERNAL)
            if interface is not None and len(interface.members) > 1:
                yield self._managed(workload, interface)

    def place(
        self, reference: PartyReference, printed: str | None, towards: PartyReference
    ) -> Placement | None:
        """The party of `reference` as it meets the party `towards`; None where it is absent."""
        name = reference.party
        if name == EDGE:
            card = self._edge_card(reference, printed, towards)
            if (interface := self._card(EDGE, card)) is not None:
                return self._managed(name, interface)
        elif (interface := self._card(name, SINGLE)) is not None:
            return self._managed(name, interface)
        return self._elsewhere(name, reference.side)

    def outward(self, name: str) -> bool:
        """Whether the party is met on the internet side of Expressway-E."""
        party = self._parties.get(name)
        if party is not None and (party.default == "internet" or party.host_names):
            return True
        system = self._site.systems.get(name)
        return (
            system is not None
            and system.tier is None
            and all(is_public(network) for network in system.addresses)
        )

    def missing(self, name: str) -> str:
        """What to write so that the party `name` is in the deployment."""
        if name == EDGE:
            return "add expressway_e (or systems.expressway-e with its addresses)"
        if name == CORE:
            return "add expressway_c (or systems.expressway-c with its addresses)"
        party = self._parties.get(name)
        if party is not None and party.host_names:
            hosts = " and ".join(party.host_names)
            return f"give the addresses that stand for {hosts} in systems.{name}.addresses"
        return f"add systems.{name}.addresses"

    def _edge_card(
        self, reference: PartyReference, printed: str | None, towards: PartyReference
    ) -> str:
        """Which card of a dual-homed Expressway-E a row means."""
        match reference.side:
            case Side.PUBLIC:
                return EXTERNAL
            case Side.PRIVATE:
                outer = printed is not None and "外部 NIC" in printed  # "external NIC"
                return EXTERNAL if outer else INTERNAL
            case None:
                return EXTERNAL if self.outward(towards.party) else INTERNAL

    def _card(self, workload: str, card: str) -> Interface | None:
        return self._by_key.get(f"{workload}/{card}") or self._by_key.get(f"{workload}/{SINGLE}")

    def _managed(self, name: str, interface: Interface) -> Placement:
        nat = of_families(self._site.network.tiers[interface.tier].nat, without_public(interface))
        system = self._site.systems.get(interface.workload)
        return Placement(
            name,
            interface,
            interface.private,
            interface.public,
            nat,
            host_names=system.fqdns if system is not None else (),
            nat_key=_nat_key(interface),
        )

    def _elsewhere(self, name: str, side: Side | None) -> Placement | None:
        system = self._site.systems.get(name)
        party = self._parties.get(name)
        names = party.host_names if party is not None else ()
        if system is None:
            if party is not None and party.addresses:
                return Placement(name, None, in_order(party.addresses), outward=True)
            if party is None or party.default != "internet":
                return None
            return Placement(name, None, EVERYWHERE, outward=True, host_names=names)
        addresses = in_order(system.addresses)
        public = in_order(system.public)
        if side is Side.PUBLIC and public:
            addresses = public
        return Placement(
            name,
            None,
            addresses,
            public,
            outward=all(is_public(network) for network in addresses)
            or (party is not None and party.kind is PartyKind.INTERNET),
            host_names=tuple(sorted({*names, *system.fqdns})),
            nat_key=f"systems.{name}.public",
        )


def _nat_key(interface: Interface) -> str:
    tier = f"network.tiers.{interface.tier}.nat"
    if interface.workload == CORE:
        return f"expressway_c.peers[].public or {tier}"
    if interface.workload == EDGE:
        return "expressway_e.peers[].public"
    return f"systems.{interface.workload}.public or {tier}"


def without_public(interface: Interface) -> frozenset[int]:
    """The IP versions in which some host of `interface` has no public address of its own."""
    return frozenset(
        version
        for member in interface.members
        for version in {n.version for n in member.private} - {n.version for n in member.public}
    )


def common_families(one: Placement, other: Placement) -> frozenset[int]:
    """The IP versions that both ends have."""
    return frozenset(n.version for n in one.private) & frozenset(n.version for n in other.private)
