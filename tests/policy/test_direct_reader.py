"""Random 5-tuples: the engine and a slow direct reading of the flows must agree."""

from __future__ import annotations

import random
from ipaddress import ip_address

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.filter import Filter, Order
from flowbridge.policy.packets.packet import Packet
from flowbridge.policy.packets.packet_set import ALL, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.proof.decision import FilterIndex
from flowbridge.policy.questions.question import Question, UnanswerableError
from flowbridge.policy.questions.trace import Tracer, Verdict
from tests.policy.direct_reader import FiveTuple, asked_at, near
from tests.policy.edge import (
    edge_flows,
    edge_interfaces,
    edge_policy,
    faithful,
    networks,
    rule,
    with_acls,
)
from tests.policy.one_packet import verdict

FLOWS = edge_flows()
CARDS = edge_interfaces()
POLICY = edge_policy()


def seen_by(direction: Direction, packet: FiveTuple) -> Packet:
    peer = packet.destination if direction is Direction.EGRESS else packet.source
    return Packet(peer, packet.protocol, packet.source_port, packet.port)


def test_intended_packets_are_those_that_flows_ask_for() -> None:
    dice = random.Random(1)  # noqa: S311
    asked = 0
    for _ in range(1500):
        packet = near(FLOWS, dice)
        for card in CARDS:
            for direction in Direction:
                expected = asked_at(FLOWS, card, direction, packet)
                intended = POLICY.intended(Point(card.key, direction))
                assert (seen_by(direction, packet) in intended) == expected, packet
                asked += expected
    assert asked > 500, "the packets are too far off to test anything"


def test_indexed_filters_decide_as_filters_do() -> None:
    dice = random.Random(2)  # noqa: S311
    enforcement = with_acls(POLICY, faithful(POLICY))
    indexes = {id(s): FilterIndex(s) for filters in enforcement.values() for s in filters}
    for _ in range(300):
        packet = near(FLOWS, dice)
        for point, filters in enforcement.items():
            seen = seen_by(point.direction, packet)
            for stage in filters:
                decision = indexes[id(stage)].decide(seen)
                assert (decision.allowed, decision.rule) == verdict(stage, seen)
                assert decision.allowed == (seen in stage.allowed())


def test_an_index_knows_that_a_union_has_no_deny() -> None:
    everything = rule("deny", ALL, allow=False)
    some = rule("allow", PacketSet.of(networks("10.0.0.0/8"), Protocol.TCP))
    packet = Packet(ip_address("10.0.0.1"), Protocol.TCP, 1024, 22)
    for order, allowed in ((Order.UNION, True), (Order.FIRST_MATCH, False)):
        stage = Filter(
            name="both", kind="security-group", order=order, stateful=True, rules=(everything, some)
        )
        assert FilterIndex(stage).decide(packet).allowed == allowed
        assert verdict(stage, packet)[0] == allowed


def test_a_trace_allows_what_both_ends_are_asked_for() -> None:
    dice = random.Random(3)  # noqa: S311
    tracer = Tracer(POLICY, with_acls(POLICY, faithful(POLICY)))
    by_address = {network.network_address: card for card in CARDS for network in card.private}
    verdicts = {Verdict.ALLOWED: 0, Verdict.DENIED: 0}
    for _ in range(600):
        packet = near(FLOWS, dice)
        source, destination = by_address.get(packet.source), by_address.get(packet.destination)
        translated = any(
            address in network
            for card in CARDS
            for network in card.public
            for address in (packet.source, packet.destination)
        )
        if packet.protocol not in (Protocol.TCP, Protocol.UDP) or translated:
            continue
        question = Question(
            str(packet.source),
            str(packet.destination),
            Protocol(packet.protocol),
            (PortRange(packet.port, packet.port),),
            (PortRange(packet.source_port, packet.source_port),),
        )
        try:
            found = tracer.trace(question)
        except UnanswerableError:
            assert source is None
            assert destination is None
            continue
        expected = (source is None or asked_at(FLOWS, source, Direction.EGRESS, packet)) and (
            destination is None or asked_at(FLOWS, destination, Direction.INGRESS, packet)
        )
        assert (found.verdict is Verdict.ALLOWED) == expected, question
        assert bool(found.rows) == expected
        verdicts[found.verdict] += 1
    assert min(verdicts.values()) > 50
