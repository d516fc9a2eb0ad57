"""Traces: which filter and rule decided, in both directions, and what stands for many packets."""

from __future__ import annotations

import pytest

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.interface import Interface, Member
from flowbridge.policy.compiled import compile_policy
from flowbridge.policy.filter import Filter, Order
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.questions.directory import UnknownPlaceError
from flowbridge.policy.questions.question import Question, UnanswerableError
from flowbridge.policy.questions.trace import Extent, Leg, Tracer, Verdict
from tests.policy.edge import edge_policy, faithful, networks, ports, rule, with_acls

POLICY = edge_policy()
ENFORCEMENT = with_acls(POLICY, faithful(POLICY))
TRACER = Tracer(POLICY, ENFORCEMENT)
CORE = "expressway-c/single"


def test_a_call_from_the_internet_is_followed_in_and_back() -> None:
    found = TRACER.trace(Question("8.8.8.8", "10.0.1.11", Protocol.TCP, ports(5061), ports(40000)))
    assert found.verdict is Verdict.ALLOWED
    assert found.rows == ("expressway/11/1",)
    assert [(hop.leg, hop.decision.filter.kind) for hop in found.hops] == [
        (Leg.FORWARD, "network-acl"),
        (Leg.FORWARD, "security-group"),
        (Leg.REPLY, "security-group"),
        (Leg.REPLY, "network-acl"),
    ]
    reply = found.hops[-1]
    assert reply.point == Point("expressway-e/external", Direction.EGRESS)
    assert (reply.packet.source_port, reply.packet.destination_port) == (5061, 40000)
    assert found.hops[2].decision.reply, "a stateful filter passes the reply by itself"


def test_between_managed_ends_both_ends_are_asked() -> None:
    found = TRACER.trace(Question("expressway-c", "cucm", Protocol.TCP, ports(8443)))
    assert found.verdict is Verdict.ALLOWED
    points = [str(hop.point) for hop in found.hops if hop.leg is Leg.FORWARD]
    assert points == [f"{CORE} egress"] * 2 + ["cucm/single ingress"] * 2
    assert 30000 <= found.sample.source_port <= 35999, "a source port that the flow has"
    assert found.extent is Extent.SOME, "other source ports are refused"


def test_the_first_refusal_ends_the_way_and_is_named() -> None:
    found = TRACER.trace(Question("cucm", "expressway-e/external", Protocol.UDP, ports(53)))
    assert found.verdict is Verdict.DENIED
    assert found.rows == ()
    decided = found.decided_by
    assert decided is found.hops[-1]
    assert decided is not None
    assert decided.point == Point("cucm/single", Direction.EGRESS)
    assert decided.decision.rule is None
    assert "no rule matches" in decided.decision.why


def test_a_lost_reply_is_a_refusal_on_the_way_back() -> None:
    point = Point("expressway-e/external", Direction.EGRESS)
    only_own = tuple(
        Filter(
            name=s.name,
            kind=s.kind,
            order=s.order,
            stateful=s.stateful,
            rules=(rule("own", POLICY.intended(point)),),
        )
        if s.kind == "network-acl"
        else s
        for s in ENFORCEMENT[point]
    )
    tracer = Tracer(POLICY, {**ENFORCEMENT, point: only_own})
    found = tracer.trace(Question("8.8.8.8", "10.0.1.11", Protocol.TCP, ports(5061), ports(40000)))
    assert found.verdict is Verdict.DENIED
    assert found.decided_by is not None
    assert found.decided_by.leg is Leg.REPLY
    many = tracer.trace(Question("internet", "expressway-e", Protocol.TCP, ports(5061)))
    assert many.extent is Extent.NONE


def test_the_public_address_is_met_by_translated_addresses() -> None:
    found = TRACER.trace(
        Question("10.0.10.11", "203.0.113.12", Protocol.TCP, ports(8443), ports(30001))
    )
    assert found.verdict is Verdict.ALLOWED
    assert str(found.sample.source) == "203.0.113.200", "as the edge sees it, behind NAT"
    assert found.rows == ("expressway/16/2",)
    private = TRACER.trace(
        Question("10.0.10.11", "10.0.1.12", Protocol.TCP, ports(8443), ports(30001))
    )
    assert private.verdict is Verdict.DENIED


