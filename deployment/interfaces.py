"""The workload interfaces of a site: Expressways by their cards, systems that have a tier.

A member is named by its first private address, so that adding or reordering peers renames none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from flowbridge.deployment.addresses import in_order, order
from flowbridge.deployment.file.site import (
    CorePeer,
    EdgePeer,
    ExpresswayC,
    ExpresswayE,
    NamedCore,
    NamedEdge,
    Site,
    System,
)
from flowbridge.deployment.interface import Interface, Member, Network

EDGE: Final = "expressway-e"
CORE: Final = "expressway-c"
EXTERNAL: Final = "external"
INTERNAL: Final = "internal"
SINGLE: Final = "single"


def interfaces_of(site: Site) -> tuple[Interface, ...]:
    """All interfaces that get a security group, ordered by key. Needs a validated site."""
    return tuple(sorted(_all(site), key=lambda interface: interface.key))


def _all(site: Site) -> Iterable[Interface]:
    for name, edge in _edges(site):
        for card, tier, members in _edge_cards(edge):
            yield _clustered(_interface(EDGE, card, tier, members), name)
    for name, core in _cores(site):
        yield _clustered(_interface(CORE, SINGLE, core.tier, map(_core, core.peers)), name)
    for name, system in site.systems.items():
        if system.tier is not None:
            yield _interface(name, SINGLE, system.tier, members_of(system))


def _edges(site: Site) -> Iterable[tuple[str | None, ExpresswayE]]:
    """Each Expressway-E cluster with its name, where it has one."""
    if isinstance(site.edge, ExpresswayE):
        yield (site.edge.cluster if isinstance(site.edge, NamedEdge) else None), site.edge
    elif site.edge is not None:
        yield from site.edge.items()


def _cores(site: Site) -> Iterable[tuple[str | None, ExpresswayC]]:
    """Each Expressway-C cluster with its name, where it has one."""
    if isinstance(site.core, ExpresswayC):
        yield (site.core.cluster if isinstance(site.core, NamedCore) else None), site.core
    elif site.core is not None:
        yield from site.core.items()


def _edge_cards(edge: ExpresswayE) -> Iterable[tuple[str, str, Iterable[Member]]]:
    """Each card with its tier and members."""
    if edge.nics == "single":
        members = (_member(peer.address, peer.public, peer.eni) for peer in edge.peers)
        yield SINGLE, edge.tier, members
    else:
        yield EXTERNAL, edge.tier, map(_outer, edge.peers)
        yield INTERNAL, edge.internal_tier or edge.tier, map(_inner, edge.peers)


def _clustered(interface: Interface, cluster: str | None) -> Interface:
    """The card as one of the named cluster."""
    if cluster is None:
        return interface
    workload = f"{interface.workload}-{cluster}"
    return replace(interface, workload=workload, product=interface.workload)


def _interface(workload: str, name: str, tier: str, members: Iterable[Member]) -> Interface:
    ordered = sorted(members, key=lambda member: [order(network) for network in member.private])
    return Interface(workload=workload, name=name, tier=tier, members=tuple(ordered))


def _outer(peer: EdgePeer) -> Member:
    return _member(peer.external, peer.public, peer.external_eni)


def _inner(peer: EdgePeer) -> Member:
    return _member(peer.internal, (), peer.internal_eni)


def _core(peer: CorePeer) -> Member:
    return _member(peer.address, peer.public, peer.eni)


def _member(
    private: Sequence[Network], public: Sequence[Network], attachment: str | None
) -> Member:
    own = in_order(private)
    return Member(str(own[0].network_address), own, in_order(public), attachment)


def members_of(system: System) -> tuple[Member, ...]:
    """The hosts of a system.

    Lists that have one entry a host (in either family) are read side by side: the second public
    address and the second `eni` belong to the second address. Anything else is one member.
    """
    count = hosts_of(system)
    if count is None:
        attachment = system.eni[0] if system.eni else None
        return (_member(system.addresses, system.public, attachment),)
    return tuple(
        _member(
            _every(system.addresses, count, index),
            _every(system.public, count, index),
            system.eni[index] if system.eni else None,
        )
        for index in range(count)
    )


def hosts_of(system: System) -> int | None:
    """How many hosts the lists of a system speak of; None where the lists do not pair up."""
    counts = {
        len(networks)
        for listed in (system.addresses, system.public)
        for version in (4, 6)
        if (networks := [network for network in listed if network.version == version])
    }
    counts |= {len(system.eni)} if system.eni else set()
    return counts.pop() if len(counts) == 1 else None


def _every(networks: Sequence[Network], count: int, index: int) -> tuple[Network, ...]:
    """The `index`th network of each family."""
    out: list[Network] = []
    for version in (4, 6):
        family = [network for network in networks if network.version == version]
        if len(family) == count:
            out.append(family[index])
    return tuple(out)
