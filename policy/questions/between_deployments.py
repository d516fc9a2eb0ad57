"""Whether two deployments agree: what one lets out to the other's workloads, the other lets in.

Expressway-E in one cloud and Expressway-C in another are two deployment files, and each knows the
other's workloads as addresses. Every flow of one whose far end is a workload of the other is held
against the flows of the other, in both directions. What is compared is what the flows ask for, not
what a cloud makes of it: the proof of each deployment covers that part.

An end names a workload of the other by its name and an address in common, or by addresses that
are all the workload's. So ends that are whole networks or the internet name nobody, and deployments
that only share those have nothing to agree on. Private addresses are used again and again: where
several of the deployments have a workload at an address, it names the one that names back.

Where they meet at public addresses, a host is seen by its public address or its NAT gateway's, and
source ports are not compared: a NAT gateway chooses its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import Any

from flowbridge.deployment.addresses import is_host, of_families, within
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.interface import Interface, Network
from flowbridge.policy.compiled import Policy
from flowbridge.policy.packets.as_json import plain_packets
from flowbridge.policy.packets.packet_set import EMPTY, PacketSet
from flowbridge.policy.point import Direction, Point


@dataclass(frozen=True)
class Deployment:
    """One deployment of several.

    `shared` are the addresses by which the interfaces of a key are seen elsewhere beside their
    own and public ones (a NAT gateway's). `fates` say in words what became of each row that its
    services select: why it opens nothing, or nothing at all where it opens something.
    """

    name: str
    policy: Policy
    shared: Mapping[str, tuple[Network, ...]]
    fates: Mapping[str, str]

    @cached_property
    def outside(self) -> tuple[End, ...]:
        """The ends that are not managed here, but for those that are every address."""
        peers = (demand.peer for listed in self.policy.demands.values() for demand in listed)
        return tuple(
            dict.fromkeys(
                end
                for end in peers
                if end.interface is None and any(address.prefixlen for address in end.addresses)
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Packets that one deployment opens at `point` and the other does not at `other_point`.

    `packets` are as `other_point` would see them. `reason` says in words why it does not.
    """

    opener: str
    point: Point
    other: str
    other_point: Point
    rows: tuple[str, ...]
    packets: PacketSet
    reason: str

    def __str__(self) -> str:
        sends = self.point.direction is Direction.EGRESS
        one = f"{self.opener} lets {self.point.interface} {'send' if sends else 'receive'}"
        two = f"{self.other} does not let {self.other_point.interface}"
        verb = "receive" if sends else "send"
        packets = "; ".join(map(str, self.packets.boxes()))
        far = "from" if sends else "to"
        rows = ", ".join(self.rows)
        return f"{one} what {two} {verb}: {far} {packets} ({rows}): {self.reason}"

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "opens": self.opener,
            "interface": self.point.interface,
            "direction": self.point.direction,
            "closed": self.other,
            "closed_interface": self.other_point.interface,
            "closed_direction": self.other_point.direction,
            "rows": list(self.rows),
            "reason": self.reason,
            "packets": plain_packets(self.packets),
            "example": str(self.packets.example()),
            "message": str(self),
        }


def disagreements(deployments: Sequence[Deployment]) -> tuple[Disagreement, ...]:
    """Every disagreement of every two deployments, in the order of the deployments and points."""
    named = _named(deployments)
    pairs = {
        pair for one, there in named.items() for two in there for pair in permutations((one, two))
    }
    return tuple(
        disagreement
        for one, other in sorted(pairs)
        if _belong(named, one, other)
        for disagreement in _between(deployments[one], deployments[other])
    )


def _belong(named: Mapping[int, frozenset[int]], one: int, other: int) -> bool:
    """Whether the two name each other, or the one that names names nobody else."""
    there, back = other in named[one], one in named[other]
    return (there and (back or len(named[one]) == 1)) or (back and len(named[other]) == 1)


def _named(deployments: Sequence[Deployment]) -> dict[int, frozenset[int]]:
    """By number of a deployment those that have workloads which it meets as ends outside.

    Every host is looked up in one index of all deployments; only ranges are compared one by one.
    """
    hosts: defaultdict[Network, set[int]] = defaultdict(set)
    ranges: set[int] = set()
    workloads: defaultdict[str, set[int]] = defaultdict(set)
    for number, deployment in enumerate(deployments):
        for interface in deployment.policy.interfaces:
            workloads[interface.workload].add(number)
            for network in _own(interface, deployment):
                hosts[network].add(number)
                if not is_host(network):
                    ranges.add(number)

    def met(one: int) -> Iterator[int]:
        for end in deployments[one].outside:
            near = set(ranges)
            for address in end.addresses:
                near |= hosts.get(address, set()) if is_host(address) else workloads[end.party]
            yield from (other for other in near if other != one and _meets(end, deployments[other]))

    return {number: frozenset(met(number)) for number in range(len(deployments))}


