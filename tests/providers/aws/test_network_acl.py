"""Network ACLs carry every flow and its answers over the subnet border, and say what else."""

from __future__ import annotations

import re
from ipaddress import ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.finding import Severity
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.interface import Interface
from flowbridge.policy.compiled import compile_policy
from flowbridge.policy.packets.packet import Packet
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.aws.cloud import PROVIDER
from flowbridge.providers.provider import Lowered
from tests.policy.one_packet import packet
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
from tests.providers.aws.reader import acl_lets_through, acl_of

# Where each interface sits; all members of each are in one subnet.
SUBNETS = {
    EXTERNAL.key: ["10.0.1.0/24"],
    INTERNAL.key: ["10.0.2.0/24"],
    CORE.key: ["10.0.10.0/24", "2001:db8:10::/64"],
    CUCM.key: ["10.0.10.0/24", "2001:db8:10::/64"],
}


def lower(*asked: Flow, **more: object) -> Lowered:
    return PROVIDER.lower(compile_policy(INTERFACES, asked), site(**more))


def crosses(one: Interface, single: Packet) -> bool:
    return not any(single.peer in ip_network(cidr) for cidr in SUBNETS[one.key])


def corners(packets: PacketSet) -> list[Packet]:
    """Packets at the ends of every range of a set."""
    found: list[Packet] = []
    for box in packets.boxes():
        assert box.protocol is not None
        for peer in (box.peers[0], box.peers[-1]):
            for address in (peer[0], peer[-1]):
                for source in (box.source_ports[0].first, box.source_ports[-1].last):
                    for to in box.destination_ports:
                        found.extend(
                            Packet(address, box.protocol, source, port)
                            for port in (to.first, to.last)
                            if port in to
                        )
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(flows(), max_size=8), st.sampled_from([5, 20, 40]))
def test_every_flow_and_its_answers_cross_the_border(asked: list[Flow], entries: int) -> None:
    policy = compile_policy(INTERFACES, asked)
    lowered = PROVIDER.lower(policy, site(quotas={"network_acl_entries": entries}))
    if any(finding.id == "aws/network-acl-does-not-fit" for finding in lowered.findings):
        return
    for one in INTERFACES:
        acl = acl_of(lowered.terraform, one.tier)
        for direction in Direction:
            assert len(acl[direction.value]) <= 2 * (entries - 1)
            there = policy.intended(Point(one.key, direction))
            back = policy.intended(Point(one.key, direction.opposite)).replies()
            for single in corners(there | back):
                if crosses(one, single):
                    assert acl_lets_through(acl, direction.value, single), str(single)


@settings(max_examples=40, deadline=None)
@given(st.lists(flows(), max_size=6), st.sampled_from([5, 20]))
def test_what_a_network_acl_lets_in_beside_is_reported(asked: list[Flow], entries: int) -> None:
    policy = compile_policy(INTERFACES, asked)
    lowered = PROVIDER.lower(policy, site(quotas={"network_acl_entries": entries}))
    if any(finding.id == "aws/network-acl-does-not-fit" for finding in lowered.findings):
        return
    for tier in ("dmz", "internal"):
        acl = acl_of(lowered.terraform, tier)
        for direction in Direction:
            wanted = PacketSet.union(
                part
                for one in INTERFACES
                if one.tier == tier
                for part in (
                    policy.intended(Point(one.key, direction)),
                    policy.intended(Point(one.key, direction.opposite)).replies(),
                )
            )
            where = f"{tier} network ACL {direction}"
            reported = PacketSet.union(e.packets for e in lowered.excess if e.where == where)
            for entry in acl[direction.value]:
                cidr = ip_network(entry.get("cidr_block") or entry["ipv6_cidr_block"])
                for protocol in (6, 17, 1, 50):
                    if int(entry["protocol"]) not in (-1, protocol):
                        continue
                    for port in (entry.get("from_port", 0), entry.get("to_port", 9), 0, 65535):
                        single = Packet(cidr[0], protocol, 40000, port)
                        if acl_lets_through(acl, direction.value, single):
                            assert single in wanted or single in reported, str(single)


