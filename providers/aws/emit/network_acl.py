"""Network ACLs: one complete list of entries for each tier, in both directions.

A network ACL is stateless and sits at the border of a subnet. So it must let through the
packets of every flow that crosses a border and the packets that answer them; what stays inside
one subnet never meets it. Entries name the remote side and the destination port, whichever way
the packet goes: the answers to a flow arrive at the flow's source ports.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from flowbridge.catalog.ports import ANY_PORT, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.addresses import merged, of_families, outside, within
from flowbridge.deployment.file.site import Tier
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.interface import Interface, Member, Network
from flowbridge.policy.compiled import Policy, source_ports_at
from flowbridge.policy.packets.packet_set import EMPTY, EVERY_ADDRESS, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.aws.emit.acl.around_inside import around_inside
from flowbridge.providers.aws.emit.acl.cover import exact_cover
from flowbridge.providers.aws.emit.acl.fit import fit
from flowbridge.providers.aws.emit.acl.rectangle import ANY_PROTOCOL, Rectangle
from flowbridge.providers.aws.emit.acl.whole_tiers import Spans
from flowbridge.providers.provider import Excess
from flowbridge.providers.terraform.address_blocks import collapsed
from flowbridge.providers.terraform.content_names import content_hash, terraform_name

_FIRST_NUMBER: Final = 100
_STEP: Final = 10
_NO_ROOM: Final = (
    "the internet is every address here: to deny the inside before it would take more entries than "
    "there are"
)
_COSTLY: Final = 5  # flows named in a refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """What one flow sends over the border of a tier's subnets, one way; `reply`: its answers.

    `inside` are addresses among `peers` that are not meant (of the internet). `unknown`: the peer
    is a set by name, which no entry can say, so that `peers` are all addresses.
    """

    flow: Flow
    direction: Direction
    reply: bool
    peers: tuple[Network, ...]
    source_ports: tuple[PortRange, ...]
    destination_ports: tuple[PortRange, ...]
    inside: tuple[Network, ...] = ()
    unknown: bool = False

    @property
    def packets(self) -> PacketSet:
        if self.unknown:
            return EMPTY
        peers = outside(self.peers, self.inside) if self.inside else self.peers
        return PacketSet.of(peers, self.flow.protocol, self.source_ports, self.destination_ports)

    def rectangles(self, version: int) -> Iterator[Rectangle]:
        """The same as entries can say it: without source ports and parity."""
        for peer in self.peers:
            if peer.version == version:
                for ports in self.destination_ports:
                    yield Rectangle.of(self.flow.protocol, peer, ports.first, ports.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One numbered entry. `protocol` -1 is every protocol."""

    number: int
    direction: Direction
    protocol: int
    network: Network
    ports: PortRange
    rows: tuple[str, ...]
    allow: bool = True

    @property
    def content(self) -> tuple[str, ...]:
        """What the entry decides, and behind which others where it denies."""
        said = (self.direction, str(self.protocol), str(self.network), str(self.ports))
        return said if self.allow else (*said, f"deny {self.number}")

    @property
    def packets(self) -> PacketSet:
        """Everything this entry matches."""
        protocol = None if self.protocol == ANY_PROTOCOL else self.protocol
        return PacketSet.of([self.network], protocol, None, [self.ports])


@dataclass(frozen=True, slots=True)
class Overflow:
    """A direction and IP version whose needs do not fit, and the flows that cost most entries."""

    tier: str
    direction: Direction
    version: int
    needed: int
    costly: tuple[tuple[int, Flow], ...]


