"""Firewalls on the way: zones must name what there is, and no network is behind two of them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from flowbridge.catalog.reading.located_yaml import Location
from flowbridge.deployment.addresses import shown
from flowbridge.deployment.file.firewalls import FirewallKind, FirewallOnTheWay
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.mistake import Mistake, nearest
from flowbridge.deployment.zones import INTERNET, named_networks, networks_behind

_WITH_PARENT = {
    FirewallKind.AZURE: "the firewall policy's id",
    FirewallKind.GCP: "the organization or folder, such as organizations/123456789",
}


def firewall_mistakes(site: Site) -> Iterator[Mistake]:
    """Names that the file does not have, networks behind two zones, NAT of whole networks."""
    for name, firewall in site.firewalls.items():
        at = ("firewalls", name)
        parent = _WITH_PARENT.get(firewall.kind)
        if parent and firewall.id is None:
            yield Mistake(at, f"id is missing: write {parent}")
        if firewall.id is not None and not parent:
            yield Mistake((*at, "id"), f"a {firewall.kind} has no parent in a cloud: leave it out")
        yield from _zones(site, firewall, at)
        yield from _nat(firewall, at)


def _zones(site: Site, firewall: FirewallOnTheWay, at: Location) -> Iterator[Mistake]:
    known = named_networks(site)
    seen: dict[object, str] = {}
    for zone, side in firewall.zones.items():
        for number, text in enumerate(side.behind):
            place = (*at, "zones", zone, "behind", number)
            if text != INTERNET and text not in known and _bad(text):
                yield Mistake(
                    place,
                    f"{text!r} is no tier, place, system or CIDR of this file: "
                    f"{nearest(text, [*known, INTERNET])} Or write a CIDR such as 10.0.1.0/24",
                )
                continue
            for network in networks_behind(site, (text,)) if text != INTERNET else (INTERNET,):
                other = seen.setdefault(network, zone)
                if other != zone:
                    label = network if isinstance(network, str) else shown(network)
                    yield Mistake(
                        place, f"{label} is behind {other} already: write it on one side only"
                    )


def _nat(firewall: FirewallOnTheWay, at: Location) -> Iterator[Mistake]:
    owned: set[object] = set()
    for number, nat in enumerate(firewall.nat):
        place = (*at, "nat", number)
        if nat.own.num_addresses != 1 or nat.public.num_addresses != 1:
            yield Mistake(place, "write single addresses for own and public")
        elif nat.own.version != nat.public.version:
            yield Mistake(place, "own and public are of two IP versions; write two of one")
        elif nat.own in owned or nat.public in owned:
            yield Mistake(place, "one of the two is in another line of nat; write each once")
        owned |= {nat.own, nat.public}


def _bad(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return True
    return False
