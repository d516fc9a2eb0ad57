"""Every flow of a deployment by address, as a firewall on the way sees it.

What is emitted speaks of groups and tags; the firewall of a partner, of premises or of a provider
knows addresses only. A line is one flow in the direction of its first packet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from flowbridge.catalog.port_set import port_mask, port_ranges
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.addresses import in_order
from flowbridge.deployment.flow import End, Flow
from flowbridge.policy.packets.packet import Network


class Side(StrEnum):
    """Where, seen from the place that asks, the first packet goes."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    BETWEEN = "between"  # neither end is at the place, or no place was asked


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLine:
    """One flow at one place.

    `source_addresses` and `destination_addresses` are those in the packets there; `translated`
    says which end a NAT has given another address on the way (`source`, `destination`, both or
    nothing). `source_but` and `destination_but` are addresses among them that are not meant: the
    internet is every address but those. Ports of ICMP are type * 256 + code. `managed`: a cloud's
    rules are made here for at least one end.
    """

    side: Side
    source: str
    source_addresses: tuple[Network, ...]
    source_ports: tuple[PortRange, ...]
    destination: str
    destination_addresses: tuple[Network, ...]
    destination_ports: tuple[PortRange, ...]
    protocol: Protocol
    translated: tuple[str, ...]
    rows: tuple[str, ...]
    managed: bool
    source_but: tuple[Network, ...] = ()
    destination_but: tuple[Network, ...] = ()

    @classmethod
    def of(cls, flow: Flow, side: Side) -> FlowLine:
        """Before the NAT at the end that asks: its own addresses and ports, the other's as met."""
        source, destination = flow.source.addresses, flow.destination.addresses
        own_ports = side is Side.OUTBOUND or not flow.translated_ports
        translated = [
            name
            for name, end in (("source", flow.source), ("destination", flow.destination))
            if end.translated
        ]
        if side is Side.OUTBOUND:
            source = own_addresses(flow.source)
        if side is Side.INBOUND:
            destination = own_addresses(flow.destination)
        return cls(
            side=side,
            source=flow.source.key,
            source_addresses=source,
            source_ports=flow.source_ports if own_ports else flow.translated_ports,
            destination=flow.destination.key,
            destination_addresses=destination,
            destination_ports=flow.destination_ports,
            protocol=flow.protocol,
            translated=tuple(translated),
            rows=flow.rows,
            managed=flow.source.interface is not None or flow.destination.interface is not None,
            source_but=in_order(flow.source.inside),
            destination_but=in_order(flow.destination.inside),
        )

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for lines that ask for the same packets at the same place."""
        return (
            self.source,
            self.destination,
            self.source_addresses,
            self.destination_addresses,
            self.source_but,
            self.destination_but,
            int(self.protocol),
            tuple(map(str, self.source_ports)),
            tuple(map(str, self.destination_ports)),
        )


def flow_lines(flows: Iterable[Flow], at: str | None = None) -> tuple[FlowLine, ...]:
    """A line for each flow; with `at` only those with an end there, as that end sees them.

    `at` is a party, a workload (`expressway-e`) or one of its interfaces
    (`expressway-e/external`). Without it each end is given by the address at which the other
    meets it: what a firewall between the two has in its packets.
    """
    return in_line(line for flow in flows for line in _lines(flow, at))


def in_line(lines: Iterable[FlowLine]) -> tuple[FlowLine, ...]:
    """The lines in the order of lists, each once."""
    return tuple(sorted(dict.fromkeys(lines), key=_order))


def places(flows: Iterable[Flow]) -> tuple[str, ...]:
    """What `at` may name: every party, workload and interface that has flows."""
    named = {name for flow in flows for end in (flow.source, flow.destination) for name in _of(end)}
    return tuple(sorted(named))


def _of(end: End) -> tuple[str, ...]:
    card = end.interface
    if card is None:
        return (end.party,)
    return end.party, card.workload, card.key, card.local_key


def _lines(flow: Flow, at: str | None) -> Iterator[FlowLine]:
    if at is None:
        yield FlowLine.of(flow, Side.BETWEEN)
        return
    if at in _of(flow.source):
        yield FlowLine.of(flow, Side.OUTBOUND)
    if at in _of(flow.destination):
        yield FlowLine.of(flow, Side.INBOUND)


def own_addresses(end: End) -> tuple[Network, ...]:
    """The addresses of the cards themselves, in the IP versions that the flow has."""
    if end.interface is None or not end.translated:
        return end.addresses
    versions = {network.version for network in end.addresses}
    own = (network for network in end.interface.private if network.version in versions)
    return in_order(tuple(own))


def _order(line: FlowLine) -> tuple[object, ...]:
    return line.source, line.destination, int(line.protocol), line.rows, repr(line.identity)


@dataclass(frozen=True, slots=True)
class Change:
    """What a firewall has to open or close between two versions of a deployment.

    `ports` are the destination ports that change; the line says the rest.
    """

    opens: bool
    line: FlowLine
    ports: tuple[PortRange, ...]


def changes(before: Iterable[FlowLine], after: Iterable[FlowLine]) -> tuple[Change, ...]:
    """Openings first. Lines are cut by single networks, so that a host that is added to a list
    opens that host alone."""
    old, new = _by_networks(before), _by_networks(after)
    opened = [_changed(True, new[key], old.get(key)) for key in new]
    closed = [_changed(False, old[key], new.get(key)) for key in old]
    return tuple(change for change in (*opened, *closed) if change is not None)


_Cut = tuple[object, ...]


def _by_networks(lines: Iterable[FlowLine]) -> dict[_Cut, tuple[FlowLine, int]]:
    """By ends, protocol and source ports: a line and a mask of its destination ports."""
    found: dict[_Cut, tuple[FlowLine, int]] = {}
    for line in lines:
        for source in line.source_addresses:
            for destination in line.destination_addresses:
                sources = tuple(map(str, line.source_ports))
                but = line.source_but, line.destination_but
                key = (source, destination, *but, int(line.protocol), sources)
                first, mask = found.get(key, (None, 0))
                own = FlowLine(
                    side=line.side,
                    source=line.source,
                    source_addresses=(source,),
                    source_ports=line.source_ports,
                    destination=line.destination,
                    destination_addresses=(destination,),
                    destination_ports=line.destination_ports,
                    protocol=line.protocol,
                    translated=line.translated,
                    rows=line.rows if first is None else tuple(sorted({*first.rows, *line.rows})),
                    managed=line.managed,
                    source_but=line.source_but,
                    destination_but=line.destination_but,
                )
                found[key] = own, mask | port_mask(line.destination_ports)
    return found


def _changed(
    opens: bool, here: tuple[FlowLine, int], there: tuple[FlowLine, int] | None
) -> Change | None:
    line, mask = here
    left = mask & ~(there[1] if there else 0)
    return Change(opens, line, port_ranges(left)) if left else None
