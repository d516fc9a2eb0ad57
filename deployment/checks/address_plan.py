"""Addresses that must agree with each other: tiers, peers, systems, private and public."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, assert_never

from flowbridge.catalog.reading.located_yaml import Location, dotted
from flowbridge.deployment.addresses import (
    UNUSABLE,
    first_overlaps,
    is_host,
    is_private,
    is_public,
    shown,
    within,
)
from flowbridge.deployment.checks.settings import limits
from flowbridge.deployment.clusters import views_of
from flowbridge.deployment.file.site import Cloud, Site
from flowbridge.deployment.interface import Network
from flowbridge.deployment.interfaces import CORE, EDGE, EXTERNAL, INTERNAL, SINGLE, hosts_of
from flowbridge.deployment.management_sources import opens_to_many
from flowbridge.deployment.mistake import Mistake
from flowbridge.deployment.places.atlas import Atlas
from flowbridge.deployment.selection.reflection import has_static_nat

_UNUSABLE: Final = (
    "{} is no address of a host (loopback, multicast or reserved); write the one by which others "
    "reach it"
)


_EVERYBODY: Final = frozenset({"Internet", "VirtualNetwork", "Any"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One address of the file: where it stands and what it is used as."""

    location: Location
    network: Network
    owner: str  # the interface (`expressway-e/external`) or party
    tier: str | None  # the tier it has to lie in
    elsewhere: bool = False  # of a party outside this deployment
    further: tuple[str, ...] = ()  # tiers of other places in which it may lie, too


def address_mistakes(site: Site) -> Iterator[Mistake]:
    """Overlaps, duplicates, addresses in the wrong place and of the wrong kind."""
    yield from _tiers(site)
    yield from _peers(site)
    own = list(_own(site))
    yield from _in_their_tiers(site, own)
    yield from _kept_by_the_cloud(site, own)
    yield from _once(own)
    yield from _public(site)
    yield from _systems(site)
    yield from _sets(site)


def shared_mistakes(site: Site) -> Iterator[Mistake]:
    """Addresses that two named clusters both have."""
    first: dict[Network, tuple[str, Location]] = {}
    for view in views_of(site):
        for use in _own(view.site):
            if use.location[0] == "systems":
                continue
            location = view.in_file(use.location)
            cluster = f"{location[0]}.{location[1]}"
            known = first.setdefault(use.network, (cluster, location))
            if known[0] != cluster:
                yield Mistake(
                    location,
                    f"{shown(use.network)} is the address of {known[0]} already "
                    f"({dotted(known[1])}); every card has its own",
                )


def _each(location: Location, networks: Iterable[Network]) -> Iterator[tuple[Location, Network]]:
    listed = tuple(networks)
    for index, network in enumerate(listed):
        yield ((*location, index) if len(listed) > 1 else location), network


def _tiers(site: Site) -> Iterator[Mistake]:
    blocks = [
        (name, location, network)
        for name, tier in site.network.tiers.items()
        for location, network in _each(("network", "tiers", name, "cidrs"), tier.cidrs)
    ]
    earlier = first_overlaps([network for _, _, network in blocks])
    for (_, location, later), at in zip(blocks, earlier, strict=True):
        if at is not None:
            other, _, first = blocks[at]
            yield Mistake(
                location,
                f"{later} overlaps {first} of the tier {other!r}; every address belongs to one "
                "tier and one CIDR: write CIDRs that share no address",
            )
    for _, location, network in blocks:
        if not _private_place(site, network):
            yield Mistake(location, _not_private(network))
    for name, tier in site.network.tiers.items():
        for location, network in _each(("network", "tiers", name, "nat"), tier.nat):
            if not is_public(network):
                yield Mistake(location, _not_public(network, "a NAT gateway's public address"))
        if opens_to_many(tier.nat):
            yield Mistake(
                ("network", "tiers", name, "nat"),
                "this is a large part of the internet, from which whoever came would pass for a "
                "host of this tier; write the NAT gateway's own public addresses",
            )


