"""Where a party of the documents stands in one deployment.

A party is managed here (Expressways described by their peers, systems with a tier), or a set of
addresses elsewhere (systems without one, the internet), or not in the deployment at all. It may be
in several places at once: hosts of it run elsewhere (`elsewhere`), systems play its part (`roles`),
or addresses that are listed for it run here as another system.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from flowbridge.catalog.party import Party, PartyKind
from flowbridge.catalog.printed import Nic
from flowbridge.catalog.row import PartyReference, Side
from flowbridge.deployment.addresses import EVERYWHERE, in_order, is_host, is_public, of_families
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface, Network
from flowbridge.deployment.interface_key import InterfaceKey
from flowbridge.deployment.interfaces import CORE, EDGE, EXTERNAL, INTERNAL, SINGLE, interfaces_of
from flowbridge.deployment.places.atlas import Atlas
from flowbridge.deployment.selection.inside import inside_of, means_internet

CLUSTER_PARTIES: Final = ("this-peer", "other-peer")


@dataclass(frozen=True, kw_only=True)
class Placement:
    """One party as firewalls meet it.

    `private` are its own addresses, `public` those that are translated to it, `nat` those of the
    NAT gateway through which those of its hosts leave that have none. `outward`: it stands on the
    internet side. `inside` are those of its `private` addresses that are not meant (of the
    internet). `nat_key` is the key of the deployment file that would name its public address.
    """

    party: str
    interface: Interface | None
    private: tuple[Network, ...]
    public: tuple[Network, ...] = ()
    nat: tuple[Network, ...] = ()
    outward: bool = False
    host_names: tuple[str, ...] = ()
    nat_key: str = ""
    inside: tuple[Network, ...] = ()
    sets: tuple[str, ...] = ()
    set_entries: int = 1

    @property
    def all_public(self) -> bool:
        """Whether it runs elsewhere and has public addresses only: it comes over the internet."""
        return self.interface is None and all(map(is_public, self.private))

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
        self._atlas = Atlas.of(site)

    @cached_property
    def _inside(self) -> tuple[Network, ...]:
        return inside_of(self._site, self._parties)

    @cached_property
    def _by_key(self) -> dict[str, Interface]:
        return {str(InterfaceKey(card.kind, card.name)): card for card in self.interfaces}

    def peers(self, of: str | None = None) -> Iterable[tuple[Placement, Placement | None]]:
        """The Expressways (`of`: the one) of two or more peers, by the card of cluster traffic,
        each with its peers elsewhere."""
        for workload in (EDGE, CORE) if of is None else (of,):
            interface = self._card(workload, INTERNAL)
            if interface is None:
                continue
            others = self._rest(workload)
            if len(interface.members) > 1 or others is not None:
                yield self._managed(workload, interface), others

    def place(
        self, reference: PartyReference, nic: Nic | None, towards: PartyReference
    ) -> Placement | None:
        """The first of `placements`; None where the party is absent."""
        return next(iter(self.placements(reference, nic, towards)), None)

    def placements(
        self,
        reference: PartyReference,
        nic: Nic | None,
        towards: PartyReference,
        met: Placement | None = None,
    ) -> tuple[Placement, ...]:
        """The party of `reference` as it meets `towards`, which is at `met`, wherever it is.

        `nic` is the card of Expressway-E that its cell prints.

        Hosts that are listed for it and run here as another system are met at that system's card,
        whose rules are the same for all its hosts.
        """
        name = reference.party
        card = self._edge_card(reference, nic, towards, met) if name == EDGE else SINGLE
        interface = self._card(name, card)
        if interface is None:
            own = self._elsewhere(name, reference.side)
            played = tuple(self._played(name, reference.side))
            stands_for_all = own is not None and name not in self._site.systems
            if own is None or (played and stands_for_all):
                return played or self._by_default(name, nic, towards, met)
            return (*self._as_others(own), *played)
        others = self._rest(name)
        found = [self._managed(name, interface), *([others] if others is not None else [])]
        return (*found, *self._played(name, reference.side))

    def _by_default(
        self, name: str, nic: Nic | None, towards: PartyReference, met: Placement | None
    ) -> tuple[Placement, ...]:
        """Who plays the part of a party that no system here is or plays: Unified CM itself plays
        hold music."""
        party = self._parties.get(name)
        if party is None or party.played_by is None or self._site.options.errata == "printed":
            return ()
        player = PartyReference(party=party.played_by)
        found = self.placements(player, nic, towards, met)
        return tuple(replace(placement, party=name) for placement in found)

    def _rest(self, name: str) -> Placement | None:
        """The hosts of what runs here that run elsewhere."""
        if name in (EDGE, CORE):
            cluster = self._site.expressway_e if name == EDGE else self._site.expressway_c
            addresses = cluster.elsewhere if cluster is not None else ()
            key = f"{name.replace('-', '_')}.elsewhere"
        else:
            system = self._site.systems.get(name)
            addresses = system.elsewhere if system is not None else ()
            key = f"systems.{name}.elsewhere"
        if not addresses:
            return None
        outward = all(map(is_public, addresses))
        return Placement(
            party=name, interface=None, private=in_order(addresses), outward=outward, nat_key=key
        )

    def _words(self, name: str) -> frozenset[str]:
        """The party by its own name and by the others that it has."""
        party = self._parties.get(name)
        return frozenset((name, *(party.also if party is not None else ())))

    def _played(self, name: str, side: Side | None) -> Iterator[Placement]:
        """The systems that play the part of `name`, wherever they are."""
        for player, system in sorted(self._site.systems.items()):
            if player == name or not self._words(name) & set(system.roles):
                continue
            interface = self._card(player, SINGLE)
            own = (
                self._elsewhere(player, side)
                if interface is None
                else self._managed(player, interface)
            )
            for placement in (own, self._rest(player)):
                if placement is not None:
                    yield replace(placement, party=name)

    def _as_others(self, whole: Placement) -> Iterator[Placement]:
        """Where the addresses listed for a party are: at cards of other systems, and the rest."""
        rest = whole.private
        for card in self.interfaces if whole.party in self._site.systems else ():
            hosts = {host for host in card.private if is_host(host)}
            if card.workload in self._site.systems and hosts & set(rest):
                yield replace(self._managed(card.workload, card), party=whole.party)
                rest = tuple(network for network in rest if network not in hosts)
        if rest or whole.sets:
            yield replace(whole, private=rest)

    def outward(self, name: str) -> bool:
        """Whether the party is met on the internet side of Expressway-E."""
        party = self._parties.get(name)
        if party is not None and (party.default == "internet" or party.host_names):
            return True
        system = self._site.systems.get(name)
        return (
            system is not None
            and system.tier is None
            and bool(system.addresses)
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
        self,
        reference: PartyReference,
        nic: Nic | None,
        towards: PartyReference,
        met: Placement | None,
    ) -> str:
        """Which card of a dual-homed Expressway-E a row means.

        A traversal client that comes over the internet meets the outer card, whatever a row prints:
        no packet of it arrives at the inner one. So does whoever stands in a place that meets that
        of the inner card over the internet.
        """
        if towards.party == CORE and met is not None and met.all_public:
            return EXTERNAL
        inner = self._by_key.get(f"{EDGE}/{INTERNAL}")
        if inner is not None and met is not None and self._atlas.over_internet(met.private, inner):
            return EXTERNAL
        match reference.side:
            case Side.PUBLIC:
                return EXTERNAL
            case Side.PRIVATE:
                return EXTERNAL if nic is Nic.EXTERNAL else INTERNAL
            case None:
                return EXTERNAL if self.outward(towards.party) else INTERNAL

    def _card(self, workload: str, card: str) -> Interface | None:
        return next(
            (
                found
                for name in (card, SINGLE)
                if (found := self._by_key.get(str(InterfaceKey(workload, name))))
            ),
            None,
        )

    def _managed(self, name: str, interface: Interface) -> Placement:
        nat = of_families(self._nat(interface), without_public(interface))
        system = self._site.systems.get(interface.workload)
        return Placement(
            party=name,
            interface=interface,
            private=interface.private,
            public=interface.public,
            nat=nat,
            host_names=system.fqdns if system is not None else (),
            nat_key=_nat_key(interface),
        )

    def _nat(self, interface: Interface) -> tuple[Network, ...]:
        """The NAT gateways of the tiers in which members are."""
        tiers = self._site.network.tiers
        if not self._site.places:
            return tiers[interface.tier].nat
        every = {self._atlas.tier_of(each.private[0]) or "" for each in interface.members}
        return in_order({nat for name in every if name in tiers for nat in tiers[name].nat})

    def _elsewhere(self, name: str, side: Side | None) -> Placement | None:
        system = self._site.systems.get(name)
        party = self._parties.get(name)
        names = party.host_names if party is not None else ()
        if system is None:
            if party is not None and party.addresses:
                return Placement(
                    party=name, interface=None, private=in_order(party.addresses), outward=True
                )
            if party is None or party.default != "internet":
                return None
            return Placement(
                party=name,
                interface=None,
                private=EVERYWHERE,
                outward=True,
                host_names=names,
                inside=self._inside,
            )
        addresses = in_order(system.addresses)
        inside: tuple[Network, ...] = ()
        if party is not None and party.default == "internet":
            whole = tuple(
                everyone for everyone in EVERYWHERE if means_internet(addresses, everyone.version)
            )
            versions = {everyone.version for everyone in whole}
            addresses = (*whole, *(n for n in addresses if n.version not in versions))
            inside = of_families(self._inside, versions)
        public = in_order(system.public)
        if side is Side.PUBLIC and public:
            addresses = public
        return Placement(
            party=name,
            interface=None,
            private=addresses,
            public=public,
            outward=(bool(addresses) and all(is_public(network) for network in addresses))
            or (party is not None and party.kind is PartyKind.INTERNET),
            host_names=tuple(sorted({*names, *system.fqdns})),
            nat_key=f"systems.{name}.public",
            inside=inside,
            sets=system.sets,
            set_entries=system.set_entries or 1,
        )


def _nat_key(interface: Interface) -> str:
    tier = f"network.tiers.{interface.tier}.nat"
    if interface.kind == CORE:
        return f"expressway_c.peers[].public or {tier}"
    if interface.kind == EDGE:
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
    return _versions(one) & _versions(other)


def _versions(placement: Placement) -> frozenset[int]:
    """The IP versions of a placement; a set by name is taken as one of IPv4."""
    named = {4} if placement.sets else set()
    return frozenset({n.version for n in placement.private} | named)