def _meets(end: End, there: Deployment) -> bool:
    return any(_met(end, interface, there) for interface in there.policy.interfaces)


def _own(interface: Interface, owner: Deployment) -> tuple[Network, ...]:
    """Every address by which others may see the interface."""
    return (*interface.private, *interface.public, *owner.shared.get(interface.key, ()))


@dataclass(frozen=True, slots=True)
class _Met:
    """In which IP versions an end names hosts, and whether by their translated addresses."""

    versions: frozenset[int]
    translated: bool


@dataclass(frozen=True, slots=True)
class _Meeting:
    """A flow of one deployment at `point` whose far end is at `there` in the other. Where it is
    translated in one IP version and not in the other, these are two meetings."""

    point: Point
    there: Point
    flow: Flow
    met: _Met


def _meetings(one: Deployment, other: Deployment) -> Iterator[_Meeting]:
    for point, demands in one.policy.demands.items():
        for demand in demands:
            if demand.peer.interface is not None:
                continue
            for interface in other.policy.interfaces:
                there = Point(interface.key, point.direction.opposite)
                for met in _met(demand.peer, interface, other):
                    yield _Meeting(point, there, demand.flow, met)


def _between(one: Deployment, other: Deployment) -> Iterator[Disagreement]:
    """What `one` opens towards the workloads of `other` and `other` does not open."""
    found: dict[tuple[Point, Point, str], tuple[PacketSet, frozenset[str]]] = {}
    for meeting in _meetings(one, other):
        seen, open_there = _seen_there(meeting, one), other.policy.intended(meeting.there)
        if meeting.met.translated:
            seen, open_there = seen.without_source_ports(), open_there.without_source_ports()
        lost = seen - open_there
        if lost:
            rows = frozenset(meeting.flow.rows)
            key = meeting.point, meeting.there, _reason(meeting.flow.rows, other)
            packets, known = found.get(key, (EMPTY, frozenset()))
            found[key] = packets | lost, known | rows
    for (point, there, reason), (packets, rows) in found.items():
        yield Disagreement(
            opener=one.name,
            point=point,
            other=other.name,
            other_point=there,
            rows=tuple(sorted(rows)),
            packets=packets,
            reason=reason,
        )


def _met(end: End, interface: Interface, owner: Deployment) -> tuple[_Met, ...]:
    """How the addresses of `end` name hosts of `interface`; empty where they name none.

    Addresses that several workloads share (a NAT gateway's) name the one that `end` is called by.
    """
    outside = interface.public
    called = end.party == interface.workload
    if called:
        outside += owner.shared.get(interface.key, ())
    kinds = [
        _found(end.addresses, networks, overlapping=called)
        for networks in (interface.private, outside)
    ]
    private, public = kinds
    ways = _Met(private, translated=False), _Met(public - private, translated=True)
    return tuple(way for way in ways if way.versions)


def _found(
    addresses: Iterable[Network], own: Iterable[Network], *, overlapping: bool
) -> frozenset[int]:
    own = tuple(own)
    return frozenset(
        address.version
        for address in addresses
        if address.prefixlen
        and (any(map(address.overlaps, own)) if overlapping else within(address, own))
    )


def _seen_there(meeting: _Meeting, owner: Deployment) -> PacketSet:
    """The packets as the far end's filter sees them: its peer is the end at `meeting.point`."""
    flow = meeting.flow
    sends = meeting.point.direction is Direction.EGRESS
    here = flow.source if sends else flow.destination
    addresses = of_families(here.addresses, meeting.met.versions)
    if sends and meeting.met.translated and here.interface and not here.translated:
        behind = (*here.interface.public, *owner.shared.get(here.interface.key, ()))
        addresses = of_families(behind, meeting.met.versions) or addresses
    return PacketSet.of(
        addresses,
        flow.protocol,
        flow.source_ports,
        flow.destination_ports,
    )


def _reason(rows: Iterable[str], deployment: Deployment) -> str:
    """Why `deployment` opens none of this, by the best that it says of any of `rows`."""
    known = [deployment.fates[row] for row in rows if row in deployment.fates]
    if not known:
        return f"no service of {deployment.name} selects these rows"
    reasons = dict.fromkeys(filter(None, known))
    return "; ".join(reasons) or f"{deployment.name} opens these rows for other addresses or ports"
