"""What each cloud has to know of the network, and how it writes its ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from flowbridge.catalog.reading.located_yaml import Location
from flowbridge.deployment.file.site import Cloud, Site
from flowbridge.deployment.interface import Interface, Network
from flowbridge.deployment.interfaces import EXTERNAL, INTERNAL, SINGLE
from flowbridge.deployment.mistake import Mistake

_AWS: Final = {
    "vpc": (re.compile(r"^vpc-[0-9a-f]{3,}$"), "vpc-0a1b2c3d4e5f60718"),
    "subnet": (re.compile(r"^subnet-[0-9a-f]{3,}$"), "subnet-0a1b2c3d4e5f60718"),
    "eni": (re.compile(r"^eni-[0-9a-f]{3,}$"), "eni-0a1b2c3d4e5f60718"),
}
_AWS_ID: Final = re.compile(r"^(?:vpc|subnet|eni)-[0-9a-f]{8}(?:[0-9a-f]{9})?$")
_AZURE_ID: Final = re.compile(
    r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/.+$", re.IGNORECASE
)
_AZURE_NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,78}[A-Za-z0-9_]$|^[A-Za-z0-9]$")
_RESOURCE_GROUP: Final = re.compile(r"^[\w()-][\w().-]{0,88}[\w()-]$|^[\w()-]$", re.ASCII)
_GCP_NAME: Final = re.compile(r"^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$")
_GCP_PATH: Final = re.compile(r"^(?:https://[^ ]+/)?projects/[^/]+/(?:global|regions/[^/]+)/.+$")
_GCP_NETWORK: Final = re.compile(r"(?:^|/)projects/([^/]+)/global/networks/([^/]+)$")
_GCP_PROJECT: Final = re.compile(r"^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$")


# The form alone: which regions there are changes faster than any list here. Azure's are also known
# by their names for people ("West Europe").
_REGION: Final = re.compile(r"[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)*")
_REGIONS: Final = {
    Cloud.AWS: "eu-west-1",
    Cloud.AZURE: "westeurope",
    Cloud.GCP: "europe-west1",
}


def network_of(site: Site, interface: Interface) -> str | None:
    """The VPC network of an interface on Google Cloud, where each card is in one of its own."""
    return _network_of(site, interface.name, interface.tier)


def _network_of(site: Site, card: str, tier: str | None) -> str | None:
    """The network named for the card, else for its tier, else for everything."""
    network = site.network
    own = network.tiers[tier].network if tier in network.tiers else None
    return network.networks.get(card) or own or network.id


def network_mistakes(site: Site, *, network_id_elsewhere: bool = False) -> Iterator[Mistake]:
    """What the cloud needs and the file does not say, and ids of the wrong form.

    `network_id_elsewhere`: an app of the user's own passes the network's id in.
    """
    if not _REGION.fullmatch(site.region):
        example = _REGIONS[site.cloud]
        yield Mistake(("region",), f"{site.region!r} is no region: write one like {example}")
    yield from _named_twice(site)
    if site.cloud is not Cloud.GCP:
        yield from _in_two_tiers(site)
    match site.cloud:
        case Cloud.AWS:
            yield from _aws(site, network_id_elsewhere)
        case Cloud.AZURE:
            yield from _azure(site, network_id_elsewhere)
        case Cloud.GCP:
            yield from _gcp(site, network_id_elsewhere)


def _aws(site: Site, elsewhere: bool) -> Iterator[Mistake]:
    if site.network.id is None and not elsewhere:
        yield Mistake(("network",), "AWS needs the VPC: add id: vpc-...")
    ids: list[tuple[str, Location, str]] = []
    if site.network.id is not None and not elsewhere:
        ids.append(("vpc", ("network", "id"), site.network.id))
    ids += [("subnet", location, text) for location, text in _subnets(site)]
    ids += [("eni", location, text) for location, text in _attachments(site)]
    for kind, location, text in ids:
        pattern, example = _AWS[kind]
        if not pattern.fullmatch(text):
            yield Mistake(location, f"{text!r} is no AWS id of this kind; write one like {example}")


def _in_two_tiers(site: Site) -> Iterator[Mistake]:
    tiers: dict[str, str] = {}
    what = "NSG" if site.cloud is Cloud.AZURE else "network ACL"
    for location, subnet in _subnets(site):
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


def _named_twice(site: Site) -> Iterator[Mistake]:
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


def _azure(site: Site, elsewhere: bool) -> Iterator[Mistake]:
    network = site.network
    if network.resource_group is None and not (network.id and _AZURE_ID.fullmatch(network.id)):
        yield Mistake(("network",), "Azure needs the resource group: add resource_group: ...")
    elif network.resource_group is not None and not _RESOURCE_GROUP.fullmatch(
        network.resource_group
    ):
        yield Mistake(
            ("network", "resource_group"),
            f"{network.resource_group!r} is no name of a resource group: up to 90 letters, digits "
            "and . _ - ( ), not ending in a full stop",
        )
    if network.vnet is None and network.id is None and not elsewhere:
        yield Mistake(("network",), "Azure needs the virtual network: add vnet: <its name>")
    if network.vnet and network.id and network.vnet != network.id.rsplit("/", 1)[-1]:
        yield Mistake(
            ("network", "vnet"), f"vnet and id ({network.id}) name two networks; keep one of them"
        )
    names: list[tuple[Location, str]] = [*_subnets(site), *_attachments(site)]
    names += [(("network", key), text) for key in ("vnet", "id") if (text := getattr(network, key))]
    for location, text in names:
        if not (_AZURE_NAME.fullmatch(text) or _AZURE_ID.fullmatch(text) or elsewhere):
            yield Mistake(
                location,
                f"{text!r} is no Azure name; write its name (letters, digits, . _ -) or its full "
                "id (/subscriptions/.../resourceGroups/.../providers/...)",
            )


def _gcp(site: Site, elsewhere: bool) -> Iterator[Mistake]:
    network = site.network
    if network.project is None:
        yield Mistake(("network",), "Google Cloud needs the project: add project: <its id>")
    elif not _GCP_PROJECT.fullmatch(network.project):
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
    for location, text in (*named, *_subnets(site)):
        if not (_GCP_NAME.fullmatch(text) or _GCP_PATH.fullmatch(text)) and not elsewhere:
            yield Mistake(
                location,
                f"{text!r} is no Google Cloud name; write its name (lower-case letters, digits and "
                "hyphens) or its path (projects/PROJECT/global/networks/NAME)",
            )
    if not elsewhere:
        yield from _gcp_networks(site)
    if site.options.gcp.rules == "network-policy":
        yield from _gcp_spellings(named, network.project)


def _gcp_spellings(named: Iterable[tuple[Location, str]], project: str | None) -> Iterator[Mistake]:
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
    found = _GCP_NETWORK.search(network)
    return (found[1], found[2]) if found else (project, network)


def _gcp_networks(site: Site) -> Iterator[Mistake]:
    """Every interface has a network, and two cards of one machine are in two."""
    cards: list[tuple[str, str | None]] = []
    edge, core = site.expressway_e, site.expressway_c
    if edge is not None and edge.nics == "single":
        cards.append((SINGLE, edge.tier))
    if core is not None:
        cards.append((SINGLE, core.tier))
    cards += [(SINGLE, system.tier) for system in site.systems.values() if system.tier is not None]
    if edge is not None and edge.nics == "dual":
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


def ids_of_aws(site: Site) -> Iterator[tuple[Location, str]]:
    """Ids of AWS in a deployment for another cloud, where they may pass for names."""
    if site.cloud is Cloud.AWS:
        return
    network = site.network
    named: list[tuple[Location, str]] = [*_subnets(site), *_attachments(site)]
    named += [(("network", key), text) for key in ("id", "vnet") if (text := getattr(network, key))]
    yield from ((location, text) for location, text in named if _AWS_ID.match(text))


def _subnets(site: Site) -> Iterator[tuple[Location, str]]:
    for name, tier in site.network.tiers.items():
        for index, subnet in enumerate(tier.subnets):
            yield ("network", "tiers", name, "subnets", index), subnet


def _attachments(site: Site) -> Iterator[tuple[Location, str]]:
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
