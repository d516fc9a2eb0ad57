"""Which flows cross a firewall on the way, with the addresses that it sees there.

An end that others meet by a public address is seen by its own address where a zone names that
address: the firewall is then before the NAT, or does it itself. Everywhere else it is seen as the
others meet it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.firewalls import FirewallOnTheWay
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.interface import Network
from flowbridge.policy.crossing.zones import Zones, together, within
from flowbridge.policy.packets.line import Intervals, intervals, without
from flowbridge.policy.packets.relation import Relation, relation_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One flow between two zones, of one IP version.

    `met` are the destinations before a NAT of this firewall itself; elsewhere `destinations`.
    """

    from_zone: str
    to_zone: str
    source: str
    destination: str
    sources: Intervals
    destinations: Intervals
    met: Intervals
    protocol: Protocol
    ports: Relation
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Crossings:
    """`untold` are sentences: what of the flows this firewall may see and cannot be told.

    `elsewhere` are ends that are behind none of the zones: their flows do not pass here.
    """

    found: tuple[Crossing, ...]
    untold: tuple[str, ...]
    elsewhere: tuple[str, ...]


def crossings_of(flows: Iterable[Flow], firewall: FirewallOnTheWay, zones: Zones) -> Crossings:
    """Every flow whose ends are behind two zones, or whose packets the firewall turns around."""
    found: dict[Crossing, tuple[str, ...]] = {}
    untold: dict[str, set[str]] = {}
    elsewhere: set[str] = set()
    for flow in flows:
        if flow.source.sets or flow.destination.sets:
            names = ", ".join((*flow.source.sets, *flow.destination.sets))
            _tell(untold, f"the addresses of {names} are known to the cloud alone", flow)
        elsewhere.update(
            end.key
            for end in (flow.source, flow.destination)
            if not any(list(_seen(end, version, firewall, zones)) for version in (4, 6))
        )
        for each in _of_flow(flow, firewall, zones, untold):
            key = replace(each, rows=())
            found[key] = tuple(sorted({*found.get(key, ()), *each.rows}))
    ordered = sorted(found.items(), key=lambda item: _order(item[0]))
    sentences = (f"{what}: rows {', '.join(sorted(rows))}" for what, rows in sorted(untold.items()))
    return Crossings(
        tuple(replace(key, rows=rows) for key, rows in ordered),
        tuple(sentences),
        tuple(sorted(elsewhere)),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """A part of an end at one zone. `own`: by its own address behind a NAT, met as `met`."""

    zone: str
    addresses: Intervals
    met: Intervals
    own: bool


def _of_flow(
    flow: Flow, firewall: FirewallOnTheWay, zones: Zones, untold: dict[str, set[str]]
) -> Iterator[Crossing]:
    for version in sorted(flow.protocol.ip_versions):
        sources = list(_seen(flow.source, version, firewall, zones))
        for to in _seen(flow.destination, version, firewall, zones):
            for source in sources:
                turned = to.own and bool(within(to.met, _public(firewall)))
                if source.zone == to.zone and not turned:
                    if to.own and flow.source.interface is not None:
                        what = (
                            f"{flow.source.key} meets {flow.destination.key} by a public address "
                            f"and both are behind {to.zone}: whether the packets turn here is "
                            "not known; where they do, write the address under nat"
                        )
                        _tell(untold, what, flow)
                    continue
                yield Crossing(
                    from_zone=source.zone,
                    to_zone=to.zone,
                    source=flow.source.key,
                    destination=flow.destination.key,
                    sources=source.addresses,
                    destinations=to.addresses,
                    met=to.met if turned else to.addresses,
                    protocol=flow.protocol,
                    ports=_ports(flow, own=source.own or not flow.source.translated),
                    rows=flow.rows,
                )


def _ports(flow: Flow, *, own: bool) -> Relation:
    sources: tuple[PortRange, ...] = flow.source_ports if own else flow.arriving_ports
    return relation_of(flow.protocol, sources, flow.destination_ports)


def _seen(end: End, version: int, firewall: FirewallOnTheWay, zones: Zones) -> Iterator[_Seen]:
    """The parts of an end by zone, first those that are seen by their own address."""
    met = without(intervals(_of(end.addresses, version)), intervals(end.inside))
    own: Intervals = ()
    if end.interface is not None and end.translated:
        own = intervals(_of(end.interface.private, version))
    changed = {_point(nat.own): _point(nat.public) for nat in firewall.nat}
    by_own = False
    for zone, spans in zones.items():
        mine = within(own, spans)
        if mine:
            by_own = True
            public = [changed[p] for p in _points(mine) if p in changed]
            yield _Seen(zone, mine, together([[(p, p) for p in public]]) or met, True)
    if by_own:
        return
    for zone, spans in zones.items():
        mine = within(met, spans)
        if mine:
            yield _Seen(zone, mine, mine, False)


def _of(networks: Iterable[Network], version: int) -> list[Network]:
    return [network for network in networks if network.version == version]


def _point(network: Network) -> int:
    return intervals([network])[0][0]


def _points(spans: Intervals) -> Iterator[int]:
    """Single addresses among `spans`: a card has one."""
    return (first for first, last in spans for first in range(first, min(last, first + 255) + 1))


def _public(firewall: FirewallOnTheWay) -> Intervals:
    return intervals(nat.public for nat in firewall.nat)


def _tell(untold: dict[str, set[str]], what: str, flow: Flow) -> None:
    untold.setdefault(what, set()).update(flow.rows)


def _order(each: Crossing) -> tuple[object, ...]:
    pair = each.from_zone, each.to_zone, each.source, each.destination
    return *pair, each.sources, each.destinations, each.met, int(each.protocol), sorted(each.ports)
