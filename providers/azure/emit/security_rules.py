"""From a policy to the security rules of its interfaces.

A rule serves one thing asked for: what one interface sends to or takes from one peer, with one
protocol and one list of ports at either end. NSGs are stateful, so replies need no rule.

The local side is the interface's application security group only where every member's network
card is attached to it here; else it is the members' private addresses, because a rule with a
group is for nobody while nobody is in the group. NSGs match after the translation of public
addresses inbound and before it outbound, so the local side is private in either case, and a
group never stands for a public address. See docs/decisions/0003-azure-rules.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from flowbridge.catalog.port_set import port_mask, port_runs
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.addresses import is_host, of_families, outside
from flowbridge.deployment.flow import End
from flowbridge.deployment.interface import Interface, Network
from flowbridge.deployment.places.atlas import never_apart
from flowbridge.policy.compiled import Demand, Policy, source_ports_at
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.azure.emit.rule import Rule, Side
from flowbridge.providers.azure.expressible import filled_ports
from flowbridge.providers.azure.quotas import Quotas
from flowbridge.providers.provider import Excess
from flowbridge.providers.terraform.address_blocks import collapsed

# What the API knows beside `*`, which would open every protocol at once.
PROTOCOLS: Final = {
    Protocol.TCP: "Tcp",
    Protocol.UDP: "Udp",
    Protocol.ICMP: "Icmp",
    Protocol.ESP: "Esp",
    Protocol.AH: "Ah",
}
_FAMILIES: Final = (4, 6)


@dataclass(frozen=True, slots=True)
class SecurityRules:
    """All allow rules, and the demands whose protocol no rule can name (`impossible`)."""

    rules: tuple[Rule, ...]
    excess: tuple[Excess, ...]
    impossible: tuple[tuple[Point, Demand], ...]


@dataclass(frozen=True, slots=True)
class _Sides:
    families: tuple[int, ...]
    local: Side
    remote: Side
    remote_key: str
    inside: tuple[Network, ...] = ()


def is_grouped(interface: Interface) -> bool:
    """Whether every address of `interface` is a network card's that is attached here.

    A member that is a range of machines, or has several addresses of one family, is not known to
    be one card.
    """
    return all(
        member.attachment
        and all(map(is_host, member.private))
        and len({network.version for network in member.private}) == len(member.private)
        for member in interface.members
    )


def security_rules(
    policy: Policy,
    quotas: Quotas,
    *,
    peers: Literal["groups", "addresses", "auto"] = "auto",
    apart: Callable[[str, str], bool] = never_apart,
) -> SecurityRules:
    """The rules that serve `policy`, in the order of their identities; with `addresses` none of
    them names the group of a peer. `apart` says of two tiers whether an appliance stands between
    them, behind which no group is known."""
    grouped = frozenset(i.key for i in policy.interfaces if is_grouped(i))
    known = () if peers == "addresses" else [i for i in policy.interfaces if i.key in grouped]
    rules: list[Rule] = []
    excess: list[Excess] = []
    impossible: list[tuple[Point, Demand]] = []
    for interface in policy.interfaces:
        named = frozenset(i.key for i in known if not apart(interface.tier, i.tier))
        for direction in Direction:
            point = Point(interface.key, direction)
            demands = policy.demands.get(point, ())
            possible = [demand for demand in demands if demand.flow.protocol in PROTOCOLS]
            impossible.extend((point, d) for d in demands if d.flow.protocol not in PROTOCOLS)
            rules.extend(
                rule
                for demand in possible
                for rule in _rules(interface, direction, demand, (grouped, named), quotas)
            )
            excess.extend(_excess(point, policy, possible))
    return SecurityRules(tuple(_merged(rules)), tuple(excess), tuple(impossible))


def _merged(rules: Iterable[Rule]) -> Iterator[Rule]:
    """One rule for each identity, with the rows and parties of all that ask for it."""
    alike: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        alike[rule.identity].append(rule)
    for _, same in sorted(alike.items()):
        first = same[0]
        yield Rule(
            interface=first.interface,
            direction=first.direction,
            protocol=first.protocol,
            families=first.families,
            local=first.local,
            remote=first.remote,
            remote_key=first.remote_key,
            source_ports=first.source_ports,
            destination_ports=first.destination_ports,
            rows=tuple(sorted({row for rule in same for row in rule.rows})),
            parties=tuple(sorted({party for rule in same for party in rule.parties})),
            inside=first.inside,
        )


def _rules(
    interface: Interface,
    direction: Direction,
    demand: Demand,
    grouped: tuple[frozenset[str], frozenset[str]],
    quotas: Quotas,
) -> Iterator[Rule]:
    flow = demand.flow
    longest = quotas.port_ranges_per_rule.value
    ports = [
        _port_lists(ends, longest) if flow.protocol.has_ports else [()]
        for ends in (source_ports_at(flow, direction), flow.destination_ports)
    ]
    for sides in _sides(interface, demand.peer, *grouped):
        for source_ports in ports[0]:
            for destination_ports in ports[1]:
                yield Rule(
                    interface=interface.key,
                    direction=direction,
                    protocol=flow.protocol,
                    families=sides.families,
                    local=sides.local,
                    remote=sides.remote,
                    remote_key=sides.remote_key,
                    source_ports=source_ports,
                    destination_ports=destination_ports,
                    rows=flow.rows,
                    parties=(demand.peer.key,),
                    inside=sides.inside,
                )


def _port_lists(ports: Iterable[PortRange], longest: int) -> list[tuple[PortRange, ...]]:
    """Runs that rules can name, in lists of at most `longest`."""
    runs = tuple(port_runs(filled_ports(port_mask(ports))))
    return [runs[i : i + longest] for i in range(0, len(runs), longest)]


def _sides(
    interface: Interface, end: End, grouped: frozenset[str], named: frozenset[str]
) -> Iterator[_Sides]:
    """Both sides: once where both are groups, else once for each address family. `grouped` have a
    group of their own, `named` may be named by it as a peer."""
    networks = of_families(end.addresses, interface.families)
    here = end.interface if not end.translated else None
    if here is not None and not _same(networks, of_families(here.private, interface.families)):
        here = None  # a part of an interface is its addresses
    own = interface.key if interface.key in grouped else None
    # A group stands for its members in every family that they have.
    fits = here is not None and here.families <= interface.families
    other = here.key if here is not None and fits and here.key in named else None
    if own and other and networks:
        yield _Sides(
            tuple(sorted({network.version for network in networks})),
            Side(own, (), own),
            Side(end.party, (), other),
            other,
        )
        return
    for tag in end.sets:
        ours = collapsed(n for n in interface.private if n.version == 4)
        yield _Sides(
            (4,),
            Side(interface.key, () if own else ours, own),
            Side(end.party, (), tag=tag),
            tag,
        )
    for family in _FAMILIES:
        theirs = collapsed(n for n in networks if n.version == family)
        ours = collapsed(n for n in interface.private if n.version == family)
        if theirs and ours:
            yield _Sides(
                (family,),
                Side(interface.key, () if own else ours, own),
                Side(end.party, () if other else theirs, other),
                here.key if here is not None else ",".join(map(str, theirs)),
                of_families(end.inside, (family,)),
            )


def _same(one: Iterable[Network], two: Iterable[Network]) -> bool:
    return collapsed(one) == collapsed(two)


def _excess(point: Point, policy: Policy, demands: Iterable[Demand]) -> Iterator[Excess]:
    types: list[PacketSet] = []
    ports: list[PacketSet] = []
    for demand in demands:
        flow = demand.flow
        peers = tuple(_peers(demand, policy, point))
        if flow.protocol is Protocol.ICMP:
            types.append(PacketSet.of(peers, flow.protocol))
        elif flow.protocol.has_ports:
            sources = source_ports_at(flow, point.direction)
            masks = [port_mask(ends) for ends in (sources, flow.destination_ports)]
            filled = [filled_ports(mask) for mask in masks]
            if filled != masks:
                source, destination = (tuple(port_runs(mask)) for mask in filled)
                ports.append(PacketSet.of(peers, flow.protocol, source, destination))
    if not types and not ports:
        return
    intended = policy.intended(point)
    for widened, reason in (
        (types, "Azure NSGs do not tell ICMP types apart"),
        (
            ports,
            "Azure NSGs have no even or odd ports, and single ports would be too many for a rule",
        ),
    ):
        surplus = PacketSet.union(widened) - intended
        if surplus:
            yield Excess(str(point), reason, surplus)


def _peers(demand: Demand, policy: Policy, point: Point) -> Iterator[Network]:
    families = next(i.families for i in policy.interfaces if i.key == point.interface)
    return (
        network
        for network in outside(demand.peer.addresses, demand.peer.inside)
        if network.version in families
    )
