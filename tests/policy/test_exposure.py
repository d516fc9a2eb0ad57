"""What the internet reaches, riskiest first."""

from __future__ import annotations

from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.questions.directory import Directory
from flowbridge.policy.questions.exposure import Risk, exposure
from tests.policy.edge import edge_policy, faithful, group, networks, ports, rule

POLICY = edge_policy()
DIRECTORY = Directory.of(POLICY)
EDGE_IN = Point("expressway-e/external", Direction.INGRESS)


def test_documented_ports_are_listed_with_rows_and_nothing_else() -> None:
    found = exposure(POLICY, faithful(POLICY), DIRECTORY, {"expressway/11/1": "SIP TLS"})
    assert {e.rows for e in found} == {
        ("expressway/11/1",),
        ("expressway/11/5",),
        ("expressway/11/6",),
        ("expressway/11/9",),
    }, "what only administrators or own peers reach is no exposure"
    assert all(e.whole_internet and e.reachable for e in found)
    assert [e.risk for e in found] == sorted(e.risk for e in found)
    assert found[0].risk is Risk.WIDE
    assert next(e for e in found if e.rows == ("expressway/11/1",)).purposes == ("SIP TLS",)


def test_source_port_excess_opens_no_new_port() -> None:
    shaped = faithful(POLICY, PacketSet.without_source_ports)
    assert all(e.rows for e in exposure(POLICY, shaped, DIRECTORY))


def test_a_hole_comes_before_what_is_documented() -> None:
    enforcement = faithful(POLICY)
    (stage,) = enforcement[EDGE_IN]
    hole = PacketSet.of(networks("198.51.100.0/24"), 6, None, ports(3389))
    enforcement[EDGE_IN] = (group(EDGE_IN, (*stage.rules, rule("hole", hole))),)
    first = exposure(POLICY, enforcement, DIRECTORY)[0]
    assert first.risk is Risk.UNASKED
    assert first.rows == ()
    assert [str(span) for span in first.ports] == ["3389"]
    assert not first.whole_internet


def test_an_interface_without_a_public_address_is_last() -> None:
    point = Point("cucm/single", Direction.INGRESS)
    enforcement = faithful(POLICY)
    hole = PacketSet.of(networks("0.0.0.0/0"), 6, None, ports(8443))
    enforcement[point] = (group(point, [rule("open", hole)]),)
    last = exposure(POLICY, enforcement, DIRECTORY)[-1]
    assert last.interface == "cucm/single"
    assert not last.reachable
