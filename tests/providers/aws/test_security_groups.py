"""Groups let through what is asked, no more than they must, and change with their flow alone."""

from __future__ import annotations

import json
import random
import re
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.account import AwsQuotas
from flowbridge.deployment.finding import Severity
from flowbridge.deployment.flow import Flow
from flowbridge.policy.compiled import compile_policy
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.aws.cloud import PROVIDER
from flowbridge.providers.aws.emit.security_groups import security_groups
from flowbridge.providers.aws.quotas import quotas_for
from flowbridge.providers.provider import Lowered
from tests.providers.aws.policies import (
    ADMIN,
    CORE,
    CUCM,
    EXTERNAL,
    INTERFACES,
    INTERNAL,
    INTERNET,
    flow,
    flows,
    here,
    outside,
    site,
)
from tests.providers.aws.reader import group_packets, rules_of
from tests.providers.sites import interface

ROW = re.compile(r"expressway/\d+/\d+")


def lower(*asked: Flow, **more: object) -> Lowered:
    return PROVIDER.lower(compile_policy(INTERFACES, asked), site(**more))


def rules(lowered: Lowered) -> dict[str, Any]:
    """Every group rule by its Terraform address."""
    return {
        f"{kind}.{name}": body
        for kind, named in lowered.terraform["resource"].items()
        for name, body in named.items()
        if kind.startswith("aws_vpc_security_group_")
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(flows(), max_size=8))
def test_groups_let_through_what_is_asked_and_what_they_report_as_excess(asked: list[Flow]) -> None:
    policy = compile_policy(INTERFACES, asked)
    lowered = PROVIDER.lower(policy, site())
    for one in INTERFACES:
        for direction in Direction:
            point = Point(one.key, direction)
            intended = policy.intended(point)
            allowed = group_packets(lowered.terraform, one, direction, INTERFACES)
            excess = PacketSet.union(e.packets for e in lowered.excess if e.where == str(point))
            assert not intended - allowed
            assert allowed - intended == excess
            assert intended <= PROVIDER.expressible(intended, point)
            assert allowed <= PROVIDER.expressible(intended, point)


@settings(max_examples=40, deadline=None)
@given(st.lists(flows(parity=False), max_size=6), flows(parity=False), st.randoms())
def test_a_flow_touches_only_the_rules_that_serve_it(
    others: list[Flow], extra: Flow, shuffle: random.Random
) -> None:
    without = rules(lower(*others))
    shuffled = [*others, extra]
    shuffle.shuffle(shuffled)
    with_it = rules(lower(*shuffled))
    alone = rules(lower(extra))
    assert set(with_it) == set(without) | set(alone)
    for address, body in with_it.items():
        if address not in alone:
            assert body == without[address]
        else:
            assert set(extra.rows) <= set(ROW.findall(body["description"]))


@settings(max_examples=30, deadline=None)
@given(st.lists(flows(), max_size=8), st.randoms())
def test_the_order_of_flows_changes_no_byte(asked: list[Flow], shuffle: random.Random) -> None:
    shuffled = asked[:]
    shuffle.shuffle(shuffled)
    assert json.dumps(lower(*asked).terraform) == json.dumps(lower(*shuffled).terraform)


@settings(max_examples=30, deadline=None)
@given(st.lists(flows(), max_size=8))
def test_every_rule_names_its_rows_and_carries_the_tags(asked: list[Flow]) -> None:
    lowered = lower(*asked)
    for address, body in rules(lowered).items():
        assert re.fullmatch(r"[0-9A-Za-z _.:/()#,@\[\]+=;{}!$*-]{1,255}", body["description"])
        assert ROW.match(body["description"])
        assert set(body["tags"]) >= {
            "flowbridge:site",
            "flowbridge:tier",
            "flowbridge:workload",
            "flowbridge:interface",
        }
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*\.[A-Za-z_][A-Za-z0-9_-]*", address)
    assert {rule.address for rule in lowered.rules if rule.stage == "security-group"} == set(
        rules(lowered)
    )


