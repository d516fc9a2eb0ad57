"""What kind of address it is: one's own network, the public internet, or neither.

The address blocks are those of the IANA special-purpose registries (RFC 1918, RFC 6598, RFC 2544,
RFC 4193 and so on). The documentation blocks (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24,
2001:db8::/32) count as public: examples use them in the place of public addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Network,
    IPv6Network,
    collapse_addresses,
    ip_network,
    summarize_address_range,
)
from typing import Final

from flowbridge.deployment.interface import Network

EVERYWHERE: Final[tuple[Network, ...]] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))

PRIVATE: Final[tuple[Network, ...]] = tuple(
    ip_network(block)
    for block in (
        "10.0.0.0/8",  # RFC 1918
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # RFC 6598, shared address space
        "198.18.0.0/15",  # RFC 2544, benchmarking
        "169.254.0.0/16",  # link-local; the clouds' own resolvers and clocks live here
        "fc00::/7",  # RFC 4193, unique local
        "fe80::/10",  # link-local
    )
)
UNUSABLE: Final[tuple[Network, ...]] = tuple(
    ip_network(block)
    for block in ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/128", "::1/128", "ff00::/8")
)
"""Never the address of a host that others reach: this host, multicast, reserved."""


def within(network: Network, blocks: Iterable[Network]) -> bool:
    """Whether the whole of `network` lies in one of `blocks`."""
    return any(_contains(block, network) for block in blocks)


def first_overlaps(networks: Sequence[Network]) -> tuple[int | None, ...]:
    """For each network the place of the first one before it that it shares an address with.

    Networks lie in each other or apart, so that one pass in the order of addresses finds all: a
    file may list tens of thousands, and pairs of them would take hours.
    """
    first = list(range(len(networks)))  # the lowest place among those around it
    inside = list(first)  # and among those in it
    around: list[int] = []

    def leave() -> None:
        inner = around.pop()
        if around:
            inside[around[-1]] = min(inside[around[-1]], inside[inner])

    for at in sorted(first, key=lambda at: (networks[at].version, networks[at])):
        while around and not _contains(networks[around[-1]], networks[at]):
            leave()
        if around:
            first[at] = min(at, first[around[-1]])
        around.append(at)
    while around:
        leave()
    lowest = map(min, first, inside)
    return tuple(found if found < at else None for at, found in enumerate(lowest))


def is_private(network: Network) -> bool:
    """Whether the internet does not route `network`."""
    return within(network, PRIVATE)


def is_public(network: Network) -> bool:
    """Whether `network` is on the internet, at least in part."""
    return not is_private(network) and not within(network, UNUSABLE)


def is_host(network: Network) -> bool:
    """Whether `network` is one address."""
    return network.prefixlen == network.max_prefixlen


def shown(network: Network) -> str:
    """As a person writes it: a host without its prefix length."""
    return str(network.network_address) if is_host(network) else str(network)


def in_order(networks: Iterable[Network]) -> tuple[Network, ...]:
    """Each network once, IPv4 first, then by address."""
    return tuple(sorted(set(networks), key=order))


def order(network: Network) -> tuple[int, int, int]:
    """A sort key over both families."""
    return network.version, int(network.network_address), network.prefixlen


def of_families(networks: Iterable[Network], families: Iterable[int]) -> tuple[Network, ...]:
    """The networks of these IP versions (4, 6)."""
    wanted = frozenset(families)
    return tuple(network for network in networks if network.version in wanted)


def merged(networks: Iterable[Network]) -> tuple[Network, ...]:
    """The same addresses as few CIDRs, IPv4 first."""
    listed = tuple(networks)
    return tuple(
        found
        for version in (4, 6)
        for found in collapse_addresses(
            network  # type: ignore[type-var]
            for network in listed
            if network.version == version
        )
    )


def outside(networks: Iterable[Network], inside: Iterable[Network]) -> tuple[Network, ...]:
    """`networks` without the addresses of `inside`, as few CIDRs, IPv4 first."""
    return _outside(merged(networks), merged(inside))


# Asked for the same internet and the same inside at each point of a deployment.
@lru_cache(maxsize=256)
def _outside(whole: tuple[Network, ...], inside: tuple[Network, ...]) -> tuple[Network, ...]:
    """As `outside`, of what is merged."""
    left: list[Network] = []
    for network in whole:
        kind = type(network.network_address)
        first, last = int(network.network_address), int(network.broadcast_address)
        for block in inside:
            begin, end = int(block.network_address), int(block.broadcast_address)
            if block.version != network.version or end < first or last < begin:
                continue
            if first < begin:
                left.extend(summarize_address_range(kind(first), kind(begin - 1)))
            first = end + 1
        if first <= last:
            left.extend(summarize_address_range(kind(first), kind(last)))
    return tuple(left)


def public_size(networks: Iterable[Network], version: int) -> int:
    """How many public addresses of one IP version `networks` span together."""
    mine = (network for network in networks if network.version == version)
    spans: Iterable[Network] = collapse_addresses(mine)  # type: ignore[type-var]
    return sum(span.num_addresses for span in spans if is_public(span))


def _contains(block: Network, network: Network) -> bool:
    # `subnet_of` of the library builds the ends of both each time.
    return (
        block.version == network.version
        and block.prefixlen <= network.prefixlen
        and int(network.network_address) & int(block.netmask) == int(block.network_address)
    )
