"""AWS: what `network` has to name, and the form of its ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowbridge.catalog.reading.located_yaml import Location, dotted
from flowbridge.deployment.addresses import shown, within
from flowbridge.deployment.clouds.named_ids import (
    hosts_in,
    in_two_tiers,
    named_cards,
    named_subnets,
)
from flowbridge.deployment.file.site import AwsSite, AzureSite, Site
from flowbridge.deployment.mistake import Mistake

_IDS: Final = {
    "vpc": (re.compile(r"^vpc-[0-9a-f]{3,}$"), "vpc-0a1b2c3d4e5f60718"),
    "subnet": (re.compile(r"^subnet-[0-9a-f]{3,}$"), "subnet-0a1b2c3d4e5f60718"),
    "eni": (re.compile(r"^eni-[0-9a-f]{3,}$"), "eni-0a1b2c3d4e5f60718"),
}
_ID: Final = re.compile(r"^(?:vpc|subnet|eni)-[0-9a-f]{8}(?:[0-9a-f]{9})?$")


def aws_mistakes(site: AwsSite, *, network_id_elsewhere: bool) -> Iterator[Mistake]:
    """What AWS needs and the file does not say, and ids of the wrong form."""
    if site.network.id is None and not network_id_elsewhere:
        yield Mistake(("network",), "AWS needs the VPC: add id: vpc-...")
    ids: list[tuple[str, Location, str]] = []
    if site.network.id is not None and not network_id_elsewhere:
        ids.append(("vpc", ("network", "id"), site.network.id))
    ids += [("subnet", location, text) for location, text in named_subnets(site)]
    ids += [("eni", location, text) for location, text in named_cards(site)]
    yield from in_two_tiers(site, "network ACL")
    yield from _without_subnet(site)
    for kind, location, text in ids:
        pattern, example = _IDS[kind]
        if not pattern.fullmatch(text):
            yield Mistake(location, f"{text!r} is no AWS id of this kind; write one like {example}")


def _without_subnet(site: AwsSite) -> Iterator[Mistake]:
    """Hosts in a range of their tier for which the tier names no subnet.

    A subnet of AWS has one IPv4 range, so a tier that names fewer subnets than ranges lists ranges
    of another network, whose hosts no group and no network ACL of this VPC ever sees. The cards of
    an Expressway-E are always here.
    """
    for name, tier in site.network.tiers.items():
        ranges = [network for network in tier.cidrs if network.version == 4]
        bare = ranges[len(dict.fromkeys(tier.subnets)) :] if tier.subnets else []
        for location, network in hosts_in(site, name):
            if within(network, bare):
                where = dotted(location[:2] if location[0] == "systems" else location[:1])
                yield Mistake(
                    location,
                    f"{shown(network)} is in a range of the tier {name!r} for which the tier names "
                    f"no subnet ({', '.join(map(str, bare))}); name its subnet under "
                    f"network.tiers.{name}.subnets or, where the host runs elsewhere (on premises, "
                    f"in another network), take the range out of the tier and write the address "
                    f"as {where}.elsewhere",
                )


def ids_of_aws(site: Site) -> Iterator[tuple[Location, str]]:
    """Ids of AWS in a deployment for another cloud, where they may pass for names."""
    if isinstance(site, AwsSite):
        return
    named: list[tuple[Location, str]] = [*named_subnets(site), *named_cards(site)]
    if site.network.id:
        named.append((("network", "id"), site.network.id))
    if isinstance(site, AzureSite) and site.network.vnet:
        named.append((("network", "vnet"), site.network.vnet))
    yield from ((location, text) for location, text in named if _ID.match(text))
