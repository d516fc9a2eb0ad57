"""Workload interfaces: what gets a security group, and the addresses behind it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from flowbridge.deployment.interface_key import InterfaceKey

Network = IPv4Network | IPv6Network

HOME: Final = "home"
"""The place of a file's own `network`, beside which `places` stand."""


@dataclass(frozen=True, slots=True)
class Member:
    """One network card of one peer.

    `private` are its own addresses (host networks, or the fleet's CIDRs); `public` the addresses
    that the cloud translates to it; `attachment` the cloud's id of the existing card (an `eni-`
    id, an Azure NIC id, a GCP instance), where the deployment names one.
    """

    name: str
    private: tuple[Network, ...]
    public: tuple[Network, ...] = ()
    attachment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """`expressway-e/external`: the same card of every peer of one workload, in one tier.

    A named cluster is a workload of its own (`expressway-e-mra`), and `product` says of what.
    Where a deployment is looked at with all its places, `place` is the one of these members, and
    the key begins with it: `dmz-vpc:expressway-e/external`. What is at home has its plain key, so
    that a place more renames nothing.
    """

    workload: str
    name: str
    tier: str
    members: tuple[Member, ...]
    product: str = ""
    place: str = ""

    @property
    def kind(self) -> str:
        """What it is a card of: `expressway-e` of every named cluster, else the workload."""
        return self.product or self.workload

    @property
    def key(self) -> str:
        place = "" if self.place == HOME else self.place
        return str(InterfaceKey(self.workload, self.name, place))

    @property
    def local_key(self) -> str:
        """The key without its place."""
        return InterfaceKey(self.workload, self.name).local

    @property
    def private(self) -> tuple[Network, ...]:
        return tuple(network for member in self.members for network in member.private)

    @property
    def public(self) -> tuple[Network, ...]:
        return tuple(network for member in self.members for network in member.public)

    @property
    def families(self) -> frozenset[int]:
        """IP versions (4, 6) of the private addresses."""
        return frozenset(network.version for network in self.private)
