"""Azure: what `network` has to name, and the form of its names and ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowbridge.catalog.reading.located_yaml import Location
from flowbridge.deployment.clouds.named_ids import in_two_tiers, named_cards, named_subnets
from flowbridge.deployment.file.site import AzureSite
from flowbridge.deployment.mistake import Mistake

_ID: Final = re.compile(r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/.+$", re.IGNORECASE)
_NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,78}[A-Za-z0-9_]$|^[A-Za-z0-9]$")
_RESOURCE_GROUP: Final = re.compile(r"^[\w()-][\w().-]{0,88}[\w()-]$|^[\w()-]$", re.ASCII)


def azure_mistakes(site: AzureSite, *, network_id_elsewhere: bool) -> Iterator[Mistake]:
    """What Azure needs and the file does not say, and names of the wrong form."""
    yield from in_two_tiers(site, "NSG")
    network = site.network
    if network.resource_group is None and not (network.id and _ID.fullmatch(network.id)):
        yield Mistake(("network",), "Azure needs the resource group: add resource_group: ...")
    elif network.resource_group is not None and not _RESOURCE_GROUP.fullmatch(
        network.resource_group
    ):
        yield Mistake(
            ("network", "resource_group"),
            f"{network.resource_group!r} is no name of a resource group: up to 90 letters, digits "
            "and . _ - ( ), not ending in a full stop",
        )
    if network.vnet is None and network.id is None and not network_id_elsewhere:
        yield Mistake(("network",), "Azure needs the virtual network: add vnet: <its name>")
    if network.vnet and network.id and network.vnet != network.id.rsplit("/", 1)[-1]:
        yield Mistake(
            ("network", "vnet"), f"vnet and id ({network.id}) name two networks; keep one of them"
        )
    names: list[tuple[Location, str]] = [*named_subnets(site), *named_cards(site)]
    own = (("vnet", network.vnet), ("id", network.id))
    names += [(("network", key), text) for key, text in own if text]
    for location, text in names:
        if not (_NAME.fullmatch(text) or _ID.fullmatch(text) or network_id_elsewhere):
            yield Mistake(
                location,
                f"{text!r} is no Azure name; write its name (letters, digits, . _ -) or its full "
                "id (/subscriptions/.../resourceGroups/.../providers/...)",
            )
