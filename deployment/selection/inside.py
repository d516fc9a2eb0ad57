"""The inside: what `internet` never means.

A row that prints the internet means hosts that nobody here can list. Private addresses, the tiers
and the systems of the file are none of them: what they may send and get is said by rows of their
own. `network.private` says which address blocks are private, where it is not the usual ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from typing import Final

from flowbridge.catalog.party import Party
from flowbridge.deployment.addresses import PRIVATE, UNUSABLE, is_private, merged, within
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Network

USUAL: Final[tuple[Network, ...]] = tuple(
    ip_network(block)
    for block in (
        "10.0.0.0/8",  # RFC 1918
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # RFC 6598
        "169.254.0.0/16",  # RFC 3927, link local
        "fc00::/7",  # RFC 4193, unique local
        "fe80::/10",  # RFC 4291, link local
    )
)


def inside_of(site: Site, parties: Mapping[str, Party]) -> tuple[Network, ...]:
    """The addresses that `internet` leaves out, as few CIDRs.

    Of systems by which people sit (`Party.people`), public addresses stay in: those of an office
    are everybody's who works there, and their calls come from the internet like any other.
    """
    private = USUAL if site.network.private is None else site.network.private
    tiers = (cidr for tier in site.network.tiers.values() for cidr in tier.cidrs)
    systems = (
        network
        for name, system in site.systems.items()
        if not _from_outside(name, parties)
        for network in system.addresses
        if network.prefixlen and (is_private(network) or not _of_people(name, parties))
    )
    return merged((*private, *tiers, *systems))


def means_internet(addresses: Iterable[Network], version: int) -> bool:
    """Whether a list by hand is what `internet` means in one IP version: every public address,
    whatever else it names."""
    listed = merged((*(n for n in addresses if n.version == version), *PRIVATE, *UNUSABLE))
    everything = ip_network("0.0.0.0/0" if version == 4 else "::/0")
    return within(everything, listed)


def _from_outside(name: str, parties: Mapping[str, Party]) -> bool:
    """Whether the party stands for hosts of the internet, all of them or those of a partner."""
    party = parties.get(name)
    return party is not None and party.default == "internet"


def _of_people(name: str, parties: Mapping[str, Party]) -> bool:
    party = parties.get(name)
    return party is not None and party.people
