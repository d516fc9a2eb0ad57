"""Which place an address and a tier belong to, and how places meet.

A deployment without `places` has one, whose name is never written. Where there are several, the
file says of every two that exchange packets how they meet (`links`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from flowbridge.deployment.addresses import within
from flowbridge.deployment.file.site import Link, Site
from flowbridge.deployment.interface import HOME, Interface, Network


@dataclass(frozen=True, kw_only=True)
class Atlas:
    """`tiers` by name of a place; `blocks` are the addresses of all places, the narrowest first.

    `several`: the file has places beside its own network.
    """

    tiers: Mapping[str, str]
    blocks: tuple[tuple[Network, str], ...]
    tier_blocks: tuple[tuple[Network, str], ...]
    links: tuple[Link, ...]
    managed: tuple[str, ...]
    several: bool

    @classmethod
    def of(cls, site: Site) -> Atlas:
        """From the file's sections; the site's network has the tiers of all managed places."""
        of_places = {
            tier: name
            for name, place in site.places.items()
            if place.managed and place.network is not None
            for tier in place.network.tiers
        }
        tiers = {tier: of_places.get(tier, HOME) for tier in site.network.tiers}
        tier_blocks = [
            (cidr, name) for name, tier in site.network.tiers.items() for cidr in tier.cidrs
        ]
        blocks = [(cidr, tiers[name]) for cidr, name in tier_blocks]
        blocks += [
            (cidr, name)
            for name, place in site.places.items()
            if not place.managed
            for cidr in place.cidrs
        ]
        return cls(
            tiers=tiers,
            blocks=tuple(sorted(blocks, key=lambda block: -block[0].prefixlen)),
            tier_blocks=tuple(sorted(tier_blocks, key=lambda block: -block[0].prefixlen)),
            links=site.links,
            managed=tuple(
                dict.fromkeys((HOME, *site.places) if HOME in tiers.values() else site.places)
            ),
            several=bool(site.places),
        )

    def place_of(self, network: Network) -> str | None:
        """The place that holds `network`; None for addresses of no place (the internet, others)."""
        return next((place for cidr, place in self.blocks if within(network, (cidr,))), None)

    def tier_of(self, network: Network) -> str | None:
        """The tier that holds `network`."""
        return next((tier for cidr, tier in self.tier_blocks if within(network, (cidr,))), None)

    def places_of(self, networks: Iterable[Network]) -> frozenset[str]:
        """The places of `networks`, those of none left out."""
        return frozenset(filter(None, map(self.place_of, networks)))

    def link(self, one: str, other: str) -> Link | None:
        """How two places meet, where the file says so."""
        return self._by_pair.get(frozenset((one, other)))

    def over_internet(self, some: Iterable[Network], card: Interface) -> bool:
        """Whether the addresses are in places that meet the place of `card` over the internet."""
        if not self.several:
            return False
        here, there = self.places_of(some), self.places_of(card.private)
        pairs = [(one, other) for one in here for other in there if one != other]
        found = [self.link(one, other) for one, other in pairs]
        return bool(found) and all(link and link.meet == "internet" for link in found)

    def inspected(self, one: str, other: str) -> bool:
        """Whether an appliance stands between two tiers."""
        return frozenset((one, other)) in self._inspected

    @cached_property
    def _by_pair(self) -> dict[frozenset[str], Link]:
        return {
            frozenset(pair): link
            for link in self.links
            if link.meet is not None
            for pair in combinations(dict.fromkeys(link.between), 2)
        }

    @cached_property
    def _inspected(self) -> frozenset[frozenset[str]]:
        """Pairs of tiers: those that links name, and those of places that they name."""
        found: set[frozenset[str]] = set()
        for link in self.links:
            if not link.inspection:
                continue
            for one, other in combinations(dict.fromkeys(link.between), 2):
                found |= {
                    frozenset((left, right))
                    for left in self._named(one)
                    for right in self._named(other)
                }
        return frozenset(found)

    def _named(self, name: str) -> tuple[str, ...]:
        """The tiers that a name in `between` means: a tier, or all of a place."""
        own = tuple(tier for tier, place in self.tiers.items() if place == name)
        return own or (name,)


def never_apart(_one: str, _other: str) -> bool:
    """Of a network without appliances inside it."""
    return False