def _private_place(site: Site, network: Network) -> bool:
    """Whether `network` may be a card's own address. IPv6 is not translated: any global one may."""
    if within(network, UNUSABLE):
        return False
    return network.version == 6 or is_private(network) or site.network.public_cidrs


def _not_private(network: Network) -> str:
    if within(network, UNUSABLE):
        return _UNUSABLE.format(shown(network))
    return (
        f"{shown(network)} is a public address, and this is the place of a private one: write the "
        "address inside the VPC or VNet here and the public one under `public` (where the network "
        "really numbers its hosts so, write network.public_cidrs: true)"
    )


def _not_public(network: Network, what: str) -> str:
    if within(network, UNUSABLE):
        return _UNUSABLE.format(shown(network))
    return f"{shown(network)} is a private address; write {what} (such as 203.0.113.11)"


def _peers(site: Site) -> Iterator[Mistake]:
    """What each peer has to have, by the number of its cards."""
    edge = site.expressway_e
    if edge is None:
        return
    for index, peer in enumerate(edge.peers):
        here: Location = ("expressway_e", "peers", index)
        cards = {"external": peer.external, "internal": peer.internal}
        if edge.nics == "dual":
            for key, networks in cards.items():
                if not networks:
                    yield Mistake(
                        here,
                        f"an Expressway-E with nics: dual has `external` and `internal`; add "
                        f"`{key}`, or write nics: single and `address`",
                    )
            wrong = [key for key in ("address", "eni") if getattr(peer, key)]
            instead = "`external` and `internal`, with `external_eni` and `internal_eni`"
        else:
            if not peer.address:
                yield Mistake(here, "an Expressway-E with nics: single has one `address`; add it")
            wrong = [key for key in (*cards, "external_eni", "internal_eni") if getattr(peer, key)]
            instead = "`address` and `eni`"
        for key in wrong:
            yield Mistake(
                (*here, key), f"`{key}` does not go with nics: {edge.nics}; use {instead}"
            )
        if edge.static_nat and not peer.public:
            yield Mistake(here, "static_nat is true: add this peer's `public` address")
        elif has_static_nat(edge) and not peer.public:
            yield Mistake(
                here,
                "other peers have a `public` address; add this peer's, or leave all out",
                "guide/every-peer-is-public",
            )


def _own(site: Site) -> Iterator[Use]:
    """The addresses of what is managed here."""
    further = _further(site)
    for key, tier, card, location, networks in _cards(site):
        for place, network in _each(location, networks):
            yield Use(
                location=place,
                network=network,
                owner=f"{key}/{card}",
                tier=tier,
                further=further.get(key, ()),
            )


def _further(site: Site) -> dict[str, tuple[str, ...]]:
    """The further tiers of each workload."""
    found = {name: system.further_tiers for name, system in site.systems.items()}
    if (edge := site.expressway_e) is not None:
        found[EDGE] = edge.further_tiers
    if (core := site.expressway_c) is not None:
        found[CORE] = core.further_tiers
    return found


def _cards(site: Site) -> Iterator[tuple[str, str, str, Location, tuple[Network, ...]]]:
    if (edge := site.expressway_e) is not None:
        inner = edge.internal_tier or edge.tier
        for index, peer in enumerate(edge.peers):
            here: Location = ("expressway_e", "peers", index)
            yield EDGE, edge.tier, EXTERNAL, (*here, "external"), peer.external
            yield EDGE, inner, INTERNAL, (*here, "internal"), peer.internal
            yield EDGE, edge.tier, SINGLE, (*here, "address"), peer.address
    if (core := site.expressway_c) is not None:
        for index, core_peer in enumerate(core.peers):
            place: Location = ("expressway_c", "peers", index, "address")
            yield CORE, core.tier, SINGLE, place, core_peer.address
    for name, system in site.systems.items():
        if system.tier is not None:
            yield name, system.tier, SINGLE, ("systems", name, "addresses"), system.addresses


