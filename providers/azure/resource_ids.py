"""Ids of what exists already: the resource group, subnets and network cards of a deployment.

A deployment names them by their names or by their full ids. A name becomes an id with the
subscription of the provider settings or of the network's own id; where neither tells, with that
of the credentials, which Terraform reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from flowbridge.deployment.file.site import AzureSite, Site

_ID: Final = re.compile(
    r"^/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/.+$",
    re.IGNORECASE,
)
_CLIENT: Final = ("azurerm_client_config", "current")
_OF_CLIENT: Final = f"${{data.{_CLIENT[0]}.{_CLIENT[1]}.subscription_id}}"


@dataclass(frozen=True, slots=True)
class ResourceIds:
    """`network` is the VNet's name or full id, and may be an expression."""

    subscription: str
    resource_group: str
    network: str

    @classmethod
    def of(cls, site: Site, network_id: str | None = None) -> ResourceIds:
        """Empty texts where the site does not say: see `providers.azure.cloud`."""
        azure = AzureSite.of(site)
        network = network_id or azure.network.id or azure.network.vnet or ""
        parts = _ID.match(network)
        subscription = azure.provider.subscription or (parts["subscription"] if parts else "")
        group = azure.network.resource_group or (parts["group"] if parts else "")
        return cls(subscription or _OF_CLIENT, group, network)

    @property
    def vnet(self) -> str:
        """The id of the VNet."""
        if self.network.startswith("/"):
            return self.network
        return f"{self._provider}/virtualNetworks/{self.network}"

    def subnet(self, name: str) -> str:
        """The id of a subnet of the VNet."""
        return name if name.startswith("/") else f"{self.vnet}/subnets/{name}"

    def card(self, name: str) -> str:
        """The id of a network card in the resource group."""
        return name if name.startswith("/") else f"{self._provider}/networkInterfaces/{name}"

    @property
    def _provider(self) -> str:
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
        return f"{group}/providers/Microsoft.Network"


def data_for(text: str) -> dict[str, dict[str, dict[str, str]]]:
    """The data source that `text` (a whole document) refers to; empty where it needs none."""
    kind, name = _CLIENT
    return {kind: {name: {}}} if _OF_CLIENT in text else {}