def test_a_private_peer_is_a_group_and_a_public_one_an_address() -> None:
    private = flow(here(CUCM), here(INTERNAL), Protocol.TCP, 5061)
    public = flow(here(CUCM), here(EXTERNAL, translated=True), Protocol.TCP, 5062)
    mine = rules_of(lower(private, public).terraform, CUCM, "egress").values()
    peers = {
        rule["from_port"]: {k: v for k, v in rule.items() if k.startswith(("cidr", "ref"))}
        for rule in mine
    }
    assert peers[5061] == {
        "referenced_security_group_id": "${aws_security_group.expressway-e_internal.id}"
    }
    assert "cidr_ipv4" in peers[5062]
    assert len(mine) == 3
    assert {rule.get("cidr_ipv4") for rule in mine} >= {"203.0.113.11/32", "203.0.113.12/32"}


def test_a_group_is_never_named_where_it_means_other_addresses() -> None:
    # CORE has IPv6 as well, which CUCM has not: a reference would let it in.
    to_core = flow(here(CUCM), here(CORE), Protocol.TCP, 5061)
    (rule,) = rules_of(lower(to_core).terraform, CUCM, "egress").values()
    assert rule["cidr_ipv4"] == "10.0.10.11/32"


def test_identical_rules_of_several_flows_are_one_with_all_rows() -> None:
    one = flow(INTERNET, here(EXTERNAL), Protocol.TCP, 5061, "expressway/11/7")
    other = flow(
        outside("remote", "0.0.0.0/0"), here(EXTERNAL), Protocol.TCP, 5061, "expressway/16/2"
    )
    (rule,) = rules_of(lower(one, other).terraform, EXTERNAL, "ingress").values()
    assert rule["description"].startswith("expressway/11/7, expressway/16/2")
    assert rule["tags"]["flowbridge:rows"] == "expressway/11/7 expressway/16/2"


@pytest.mark.parametrize(
    ("even", "odd", "expected"),
    [
        ("36000-59998 even", "36001-59999 odd", [(36000, 59999)]),
        ("36000-59999 even", "36000-59999 odd", [(36000, 59999)]),
        ("36000-36010 even", "36001-36011 odd", [(36000, 36011)]),
        ("36000-36004 even", None, [(36000, 36000), (36002, 36002), (36004, 36004)]),
        ("36000-59998 even", None, [(36000, 59998)]),
    ],
)
def test_both_halves_are_one_range_and_one_half_is_single_ports_or_excess(
    even: str, odd: str | None, expected: list[tuple[int, int]]
) -> None:
    asked = [
        flow(INTERNET, here(EXTERNAL), Protocol.UDP, half, row, source_ports="any")
        for half, row in ((even, "expressway/11/11"), (odd, "expressway/11/12"))
        if half
    ]
    lowered = lower(*asked)
    found = rules_of(lowered.terraform, EXTERNAL, "ingress").values()
    assert sorted((rule["from_port"], rule["to_port"]) for rule in found) == expected
    reported = [e for e in lowered.excess if e.where == "expressway-e/external ingress"]
    assert [bool("even or odd" in e.reason) for e in reported] == (
        [True] if expected == [(36000, 59998)] else []
    )


def test_only_long_rows_of_every_second_port_are_expressible_as_a_range() -> None:
    def ports(*texts: str) -> PacketSet:
        return PacketSet.of([ip_network("10.0.0.0/8")], 17, None, map(PortRange.parse, texts))

    point = Point(EXTERNAL.key, Direction.INGRESS)
    assert PROVIDER.expressible(ports("36000-36020 even"), point) == ports("36000-36020")
    for exact in (("36000-36014 even",), ("1024-5268", "5270-65535"), ("5060", "5062")):
        assert PROVIDER.expressible(ports(*exact), point) == ports(*exact)


def test_protocols_without_ports_have_none_and_icmp_has_type_and_code() -> None:
    echo = flow(ADMIN, here(CUCM), Protocol.ICMP, "2048-2303")
    esp = flow(here(CUCM), here(INTERNAL), Protocol.ESP, "any")
    lowered = lower(echo, esp)
    (ping, *_) = rules_of(lowered.terraform, CUCM, "ingress").values()
    (tunnel,) = rules_of(lowered.terraform, CUCM, "egress").values()
    assert (ping["ip_protocol"], ping["from_port"], ping["to_port"]) == ("icmp", 8, -1)
    assert (tunnel["ip_protocol"], tunnel["from_port"], tunnel["to_port"]) == ("50", -1, -1)


