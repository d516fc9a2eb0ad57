"""Places and links that do not fit each other: names, ways, networks that stand twice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from flowbridge.catalog.reading.located_yaml import Location
from flowbridge.deployment.clouds.named_ids import named_networks
from flowbridge.deployment.file.site import Cloud, Link, Site
from flowbridge.deployment.interface import HOME
from flowbridge.deployment.mistake import Mistake, nearest
from flowbridge.deployment.places.atlas import Atlas


def link_mistakes(site: Site) -> Iterator[Mistake]:
    """Links that name nothing, that say nothing, or that say two things of one pair."""
    atlas = Atlas.of(site)
    places = {*atlas.managed, *site.places, *({HOME} & set(atlas.tiers.values()))}
    known = places | set(atlas.tiers)
    said: dict[frozenset[str], int] = {}
    for number, link in enumerate(site.links):
        here: Location = ("links", number)
        names = [(index, name) for index, name in enumerate(link.between)]
        wrong = [(index, name) for index, name in names if name not in known]
        for index, name in wrong:
            yield Mistake(
                (*here, "between", index),
                f"there is no place or tier {name!r}; {nearest(name, known)}",
            )
        if len(set(link.between)) < 2:
            yield Mistake((*here, "between"), "write two different places, or two tiers")
        elif not wrong:
            yield from _way(here, link, site, places)
        for pair in combinations(dict.fromkeys(link.between), 2):
            first = said.setdefault(frozenset(pair), number)
            if first != number:
                yield Mistake(
                    (*here, "between"),
                    f"links[{first}] says how {pair[0]} and {pair[1]} meet already; write one link "
                    "for two places",
                )


def _way(here: Location, link: Link, site: Site, places: set[str]) -> Iterator[Mistake]:
    tiers = [name for name in link.between if name not in places]
    if tiers:
        if len(tiers) < len(link.between):
            yield Mistake(
                (*here, "between"),
                f"{', '.join(tiers)} is a tier and the others are places; write places, or tiers",
            )
        elif link.meet is not None:
            yield Mistake(
                (*here, "meet"),
                "tiers of one place meet inside it; leave `meet` out (inspection: true says that "
                "an appliance stands between), or name their places in `between`",
            )
        elif not link.inspection:
            yield Mistake(here, "this link says nothing; write inspection: true, or leave it out")
    elif link.meet is None:
        yield Mistake(
            here, "it is not told how these places meet: add meet: peered, transit, vpn or internet"
        )
    elif link.meet == "peered":
        clouds = {_cloud(site, name) for name in link.between} - {None}
        if len(clouds) > 1 or any(not _managed(site, name) for name in link.between):
            yield Mistake(
                (*here, "meet"),
                "only networks of one cloud are peered; write vpn, transit or internet",
            )


def _managed(site: Site, name: str) -> bool:
    return name == HOME or (name in site.places and site.places[name].managed)


def _cloud(site: Site, name: str) -> Cloud | None:
    place = site.places.get(name)
    return site.cloud if place is None or place.cloud is None else place.cloud


def range_mistakes(site: Site) -> Iterator[Mistake]:
    """Ranges of places that are not managed, which are no tier's and of one place."""
    listed = [
        (("places", name, "cidrs"), name, cidr)
        for name, place in site.places.items()
        if not place.managed
        for cidr in place.cidrs
    ]
    atlas = Atlas.of(site)
    for number, (location, name, cidr) in enumerate(listed):
        for other, place in atlas.blocks:
            if place != name and place in atlas.tiers.values() and other.overlaps(cidr):
                yield Mistake(
                    location,
                    f"{cidr} overlaps {other} of the place {place!r}; every address is in one "
                    "place: write the ranges of this one alone",
                )
        for _, earlier, other in listed[:number]:
            if earlier != name and other.overlaps(cidr):
                yield Mistake(
                    location,
                    f"{cidr} overlaps {other} of the place {earlier!r}; every address is in one "
                    "place: write the ranges of this one alone",
                )


def twin_mistakes(places: dict[str, Site]) -> Iterator[tuple[str, Mistake]]:
    """Of managed places by name, those that are one network, or that have one stack's name."""
    networks: dict[tuple[str, ...], str] = {}
    stacks: dict[str, str] = {}
    for name, site in places.items():
        other = stacks.setdefault(site.name, name)
        if other != name:
            yield (
                name,
                Mistake(
                    ("name",),
                    f"the stack of the place {other!r} has the name {site.name!r} too; write "
                    "another as `stack`",
                ),
            )
        account = site.provider.model_dump_json()
        for network in named_networks(site):
            key = (site.cloud, account, _project(site), network)
            first = networks.setdefault(key, name)
            if first != name:
                yield (
                    name,
                    Mistake(
                        ("network",),
                        f"{network} is the network of the place {first!r} already, and one network "
                        "is one place: write its tiers there",
                    ),
                )


def _project(site: Site) -> str:
    """What else names a network: the region on AWS, the group on Azure, the project on Google."""
    network = site.network
    group = getattr(network, "resource_group", None) or getattr(network, "project", None)
    return str(group or site.region)


def tier_mistakes(site: Site) -> Iterator[Mistake]:
    """Further tiers that there are not, and a workload in two tiers of one place."""
    atlas = Atlas.of(site)
    for here, tier, inner, further in _standing(site):
        for index, name in enumerate(further):
            if name not in atlas.tiers:
                words = no_tier(site, name) or nearest(name, atlas.tiers)
                yield Mistake(
                    (*here, "further_tiers", index), f"there is no tier {name!r}; {words}"
                )
        own = [name for name in (tier, inner) if name is not None]
        first = {atlas.tiers[name]: name for name in own if name in atlas.tiers}
        seen: dict[str, str] = {}
        for index, name in enumerate(further):
            place = atlas.tiers.get(name)
            if place is None:
                continue
            other = first.get(place) if inner is None else None
            other = other or (seen.setdefault(place, name) if inner is None else None)
            if other is not None and other != name:
                yield Mistake(
                    (*here, "further_tiers", index),
                    f"{name!r} and {other!r} are in one place, where a workload stands in one "
                    "tier: write the hosts of one of them as a system of their own, with its roles",
                )


def no_tier(site: Site, name: str) -> str:
    """What to write for the name of a place where one of a tier belongs; "" where it is none."""
    place = site.places.get(name)
    if place is None:
        return ""
    if place.managed and place.network is not None:
        return f"it is a place: write one of its tiers: {', '.join(place.network.tiers)}"
    return (
        "it is a place where no rules are made: leave this out, and write the hosts there as "
        "`addresses` of a system without a tier, or as `elsewhere` of what runs here"
    )


def _standing(
    site: Site,
) -> Iterator[tuple[Location, str | None, str | None, tuple[str, ...]]]:
    if (edge := site.expressway_e) is not None:
        yield ("expressway_e",), edge.tier, edge.internal_tier, edge.further_tiers
    if (core := site.expressway_c) is not None:
        yield ("expressway_c",), core.tier, None, core.further_tiers
    for name, system in site.systems.items():
        yield ("systems", name), system.tier, None, system.further_tiers
