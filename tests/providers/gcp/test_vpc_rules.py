"""VPC firewall rules let through what is asked, and a flow changes the rule of its peer alone."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.flow import End, Flow
from flowbridge.policy.compiled import compile_policy
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.gcp.cloud import PROVIDER
from flowbridge.providers.gcp.markers import Marker
from tests.providers.aws.policies import (
    ADMIN,
    CORE,
    CUCM,
    EXTERNAL,
    INTERFACES,
    INTERNAL,
    INTERNET,
    flow,
    here,
    outside,
)
from tests.providers.gcp.deployment import (
    NETWORK,
    allowing,
    firewalls,
    flows,
    lower,
    proved,
    site,
)
from tests.providers.sites import interface

ROW = re.compile(r"expressway/\d+/\d+")
NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
RANGES = {"INGRESS": "source_ranges", "EGRESS": "destination_ranges"}


def exact(asked: list[Flow]) -> None:
    """What is emitted is what is asked, and what no rule can say is reported."""
    proof = proved(*asked)
    assert not proof.failures()
    lowered = lower(*asked)
    for point in proof.points:
        reported = [e.packets for e in lowered.excess if e.where == str(point.point)]
        assert point.excess == PacketSet.union(reported)


@settings(max_examples=20, deadline=None)
@given(st.lists(flows(parity=False), max_size=6))
def test_what_is_emitted_is_what_is_asked_but_for_what_no_rule_can_say(asked: list[Flow]) -> None:
    exact(asked)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(flows(), min_size=3, max_size=8))
def test_halves_of_ranges_are_exact_too(asked: list[Flow]) -> None:
    exact(asked)


@settings(max_examples=25, deadline=None)
@given(st.lists(flows(parity=False), max_size=6), flows(parity=False), st.randoms())
def test_a_flow_changes_only_the_rules_of_its_own_peer(
    others: list[Flow], extra: Flow, shuffle: random.Random
) -> None:
    without = firewalls(lower(*others))
    shuffled = [*others, extra]
    shuffle.shuffle(shuffled)
    with_it, alone = firewalls(lower(*shuffled)), firewalls(lower(extra))
    assert set(with_it) == set(without) | set(alone)
    for name, body in with_it.items():
        if name not in alone or "deny" in body:
            assert body == without.get(name, body)
            continue
        assert set(extra.rows) <= set(ROW.findall(body["description"]))
        if name in without:
            # What forces Terraform to make a rule anew, and so to leave a gap, is the same.
            for fixed in ("name", "network", "direction", RANGES[body["direction"]]):
                assert body[fixed] == without[name][fixed]


@settings(max_examples=25, deadline=None)
@given(st.lists(flows(parity=False), max_size=6), st.randoms())
def test_the_order_of_flows_changes_no_byte(asked: list[Flow], shuffle: random.Random) -> None:
    shuffled = asked[:]
    shuffle.shuffle(shuffled)
    assert json.dumps(lower(*asked).terraform) == json.dumps(lower(*shuffled).terraform)


SITE_NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,38}[a-z0-9]", fullmatch=True)


@settings(max_examples=25, deadline=None)
@given(st.lists(flows(parity=False), max_size=6), SITE_NAMES)
def test_names_and_descriptions_are_what_the_api_takes(asked: list[Flow], name: str) -> None:
    lowered = lower(*asked, name=name)
    bodies = firewalls(lowered)
    assert len({body["name"] for body in bodies.values()}) == len(bodies)
    for body in bodies.values():
        assert NAME.fullmatch(body["name"])
        assert body["name"].startswith(f"{name}-")
        assert len(body["description"]) <= 2048
        marker = Marker.parse(body["description"])
        assert marker is not None
        assert marker.site == name
        tag = f"{marker.workload}-{marker.interface}"
        assert all(NAME.fullmatch(target) for target in body["target_tags"])
        assert tag in body["target_tags"][0] or len(f"fb-{name}-{tag}") > 63
        if "allow" in body:
            assert ROW.match(body["description"])
    assert {rule.address for rule in lowered.rules} == {
        f"google_compute_firewall.{each}" for each in bodies
    }


@settings(max_examples=15, deadline=None)
@given(st.lists(flows(), max_size=4))
def test_every_rule_is_one_the_api_takes(asked: list[Flow]) -> None:
    for body in firewalls(lower(*asked)).values():
        ranges = [ip_network(text) for text in body[RANGES[body["direction"]]]]
        (version,) = {network.version for network in ranges}
        assert ("allow" in body) != ("deny" in body)
        entries = body.get("allow") or body["deny"]
        assert len({entry["protocol"] for entry in entries}) == len(entries)
        for entry in entries:
            assert len(entry.get("ports", [])) <= 256
            assert "ports" not in entry or entry["protocol"] in ("tcp", "udp")
            assert entry["protocol"] != ("icmp" if version == 6 else "58")


def test_each_interface_has_its_rules_in_its_own_network() -> None:
    asked = [
        flow(INTERNET, here(EXTERNAL), Protocol.TCP, 5061),
        flow(here(CORE), here(INTERNAL), Protocol.TCP, 7001),
    ]
    for body in firewalls(lower(*asked)).values():
        outer = body["target_tags"] == ["fb-lab-expressway-e-external"]
        assert body["network"] == ("dmz-net" if outer else "inside-net")


@pytest.mark.parametrize("priority", [None, 0, 65000])
def test_what_is_allowed_is_decided_before_the_denies_of_every_interface(
    priority: int | None,
) -> None:
    options: dict[str, Any] = (
        {} if priority is None else {"options": {"gcp": {"priority": priority}}}
    )
    lowered = lower(flow(INTERNET, here(EXTERNAL), Protocol.TCP, 5061), **options)
    allowed = {body["priority"] for body in allowing(lowered)}
    denies = [body for body in firewalls(lowered).values() if "deny" in body]
    assert len(allowed) == 1
    assert all(max(allowed) < body["priority"] < 65535 for body in denies)
    kept = {(d["target_tags"][0], d["direction"], d[RANGES[d["direction"]]][0]) for d in denies}
    assert len(kept) == len(denies) == len(INTERFACES) * 2 * 2
    assert all(d["deny"] == [{"protocol": "all"}] for d in denies)
    if priority is None:
        assert max(d["priority"] for d in denies) < 1000  # what others' rules have by default


def test_a_peer_that_gets_another_address_keeps_its_rule() -> None:
    def asked(*addresses: str) -> dict[str, Any]:
        peer = outside("cms", *addresses)
        one = flow(peer, here(CUCM), Protocol.TCP, 5061)
        return firewalls(lower(one, flow(INTERNET, here(EXTERNAL), Protocol.TCP, 443)))

    before, after = asked("10.8.0.1"), asked("10.8.0.1", "10.8.0.9")
    assert set(before) == set(after)
    changed = [name for name in before if before[name] != after[name]]
    (only,) = changed
    assert before[only] | {"source_ranges": ["10.8.0.1/32", "10.8.0.9/32"]} == after[only]


def test_a_party_met_by_two_address_sets_has_a_rule_for_each() -> None:
    near, far = outside("cms", "10.8.0.1"), outside("cms", "10.8.0.1", "10.8.0.2")
    asked = [
        flow(near, here(CUCM), Protocol.TCP, 22),
        flow(far, here(CUCM), Protocol.TCP, 5061),
    ]
    found = {tuple(b["source_ranges"]): b["allow"][0]["ports"] for b in allowing(lower(*asked))}
    assert found == {("10.8.0.1/32",): ["22"], ("10.8.0.1/32", "10.8.0.2/32"): ["5061"]}
    assert proved(*asked).holds


def test_public_and_private_addresses_of_one_party_are_two_rules_of_lasting_names() -> None:
    public = flow(here(CUCM), here(EXTERNAL, translated=True), Protocol.TCP, 443)
    private = flow(here(CUCM), here(EXTERNAL), Protocol.TCP, 5061)
    both = {name for name, body in firewalls(lower(public, private)).items() if "allow" in body}
    for one in (public, private):
        assert {n for n, b in firewalls(lower(one)).items() if "allow" in b} < both


def test_ports_of_one_peer_are_one_rule_with_an_entry_for_each_protocol() -> None:
    asked = [
        flow(ADMIN, here(CUCM), Protocol.TCP, 22, "expressway/4/1"),
        flow(ADMIN, here(CUCM), Protocol.TCP, "443,444-450", "expressway/4/2"),
        flow(ADMIN, here(CUCM), Protocol.UDP, 161, "expressway/4/3"),
    ]
    (body,) = allowing(lower(*asked))
    assert body["source_ranges"] == ["10.9.0.0/23"]
    assert body["allow"] == [
        {"protocol": "tcp", "ports": ["22", "443-450"]},
        {"protocol": "udp", "ports": ["161"]},
    ]
    assert body["description"].startswith("expressway/4/1, expressway/4/2, expressway/4/3: ")


@pytest.mark.parametrize(
    ("protocol", "written"),
    [
        (Protocol.ESP, "esp"),
        (Protocol.AH, "ah"),
        (Protocol.GRE, "47"),
        (Protocol.ICMP, "icmp"),
        (Protocol.ICMPV6, "58"),
    ],
)
def test_protocols_without_ports_go_by_name_or_number(protocol: Protocol, written: str) -> None:
    peer = outside("peer", "2001:db8:9::1" if protocol is Protocol.ICMPV6 else "10.8.0.1")
    ports = "any" if not protocol.name.startswith("ICMP") else "2048"
    asked = flow(peer, here(CORE), protocol, ports)
    (body,) = allowing(lower(asked))
    assert body["allow"] == [{"protocol": written}]
    assert proved(asked).holds


def test_one_half_of_a_range_is_spread_over_rules_and_stays_exact() -> None:
    even = flow(INTERNET, here(EXTERNAL), Protocol.UDP, "36000-37998 even", source_ports="any")
    bodies = [b for b in allowing(lower(even)) if b["source_ranges"] == ["0.0.0.0/0"]]
    ports = [port for body in bodies for port in body["allow"][0]["ports"]]
    assert sorted(map(int, ports)) == list(range(36000, 37999, 2))
    assert len(bodies) <= 1000 / 256 + 2  # full ones, and one cut off at either end
    assert proved(even).points
    policy = compile_policy(INTERFACES, [even])
    assert PROVIDER.expressible(
        policy.intended(Point(EXTERNAL.key, Direction.INGRESS)),
        Point(EXTERNAL.key, Direction.INGRESS),
    ) == policy.intended(Point(EXTERNAL.key, Direction.INGRESS))
    # Another port changes the rule of its own block of ports alone.
    more = flow(INTERNET, here(EXTERNAL), Protocol.UDP, "36101", source_ports="any")
    before, after = firewalls(lower(even)), firewalls(lower(even, more))
    assert set(before) == set(after)
    assert sum(before[name] != after[name] for name in before) == 1


def test_a_network_of_another_project_takes_its_rules_there() -> None:
    path = "projects/shared-host/global/networks/inside-net"
    network = {**NETWORK, "id": path}
    asked = flow(ADMIN, here(CUCM), Protocol.TCP, 22)
    (body,) = allowing(lower(asked, network=network))
    assert (body["network"], body["project"]) == (path, "shared-host")
    assert proved(asked, network=network).holds


def test_a_token_takes_the_place_of_the_network_and_leaves_names_as_they_are() -> None:
    single = interface("edge/single", "dmz", "10.0.1.21")
    policy = compile_policy([single], [flow(INTERNET, here(single), Protocol.TCP, 5061)])
    network = {key: value for key, value in NETWORK.items() if key != "networks"}
    tokens = ["${google_compute_network.a.id}", "${google_compute_network.b.id}"]
    one, two = (PROVIDER.lower(policy, site(network=network), token) for token in tokens)
    assert {body["network"] for body in firewalls(one).values()} == {tokens[0]}
    assert firewalls(one).keys() == firewalls(two).keys()


def test_two_cards_in_one_network_and_no_network_are_refused() -> None:
    asked = flow(INTERNET, here(EXTERNAL), Protocol.TCP, 5061)
    same = {key: value for key, value in NETWORK.items() if key != "networks"}
    none = {key: value for key, value in same.items() if key != "id"}
    found = {f.id for f in lower(asked, network=same).findings}
    assert "gcp/one-network-for-two-cards" in found
    whole = f"projects/{NETWORK['project']}/global/networks/inside-net"
    spelled = {**NETWORK, "networks": {"external": whole}}
    assert "gcp/one-network-for-two-cards" in {f.id for f in lower(asked, network=spelled).findings}
    assert "gcp/no-network" in {f.id for f in lower(asked, network=none).findings}
    assert not {"gcp/no-network", "gcp/one-network-for-two-cards"} & {
        f.id for f in lower(asked).findings
    }


def test_a_service_account_is_the_target_of_its_workload_alone() -> None:
    account = "edge@uc-edge-prod.iam.gserviceaccount.com"
    options = {"gcp": {"service_accounts": {"expressway-e": account}}}
    asked = [
        flow(INTERNET, here(EXTERNAL), Protocol.TCP, 5061),
        flow(here(CORE), here(INTERNAL), Protocol.TCP, 7001),
    ]
    for body in firewalls(lower(*asked, options=options)).values():
        marker = Marker.parse(body["description"])
        assert marker is not None
        edge = marker.workload == "expressway-e"
        assert body.get("target_service_accounts") == ([account] if edge else None)
        assert ("target_tags" in body) != edge
    assert proved(*asked, options=options).holds
    for accounts in (
        {"expressway-e": account, "cucm": account},
        {"phones": account},
        {"expressway-e": "edge"},
        {"expressway-e": "edge@uc-edge-prod.example"},
    ):
        lowered = lower(*asked, options={"gcp": {"service_accounts": accounts}})
        assert "gcp/service-account" in {f.id for f in lowered.findings}


def test_a_rule_that_lets_in_another_port_fails_the_proof() -> None:
    asked = [flow(INTERNET, here(EXTERNAL), Protocol.TCP, 5061)]
    policy = compile_policy(INTERFACES, asked)
    lowered = PROVIDER.lower(policy, site())
    for body in allowing(lowered):
        body["allow"][0]["ports"].append("22")
    enforced = PROVIDER.enforcement(lowered.terraform, policy, site())
    (stage,) = enforced[Point(EXTERNAL.key, Direction.INGRESS)]
    assert stage.allowed() - PROVIDER.expressible(
        policy.intended(Point(EXTERNAL.key, Direction.INGRESS)),
        Point(EXTERNAL.key, Direction.INGRESS),
    )


def test_host_names_do_not_change_vpc_rules() -> None:
    named = End(
        party="smart",
        interface=None,
        addresses=(ip_network("192.0.2.10"),),
        host_names=("tools.example.com",),
    )
    plain = replace(named, host_names=())
    one, two = (
        firewalls(lower(flow(here(EXTERNAL), peer, Protocol.TCP, 443))) for peer in (named, plain)
    )
    assert one == two