def test_a_host_without_a_public_address_is_asked_about_by_its_own() -> None:
    """A neighbour has a public address; from which one this host arrives, nobody says."""
    core = Interface(
        workload="expressway-c",
        name="single",
        tier="internal",
        members=(
            Member("peer1", networks("10.0.10.11")),
            Member("peer2", networks("10.0.10.12"), networks("203.0.113.72")),
        ),
    )
    tracer = Tracer(compile_policy((core,), ()), {})
    asked = Question("10.0.10.11", "203.0.113.72", Protocol.UDP, ports(161), ports(1024))
    assert str(tracer.trace(asked).sample.source) == "10.0.10.11"
    neighbour = Question("10.0.10.12", "203.0.113.72", Protocol.UDP, ports(161), ports(1024))
    assert str(tracer.trace(neighbour).sample.source) == "203.0.113.72"


def test_the_internet_is_no_listed_office_but_an_address_of_it_is() -> None:
    stranger = TRACER.trace(Question("internet", "expressway-e", Protocol.TCP, ports(22)))
    assert stranger.extent is Extent.NONE
    office = TRACER.trace(Question("10.9.0.7", "expressway-e", Protocol.TCP, ports(22)))
    assert office.verdict is Verdict.ALLOWED
    assert office.destination == "expressway-e/internal"
    assert office.rows == ("expressway/4/1",)
    assert [path.split(" (")[0] for path, _ in office.others] == [
        "10.9.0.7 to expressway-e/external"
    ]


def test_an_echo_is_answered() -> None:
    found = TRACER.trace(Question.ask("admin-pc", "expressway-c", "icmp", ports(8)))
    assert found.verdict is Verdict.ALLOWED
    assert [hop.packet.destination_port // 256 for hop in found.hops] == [8, 8, 0, 0]


def test_allowed_without_a_row_is_told_apart() -> None:
    point = Point("cucm/single", Direction.INGRESS)
    everything = PacketSet.of(networks("0.0.0.0/0"), None)
    open_group = Filter(
        name="sg",
        kind="security-group",
        order=Order.UNION,
        stateful=True,
        rules=(rule("open", everything),),
    )
    tracer = Tracer(POLICY, {**faithful(POLICY), point: (open_group,)})
    found = tracer.trace(Question("8.8.8.8", "cucm", Protocol.TCP, ports(3389)))
    assert found.verdict is Verdict.ALLOWED
    assert found.rows == ()
    assert found.decided_by is not None
    assert found.decided_by.decision.rule is not None
    assert found.decided_by.decision.rule.name == "open"


@pytest.mark.parametrize(
    ("source", "destination", "error", "said"),
    [
        ("expresway-c", "cucm", UnknownPlaceError, "did you mean 'expressway-c'"),
        ("10.0.0.256", "cucm", UnknownPlaceError, "not known here"),
        ("8.8.8.8", "9.9.9.9", UnanswerableError, "no filter here sees"),
        ("2001:db8::1", "cucm", UnanswerableError, "IP family"),
    ],
)
def test_a_question_without_an_answer_says_why(
    source: str, destination: str, error: type[ValueError], said: str
) -> None:
    with pytest.raises(error, match=said):
        TRACER.trace(Question(source, destination, Protocol.TCP, ports(443)))


def test_a_trace_is_plain_data() -> None:
    plain = TRACER.trace(Question("internet", "expressway-e", Protocol.TCP, ports(5061))).as_plain()
    assert plain["verdict"] == "allowed"
    assert plain["rows"] == ["expressway/11/1"]
    assert plain["hops"][0]["interface"] == "expressway-e/external"
    assert plain["decided_by"]["rule"].startswith("expressway-e/external ingress")
