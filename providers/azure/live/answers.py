"""What the network resource provider answered for one place, as it spells it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from flowbridge.deployment.file.site import Site
from flowbridge.providers.azure.resource_ids import ResourceIds
from flowbridge.providers.live.answered import Answered, Row
from flowbridge.providers.live.contract import Access

# Where Terraform and the Azure tools look for the subscription; an id, no secret.
_SUBSCRIPTION_VARIABLES: Final = ("ARM_SUBSCRIPTION_ID", "AZURE_SUBSCRIPTION_ID")
_NETWORK: Final = re.compile(
    r"^(?P<network>/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.Network/virtualNetworks/(?P<name>[^/]+))(?:/.*)?$",
    re.IGNORECASE,
)


class Part(StrEnum):
    """One list that is read, named as a person counts it."""

    NETWORKS = "virtual networks"
    UNSEEN = "peered networks that were not read"
    NSGS = "network security groups"
    GROUPS = "application security groups"
    CARDS = "network interfaces"
    ADDRESSES = "public addresses"
    ADMIN_RULES = "security admin rules"
    USAGES = "quotas"
    RESOURCE_GROUP = "resource group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Deployments in one place share one fetch. `networks` are ids; the site's own is the first.

    `endpoint` is another server than Azure's own; `by_command`: the command names it.
    """

    subscription: str
    resource_group: str
    region: str
    networks: tuple[str, ...]
    endpoint: str | None
    by_command: bool

    @classmethod
    def of(cls, site: Site, access: Access) -> Place:
        ids = ResourceIds.of(site)
        subscription = ids.subscription
        if "${" in subscription:
            # Terraform would ask its credentials.
            subscription = next(
                (value for name in _SUBSCRIPTION_VARIABLES if (value := os.environ.get(name))), ""
            )
        group = f"/subscriptions/{subscription}/resourceGroups/{ids.resource_group}"
        own = ids.network
        if not own.startswith("/"):
            own = f"{group}/providers/Microsoft.Network/virtualNetworks/{own}"
        subnets = (s for tier in site.network.tiers.values() for s in tier.subnets)
        named = [found["network"] for s in subnets if (found := _NETWORK.match(s))]
        networks = {network.lower(): network for network in (own, *named)}
        file = site.provider.endpoints
        endpoint = access.endpoint_url or file.get("resource_manager") or file.get("*")
        return cls(
            subscription=subscription,
            resource_group=ids.resource_group,
            region=site.region,
            networks=tuple(networks.values()),
            endpoint=endpoint.rstrip("/") if endpoint else None,
            by_command=bool(access.endpoint_url),
        )

    @property
    def scope(self) -> str:
        return f"subscription {self.subscription or '(not named)'} {self.region}"

    def id_of(self, kind: str, name: str) -> str:
        """The id of a network resource of the resource group; a full id stays what it is."""
        if name.startswith("/"):
            return name
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
        return f"{group}/providers/Microsoft.Network/{kind}/{name}"

    def subnet_id(self, name: str) -> str:
        """The id of a subnet that the deployment names."""
        return name if name.startswith("/") else f"{self.networks[0]}/subnets/{name}"


def network_parts(network: str) -> tuple[str, str, str]:
    """Subscription, resource group and name in the id of a virtual network (or of a part of it).

    ValueError for another id.
    """
    found = _NETWORK.match(network)
    if found is None:
        raise ValueError(f"{network!r} is no id of a virtual network")
    return found["subscription"], found["group"], found["name"]


class Answers(Answered[Place, Part]):
    """All answers of one place."""

    __slots__ = ()


def properties(row: Row) -> Row:
    """The `properties` of a resource; empty where it has none."""
    found = row.get("properties")
    return found if isinstance(found, Mapping) else {}


def same(one: str | None, two: str | None) -> bool:
    """Whether two ids or names are one: Azure does not tell capitals apart."""
    return (one or "").lower() == (two or "").lower()


def tags_of(row: Row) -> dict[str, str]:
    return dict(row.get("tags") or {})


def subnets_of(answers: Answers) -> dict[str, Row]:
    """Every subnet that was read, by its id in lower case."""
    return {
        str(subnet["id"]).lower(): subnet
        for network in answers.parts.get(Part.NETWORKS, ())
        for subnet in properties(network).get("subnets") or ()
    }
