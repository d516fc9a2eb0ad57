"""Network firewall policies: the same protection in one resource for each network."""

from __future__ import annotations

import random
from ipaddress import ip_network
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.flow import End, Flow
from tests.providers.aws.policies import (
    ADMIN,
    CORE,
    CUCM,
    EXTERNAL,
    INTERNAL,
    INTERNET,
    flow,
    here,
    outside,
)
from tests.providers.gcp.deployment import POLICIES, flows, lower, policy_rules, proved
from tests.providers.sites import interface

CALLS = (
    flow(INTERNET, here(EXTERNAL), Protocol.TCP, 5061),
    flow(here(CORE), here(INTERNAL), Protocol.TCP, 7001),
    flow(ADMIN, here(CUCM), Protocol.TCP, 22),
)


def keyed(lowered: Any) -> dict[str, dict[str, Any]]:
    """Every policy rule by its name, which stands for its identity."""
    return {rule["rule_name"]: rule for rules in policy_rules(lowered).values() for rule in rules}


@settings(max_examples=15, deadline=None)
@given(st.lists(flows(parity=False), max_size=5))
def test_policies_let_through_what_is_asked(asked: list[Flow]) -> None:
    assert not proved(*asked, options=POLICIES).failures()


@settings(max_examples=15, deadline=None)
@given(st.lists(flows(parity=False), max_size=6), flows(parity=False), st.randoms())
def test_a_flow_moves_no_other_rule(
    others: list[Flow], extra: Flow, shuffle: random.Random
) -> None:
    shuffled = [*others, extra]
    shuffle.shuffle(shuffled)
    without = keyed(lower(*others, options=POLICIES))
    with_it = keyed(lower(*shuffled, options=POLICIES))
    alone = keyed(lower(extra, options=POLICIES))
    assert set(with_it) == set(without) | set(alone)
    for name, rule in with_it.items():
        assert rule["priority"] == (without.get(name) or alone[name])["priority"]
        if name not in alone or rule["action"] == "deny":
            assert rule == (without.get(name) or rule)


@settings(max_examples=15, deadline=None)
@given(st.lists(flows(parity=False), max_size=6))
def test_priorities_are_unique_and_denies_come_last(asked: list[Flow]) -> None:
    for rules in policy_rules(lower(*asked, options=POLICIES)).values():
        numbers = [rule["priority"] for rule in rules]
        assert numbers == sorted(set(numbers))
        assert numbers[-1] < 2147483547  # the predefined rules have the last numbers
        actions = [rule["action"] for rule in rules]
        assert actions == sorted(actions)


def test_each_network_has_its_policy_and_its_tags() -> None:
    lowered = lower(*CALLS, options=POLICIES)
    assert set(policy_rules(lowered)) == {"dmz-net", "inside-net"}
    resources = lowered.terraform["resource"]
    keys = resources["google_tags_tag_key"]
    values = resources["google_tags_tag_value"]
    for network, rules in policy_rules(lowered).items():
        for rule in rules:
            (tag,) = rule["target_secure_tag"]
            value = values[tag["name"].split(".")[1]]
            key = keys[value["parent"].split(".")[1]]
            assert key["purpose"] == "GCE_FIREWALL"
            assert key["purpose_data"] == {"network": f"uc-edge-prod/{network}"}
    assert "google_compute_firewall" not in resources


def test_a_machine_is_bound_to_its_tag_where_it_is_named_as_the_tag_service_does() -> None:
    name = "//compute.googleapis.com/projects/12/zones/europe-west1-b/instances/34"
    edge = interface("edge/single", "dmz", "10.0.1.21", "10.0.1.22", cards=[name, "edge-2"])
    asked = flow(INTERNET, here(edge), Protocol.TCP, 5061)
    lowered = lower(asked, interfaces=[edge], options=POLICIES)
    (binding,) = lowered.terraform["resource"]["google_tags_location_tag_binding"].values()
    assert binding["parent"] == name
    assert binding["location"] == "europe-west1-b"
    (left,) = (f for f in lowered.findings if f.id == "gcp/secure-tags-to-bind")
    assert "edge/single" in left.message
    whole = interface("edge/single", "dmz", "10.0.1.21", cards=[name])
    bound = lower(
        flow(INTERNET, here(whole), Protocol.TCP, 5061), interfaces=[whole], options=POLICIES
    )
    assert "gcp/secure-tags-to-bind" not in {f.id for f in bound.findings}


def test_host_names_become_fqdn_objects_beside_their_addresses() -> None:
    names = ("tools.example.com", "*.example.com", "not a name")
    peer = End(
        party="smart", interface=None, addresses=(ip_network("192.0.2.10"),), host_names=names
    )
    lowered = lower(flow(here(EXTERNAL), peer, Protocol.TCP, 443), options=POLICIES)
    (match,) = (rule["match"][0] for rule in keyed(lowered).values() if rule["action"] == "allow")
    assert match["dest_fqdns"] == ["tools.example.com"]
    assert match["dest_ip_ranges"] == ["192.0.2.10/32"]
    assert "gcp/host-names-resolved" in {f.id for f in lowered.findings}


def test_tuples_are_counted_as_the_rules_are_written() -> None:
    peers = outside("phones", *(f"10.30.{2 * n}.0/24" for n in range(12)))
    asked = [*CALLS, flow(peers, here(CUCM), Protocol.TCP, "2000,2443")]
    lowered = lower(*asked, options=POLICIES, quotas={"firewall_policy_tuples": 1})
    counted = {u.scope: u.used for u in lowered.usage if "tuples" in u.limit}
    for network, rules in policy_rules(lowered).items():
        written = sum(
            len(match.get("src_ip_ranges", []))
            + len(match.get("dest_ip_ranges", []))
            + sum(1 + len(entry.get("ports", [])) for entry in match["layer4_config"])
            + len(rule["target_secure_tag"])
            for rule in rules
            for match in rule["match"]
        )
        assert counted[f"lab {network}"] == written
    refused = [f for f in lowered.findings if f.id == "gcp/policy-does-not-fit"]
    assert len(refused) == 2
    assert any("most go to phones at cucm/single (16)," in f.message for f in refused), refused
    fitting = lower(*asked, options=POLICIES, quotas={"firewall_policy_tuples": 10_000})
    assert not [f for f in fitting.findings if f.id == "gcp/policy-does-not-fit"]
    assert [f for f in lower(*asked, options=POLICIES).findings if f.id == "gcp/policy-tuples"]