def test_many_ranges_of_one_family_become_a_prefix_list() -> None:
    phones = outside("phones", *(f"10.30.{2 * n}.0/24" for n in range(12)))
    lowered = lower(
        flow(phones, here(CUCM), Protocol.TCP, 2000), flow(phones, here(CUCM), Protocol.TCP, 2443)
    )
    found = rules_of(lowered.terraform, CUCM, "ingress").values()
    assert len(found) == 2
    assert len({rule["prefix_list_id"] for rule in found}) == 1
    (usage,) = (u for u in lowered.usage if u.scope == "lab cucm/single ingress IPv4")
    assert usage.used == 24  # a list counts as many rules as it has entries


def crowd(count: int) -> list[Flow]:
    return [flow(INTERNET, here(EXTERNAL), Protocol.TCP, 1024 + n * 2) for n in range(count)]


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(st.integers(61, 130))
def test_more_rules_than_a_group_takes_are_split_and_all_stay(count: int) -> None:
    asked = crowd(count)
    policy = compile_policy(INTERFACES, asked)
    lowered = PROVIDER.lower(policy, site())
    allowed = group_packets(lowered.terraform, EXTERNAL, "ingress", INTERFACES)
    point = Point(EXTERNAL.key, Direction.INGRESS)
    assert allowed == policy.intended(point).without_source_ports()
    for usage in lowered.usage:
        assert usage.used <= usage.allowed or "network ACL" in usage.limit
    before, after = rules(lowered), rules(lower(*asked, *crowd(count + 1)[-1:]))
    moved = [
        address
        for address in before
        if before[address]["security_group_id"] != after[address]["security_group_id"]
    ]
    # Only a group that overflows gives rules away, and then about half of them to one new group.
    assert len({after[address]["security_group_id"] for address in moved}) <= 1


def fitting(count: int, **raised: int) -> bool:
    """Whether so many rules of one direction fit the groups of their interface."""
    quotas = quotas_for(AwsQuotas.model_validate(raised))
    groups = security_groups(compile_policy([EXTERNAL], crowd(count)), quotas)
    return groups.interfaces[0].groups is not None


def test_rules_that_fit_no_number_of_groups_are_refused() -> None:
    refusals = [f for f in lower(*crowd(301)).findings if f.severity is Severity.REFUSAL]
    assert any(f.id == "aws/rules-do-not-fit" and "301 rules" in f.message for f in refusals)
    assert fitting(300)
    assert fitting(301, rules_per_security_group=200)


def test_quotas_whose_product_is_too_large_leave_fewer_groups() -> None:
    raised = {"rules_per_security_group": 500, "security_groups_per_interface": 16}
    assert fitting(1000, **raised)
    assert not fitting(1001, **raised)


def test_existing_cards_carry_every_group_before_rules_move_there() -> None:
    edge = interface("edge/single", "dmz", "10.0.1.21", "10.0.1.22", cards=["eni-1", "eni-2"])
    asked = [flow(INTERNET, here(edge), Protocol.TCP, 1024 + n * 2) for n in range(70)]
    terraform = PROVIDER.lower(compile_policy([edge], asked), site()).terraform
    groups = terraform["resource"]["aws_security_group"]
    attached = terraform["resource"]["aws_network_interface_sg_attachment"]
    assert len(groups) == 2
    assert {(a["security_group_id"], a["network_interface_id"]) for a in attached.values()} == {
        (f"${{aws_security_group.{group}.id}}", card)
        for group in groups
        for card in ("eni-1", "eni-2")
    }
    further = "${aws_security_group.edge_single_1.id}"
    for rule in rules_of(terraform, edge, "ingress").values():
        waits = [name.split(".")[1] for name in rule.get("depends_on", [])]
        assert {attached[name]["security_group_id"] for name in waits} == (
            {further} if rule["security_group_id"] == further else set()
        )
