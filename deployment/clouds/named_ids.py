"""Subnets and cards as deployment files name them on every cloud, and subnets that stand twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from flowbridge.catalog.reading.located_yaml import Location
from flowbridge.deployment.file.site import AzureSite, Cloud, GcpSite, Site
from flowbridge.deployment.interface import Network
from flowbridge.deployment.mistake import Mistake


def named_subnets(site: Site) -> Iterator[tuple[Location, str]]:
    """The subnets of the tiers, each with its place in the file."""
    for name, tier in site.network.tiers.items():
        for index, subnet in enumerate(tier.subnets):
            yield ("network", "tiers", name, "subnets", index), subnet


def named_networks(site: Site) -> tuple[str, ...]:
    """The VPCs, VNets or VPC networks, as the file names them."""
    match site.cloud:
        case Cloud.AWS:
            names = [site.network.id]
        case Cloud.AZURE:
            names = [site.network.id, AzureSite.of(site).network.vnet]
        case Cloud.GCP:
            google = GcpSite.of(site).network
            own = (tier.network for tier in google.tiers.values())
            names = [google.id, *google.networks.values(), *own]
        case _:
            assert_never(site.cloud)
    return tuple(name for name in names if name)


def named_cards(site: Site) -> Iterator[tuple[Location, str]]:
    """The existing network cards of peers and systems, each with its place in the file."""
    edge, core = site.expressway_e, site.expressway_c
    for index, peer in enumerate(edge.peers if edge else ()):
        for key in ("eni", "external_eni", "internal_eni"):
            if (text := getattr(peer, key)) is not None:
                yield ("expressway_e", "peers", index, key), text
    for index, core_peer in enumerate(core.peers if core else ()):
        if core_peer.eni is not None:
            yield ("expressway_c", "peers", index, "eni"), core_peer.eni
    for name, system in site.systems.items():
        for index, text in enumerate(system.eni):
            yield ("systems", name, "eni", index), text


def hosts_in(site: Site, tier: str) -> Iterator[tuple[Location, Network]]:
    """The addresses of systems and Expressway-C in `tier`, each with its place in the file."""
    core = site.expressway_c
    if core is not None and core.tier == tier:
        for index, core_peer in enumerate(core.peers):
            yield from _each(("expressway_c", "peers", index, "address"), core_peer.address)
    for name, system in site.systems.items():
        if system.tier == tier:
            yield from _each(("systems", name, "addresses"), system.addresses)


def _each(location: Location, networks: Sequence[Network]) -> Iterator[tuple[Location, Network]]:
    for index, network in enumerate(networks):
        yield ((*location, index) if len(networks) > 1 else location), network


def in_two_tiers(site: Site, what: str) -> Iterator[Mistake]:
    """A subnet that two tiers name; `what` it has only one of."""
    tiers: dict[str, str] = {}
    for location, subnet in named_subnets(site):
        tier = str(location[2])
        first = tiers.setdefault(_as_listed(subnet, tiers), tier)
        if first != tier:
            yield Mistake(
                location,
                f"{subnet} is a subnet of the tier {first!r} already, and a subnet has one {what}; "
                "name it in one of them",
            )


def _as_listed(subnet: str, known: Iterable[str]) -> str:
    """`subnet` as it stands in `known` already: Azure and Google Cloud take its name or its path,
    in any case of letters."""
    folded = subnet.casefold()
    last = folded.rsplit("/", 1)[-1]
    for each in known:
        other = each.casefold()
        by_name = last == other.rsplit("/", 1)[-1] and ("/" not in folded or "/" not in other)
        if folded == other or by_name:
            return each
    return subnet


def named_twice(site: Site) -> Iterator[Mistake]:
    """A subnet that stands twice in a tier: most likely another is missing, and has no filter."""
    for name, tier in site.network.tiers.items():
        first: dict[str, int] = {}
        for index, subnet in enumerate(tier.subnets):
            known = first.setdefault(_as_listed(subnet, first), index)
            if known != index and not _one_subnet(tier.cidrs, known, index):
                yield Mistake(
                    ("network", "tiers", name, "subnets", index),
                    f"{subnet} stands in this list already; write the subnet that is missing, or "
                    "leave this one out",
                )


def _one_subnet(cidrs: Sequence[Network], first: int, second: int) -> bool:
    """Whether the lists speak of the IPv4 and the IPv6 range of one subnet, side by side."""
    if max(first, second) >= len(cidrs):
        return False
    return cidrs[first].version != cidrs[second].version