def _in_their_tiers(site: Site, own: Iterable[Use]) -> Iterator[Mistake]:
    tiers = site.network.tiers
    for use in own:
        tier = tiers.get(use.tier or "")
        further = [cidr for name in use.further if name in tiers for cidr in tiers[name].cidrs]
        if use.location[0] != "systems" and not is_host(use.network):
            yield Mistake(use.location, f"{use.network} is a range; write the peer's one address")
        elif not _private_place(site, use.network):
            yield Mistake(use.location, _not_private(use.network))
        elif tier is not None and not within(use.network, (*tier.cidrs, *further)):
            cidrs = ", ".join(map(str, tier.cidrs))
            yield Mistake(
                use.location,
                f"{shown(use.network)} is outside the tier {use.tier!r} ({cidrs}); "
                f"{_in_other_place(site, use) or _instead(use)}",
            )


def _in_other_place(site: Site, use: Use) -> str:
    """What to write for an address that another place of the file holds; "" where none does."""
    if not site.places:
        return ""
    atlas = Atlas.of(site)
    tier, place = atlas.tier_of(use.network), atlas.place_of(use.network)
    where = dotted(use.location[:2] if use.location[0] == "systems" else use.location[:1])
    if tier is not None:
        if place == atlas.tiers.get(use.tier or "") or use.location[0] == "expressway_e":
            return (
                f"it is in the tier {tier!r} of the place {place!r}: write an address of "
                f"{use.tier!r}, or that tier (as one of further_tiers, where other hosts are there)"
            )
        return (
            f"it is in the tier {tier!r} of the place {place!r}: write further_tiers: [{tier}] "
            f"in {where}"
        )
    if place is not None:
        return (
            f"it is in the place {place!r}, where no rules are made: write it as {where}.elsewhere"
        )
    return ""


def _instead(use: Use) -> str:
    """What to write for an address that its tier does not hold."""
    if use.location[0] != "systems":
        return (
            "write an address of the tier, or the tier it is in; a peer that runs elsewhere (on "
            "premises, in another network) gets no rules here: write it under "
            f"{use.location[0]}.elsewhere"
        )
    return (
        "no rule made here reaches a host in another network. Where it runs elsewhere (on "
        "premises, in another network), write it as "
        f"{dotted(use.location[:2])}.elsewhere; else write an address of the tier, or the tier it "
        "is in"
    )


def _kept_by_the_cloud(site: Site, own: Iterable[Use]) -> Iterator[Mistake]:
    """The first and last addresses of a subnet are the cloud's own (router, DNS, broadcast)."""
    rule = limits()["reserved"][site.cloud]
    for use in own:
        tiers = [
            site.network.tiers[name]
            for name in (use.tier or "", *use.further)
            if name in site.network.tiers
        ]
        if not tiers or not is_host(use.network):
            continue
        if use.network.version == 6 and not rule["ipv6"]:
            continue
        for cidr in (cidr for tier in tiers for cidr in tier.cidrs):
            if not within(use.network, [cidr]) or cidr.prefixlen > cidr.max_prefixlen - 3:
                continue
            place = int(use.network.network_address) - int(cidr.network_address)
            if place < rule["first"] or place >= cidr.num_addresses - rule["last"]:
                yield Mistake(
                    use.location,
                    f"{shown(use.network)} is kept by the cloud: the first {rule['first']} "
                    f"addresses of a subnet ({cidr}) and the last {rule['last']} are no machine's "
                    f"({rule['source']}); write the machine's own address",
                )


