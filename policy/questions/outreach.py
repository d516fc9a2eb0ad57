"""Outreach: what a stolen workload reaches, by target, port and reason, riskiest first.

Whoever holds a machine sends what its filters let out: to other workloads, as far as theirs let
it in, to the listed parties, to private addresses that nobody listed, and to the internet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import IntEnum
from typing import Any

from flowbridge.catalog.port_set import port_mask, port_ranges
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.addresses import is_private
from flowbridge.deployment.interface import Interface
from flowbridge.deployment.selection.inside import USUAL
from flowbridge.policy.compiled import Demand, Policy
from flowbridge.policy.filter import Enforcement, passes
from flowbridge.policy.packets.as_json import plain_ports
from flowbridge.policy.packets.packet import Network, icmp_span, protocol_label
from flowbridge.policy.packets.packet_set import EMPTY, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.proof.route import Route, crossings
from flowbridge.policy.questions.directory import Directory, UnknownPlaceError

UNLISTED = "private addresses that the file does not list"


class Gravity(IntEnum):
    """Why one target worries more than another; the lower, the worse."""

    MANAGEMENT = 0
    UNASKED_INSIDE = 1  # no row asks for it, and it is a host inside
    UNASKED = 2
    INSIDE = 3  # a row asks for it, of a host inside
    INTERNET = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Ports of one target that a workload reaches from `interface`, for one reason.

    `rows` ask for it and `purposes` are theirs; none: the cloud cannot say it tighter.
    """

    interface: str
    target: str
    protocol: int | None
    ports: tuple[PortRange, ...]
    gravity: Gravity
    rows: tuple[str, ...]
    purposes: tuple[str, ...]

    @property
    def port_count(self) -> int:
        return port_mask(self.ports).bit_count()

    @property
    def ports_text(self) -> str:
        if self.protocol in (Protocol.ICMP, Protocol.ICMPV6):
            return "type " + ", ".join(map(icmp_span, self.ports))
        return ", ".join(map(str, self.ports))

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "interface": self.interface,
            "target": self.target,
            "protocol": protocol_label(self.protocol),
            "ports": plain_ports(self.ports),
            "port_count": self.port_count,
            "risk": self.gravity.name.lower().replace("_", "-"),
            "rows": list(self.rows),
            "purposes": list(self.purposes),
        }


def outreach(
    policy: Policy,
    enforcement: Enforcement,
    directory: Directory,
    workload: str,
    purposes: Mapping[str, str],
) -> tuple[Reached, ...]:
    """What `workload` (or one interface of it) reaches. `purposes` are the texts of rows by id.

    UnknownPlaceError where nothing that runs here has the name.
    """
    cards = [card for card in policy.interfaces if workload in (card.key, card.workload)]
    if not cards:
        here = ", ".join(sorted({card.workload for card in policy.interfaces}))
        known = {name for card in policy.interfaces for name in (card.key, card.workload)}
        near = get_close_matches(workload, sorted(known), n=1)
        hint = f": did you mean {near[0]!r}? Else" if near else ";"
        raise UnknownPlaceError(f"{workload!r} does not run here{hint} name one of {here}")
    found = [
        each
        for card in cards
        for target, packets, inside in _targets(card, policy, enforcement, directory)
        for each in _reasons(card, target, packets, policy, purposes, inside=inside)
    ]
    return tuple(
        sorted(found, key=lambda r: (r.gravity, -r.port_count, r.interface, r.target, r.ports))
    )


def _targets(
    card: Interface, policy: Policy, enforcement: Enforcement, directory: Directory
) -> Iterator[tuple[str, PacketSet, bool]]:
    """Each target with the packets that reach it (their peer is the target) and whether it is
    inside."""
    leaving = passes(enforcement.get(Point(card.key, Direction.EGRESS), ()))
    known: list[Network] = []
    for other in policy.interfaces:
        known.extend((*other.private, *other.public))
        if other.workload == card.workload:
            continue
        arriving = passes(enforcement.get(Point(other.key, Direction.INGRESS), ()))
        yield other.key, _between(card, other, leaving, arriving), True
    for name, addresses in sorted(directory.parties.items()):
        if name in directory.strangers:
            continue
        known.extend(addresses)
        inside = all(map(is_private, addresses))
        yield name, leaving & PacketSet.of(addresses, None), inside
    rest = PacketSet.of(USUAL, None) - PacketSet.of(known, None)
    yield UNLISTED, leaving & rest, True
    yield "internet", leaving & PacketSet.of(directory.parties["internet"], None), False


def _between(
    card: Interface, other: Interface, leaving: PacketSet, arriving: PacketSet
) -> PacketSet:
    """What gets from one interface to another by their own addresses, its peer the target."""
    found: list[PacketSet] = []
    for version in (4, 6):
        ours = tuple(n for n in card.private if n.version == version)
        theirs = tuple(n for n in other.private if n.version == version)
        if ours and theirs:
            route = Route(card.key, other.key, ours, theirs)
            found += [
                alike & PacketSet.of(crossing.destinations, None)
                for crossing in crossings(leaving, arriving, route)
                for _, alike in crossing.packets.by_peer(ours)
            ]
    return PacketSet.union(found)


def _reasons(
    card: Interface,
    target: str,
    packets: PacketSet,
    policy: Policy,
    purposes: Mapping[str, str],
    *,
    inside: bool,
) -> Iterator[Reached]:
    """`packets` to one target by the rows that ask for them, and the rest."""
    if not packets:
        return
    unasked = packets
    groups: dict[tuple[str, ...], tuple[PacketSet, bool]] = {}
    for demand in policy.demands.get(Point(card.key, Direction.EGRESS), ()):
        if mine := _wanted(demand) & packets:
            known, management = groups.get(demand.flow.rows, (EMPTY, False))
            groups[demand.flow.rows] = known | mine, management or demand.flow.management
            unasked = unasked - mine
    for rows, (share, management) in (*groups.items(), ((), (unasked, False))):
        masks: dict[int | None, int] = {}
        for box in share.boxes():
            masks[box.protocol] = masks.get(box.protocol, 0) | port_mask(box.destination_ports)
        for protocol, mask in masks.items():
            yield Reached(
                interface=card.key,
                target=target,
                protocol=protocol,
                ports=port_ranges(mask),
                gravity=_gravity(rows, inside=inside, management=management),
                rows=rows,
                purposes=tuple(dict.fromkeys(purposes[row] for row in rows if row in purposes)),
            )


def _wanted(demand: Demand) -> PacketSet:
    """By port: excess in the source ports alone opens no port that is not listed already."""
    return demand.packets.without_source_ports()


def _gravity(rows: tuple[str, ...], *, inside: bool, management: bool) -> Gravity:
    if management:
        return Gravity.MANAGEMENT
    if not rows:
        return Gravity.UNASKED_INSIDE if inside else Gravity.UNASKED
    return Gravity.INSIDE if inside else Gravity.INTERNET
