"""Differences in packets, grouped by peer and rows; rules in another order are none."""

from __future__ import annotations

from dataclasses import replace

from flowbridge.catalog.ports import Parity, PortRange
from flowbridge.policy.compiled import compile_policy
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.questions.difference import Change, difference, of_enforcement, of_policy
from tests.policy.edge import edge_flows, edge_interfaces, edge_policy, faithful, ports

POLICY = edge_policy()


def test_a_policy_does_not_differ_from_itself_in_another_order() -> None:
    again = compile_policy(edge_interfaces(), reversed(edge_flows()))
    assert difference(of_policy(POLICY), of_policy(again)) == ()
    enforcement = faithful(POLICY)
    reversed_rules = {
        point: tuple(replace(stage, rules=stage.rules[::-1]) for stage in filters)
        for point, filters in enforcement.items()
    }
    assert difference(of_enforcement(enforcement), of_enforcement(reversed_rules)) == ()


def test_a_changed_port_is_one_opening_and_one_closing() -> None:
    flows = tuple(
        flow._replace(destination_ports=ports(5060)) if "expressway/11/1" in flow.rows else flow
        for flow in edge_flows()
    )
    found = difference(of_policy(POLICY), of_policy(compile_policy(edge_interfaces(), flows)))
    point = Point("expressway-e/external", Direction.INGRESS)
    assert [(f.point, f.change, f.peer, f.rows) for f in found] == [
        (point, Change.ALLOWED, "internet", ("expressway/11/1",)),
        (point, Change.REFUSED, "internet", ("expressway/11/1",)),
    ]
    opened, closed = (flow.packets.example() for flow in found)
    assert opened is not None
    assert closed is not None
    assert (opened.destination_port, closed.destination_port) == (5060, 5061)


def test_the_lines_together_are_exactly_the_difference() -> None:
    larger = edge_policy(6)
    found = difference(of_policy(POLICY), of_policy(larger))
    assert found
    for point in larger.demands:
        for change, wanted in (
            (Change.ALLOWED, larger.intended(point) - POLICY.intended(point)),
            (Change.REFUSED, POLICY.intended(point) - larger.intended(point)),
        ):
            lines = [f.packets for f in found if (f.point, f.change) == (point, change)]
            assert PacketSet.union(lines) == wanted
            assert sum(packets.count() for packets in lines) == wanted.count(), "no packet twice"


def test_a_packet_of_several_flows_has_the_rows_of_all() -> None:
    """Of one flow with even ports and one with all, the even ports are both flows'."""
    whole = next(flow for flow in edge_flows() if "expressway/11/1" in flow.rows)
    media = whole._replace(destination_ports=(PortRange(36000, 36011),), rows=("a/1/1",))
    even = PortRange(36000, 36010, Parity.EVEN)
    third = media._replace(destination_ports=(even,), rows=("a/1/2",))
    flows = (*edge_flows(), media, third)
    found = difference(of_policy(POLICY), of_policy(compile_policy(edge_interfaces(), flows)))
    arriving = [f for f in found if f.point == Point("expressway-e/external", Direction.INGRESS)]
    shares = {f.rows: [str(box) for box in f.packets.boxes()] for f in arriving}
    assert set(shares) == {("a/1/1", "a/1/2"), ("a/1/1",)}
    assert "36000-36010 even" in shares["a/1/1", "a/1/2"][0]
    assert "36001-36011 odd" in shares["a/1/1",][0]


def test_what_no_flow_asks_for_is_put_down_to_its_rule() -> None:
    before, after = faithful(POLICY), faithful(POLICY, PacketSet.without_source_ports)
    found = difference(of_enforcement(before, POLICY), of_enforcement(after, POLICY))
    assert {flow.change for flow in found} == {Change.ALLOWED}
    assert all(flow.rows for flow in found), "each excess comes with the rows of its rule"