def _once(uses: Iterable[Use]) -> Iterator[Mistake]:
    """One address, one card; but parties elsewhere may be behind one NAT (an office's firewall)."""
    every = tuple(uses)
    overlaps = first_overlaps([use.network for use in every])
    for at, (use, first) in enumerate(zip(every, overlaps, strict=True)):
        for earlier in () if first is None else every[first:at]:
            behind_one = use.elsewhere and earlier.elsewhere and use.owner != earlier.owner
            if not behind_one and use.network.overlaps(earlier.network):
                whose = "of another peer" if earlier.owner == use.owner else f"of {earlier.owner}"
                yield Mistake(
                    use.location,
                    f"{shown(use.network)} is the address {whose} already "
                    f"({dotted(earlier.location)}); every card has its own",
                )
                break


def _public(site: Site) -> Iterator[Mistake]:
    uses: list[Use] = []
    edge, core = site.expressway_e, site.expressway_c
    listed: list[tuple[str, str, list[tuple[Network, ...]]]] = [
        ("expressway_e", EDGE, [peer.public for peer in edge.peers] if edge else []),
        ("expressway_c", CORE, [peer.public for peer in core.peers] if core else []),
    ]
    for key, owner, peers in listed:
        for index, addresses in enumerate(peers):
            for place, network in _each((key, "peers", index, "public"), addresses):
                uses.append(Use(location=place, network=network, owner=owner, tier=None))
    for name, system in site.systems.items():
        for place, network in _each(("systems", name, "public"), system.public):
            uses.append(
                Use(
                    location=place,
                    network=network,
                    owner=name,
                    tier=None,
                    elsewhere=system.tier is None,
                )
            )
    for use in uses:
        if not is_public(use.network):
            yield Mistake(use.location, _not_public(use.network, "the public address"))
        elif use.location[0] != "systems" and not is_host(use.network):
            yield Mistake(use.location, f"{use.network} is a range; write the one public address")
    yield from _once(uses)


def _sets(site: Site) -> Iterator[Mistake]:
    """Sets by name that this cloud does not have, or that are no party of their own."""
    for name, system in site.systems.items():
        here: Location = ("systems", name, "addresses")
        for text in system.sets:
            if not _has_set(site.cloud, text):
                yield Mistake(
                    here,
                    f"{text!r} is not an IP address or CIDR, and no set that {site.cloud} knows by "
                    "name: write an address such as 10.0.1.11, a CIDR such as 10.0.1.0/24, on AWS "
                    "a managed prefix list (pl-...), on Azure a service tag",
                )
            elif text in _EVERYBODY:
                yield Mistake(
                    here, f"{text} is nearly everybody: list the addresses that are meant"
                )
            elif system.tier is not None:
                yield Mistake(here, f"{name} runs here, so its cards have addresses: list those")


def _has_set(cloud: Cloud, name: str) -> bool:
    """Whether a set of this name, of a prefix list or of a service tag, is one of the cloud's."""
    match cloud:
        case Cloud.AWS:
            return name.startswith("pl-")
        case Cloud.AZURE:
            return not name.startswith("pl-")
        case Cloud.GCP:
            return False
        case _:
            assert_never(cloud)


def _systems(site: Site) -> Iterator[Mistake]:
    for name, system in site.systems.items():
        here: Location = ("systems", name)
        for place, network in _each((*here, "addresses"), system.addresses):
            if system.tier is None and network.prefixlen > 0 and within(network, UNUSABLE):
                yield Mistake(place, _not_private(network))
        for place, network in _each((*here, "elsewhere"), system.elsewhere):
            if system.tier is None:
                yield Mistake(
                    place,
                    f"{name} has no tier, so all of it is elsewhere; write {shown(network)} under "
                    f"systems.{name}.addresses",
                )
            elif within(network, UNUSABLE):
                yield Mistake(place, _not_private(network))
        if system.tier is None and system.eni:
            yield Mistake(
                (*here, "eni"), f"{name} has no tier, so it is not managed here; leave `eni` out"
            )
        elif len(system.eni) > 1 and hosts_of(system) is None:
            yield Mistake(
                (*here, "eni"),
                f"{len(system.eni)} network interfaces for {len(system.addresses)} addresses; list "
                "one `eni` for each address, in the same order",
            )
