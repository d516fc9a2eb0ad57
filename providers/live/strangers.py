"""Machines that are not the deployment's and wear what was made for its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flowbridge.policy.audit.estate import Departure, Deviation
from flowbridge.policy.compiled import Policy
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.point import Direction, Point

# More addresses than any organisation has are the world: a quarter of a per cent of IPv4, or an
# IPv6 range that no registry hands to one network.
_WORLD = {4: 2**24 + 1, 6: 2**112}


def foreign_member(
    policy: Policy,
    found: Mapping[str, frozenset[str]],
    keys: Iterable[str],
    subject: str,
    message: str,
) -> Deviation:
    """A machine that is none of the interfaces `keys` and has their group or tag.

    Drift where a declared member of them was not found (it may be that very machine, elsewhere),
    and where the world gets in by it.
    """
    told = tuple(keys)
    lost = [key for key in told if _missing(policy, found, key)]
    opened = [key for key in told if is_world_open(policy, key)]
    if lost:
        message = f"{message}, and not every declared member of {', '.join(lost)} was found"
    if opened:
        message = f"{message}; what was made for {', '.join(opened)} lets the whole internet in"
    return Deviation(
        Departure.FOREIGN_MEMBER, subject, message, drift=bool(lost or opened), interfaces=told
    )


def is_world_open(policy: Policy, key: str) -> bool:
    """Whether flows let more peers into an interface than one organisation has."""
    return any(
        _is_world(demand.peer.addresses)
        for demand in policy.demands.get(Point(key, Direction.INGRESS), ())
    )


def _is_world(networks: Iterable[Network]) -> bool:
    counted = {4: 0, 6: 0}
    for network in networks:
        counted[network.version] += network.num_addresses
    return any(counted[version] >= most for version, most in _WORLD.items())


def _missing(policy: Policy, found: Mapping[str, frozenset[str]], key: str) -> bool:
    there = found.get(key, frozenset())
    return any(
        member.name not in there
        for interface in policy.interfaces
        if interface.key == key
        for member in interface.members
    )