@settings(max_examples=30, deadline=None)
@given(st.lists(flows(), max_size=8), flows())
def test_entries_are_well_formed_and_every_one_has_rows(asked: list[Flow], extra: Flow) -> None:
    lowered = lower(*asked, extra)
    for tier in ("dmz", "internal"):
        for entries in acl_of(lowered.terraform, tier).values():
            numbers = [entry["rule_number"] for entry in entries]
            assert len(set(numbers)) == len(numbers)
            assert all(1 <= number <= 32766 for number in numbers)
            for entry in entries:
                assert ("cidr_block" in entry) != ("ipv6_cidr_block" in entry)
                assert ("from_port" in entry) == (entry["protocol"] in ("6", "17"))
                assert ("icmp_type" in entry) == (entry["protocol"] in ("1", "58"))
    for rule in lowered.rules:
        if rule.stage == "network-acl":
            assert rule.rows
            assert re.match(r"expressway/\d+/\d+", rule.description)


def test_what_stays_in_one_subnet_takes_no_entry_and_two_subnets_of_a_tier_do() -> None:
    inside = flow(here(CUCM), here(CUCM), Protocol.TCP, 8500)
    across = flow(here(EXTERNAL), here(INTERNAL), Protocol.TCP, 8501)
    terraform = lower(inside, across).terraform
    assert acl_of(terraform, "internal")["ingress"] == []
    dmz = acl_of(terraform, "dmz")
    assert acl_lets_through(dmz, "egress", packet("10.0.2.11", 6, 1024, 8501))
    assert acl_lets_through(dmz, "ingress", packet("10.0.1.11", 6, 1024, 8501))
    assert acl_lets_through(dmz, "ingress", packet("10.0.2.11", 6, 8501, 1024))  # the answer


def test_a_subnet_is_named_once_for_its_cidrs_of_both_ip_versions() -> None:
    inside = flow(here(CUCM), here(CUCM), Protocol.TCP, 8500)
    across = flow(here(EXTERNAL), here(INTERNAL), Protocol.TCP, 8501)
    dmz = ["10.0.1.0/24", "2001:db8:1::/64", "10.0.2.0/24", "2001:db8:2::/64"]
    tiers = {
        "dmz": {"cidrs": dmz, "subnets": ["subnet-a", "subnet-b"]},
        "internal": {"cidrs": ["10.0.10.0/24", "2001:db8:10::/64"], "subnets": ["subnet-c"]},
    }
    terraform = lower(inside, across, network={"id": "vpc-1", "tiers": tiers}).terraform
    assert acl_of(terraform, "internal")["ingress"] == []
    entries = acl_of(terraform, "dmz")
    assert acl_lets_through(entries, "egress", packet("10.0.2.11", 6, 1024, 8501))


def test_without_a_subnet_for_each_cidr_nothing_is_taken_to_stay_inside() -> None:
    inside = flow(here(CUCM), here(CUCM), Protocol.TCP, 8500)
    tiers = {
        "dmz": {"cidrs": ["10.0.1.0/24", "10.0.2.0/24"]},
        "internal": {"cidrs": ["10.0.10.0/24"], "subnets": ["subnet-c", "subnet-d"]},
    }
    terraform = lower(inside, network={"id": "vpc-1", "tiers": tiers}).terraform
    internal = acl_of(terraform, "internal")
    assert acl_lets_through(internal, "ingress", packet("10.0.10.22", 6, 1024, 8500))


def test_another_list_is_another_acl_attached_by_an_association_of_each_subnet() -> None:
    one = flow(INTERNET, here(EXTERNAL), Protocol.TCP, 5061)
    other = flow(INTERNET, here(EXTERNAL), Protocol.TCP, 5062)
    before, after = lower(one).terraform["resource"], lower(one, other).terraform["resource"]
    assert set(before["aws_network_acl"]) != set(after["aws_network_acl"])
    assert set(before["aws_network_acl_association"]) == set(after["aws_network_acl_association"])
    assert sorted(
        (a["subnet_id"], a["network_acl_id"].split(".")[1].split("_")[0])
        for a in after["aws_network_acl_association"].values()
    ) == [("subnet-a", "dmz"), ("subnet-b", "dmz"), ("subnet-c", "internal")]
    for kind in ("aws_network_acl", "aws_network_acl_rule", "aws_network_acl_association"):
        assert all(
            body["lifecycle"] == {"create_before_destroy": True} for body in after[kind].values()
        )
    for body in after["aws_network_acl_association"].values():
        acl = body["network_acl_id"]
        entries = {
            f"aws_network_acl_rule.{name}"
            for name, entry in after["aws_network_acl_rule"].items()
            if entry["network_acl_id"] == acl
        }
        assert set(body["depends_on"]) == entries  # complete before it is attached


