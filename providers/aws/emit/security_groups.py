"""Security groups: for each workload interface its group, or as many as the rule quota needs.

Groups are stateful and only allow, so a flow costs rules at its managed ends and none for its
replies. What they cannot say: source ports, and every second port of a range.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.addresses import of_families, shown
from flowbridge.deployment.flow import End
from flowbridge.deployment.interface import Interface, Network
from flowbridge.deployment.places.atlas import never_apart
from flowbridge.policy.compiled import Demand, Policy
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.aws.emit import group_split
from flowbridge.providers.aws.emit.group_split import Groups
from flowbridge.providers.aws.emit.outside import without_inside
from flowbridge.providers.aws.emit.port_spans import Asked, spans
from flowbridge.providers.aws.emit.prefix_list import PrefixList, pays
from flowbridge.providers.aws.emit.rule import Peer, PeerKind, Rule
from flowbridge.providers.aws.quotas import Quotas
from flowbridge.providers.provider import Excess
from flowbridge.providers.terraform.address_blocks import collapsed

_ICMP_TYPES: Final = 256
_ACL: Final = (
    "AWS security groups have no deny, so the internet is every address to them: the network ACL "
    "of the tier denies the inside, but for hosts of the same subnet"
)
_NO_ROOM: Final = (
    "AWS security groups have no deny, and to leave the inside out of the internet would take more "
    "rules than there are; no network ACL denies it here"
)


@dataclass(frozen=True, slots=True)
class InterfaceGroups:
    """The groups of one interface by number; None where no number of groups is enough."""

    interface: Interface
    rules: tuple[Rule, ...]
    groups: Groups | None


@dataclass(frozen=True, slots=True)
class SecurityGroups:
    """The groups of a site, its prefix lists by name, and what the groups let through too much."""

    interfaces: tuple[InterfaceGroups, ...]
    prefix_lists: Mapping[str, PrefixList]
    excess: tuple[Excess, ...]


@dataclass(frozen=True, slots=True)
class _Served:
    """A peer as it is written into rules, and the addresses that it stands for."""

    peer: Peer
    networks: tuple[Network, ...]


def security_groups(
    policy: Policy,
    quotas: Quotas,
    undenied: frozenset[Point] = frozenset(),
    *,
    peers: Literal["groups", "addresses", "auto"] = "auto",
    apart: Callable[[str, str], bool] = never_apart,
) -> SecurityGroups:
    """The groups that serve `policy`; with `addresses` none of them refers to another.

    `apart` says of two tiers whether an appliance stands between them, behind which no group is
    known: AWS matches references to groups only where packets go from card to card.

    `undenied`: points at which no network ACL denies the inside. Their groups say as much of the
    internet without it as the quota takes.
    """
    lists: dict[str, PrefixList] = {}
    named = () if peers == "addresses" else policy.interfaces
    interfaces: list[InterfaceGroups] = []
    excess: list[Excess] = []
    for interface in policy.interfaces:
        here = frozenset(other.key for other in named if not apart(interface.tier, other.tier))
        rules: list[Rule] = []
        for direction in Direction:
            point = Point(interface.key, direction)
            demands = policy.demands.get(point, ())
            widened: list[PacketSet] = []
            asked = tuple(_rules(interface, direction, demands, here, quotas, lists, widened))
            if point in undenied:
                asked = without_inside(asked, quotas)
            rules.extend(asked)
            excess.extend(_excess(point, demands, widened))
            excess.extend(_inside(point, asked, demands, _NO_ROOM if point in undenied else _ACL))
        rules.sort(key=lambda rule: rule.name)
        split = group_split.split(rules, quotas.rules_per_security_group.value, quotas.groups)
        interfaces.append(InterfaceGroups(interface, tuple(rules), split))
    return SecurityGroups(tuple(interfaces), dict(sorted(lists.items())), tuple(excess))


def _rules(
    interface: Interface,
    direction: Direction,
    demands: Iterable[Demand],
    here: frozenset[str],
    quotas: Quotas,
    lists: dict[str, PrefixList],
    widened: list[PacketSet],
) -> Iterator[Rule]:
    asked: defaultdict[tuple[Protocol, _Served], list[Asked]] = defaultdict(list)
    for demand in demands:
        flow = demand.flow
        rows = frozenset(flow.rows)
        for served in _served(demand.peer, interface, here, quotas, lists):
            asked[flow.protocol, served].extend(
                Asked(ports, rows, demand.peer.key) for ports in _ranges(demand)
            )
    for (protocol, served), items in asked.items():
        for first, last, part, wide in _port_fields(protocol, items):
            if wide:
                widened.append(
                    PacketSet.of(served.networks, protocol, None, [PortRange(wide[0], wide[1])])
                )
            yield Rule(
                interface=interface.key,
                direction=direction,
                protocol=protocol,
                first=first,
                last=last,
                peer=served.peer,
                rows=tuple(sorted({row for item in part for row in item.rows})),
                parties=tuple(sorted({item.party for item in part})),
            )


def _ranges(demand: Demand) -> Iterable[PortRange]:
    """The destination ranges; neighbours of one flow and without parity are one range."""
    joined: list[PortRange] = []
    for ports in sorted(demand.flow.destination_ports, key=lambda r: (r.first, r.last)):
        before = joined[-1] if joined else None
        if before and before.parity is ports.parity is None and ports.first <= before.last + 1:
            joined[-1] = PortRange(before.first, max(before.last, ports.last))
        else:
            joined.append(ports)
    return joined


def _port_fields(
    protocol: Protocol, items: list[Asked]
) -> Iterator[tuple[int | None, int | None, tuple[Asked, ...], tuple[int, int] | None]]:
    """The port fields of each rule, what it serves, and its range where that is widened."""
    if protocol.has_ports:
        for span in spans(items):
            wide = (span.first, span.last) if span.widened else None
            yield span.first, span.last, span.asked, wide
    elif protocol in (Protocol.ICMP, Protocol.ICMPV6):
        fields: defaultdict[tuple[int, int], list[Asked]] = defaultdict(list)
        for item in items:
            for field in _icmp_fields(item.ports):
                fields[field].append(item)
        for (kind, code), part in sorted(fields.items()):
            yield kind, code, tuple(part), None
    else:
        yield None, None, tuple(items), None


def _icmp_fields(ports: PortRange) -> Iterator[tuple[int, int]]:
    """(type, code) of `type * 256 + code` ranges; -1 for all."""
    if ports == PortRange(0, _ICMP_TYPES * 256 - 1):
        yield -1, -1
        return
    number = ports.first
    while number <= ports.last:
        kind, code = divmod(number, 256)
        if code == 0 and number + 255 <= ports.last and ports.parity is None:
            yield kind, -1
            number += 256
            continue
        if number in ports:
            yield kind, code
        number += 1


def _served(
    end: End,
    interface: Interface,
    here: frozenset[str],
    quotas: Quotas,
    lists: dict[str, PrefixList],
) -> Iterator[_Served]:
    """`end` as peers of rules at `interface`: its group, or CIDRs, or lists of CIDRs."""
    networks = tuple(a for a in end.addresses if a.version in interface.families)
    if end.key in here and _referable(end, networks):
        key = end.key
        yield _Served(
            Peer(kind=PeerKind.GROUP, value=key, label=key, families=(4, 6)), collapsed(networks)
        )
        return
    for name in end.sets:
        named = Peer(
            kind=PeerKind.PREFIX_LIST,
            value=name,
            label=end.party,
            families=(4,),
            weight=end.set_entries,
        )
        yield _Served(named, ())
    for family, kind in ((4, PeerKind.IPV4), (6, PeerKind.IPV6)):
        members = collapsed(a for a in networks if a.version == family)
        if pays(members, quotas):
            listed = PrefixList(members)
            lists[listed.name] = listed
            peer = Peer(
                kind=PeerKind.PREFIX_LIST,
                value=listed.name,
                label=end.party,
                families=(family,),
                weight=len(members),
            )
            yield _Served(peer, members)
        else:
            for network in members:
                text = str(network)
                left_out: tuple[Network, ...] = of_families(end.inside, (family,))
                peer = Peer(
                    kind=kind,
                    value=text,
                    label=_cidr_label(network),
                    families=(family,),
                    inside=left_out,
                )
                yield _Served(peer, (network,))


def _referable(end: End, networks: tuple[Network, ...]) -> bool:
    """Whether a reference to the group of `end` means exactly `networks`.

    A reference matches the private addresses of the group's interfaces, all of them and never
    a public one (EC2 user guide, security group rules).
    """
    if end.interface is None or end.translated:
        return False
    return collapsed(networks) == collapsed(end.interface.private)


def _cidr_label(network: Network) -> str:
    return f"any_v{network.version}" if network.prefixlen == 0 else shown(network)


def _excess(point: Point, demands: Iterable[Demand], widened: list[PacketSet]) -> Iterator[Excess]:
    intended = PacketSet.union(demand.packets for demand in demands)
    free = intended.without_source_ports()
    sources = free - intended
    if sources:
        yield Excess(str(point), "AWS security groups do not match source ports", sources)
    if widened:
        parity = PacketSet.union(widened) - free
        if parity:
            yield Excess(
                str(point),
                "AWS security groups have no even or odd ports, and single ports would take too "
                "many rules",
                parity,
            )


def _inside(
    point: Point, rules: Iterable[Rule], demands: Iterable[Demand], reason: str
) -> Iterator[Excess]:
    """What the rules for the internet open towards the inside."""
    opened = PacketSet.union(
        PacketSet.of(rule.peer.inside, rule.protocol, None, _ports_of(rule))
        for rule in rules
        if rule.peer.inside
    )
    asked = PacketSet.union(demand.packets for demand in demands).without_source_ports()
    if surplus := opened - asked:
        yield Excess(str(point), reason, surplus)


def _ports_of(rule: Rule) -> list[PortRange] | None:
    if rule.first is None or rule.first == -1:
        return None
    last = rule.first if rule.last is None else rule.last
    if rule.protocol.has_ports:
        return [PortRange(rule.first, last)]
    code = (0, _ICMP_TYPES - 1) if last == -1 else (last, last)
    return [PortRange(rule.first * _ICMP_TYPES + code[0], rule.first * _ICMP_TYPES + code[1])]
