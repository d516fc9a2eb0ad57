"""Address sets as few CIDRs."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from flowbridge.deployment.interface import Network


def collapsed(networks: Iterable[Network]) -> tuple[Network, ...]:
    """The same addresses as few CIDRs, in rising order, IPv4 first."""
    listed = list(networks)
    return (
        *collapse_addresses(n for n in listed if isinstance(n, IPv4Network)),
        *collapse_addresses(n for n in listed if isinstance(n, IPv6Network)),
    )
