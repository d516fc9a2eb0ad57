"""What is behind each zone of a firewall on the way, as networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from typing import Final

from flowbridge.deployment.addresses import in_order
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import HOME, Network
from flowbridge.deployment.interfaces import interfaces_of

INTERNET: Final = "internet"


def named_networks(site: Site) -> Mapping[str, tuple[Network, ...]]:
    """The networks of every name that a zone may write: tiers, systems, workloads, places."""
    named: dict[str, tuple[Network, ...]] = {
        name: tuple(tier.cidrs) for name, tier in site.network.tiers.items()
    }
    for name, system in site.systems.items():
        named[name] = in_order((*named.get(name, ()), *(system.addresses or ())))
    for card in interfaces_of(site):
        named[card.workload] = in_order((*named.get(card.workload, ()), *card.private))
    for name, networks in _of_places(site).items():
        named.setdefault(name, networks)
    return named


def _of_places(site: Site) -> Mapping[str, tuple[Network, ...]]:
    """What is in each place: the ranges of its tiers, or its own; those of no place are at home."""
    found: dict[str, tuple[Network, ...]] = {}
    elsewhere: set[str] = set()
    for name, place in site.places.items():
        tiers = place.network.tiers if place.network is not None else {}
        elsewhere |= set(tiers)
        found[name] = in_order((*place.cidrs, *(c for tier in tiers.values() for c in tier.cidrs)))
    at_home = {name: tier for name, tier in site.network.tiers.items() if name not in elsewhere}
    if site.places and at_home:
        found.setdefault(HOME, in_order(c for tier in at_home.values() for c in tier.cidrs))
    return found


def networks_behind(site: Site, texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks that `behind` names, without those that `internet` means."""
    named = named_networks(site)
    return in_order(
        network
        for text in texts
        if text != INTERNET
        for network in (named[text] if text in named else (ip_network(text),))
    )
