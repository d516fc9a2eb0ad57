"""Which VPC network an interface is in, and which one a rule or an association means.

A network is written as its name, as `projects/P/global/networks/N`, as a self link, as `P/N` (by
a tag key), or as a reference to a `google_compute_network`. Every card of a machine is in a
network of its own, so the network is what tells the interfaces of one machine apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flowbridge.deployment.clouds.gcp import network_of
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface
from flowbridge.providers.terraform.blocks import Block, Reference, is_expression, resources

_LINK: Final = re.compile(r"(?:^|/)projects/(?P<project>[^/]+)/global/networks/(?P<name>[^/]+)$")
_OF_TAG_KEY: Final = re.compile(r"^(?P<project>[^/]+)/(?P<name>[^/]+)$")


@dataclass(frozen=True, slots=True)
class NetworkName:
    """`project` is None where it goes without saying."""

    name: str
    project: str | None = None

    def means(self, other: NetworkName) -> bool:
        return self.name == other.name and (
            self.project is None or other.project is None or self.project == other.project
        )


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks of one deployment and of one file."""

    site: Site
    blocks: Mapping[str, Block]

    @classmethod
    def read(cls, terraform: Mapping[str, Any], site: Site) -> Networks:
        return cls(site, resources(terraform, "google_compute_network"))

    def of(self, interface: Interface) -> NetworkName:
        """The network of `interface`; `_PASSED_IN` where the deployment leaves it to the app."""
        name = network_of(self.site, interface)
        return _PASSED_IN if name is None else _plain(name)

    def named(self, block: Block, key: str) -> NetworkName:
        """The network that `block` names at `key`.

        An expression that the file does not resolve stands for the deployment's own network.
        """
        value = block.text(key)
        if value is None:
            raise block.refusal(f"`{key}` is missing")
        reference = Reference.parse(value)
        if reference is not None and reference.address in self.blocks:
            name = self.blocks[reference.address].literal("name")
            if name is None:
                raise self.blocks[reference.address].refusal("`name` is missing")
            return NetworkName(name)
        if is_expression(value):
            own = self.site.network.id
            return _PASSED_IN if own is None else _plain(own)
        return _plain(value)

    def policies_first(self, network: NetworkName) -> bool:
        """Whether firewall policies are decided before classic rules in `network`."""
        for block in self.blocks.values():
            if block.text("name") == network.name:
                order = block.literal("network_firewall_policy_enforcement_order")
                return order == "BEFORE_CLASSIC_FIREWALL"
        return False


def _plain(value: str) -> NetworkName:
    found = _LINK.search(value) or _OF_TAG_KEY.match(value)
    if found is None:
        return NetworkName(value.rsplit("/", 1)[-1])
    return NetworkName(found["name"], found["project"])


# The network that an app of the user's own passes in by an expression.
_PASSED_IN: Final = NetworkName("")
