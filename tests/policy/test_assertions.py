"""`tests:` of a deployment file: what holds, what fails, and what a failure says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flowbridge.deployment.file.site import Assertion
from flowbridge.policy.compiled import compile_policy
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.questions.assertions import AssertionResult, judge_assertion
from flowbridge.policy.questions.trace import Tracer
from tests.policy.edge import (
    edge_flows,
    edge_interfaces,
    edge_policy,
    faithful,
    group,
    networks,
    outside,
    ports,
    rule,
    with_acls,
)

POLICY = edge_policy()
EXACT = with_acls(POLICY, faithful(POLICY))
INSIDE_IN = Point("expressway-e/internal", Direction.INGRESS)


def judged(enforcement: Enforcement = EXACT, **words: Any) -> AssertionResult:
    test = Assertion.model_validate({"from": words.pop("source"), **words})
    return judge_assertion(test, Tracer(POLICY, enforcement))


def opened(point: Point, packets: PacketSet) -> Enforcement:
    """The exact groups with one more rule at `point`."""
    enforcement = faithful(POLICY)
    (stage,) = enforcement[point]
    enforcement[point] = (group(point, (*stage.rules, rule("hole", packets))),)
    return enforcement


def test_allowed_means_all_of_them() -> None:
    ask: dict[str, Any] = {"source": "internet", "to": "expressway-e/external", "protocol": "udp"}
    assert judged(**ask, ports=["3478-3483"], expect="allowed").holds
    failed = judged(**ask, ports=["3478-3484"], expect="allowed")
    assert not failed.holds
    assert failed.trace is not None
    assert failed.trace.sample.port == 3484
    assert "no rule matches" in str(failed)


def test_even_and_odd_rows_together_allow_a_range() -> None:
    ask: dict[str, Any] = {
        "source": "internet",
        "to": "expressway-e",
        "protocol": "udp",
        "expect": "allowed",
    }
    assert judged(**ask, ports=["36000-59999"]).holds


def test_named_source_ports_are_all_asked_about() -> None:
    ask: dict[str, Any] = {
        "source": "expressway-c",
        "to": "expressway-e/internal",
        "protocol": "tcp",
    }
    assert judged(**ask, ports=[7001], expect="allowed").holds, "from some source port"
    assert judged(**ask, ports=[7001], source_ports=["30000-35999"], expect="allowed").holds
    assert not judged(**ask, ports=[7001], source_ports=["1024-65535"], expect="allowed").holds


def test_a_source_port_that_a_row_asks_for_has_to_get_through() -> None:
    """Others getting through is not enough, though the test names no source ports."""
    enforcement = faithful(POLICY)
    (stage,) = enforcement[INSIDE_IN]
    lost = PacketSet.of(networks("0.0.0.0/0"), 6, ports(30001), ports(7001))
    rules = tuple(replace(one, packets=one.packets - lost) for one in stage.rules)
    enforcement[INSIDE_IN] = (group(INSIDE_IN, rules),)
    ask: dict[str, Any] = {"source": "expressway-c", "to": "expressway-e/internal"}
    failed = judged(enforcement, **ask, protocol="tcp", ports=[7001], expect="allowed")
    assert not failed.holds
    assert failed.trace is not None
    assert failed.trace.sample.source_port == 30001
    assert "expressway/5/1" in str(failed), "the row that is not served"


def test_denied_means_none_and_by_no_interface() -> None:
    ask: dict[str, Any] = {
        "source": "internet",
        "to": "expressway-e",
        "protocol": "tcp",
        "ports": [22, 443],
    }
    assert judged(**ask, expect="denied").holds
    hole = PacketSet.of(networks("198.51.100.77"), 6, ports(5000), ports(22))
    failed = judged(opened(INSIDE_IN, hole), **ask, expect="denied")
    assert not failed.holds, "one address, one source port, the other interface"
    assert "198.51.100.77:5000" in str(failed)
    assert "hole allows" in str(failed)


def test_a_workload_allows_by_any_of_its_interfaces() -> None:
    ask: dict[str, Any] = {
        "source": "admin-pc",
        "to": "expressway-e",
        "protocol": "tcp",
        "ports": [22],
    }
    assert judged(**ask, expect="allowed").holds
    assert not judged(**{**ask, "to": "expressway-e/external"}, expect="allowed").holds


def test_a_party_of_all_addresses_is_the_internet() -> None:
    """Listing everybody as administrators must not make the test hold; an office may be public."""
    words = {"from": "internet", "to": "expressway-e", "protocol": "tcp", "ports": [22]}
    for addresses, holds in (
        (("198.51.100.0/24",), True),
        (("0.0.0.0/0",), False),
        (("0.0.0.0/1", "128.0.0.0/1"), False),
    ):
        flows = tuple(
            flow._replace(source=outside("admin-pc", *addresses)) if flow.management else flow
            for flow in edge_flows()
        )
        policy = compile_policy(edge_interfaces(), flows)
        test = Assertion.model_validate({**words, "expect": "denied"})
        assert judge_assertion(test, Tracer(policy, faithful(policy))).holds == holds, addresses


def test_a_refused_reply_is_no_success() -> None:
    point = Point("expressway-e/external", Direction.EGRESS)
    mute = {**EXACT, point: tuple(stage for stage in EXACT[point] if stage.stateful)}
    ask: dict[str, Any] = {
        "source": "internet",
        "to": "expressway-e/external",
        "protocol": "tcp",
        "ports": [5061],
    }
    assert judged(mute, **ask, expect="allowed").holds, "a stateful filter needs no reply rule"
    deaf = replace(next(stage for stage in EXACT[point] if not stage.stateful), rules=())
    assert not judged({**EXACT, point: (*mute[point], deaf)}, **ask, expect="allowed").holds


def test_ping_without_a_type_is_an_echo() -> None:
    ask: dict[str, Any] = {"source": "admin-pc", "to": "expressway-c", "protocol": "icmp"}
    assert judged(**ask, expect="allowed").holds
    assert not judged(**ask, expect="denied").holds
    assert judged(**ask, ports=[13], expect="denied").holds


@pytest.mark.parametrize("expect", ["allowed", "denied"])
def test_an_unknown_name_fails_and_says_so(expect: str) -> None:
    failed = judged(source="internett", to="expressway-e", protocol="tcp", expect=expect)
    assert not failed.holds
    assert "did you mean 'internet'" in str(failed)
    assert failed.as_plain()["holds"] is False
