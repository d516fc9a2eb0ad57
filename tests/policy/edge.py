"""A deployment by hand for the tests of the policy room: an Expressway pair and its neighbours.

It is made of interfaces and flows only, so that these tests depend on no catalog and no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_network

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.interface import Interface, Member, Network
from flowbridge.policy.compiled import Policy, compile_policy
from flowbridge.policy.filter import Enforcement, Filter, FilterRule, Order
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point


def networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(ip_network, texts))


def ports(*texts: str | int) -> tuple[PortRange, ...]:
    return tuple(map(PortRange.parse, texts))


def interface(
    workload: str, name: str, tier: str, subnet: str, peers: int, public: str = ""
) -> Interface:
    return Interface(
        workload=workload,
        name=name,
        tier=tier,
        members=tuple(
            Member(
                f"peer{i}",
                networks(f"{subnet}.{10 + i}"),
                networks(f"{public}.{10 + i}") if public else (),
            )
            for i in range(1, peers + 1)
        ),
    )


def outside(party: str, *texts: str) -> End:
    return End(party=party, interface=None, addresses=networks(*texts))


def inside(card: Interface) -> End:
    return End(party=card.workload, interface=card, addresses=card.private)


INTERNET = outside("internet", "0.0.0.0/0")
ADMIN = outside("admin-pc", "10.9.0.0/24")
DNS = outside("dns", "10.0.10.2", "10.0.10.3")
EPHEMERAL = ("1024-65535",)


def edge_interfaces(peers: int = 2) -> tuple[Interface, Interface, Interface, Interface]:
    """Expressway-E outside, Expressway-E inside, Expressway-C, Unified CM."""
    return (
        interface("expressway-e", "external", "dmz", "10.0.1", peers, public="203.0.113"),
        interface("expressway-e", "internal", "dmz", "10.0.2", peers),
        interface("expressway-c", "single", "internal", "10.0.10", peers),
        interface("cucm", "single", "internal", "10.0.11", peers),
    )


def flow(
    source: End,
    destination: End,
    protocol: Protocol,
    source_ports: Iterable[str | int],
    destination_ports: Iterable[str | int],
    *rows: str,
    management: bool = False,
    translated_ports: Iterable[str | int] = (),
) -> Flow:
    return Flow(
        source,
        destination,
        protocol,
        ports(*source_ports),
        ports(*destination_ports),
        rows,
        management=management,
        translated_ports=ports(*translated_ports),
    )


def edge_flows(peers: int = 2) -> tuple[Flow, ...]:
    external, internal, core, cucm = edge_interfaces(peers)
    tcp, udp, icmp = Protocol.TCP, Protocol.UDP, Protocol.ICMP
    translated = End(
        party="expressway-e", interface=external, addresses=external.public, translated=True
    )
    nat = End(
        party="expressway-c", interface=core, addresses=networks("203.0.113.200"), translated=True
    )
    return (
        flow(INTERNET, inside(external), tcp, EPHEMERAL, [5061], "expressway/11/1"),
        flow(INTERNET, inside(external), udp, EPHEMERAL, ["36000-59999 even"], "expressway/11/5"),
        flow(INTERNET, inside(external), udp, EPHEMERAL, ["36001-59999 odd"], "expressway/11/6"),
        flow(INTERNET, inside(external), udp, EPHEMERAL, ["3478-3483"], "expressway/11/9"),
        flow(inside(external), INTERNET, tcp, ["25000-29999"], [5061], "expressway/11/2"),
        flow(inside(external), INTERNET, udp, ["36000-59999"], EPHEMERAL, "expressway/11/7"),
        flow(inside(core), inside(internal), tcp, ["30000-35999"], [7001], "expressway/5/1"),
        flow(inside(core), inside(internal), udp, ["36000-59999"], ["36000-36011"], "expressway/5/2"),  # noqa: E501
        flow(inside(core), inside(cucm), tcp, ["30000-35999"], [8443, 6972], "expressway/15/1"),
        flow(inside(cucm), inside(core), tcp, EPHEMERAL, [5061], "expressway/15/3"),
        flow(inside(core), inside(core), tcp, ["30000-35999"], ["4369-4380"], "expressway/8/1"),
        flow(nat, translated, tcp, ["30000-35999"], [8443], "expressway/16/2", translated_ports=EPHEMERAL),  # noqa: E501
        flow(ADMIN, inside(internal), tcp, EPHEMERAL, [22, 443], "expressway/4/1", management=True),
        flow(ADMIN, inside(core), tcp, EPHEMERAL, [22, 443], "expressway/4/1", management=True),
        flow(ADMIN, inside(core), icmp, ["any"], ["2048-2303"], "cucm/3/4"),
        flow(inside(core), DNS, udp, ["30000-35999"], [53], "expressway/4/9"),
    )  # fmt: skip


def edge_policy(peers: int = 2) -> Policy:
    return compile_policy(edge_interfaces(peers), edge_flows(peers))


def rule(name: str, packets: PacketSet, *rows: str, allow: bool = True) -> FilterRule:
    return FilterRule(name=name, allow=allow, packets=packets, rows=rows)


def group(point: Point, rules: Iterable[FilterRule]) -> Filter:
    name = f"sg {point.interface}"
    return Filter(
        name=name, kind="security-group", order=Order.UNION, stateful=True, rules=tuple(rules)
    )


def faithful(
    policy: Policy, shape: Callable[[PacketSet], PacketSet] = lambda packets: packets
) -> dict[Point, tuple[Filter, ...]]:
    """One group a point with one rule a demand; `shape` is what the cloud makes of a rule."""
    return {
        point: (
            group(
                point,
                (
                    rule(f"{point}.{i}", shape(demand.packets), *demand.flow.rows)
                    for i, demand in enumerate(policy.demands.get(point, ()))
                ),
            ),
        )
        for card in policy.interfaces
        for point in (Point(card.key, direction) for direction in Direction)
    }


def with_acls(policy: Policy, enforcement: Enforcement) -> dict[Point, tuple[Filter, ...]]:
    """The same behind one stateless access list a point that passes exactly what is needed."""
    out: dict[Point, tuple[Filter, ...]] = {}
    for point, filters in enforcement.items():
        opposite = Point(point.interface, point.direction.opposite)
        needed = policy.intended(point) | policy.intended(opposite).replies()
        acl = Filter(
            name=f"acl {point.interface}",
            kind="network-acl",
            order=Order.FIRST_MATCH,
            stateful=False,
            rules=(rule(f"{point} acl 100", needed),),
        )
        stages = (acl, *filters) if point.direction is Direction.INGRESS else (*filters, acl)
        out[point] = stages
    return out
