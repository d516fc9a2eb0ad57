"""Addresses of a deployment that a module's caller may put others in the place of.

An address that Terraform itself allocates (a public address, a new card's) is known only when it
applies; the file then has a stand-in. One that rules name alone can be replaced. One that is part
of a larger block (two neighbours made one, the internet without it) cannot: the block would have to
be computed anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final

from flowbridge.deployment.selection.inside import USUAL
from flowbridge.deployment.selection.resolution import Resolution

Network = IPv4Network | IPv6Network
_WHOLE: Final = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def late_addresses(resolution: Resolution, resources: Mapping[str, Any]) -> tuple[str, ...]:
    """The single addresses of the file that rules of `resources` name alone, in order."""
    written = _written(resolution)
    texts = set(_texts(resources))
    named = {network for text in texts if (network := _network(text))}
    # A computed block hides or leaves out every address of the block twice its size.
    given = written | set(_WHOLE) | set(USUAL)  # what is denied as private is so whatever they are
    computed = {each.supernet() for each in named - given if each.prefixlen}
    hosts = sorted(
        (each for each in named & written if each.prefixlen == each.max_prefixlen),
        key=lambda each: (each.version, each),
    )
    return tuple(
        str(host.network_address)
        for host in hosts
        if str(host.network_address) not in texts  # an address that something is given
        and not any(host.version == c.version and host.subnet_of(c) for c in computed)  # type: ignore[arg-type]
    )


def _written(resolution: Resolution) -> set[Network]:
    """Every address and network that stands in the file."""
    return {
        network
        for text in _texts(resolution.site.model_dump(mode="json"))
        if (network := _network(text))
    }


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case list() | tuple():
            for each in value:
                yield from _texts(each)


def _network(text: str) -> Network | None:
    if not ("." in text or ":" in text):
        return None
    try:
        return ip_network(text)
    except ValueError:
        return None
