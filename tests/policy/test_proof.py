"""The proof holds for what is right, and finds every single thing that is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network

import pytest

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.filter import Enforcement, Filter, FilterRule, Order
from flowbridge.policy.packets.packet_set import ALL, EMPTY, EVERY_ADDRESS, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.proof.proof import PointProof, Proof, prove
from tests.policy.edge import edge_policy, faithful, networks, ports, rule, with_acls

POLICY = edge_policy()
EXACT = with_acls(POLICY, faithful(POLICY))
CORE_IN = Point("expressway-c/single", Direction.INGRESS)
EDGE_IN = Point("expressway-e/external", Direction.INGRESS)


def exact(intended: PacketSet, _: Point) -> PacketSet:
    return intended


def without_source_ports(intended: PacketSet, _: Point) -> PacketSet:
    return intended.without_source_ports()


def changed(enforcement: Enforcement, point: Point, kind: str, **fields: object) -> Enforcement:
    """`enforcement` with fields of the filter of `kind` at `point` replaced."""
    filters = tuple(
        replace(stage, **fields) if stage.kind == kind else stage  # type: ignore[arg-type]
        for stage in enforcement[point]
    )
    return {**enforcement, point: filters}


def stage_of(enforcement: Enforcement, point: Point, kind: str) -> Filter:
    return next(stage for stage in enforcement[point] if stage.kind == kind)


def test_an_exact_enforcement_holds_without_excess() -> None:
    proof = prove(POLICY, EXACT, exact)
    assert proof.holds, proof.failures()
    assert not any(point.excess for point in proof.points)
    assert not any(passage.excess for passage in proof.passages)
    assert {(p.route.source, p.route.destination) for p in proof.passages} >= {
        ("expressway-c/single", "expressway-e/internal"),
        ("expressway-c/single", "expressway-e/external"),  # by public addresses
        ("expressway-c/single", "expressway-c/single"),
        ("cucm/single", "expressway-c/single"),
    }


def test_order_and_shape_of_rules_make_no_difference() -> None:
    """Split, doubled and reversed rules are the same enforcement."""
    reshaped: dict[Point, tuple[Filter, ...]] = {}
    for point, filters in EXACT.items():
        stages = []
        for stage in filters:
            halves = [
                replace(one, name=f"{one.name}.{i}", packets=one.packets & half)
                for one in stage.rules
                for i, half in enumerate((_even_ports(), ALL - _even_ports(), ALL))
            ]
            stages.append(replace(stage, rules=tuple(reversed(halves))))
        reshaped[point] = tuple(stages)
    proof = prove(POLICY, reshaped, exact, EXACT)
    assert proof.holds, proof.failures()


def _even_ports() -> PacketSet:
    return PacketSet.union(
        PacketSet.of(EVERY_ADDRESS, protocol, None, (PortRange.parse("0-65534 even"),))
        for protocol in (Protocol.TCP, Protocol.UDP)
    )


def test_excess_that_the_cloud_cannot_avoid_is_explained_and_listed() -> None:
    shape = PacketSet.without_source_ports
    enforcement = faithful(POLICY, shape)
    proof = prove(POLICY, enforcement, without_source_ports)
    assert proof.holds, proof.failures()
    edge = _point(proof, EDGE_IN)
    assert edge.excess == POLICY.intended(EDGE_IN).without_source_ports() - edge.intended
    assert edge.excess
    assert not prove(POLICY, enforcement, exact).holds


def _mutations() -> Iterator[tuple[str, Enforcement]]:
    """Every security-group rule dropped, widened by a port, by an address bit, moved, denied."""
    for point, filters in EXACT.items():
        group = filters[1 if point.direction is Direction.INGRESS else 0]
        for i, one in enumerate(group.rules):
            rest = (*group.rules[:i], *group.rules[i + 1 :])

            def put(new: FilterRule, point: Point = point, rest: object = rest) -> Enforcement:
                return changed(EXACT, point, "security-group", rules=(*rest, new))  # type: ignore[misc]

            yield f"drop {one.name}", changed(EXACT, point, "security-group", rules=rest)
            box = next(one.packets.boxes())
            last = box.destination_ports[-1].last
            if last < 65535 and box.protocol in (Protocol.TCP, Protocol.UDP):
                wider = (*box.destination_ports, PortRange(last + 1, last + 1))
                grown = PacketSet.of(box.peers, box.protocol, box.source_ports, wider)
                yield f"port {one.name}", put(replace(one, packets=one.packets | grown))
            if box.peers[0].prefixlen:
                grown = PacketSet.of(
                    (box.peers[0].supernet(),),
                    box.protocol,
                    box.source_ports,
                    box.destination_ports,
                )
                yield f"bit {one.name}", put(replace(one, packets=one.packets | grown))
            other = Protocol.UDP if box.protocol == Protocol.TCP else Protocol.TCP
            wrong = PacketSet.of(box.peers, other, box.source_ports, box.destination_ports)
            yield f"protocol {one.name}", put(replace(one, packets=wrong))
            yield f"deny {one.name}", put(replace(one, allow=False))


def _no_lists(enforcement: Enforcement) -> Enforcement:
    """Without the access lists, so that a group's mutation stands alone."""
    return {
        point: tuple(stage for stage in filters if stage.stateful)
        for point, filters in enforcement.items()
    }


