"""AWS: what `network` has to name, and the form of its ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowbridge.catalog.reading.located_yaml import Location
from flowbridge.deployment.clouds.named_ids import in_two_tiers, named_cards, named_subnets
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
    for kind, location, text in ids:
        pattern, example = _IDS[kind]
        if not pattern.fullmatch(text):
            yield Mistake(location, f"{text!r} is no AWS id of this kind; write one like {example}")


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
