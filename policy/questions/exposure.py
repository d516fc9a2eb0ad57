"""Exposure: what strangers on the internet can reach, by port, row and reason, riskiest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from flowbridge.catalog.port_set import ALL_PORTS, port_mask, port_ranges
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.addresses import is_public
from flowbridge.deployment.interface import Interface
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, passes
from flowbridge.policy.packets.as_json import plain_ports
from flowbridge.policy.packets.packet import icmp_span, protocol_label
from flowbridge.policy.packets.packet_set import EMPTY, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.questions.directory import Directory


class Risk(IntEnum):
    """Why one opening worries more than another; the lower, the worse."""

    MANAGEMENT = 0
    UNASKED = 1  # excess: no row asks for it
    WIDE = 2  # at least 1,000 ports
    SERVICE = 3  # few ports that a documented service listens on


WIDE_RANGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Ports of one interface that the internet reaches, for one reason.

    `rows` ask for it, `purposes` are theirs. `whole_internet`: every stranger reaches it, not
    only some. `reachable` is False where the interface has no public address, so that today only
    the firewall's rule stands open.
    """

    interface: str
    protocol: int | None
    ports: tuple[PortRange, ...]
    risk: Risk
    rows: tuple[str, ...]
    purposes: tuple[str, ...]
    whole_internet: bool
    reachable: bool

    @property
    def port_count(self) -> int:
        return port_mask(self.ports).bit_count()

    def __str__(self) -> str:
        rows = ", ".join(self.rows) or "no row asks for it"
        some = "" if self.whole_internet else ", from part of the internet"
        idle = "" if self.reachable else ", no public address"
        return (
            f"{self.interface}: {protocol_label(self.protocol)} {self._ports()} "
            f"[{self.risk.name.lower()}{some}{idle}]: {rows}"
        )

    def _ports(self) -> str:
        if self.protocol in (Protocol.ICMP, Protocol.ICMPV6):
            return "type " + ", ".join(map(icmp_span, self.ports))
        return ", ".join(map(str, self.ports))

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "interface": self.interface,
            "protocol": protocol_label(self.protocol),
            "ports": plain_ports(self.ports),
            "port_count": self.port_count,
            "risk": self.risk.name.lower(),
            "rows": list(self.rows),
            "purposes": list(self.purposes),
            "whole_internet": self.whole_internet,
            "reachable": self.reachable,
        }


def exposure(
    policy: Policy,
    enforcement: Enforcement,
    directory: Directory,
    purposes: dict[str, str] | None = None,
) -> tuple[Exposure, ...]:
    """Everything that `directory`'s internet can reach, riskiest first, then most ports.

    `purposes` are the texts of rows by id, for the reason in words.
    """
    internet = PacketSet.of(directory.parties["internet"], None)
    found = [
        each
        for card in policy.interfaces
        for each in _exposed(card, policy, enforcement, internet, purposes or {})
    ]
    return tuple(
        sorted(found, key=lambda e: (not e.reachable, e.risk, -e.port_count, e.interface, e.ports))
    )


def _exposed(
    card: Interface,
    policy: Policy,
    enforcement: Enforcement,
    internet: PacketSet,
    purposes: dict[str, str],
) -> list[Exposure]:
    point = Point(card.key, Direction.INGRESS)
    passing = passes(enforcement.get(point, ())) & internet
    # By port: excess in the source ports alone opens no port that is not listed already.
    unasked = passing
    groups: dict[tuple[str, ...], tuple[PacketSet, bool]] = {}
    for demand in policy.demands.get(point, ()):
        if mine := demand.packets.without_source_ports() & passing:
            packets, management = groups.get(demand.flow.rows, (EMPTY, False))
            groups[demand.flow.rows] = packets | mine, management or demand.flow.management
            unasked = unasked - mine
    out: list[Exposure] = []
    for rows, (packets, management) in (*groups.items(), ((), (unasked, False))):
        for protocol, ports, whole in _openings(packets, internet, card.families):
            out.append(
                Exposure(
                    interface=card.key,
                    protocol=protocol,
                    ports=port_ranges(ports),
                    risk=_risk(rows, protocol, ports, management=management),
                    rows=rows,
                    purposes=tuple(dict.fromkeys(purposes[row] for row in rows if row in purposes)),
                    whole_internet=whole,
                    reachable=bool(card.public)
                    or any(is_public(network) for network in card.private),
                )
            )
    return out


def _risk(rows: tuple[str, ...], protocol: int | None, ports: int, *, management: bool) -> Risk:
    if management:
        return Risk.MANAGEMENT
    if not rows:
        return Risk.UNASKED
    with_ports = protocol in (Protocol.TCP, Protocol.UDP, None)
    return Risk.WIDE if with_ports and ports.bit_count() >= WIDE_RANGE else Risk.SERVICE


def _openings(
    packets: PacketSet, internet: PacketSet, families: frozenset[int]
) -> Iterator[tuple[int | None, int, bool]]:
    """Per protocol the destination ports that all of the internet (of one IP family) reaches,
    then those that only part of it reaches."""
    everywhere: dict[int | None, int] = {}
    somewhere: dict[int | None, int] = {}
    for version in sorted(families):
        strangers = [
            peer for box in internet.boxes() for peer in box.peers if peer.version == version
        ]
        masks = [_port_masks(alike) for _, alike in packets.by_peer(strangers)]
        for protocol in {protocol for mask in masks for protocol in mask}:
            common = ALL_PORTS
            for mask in masks:
                common &= mask.get(protocol, 0)
                somewhere[protocol] = somewhere.get(protocol, 0) | mask.get(protocol, 0)
            everywhere[protocol] = everywhere.get(protocol, 0) | common
    for protocol in sorted(somewhere, key=lambda number: -1 if number is None else number):
        if whole := everywhere[protocol]:
            yield protocol, whole, True
        if part := somewhere[protocol] & ~everywhere[protocol]:
            yield protocol, part, False


def _port_masks(packets: PacketSet) -> dict[int | None, int]:
    """The destination ports of each protocol, anywhere in `packets`."""
    masks: dict[int | None, int] = {}
    for box in packets.boxes():
        masks[box.protocol] = masks.get(box.protocol, 0) | port_mask(box.destination_ports)
    return masks