def test_every_mutation_that_changes_meaning_is_caught_and_no_other() -> None:
    caught = neutral = 0
    for name, mutant in _mutations():
        alone = _no_lists(mutant)
        same = all(_through(alone[point]) == _through(_no_lists(EXACT)[point]) for point in alone)
        proof = prove(POLICY, alone, exact)
        assert proof.holds == same, name
        if not same:
            caught += 1
            assert proof.failures()
            assert any(point.counterexamples for point in proof.points), name
        neutral += same
    # Every rule, five ways; widening the last port of 65535 and the like change nothing.
    assert caught > 80
    assert neutral < 5


def _through(filters: tuple[Filter, ...]) -> PacketSet:
    out = ALL
    for stage in filters:
        out = out & stage.allowed()
    return out


def test_a_counterexample_names_the_packet_and_the_rule_that_lets_it_in() -> None:
    group = stage_of(EXACT, EDGE_IN, "security-group")
    hole = rule("hole", PacketSet.of(networks("0.0.0.0/0"), 6, None, ports(22)), "expressway/4/1")
    mutant = changed(_no_lists(EXACT), EDGE_IN, "security-group", rules=(*group.rules, hole))
    point = _point(prove(POLICY, mutant, exact), EDGE_IN)
    (found,) = point.counterexamples
    assert found.packet in point.unexplained
    assert found.packet.destination_port == 22
    assert [decision.rule for decision in found.decisions] == [hole]
    assert found.rows == ("expressway/4/1",)
    assert "hole" in point.failures()[0]


def test_a_missing_packet_names_the_row_that_is_not_served() -> None:
    group = stage_of(EXACT, EDGE_IN, "security-group")
    rest = tuple(one for one in group.rules if "expressway/11/1" not in one.rows)
    point = _point(
        prove(POLICY, changed(EXACT, EDGE_IN, "security-group", rules=rest), exact), EDGE_IN
    )
    (found,) = point.counterexamples
    assert found.rows == ("expressway/11/1",)
    assert found.packet in POLICY.intended(EDGE_IN)
    assert not found.decisions[-1].allowed


def test_end_to_end_a_packet_has_to_pass_both_ends() -> None:
    """The destination's group forgets one of two peers: their calls alone do not arrive."""
    edge_in = Point("expressway-e/internal", Direction.INGRESS)
    first_only = PacketSet.of(networks("10.0.10.12"), None)
    group = stage_of(EXACT, edge_in, "security-group")
    rules = tuple(replace(one, packets=one.packets - first_only) for one in group.rules)
    proof = prove(POLICY, changed(EXACT, edge_in, "security-group", rules=rules), exact)
    failed = [passage for passage in proof.passages if not passage.holds]
    assert [(p.route.source, p.route.destination) for p in failed] == [
        ("expressway-c/single", "expressway-e/internal")
    ]
    (passage,) = failed
    assert passage.unserved == ("expressway/5/1", "expressway/5/2")
    for lost in passage.missing:
        assert lost.packets <= first_only
    assert "10.0.10.12" in passage.failures()[0]