def test_a_flow_that_needs_no_entry_leaves_the_acl_alone() -> None:
    wide = flow(INTERNET, here(EXTERNAL), Protocol.UDP, "24000-59999", source_ports="any")
    within = flow(INTERNET, here(EXTERNAL), Protocol.UDP, "36000-36011", source_ports="any")
    before, after = lower(wide).terraform["resource"], lower(wide, within).terraform["resource"]
    for kind in ("aws_network_acl", "aws_network_acl_rule", "aws_network_acl_association"):
        assert before[kind] == after[kind]


def test_too_many_needs_are_joined_with_a_warning_and_management_stays_closed() -> None:
    asked = [flow(INTERNET, here(EXTERNAL), Protocol.TCP, 1100 + 50 * n) for n in range(30)]
    admin = flow(ADMIN, here(EXTERNAL), Protocol.TCP, 1310, "expressway/6/1", management=True)
    lowered = lower(*asked, admin)
    acl = acl_of(lowered.terraform, "dmz")
    assert len(acl["ingress"]) <= 2 * 19
    assert not acl_lets_through(acl, "ingress", packet("8.8.8.8", 6, 1024, 1310))
    assert acl_lets_through(acl, "ingress", packet("10.9.0.1", 6, 1024, 1310))
    widened = [f for f in lowered.findings if f.id == "aws/network-acl-widened"]
    assert widened
    assert any("wider" in excess.reason for excess in lowered.excess)


def test_needs_that_fit_no_sensible_entries_are_refused_with_the_flows_that_cost() -> None:
    asked = [
        flow(INTERNET, here(EXTERNAL), Protocol.TCP, 1100, "expressway/11/7"),
        flow(INTERNET, here(EXTERNAL), Protocol.TCP, 1300, "expressway/11/8"),
        flow(ADMIN, here(EXTERNAL), Protocol.TCP, 1200, "expressway/6/1", management=True),
    ]
    refusals = [
        f
        for f in lower(*asked, quotas={"network_acl_entries": 2}).findings
        if f.severity is Severity.REFUSAL
    ]
    assert any("expressway/11/7" in f.message and "L-2AEEBF1A" in f.message for f in refusals)
    assert not [f for f in lower(*asked).findings if f.severity is Severity.REFUSAL]


def test_a_public_peer_by_reflection_has_its_own_address_both_ways() -> None:
    asked = flow(
        here(EXTERNAL, translated=True),
        here(EXTERNAL, translated=True),
        Protocol.UDP,
        "24000-29999",
        source_ports="24000-29999",
    )
    acl = acl_of(lower(asked).terraform, "dmz")
    for direction in Direction:
        assert acl_lets_through(acl, direction.value, packet("203.0.113.12", 17, 24000, 24001))


def test_families_have_their_own_entries() -> None:
    asked = flow(outside("dns", "10.9.9.9", "2001:db8:9::9"), here(CORE), Protocol.UDP, 53)
    lowered = lower(asked)
    entries = acl_of(lowered.terraform, "internal")["ingress"]
    assert ["ipv6_cidr_block" in entry for entry in entries] == [False, True]
    assert {u.scope: u.used for u in lowered.usage if "network ACL" in u.limit} == {
        "lab internal ingress IPv4": 2,
        "lab internal ingress IPv6": 2,
        "lab internal egress IPv4": 2,
        "lab internal egress IPv6": 2,
    }


def test_ports_of_a_range_with_parity_are_carried_whole() -> None:
    asked = flow(INTERNET, here(EXTERNAL), Protocol.UDP, "36000-59998 even")
    acl = acl_of(lower(asked).terraform, "dmz")
    assert acl_lets_through(acl, "ingress", packet("8.8.8.8", 17, 1024, 36000))
    excess = [e for e in lower(asked).excess if "even or odd" in e.reason and "dmz" in e.where]
    assert excess
    assert packet("8.8.8.8", 17, 1024, 36001) in excess[0].packets