@dataclass(frozen=True, slots=True)
class Widened:
    """`whole_tiers` keep their port and name a whole tier for their peer; `given_up` take more
    ports as well, since that was not enough."""

    whole_tiers: tuple[Rectangle, ...] = ()
    given_up: tuple[Rectangle, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAcl:
    """The complete ACL of one tier. `exact_entries`: what it would take without widening.
    `undenied`: where the internet is asked for and the inside could not be denied. `widened`: how
    the entries that are wider than the flows came to be so."""

    tier: str
    subnets: tuple[str, ...]
    entries: tuple[Entry, ...]
    exact_entries: Mapping[tuple[Direction, int], int]
    excess: tuple[Excess, ...]
    overflows: tuple[Overflow, ...]
    undenied: frozenset[tuple[Direction, int]] = frozenset()
    widened: Mapping[tuple[Direction, int], Widened] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The Terraform name, made from all entries: another list is another ACL."""
        content = sorted(entry.content for entry in self.entries)
        return terraform_name(self.tier, content_hash(*(part for c in content for part in c)))

    def count(self, direction: Direction, version: int) -> int:
        """Entries used of one direction and IP version."""
        return sum(e.direction is direction and e.network.version == version for e in self.entries)


def network_acls(
    policy: Policy, tiers: Mapping[str, Tier], capacity: int
) -> tuple[NetworkAcl, ...]:
    """An ACL for each tier that has workloads, of at most `capacity` entries a direction and
    IP version."""
    used = sorted({interface.tier for interface in policy.interfaces})
    cidrs = tuple(cidr for tier in tiers.values() for cidr in tier.cidrs)
    return tuple(_network_acl(policy, name, tiers[name], capacity, cidrs) for name in used)


def _network_acl(
    policy: Policy, name: str, tier: Tier, capacity: int, tiers: Sequence[Network]
) -> NetworkAcl:
    crossings = tuple(_crossings(policy, name, tier))
    entries: list[Entry] = []
    excess: list[Excess] = []
    overflows: list[Overflow] = []
    exact: dict[tuple[Direction, int], int] = {}
    undenied: set[tuple[Direction, int]] = set()
    wider: dict[tuple[Direction, int], Widened] = {}
    for direction in Direction:
        fitted: list[Entry] = []
        passing = [crossing for crossing in crossings if crossing.direction is direction]
        widened = "AWS network ACLs have no even or odd ports"
        if any(crossing.unknown for crossing in passing):
            widened = (
                "AWS network ACLs cannot name prefix lists, so these ports are open to every "
                "address; the security groups behind them refuse what is not in the list"
            )
        for version in (4, 6):
            if not _needs(passing, version):
                continue
            number = _FIRST_NUMBER + _STEP * len(fitted)
            spans = tuple(
                (int(n.network_address), int(n.broadcast_address))
                for n in tiers
                if n.version == version
            )
            found = _list(passing, direction, version, capacity, number, spans)
            if found is None:
                exact[direction, version] = len(exact_cover(_needs(passing, version), version))
                overflows.append(_overflow(name, direction, version, passing))
                continue
            exact[direction, version] = found.exact
            fitted.extend(found.entries)
            if found.undenied:
                undenied.add((direction, version))
            if found.widened:
                wider[direction, version] = found.how
                widened = (
                    f"{found.exact} entries would be needed, {capacity} are there: "
                    "some are wider; the security groups behind them refuse what they let in"
                )
        if fitted:
            excess.extend(_excess(f"{name} network ACL {direction}", fitted, passing, widened))
        entries.extend(fitted)
    return NetworkAcl(
        tier=name,
        subnets=tuple(dict.fromkeys(tier.subnets)),
        entries=tuple(entries),
        exact_entries=exact,
        excess=tuple(excess),
        overflows=tuple(overflows),
        undenied=frozenset(undenied),
        widened=wider,
    )


@dataclass(frozen=True, slots=True)
class _List:
    """The entries of one direction and IP version, in their order."""

    entries: tuple[Entry, ...]
    exact: int
    widened: bool
    undenied: bool = False
    how: Widened = Widened()


def _list(
    passing: Sequence[Crossing],
    direction: Direction,
    version: int,
    capacity: int,
    number: int,
    tiers: Spans,
) -> _List | None:
    """The list that denies the inside before it lets the internet in, where that lets less
    through than a list of allows alone; None where neither fits."""
    inside = merged(n for crossing in passing for n in of_families(crossing.inside, (version,)))
    outward = [crossing for crossing in passing if crossing.inside]
    allows = partial(_allows, passing, direction, version, capacity, number, tiers)
    if not inside:
        return allows()
    if any(crossing.unknown for crossing in passing):
        return _undenied(allows())
    found = around_inside(
        _needs([crossing for crossing in passing if not crossing.inside], version),
        _needs(outward, version),
        inside,
        version,
        capacity,
        _management(passing),
        tiers,
    )
    if found is None:
        return _undenied(allows())
    shapes = _shapes(passing, version)
    entries: list[Entry] = []
    for part in (found.before, found.denied, found.behind):
        for one in part:
            at = number + _STEP * len(entries)
            if isinstance(one, Rectangle):
                entries.append(_entry(one, at, direction, version, shapes))
            else:
                entries.append(
                    Entry(
                        number=at,
                        direction=direction,
                        protocol=ANY_PROTOCOL,
                        network=one,
                        ports=ANY_PORT,
                        rows=(),
                        allow=False,
                    )
                )
    how = Widened(found.whole_tiers, found.given_up)
    denying = _List(tuple(entries), found.exact, found.excess > 0, how=how)
    if not denying.widened or (plain := allows()) is None:
        return denying
    asked = _asked(passing, version).without_source_ports()
    if (_passing(plain.entries) - asked).count() < (_passing(denying.entries) - asked).count():
        return replace(plain, undenied=True)
    return denying


def _undenied(plain: _List | None) -> _List | None:
    return None if plain is None else replace(plain, undenied=True)


def _allows(
    passing: Sequence[Crossing],
    direction: Direction,
    version: int,
    capacity: int,
    number: int,
    tiers: Spans,
) -> _List | None:
    """A list of allows alone."""
    needs = _needs(passing, version)
    found = fit(needs, version, capacity, _management(passing), tiers)
    if found is None:
        return None
    shapes = _shapes(passing, version)
    entries = (
        _entry(rectangle, number + _STEP * place, direction, version, shapes)
        for place, rectangle in enumerate(found.entries)
    )
    how = Widened(found.whole_tiers, found.given_up)
    return _List(tuple(entries), len(exact_cover(needs, version)), found.excess > 0, how=how)


def _shapes(
    passing: Iterable[Crossing], version: int
) -> list[tuple[set[Rectangle], tuple[str, ...]]]:
    """What each flow sends, and the flow's rows."""
    return [(set(crossing.rectangles(version)), crossing.flow.rows) for crossing in passing]


def _asked(passing: Iterable[Crossing], version: int) -> PacketSet:
    family = PacketSet.of([n for n in EVERY_ADDRESS if n.version == version], None)
    return PacketSet.union(crossing.packets for crossing in passing) & family


def _passing(entries: Iterable[Entry]) -> PacketSet:
    """What a list lets through: the first entry that matches decides."""
    allowed = EMPTY
    for entry in reversed(tuple(entries)):
        allowed = allowed | entry.packets if entry.allow else allowed - entry.packets
    return allowed


def _crossings(policy: Policy, name: str, tier: Tier) -> Iterator[Crossing]:
    for interface in policy.interfaces:
        if interface.tier != name:
            continue
        neighbours = _neighbours(interface, tier)
        for direction in Direction:
            for demand in policy.demands.get(Point(interface.key, direction), ()):
                flow = demand.flow
                # A range that holds more than the subnet stays whole: its packets from inside the
                # subnet never meet the ACL, and cutting them out would cost many entries.
                peers = collapsed(
                    address
                    for address in demand.peer.addresses
                    if address.version in interface.families and not within(address, neighbours)
                )
                unknown = bool(demand.peer.sets)
                if unknown:
                    peers = of_families(EVERY_ADDRESS, interface.families & {4})
                if not peers:
                    continue
                sources, there = source_ports_at(flow, direction), flow.destination_ports
                back = _answering_ports(flow, sources)
                inside = demand.peer.inside
                yield Crossing(
                    flow=flow,
                    direction=direction,
                    reply=False,
                    peers=peers,
                    source_ports=sources,
                    destination_ports=there,
                    inside=inside,
                    unknown=unknown,
                )
                if back:
                    yield Crossing(
                        flow=flow,
                        direction=direction.opposite,
                        reply=True,
                        peers=peers,
                        source_ports=there,
                        destination_ports=back,
                        inside=inside,
                        unknown=unknown,
                    )


def _answering_ports(flow: Flow, sources: tuple[PortRange, ...]) -> tuple[PortRange, ...]:
    """The "destination ports" of the packets that answer `flow` from `sources`; for ICMP the
    answering types."""
    if flow.protocol not in (Protocol.ICMP, Protocol.ICMPV6):
        return sources
    asked = PacketSet.of(EVERY_ADDRESS, flow.protocol, None, flow.destination_ports)
    return tuple(ports for box in asked.replies().boxes() for ports in box.destination_ports)


def _neighbours(interface: Interface, tier: Tier) -> tuple[Network, ...]:
    """The CIDRs of the one subnet that all members of `interface` sit in; else nothing.

    Which CIDR belongs to which subnet is known where the tier names one subnet for each CIDR, or
    for each of either IP version, in the same order.
    """
    subnets: defaultdict[str, list[Network]] = defaultdict(list)
    for cidrs in _one_for_each_subnet(tier):
        for subnet, cidr in zip(tier.subnets, cidrs, strict=True):
            subnets[subnet].append(cidr)
    for own in subnets.values():
        if interface.members and all(_sits_in(member, own) for member in interface.members):
            return tuple(own)
    return ()


def _one_for_each_subnet(tier: Tier) -> tuple[tuple[Network, ...], ...]:
    """The CIDRs of the tier in lists as long as that of its subnets; none where they do not go."""
    families = [of_families(tier.cidrs, (version,)) for version in (4, 6)]
    for lists in ([tier.cidrs], [cidrs for cidrs in families if cidrs]):
        if all(len(cidrs) == len(tier.subnets) for cidrs in lists):
            return tuple(map(tuple, lists))
    return ()


def _sits_in(member: Member, cidrs: Sequence[Network]) -> bool:
    """Whether `member` is in the subnet of `cidrs`, judged by the families they state."""
    stated = {cidr.version for cidr in cidrs}
    telling = [address for address in member.private if address.version in stated]
    return bool(telling) and all(within(address, cidrs) for address in telling)


def _needs(passing: Iterable[Crossing], version: int) -> tuple[Rectangle, ...]:
    return tuple(sorted({r for crossing in passing for r in crossing.rectangles(version)}))


def _management(passing: Iterable[Crossing]) -> frozenset[tuple[int, int, int]]:
    """The management ports that arrive: they must not become open to the internet."""
    return frozenset(
        (int(crossing.flow.protocol), ports.first, ports.last)
        for crossing in passing
        if crossing.flow.management
        and crossing.direction is Direction.INGRESS
        and not crossing.reply
        for ports in crossing.destination_ports
    )


def _entry(
    rectangle: Rectangle,
    number: int,
    direction: Direction,
    version: int,
    shapes: Iterable[tuple[set[Rectangle], tuple[str, ...]]],
) -> Entry:
    """`shapes`: what each flow sends this way, and the flow's rows."""
    rows = {
        row
        for parts, asking in shapes
        if any(rectangle.meets(part) for part in parts)
        for row in asking
    }
    return Entry(
        number=number,
        direction=direction,
        protocol=rectangle.protocol,
        network=rectangle.network(version),
        ports=PortRange(rectangle.first, rectangle.last),
        rows=tuple(sorted(rows)),
    )


def _overflow(
    tier: str, direction: Direction, version: int, passing: Sequence[Crossing]
) -> Overflow:
    """What does not fit, and for each flow how many entries it would need for itself alone."""
    cover = exact_cover(_needs(passing, version), version)
    served: list[set[Flow]] = [
        {
            crossing.flow
            for crossing in passing
            if any(entry.meets(part) for part in crossing.rectangles(version))
        }
        for entry in cover
    ]
    alone = Counter(flow for flows in served if len(flows) == 1 for flow in flows)
    costs = sorted(
        ((count, flow) for flow, count in alone.items()), key=lambda item: (-item[0], item[1].rows)
    )
    return Overflow(tier, direction, version, len(cover), tuple(costs[:_COSTLY]))


def _excess(
    where: str, entries: Sequence[Entry], passing: Sequence[Crossing], widened: str
) -> Iterator[Excess]:
    asked = PacketSet.union(crossing.packets for crossing in passing)
    free = asked.without_source_ports()
    sources = free - asked
    if sources:
        yield Excess(where, "AWS network ACLs do not match source ports", sources)
    wider = _passing(entries) - free
    inside = PacketSet.union(
        PacketSet.of(crossing.inside, crossing.flow.protocol, None, crossing.destination_ports)
        for crossing in passing
        if crossing.inside
    )
    if (to_inside := wider & inside) and all(entry.allow for entry in entries):
        yield Excess(where, _NO_ROOM, to_inside)
        wider = wider - inside
    if wider:
        yield Excess(where, widened, wider)
