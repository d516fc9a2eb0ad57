"""Google Cloud: what `network` has to name, the form of its names, and the network of a card."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from flowbridge.catalog.reading.located_yaml import Location
from flowbridge.deployment.clouds.named_ids import named_subnets
from flowbridge.deployment.file.site import GcpSite, Site
from flowbridge.deployment.interface import Interface
from flowbridge.deployment.interfaces import EXTERNAL, INTERNAL, SINGLE
from flowbridge.deployment.mistake import Mistake

_NAME: Final = re.compile(r"^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$")
_PATH: Final = re.compile(r"^(?:https://[^ ]+/)?projects/[^/]+/(?:global|regions/[^/]+)/.+$")
_NETWORK: Final = re.compile(r"(?:^|/)projects/([^/]+)/global/networks/([^/]+)$")
_PROJECT: Final = re.compile(r"^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$")


def network_of(site: Site, interface: Interface) -> str | None:
    """The VPC network of an interface on Google Cloud, where each card is in one of its own."""
    return _network_of(GcpSite.of(site), interface.name, interface.tier)


def _network_of(site: GcpSite, card: str, tier: str | None) -> str | None:
    """The network named for the card, else for its tier, else for everything."""
    network = site.network
    own = network.tiers[tier].network if tier is not None and tier in network.tiers else None
    return network.networks.get(card) or own or network.id


def gcp_mistakes(site: GcpSite, *, network_id_elsewhere: bool) -> Iterator[Mistake]:
    """What Google Cloud needs and the file does not say, and names of the wrong form."""
    network = site.network
    if network.project is None:
        yield Mistake(("network",), "Google Cloud needs the project: add project: <its id>")
    elif not _PROJECT.fullmatch(network.project):
        yield Mistake(
            ("network", "project"),
            f"{network.project!r} is no project id: 6 to 30 lower-case letters, digits and hyphens",
        )
    named: list[tuple[Location, str]] = [(("network", "id"), network.id)] if network.id else []
    for name, text in network.networks.items():
        if name not in (EXTERNAL, INTERNAL, SINGLE):
            yield Mistake(
                ("network", "networks", name),
                f"{name!r} is no interface; write {EXTERNAL}, {INTERNAL} or {SINGLE}",
            )
        named.append((("network", "networks", name), text))
    named += [
        (("network", "tiers", name, "network"), tier.network)
        for name, tier in site.network.tiers.items()
        if tier.network
    ]
    for location, text in (*named, *named_subnets(site)):
        if not (_NAME.fullmatch(text) or _PATH.fullmatch(text)) and not network_id_elsewhere:
            yield Mistake(
                location,
                f"{text!r} is no Google Cloud name; write its name (lower-case letters, digits and "
                "hyphens) or its path (projects/PROJECT/global/networks/NAME)",
            )
    if not network_id_elsewhere:
        yield from _networks_of_cards(site)
    if site.options.gcp.rules == "network-policy":
        yield from _spellings(named, network.project)


def _spellings(named: Iterable[tuple[Location, str]], project: str | None) -> Iterator[Mistake]:
    """A network by two names would get two firewall policies, and it takes one."""
    first: dict[tuple[str | None, str], str] = {}
    for location, text in named:
        other = first.setdefault(whole_name(text, project), text)
        if other != text:
            yield Mistake(
                location, f"{text!r} is the network that is {other!r} elsewhere: write {other!r}"
            )


def whole_name(network: str, project: str | None) -> tuple[str | None, str]:
    """Project and name of a VPC network on Google Cloud, however it is written; `project` where it
    is written without one."""
    found = _NETWORK.search(network)
    return (found[1], found[2]) if found else (project, network)


def _networks_of_cards(site: GcpSite) -> Iterator[Mistake]:
    """Every interface has a network, and two cards of one machine are in two."""
    cards: list[tuple[str, str | None]] = []
    edge, core = site.expressway_e, site.expressway_c
    if edge is not None and edge.nics == "single":
        cards.append((SINGLE, edge.tier))
    if core is not None:
        cards.append((SINGLE, core.tier))
    cards += [(SINGLE, system.tier) for system in site.systems.values() if system.tier is not None]
    inner_tier = None if edge is None else edge.internal_tier or edge.tier
    # Of two cards in two places each place has its own network.
    both_here = edge is None or {edge.tier, inner_tier} <= set(site.network.tiers)
    cards = [(card, tier) for card, tier in cards if not site.places or tier in site.network.tiers]
    if edge is not None and edge.nics == "dual" and (both_here or not site.places):
        project = site.network.project
        outer = _network_of(site, EXTERNAL, edge.tier)
        inner = _network_of(site, INTERNAL, edge.internal_tier or edge.tier)
        one_for_both = (
            outer is None
            or inner is None
            or whole_name(outer, project) == whole_name(inner, project)
        )
        if one_for_both:
            yield Mistake(
                ("network",),
                "on Google Cloud the two cards of a machine are in two VPC networks: add "
                "networks: {external: <network>, internal: <network>}",
            )
    if any(_network_of(site, card, tier) is None for card, tier in cards):
        yield Mistake(("network",), "Google Cloud needs the VPC network: add id: <its name>")
