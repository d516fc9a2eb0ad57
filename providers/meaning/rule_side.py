"""One end of a rule: the addresses and groups it names, and whether a machine is among them.

On Azure and Google Cloud a rule also says which machines of a network it is for. A member of an
interface may be a whole range of machines, and a rule may be for a part of it; so a member is
tried at every address where the answer can change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final

from flowbridge.deployment.addresses import within
from flowbridge.deployment.interface import Member
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.packets.packet_set import EVERY_ADDRESS, PacketSet
from flowbridge.policy.unknown import Unknown

# For each rule, the IP versions in which it is for the machine.
Coverage = tuple[frozenset[int], ...]

_VERSIONS: Final = (4, 6)
_OF_FAMILY: Final[dict[int, PacketSet]] = {
    whole.version: PacketSet.of([whole], None) for whole in EVERY_ADDRESS
}


@dataclass(frozen=True, slots=True)
class RuleSide:
    """`everything`: any address of any family. `unknown` is what the file leaves open, of no rule
    yet; that part has no addresses here."""

    networks: tuple[Network, ...] = ()
    groups: tuple[str, ...] = ()
    everything: bool = False
    unknown: tuple[Unknown, ...] = ()

    def covers(self, address: Network | None, groups: frozenset[str]) -> bool:
        """Whether a machine with `address` (a single one), a member of `groups`, is meant."""
        if self.everything or not groups.isdisjoint(self.groups):
            return True
        return address is not None and within(address, self.networks)


def coverages(
    member: Member, sides: Sequence[RuleSide], groups: frozenset[str] = frozenset()
) -> Iterator[Coverage]:
    """Every way in which rules with these local `sides` are for an address of `member`."""
    families = [_telling_addresses(member, sides, version) for version in _VERSIONS]
    for i in range(max(map(len, families))):
        addresses = [family[i % len(family)] for family in families]
        yield tuple(
            frozenset(
                version
                for version, address in zip(_VERSIONS, addresses, strict=True)
                if side.covers(address, groups)
            )
            for side in sides
        )


def of_members(
    ways: Iterable[tuple[Member, Coverage]],
) -> dict[Coverage, None]:
    """All `ways` in which rules are for one of several members, each once.

    A member that has addresses of one IP version only is asked for nothing in the other and gets
    nothing there, so in that version it is taken as the members that have addresses of it.
    """
    known = [({own.version for own in member.private}, covered) for member, covered in ways]
    found: dict[Coverage, None] = {}
    for versions, covered in known:
        filled = [covered]
        for version in _VERSIONS:
            others = dict.fromkeys(_only(c, version) for have, c in known if version in have)
            if versions and version not in versions and others:
                filled = [_with(one, other, version) for one in filled for other in others]
        found.update(dict.fromkeys(filled))
    return found


def _only(covered: Coverage, version: int) -> Coverage:
    return tuple(versions & {version} for versions in covered)


def _with(covered: Coverage, other: Coverage, version: int) -> Coverage:
    return tuple((mine - {version}) | theirs for mine, theirs in zip(covered, other, strict=True))


def in_families(packets: PacketSet, versions: frozenset[int]) -> PacketSet:
    """The part of `packets` whose peers are of these IP versions."""
    if len(versions) == len(_OF_FAMILY):
        return packets
    return PacketSet.union(packets & _OF_FAMILY[version] for version in versions)


def _telling_addresses(
    member: Member, sides: Iterable[RuleSide], version: int
) -> list[Network | None]:
    """The addresses of `member` at which some side begins or ends; [None] where it has none."""
    limits = [
        (int(limit.network_address), int(limit.broadcast_address))
        for side in sides
        for limit in side.networks
        if limit.version == version
    ]
    found: set[int] = set()
    for own in member.private:
        if own.version != version:
            continue
        first, last = int(own.network_address), int(own.broadcast_address)
        edges = [first, *(edge for low, high in limits for edge in (low, high + 1))]
        found.update(edge for edge in edges if first <= edge <= last)
    if version == 4:
        return [ip_network((edge, 32)) for edge in sorted(found)] or [None]
    return [ip_network((edge.to_bytes(16, "big"), 128)) for edge in sorted(found)] or [None]