def test_lost_replies_are_found_in_a_stateless_filter_only() -> None:
    core_out = Point("expressway-c/single", Direction.EGRESS)
    own = (rule("own flows", POLICY.intended(core_out)),)
    proof = prove(POLICY, changed(EXACT, core_out, "network-acl", rules=own), exact)
    point = _point(proof, core_out)
    assert not point.missing
    assert point.missing_replies == POLICY.intended(CORE_IN).replies() - POLICY.intended(core_out)
    assert not point.holds
    assert any("cucm/3/4" in text for text in point.failures()), "the echo's row"
    unanswered = {
        (p.route.source, p.route.destination) for p in proof.passages if p.missing_replies
    }
    assert ("cucm/single", "expressway-c/single") in unanswered
    assert prove(POLICY, _no_lists(EXACT), exact).holds, "a stateful filter needs no reply rule"


def test_a_stateless_filter_widened_before_a_tight_group_shows_against_the_plan() -> None:
    acl = stage_of(EXACT, EDGE_IN, "network-acl")
    wide = PacketSet.of(networks("0.0.0.0/0"), Protocol.TCP, None, ports(3389))
    mutant = changed(EXACT, EDGE_IN, "network-acl", rules=(*acl.rules, rule("wide", wide)))
    alone = _point(prove(POLICY, mutant, exact), EDGE_IN)
    assert alone.holds, "the group behind it still refuses"
    list_proof = alone.stages[0]
    assert list_proof.excess == list_proof.refused_behind == wide
    against = _point(prove(POLICY, mutant, exact, EXACT), EDGE_IN)
    assert against.stages[0].unplanned == wide
    assert not against.holds
    assert "wide" in against.failures()[0]


def test_a_point_without_any_filter_is_open_and_fails() -> None:
    bare = {point: filters for point, filters in EXACT.items() if point != EDGE_IN}
    point = _point(prove(POLICY, bare, exact), EDGE_IN)
    assert point.enforced == ALL
    assert not point.holds
    assert "no filter at all" in point.failures()[0]


@pytest.mark.parametrize("order", list(Order))
def test_a_deny_before_an_allow_counts_only_where_order_does(order: Order) -> None:
    deny = rule("deny", PacketSet.of(networks("0.0.0.0/0"), 6, None, ports(5061)), allow=False)
    group = stage_of(EXACT, EDGE_IN, "security-group")
    mutant = changed(
        _no_lists(EXACT), EDGE_IN, "security-group", rules=(deny, *group.rules), order=order
    )
    assert prove(POLICY, mutant, exact).holds == (order is Order.UNION)


def test_what_bypasses_a_filter_is_not_refused_by_it() -> None:
    """A network ACL is not met inside its own subnet."""
    cluster = PacketSet.of((ip_network("10.0.10.0/24"),), None)
    acl = stage_of(EXACT, CORE_IN, "network-acl")
    outside = tuple(replace(one, packets=one.packets - cluster) for one in acl.rules)
    tight = changed(EXACT, CORE_IN, "network-acl", rules=outside)
    assert not prove(POLICY, tight, exact).holds
    assert prove(POLICY, changed(tight, CORE_IN, "network-acl", bypassed_by=cluster), exact).holds


def test_a_proof_is_plain_data() -> None:
    plain = prove(POLICY, EXACT, exact).as_plain()
    assert plain["holds"] is True
    point = next(p for p in plain["points"] if p["interface"] == EDGE_IN.interface)
    assert point["missing"] == {"count": 0, "blocks": [], "example": None}
    assert EMPTY.count() == 0


def _point(proof: Proof, point: Point) -> PointProof:
    return next(found for found in proof.points if found.point == point)
