"""The meaning of Google Cloud firewall rules and policies, on Terraform JSON written by hand."""

from __future__ import annotations

import random
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from flowbridge.deployment.file.site import GcpSite
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.filter import passes as through
from flowbridge.policy.packets.packet_set import ALL, EVERY_ADDRESS
from flowbridge.providers.gcp.markers import target_tag
from flowbridge.providers.gcp.meaning.filters import enforcement
from tests.policy.one_packet import packet
from tests.providers.sites import ESP, ICMP, TCP, UDP, at, interface, passes, policy, site

SITE = site(
    "gcp",
    {
        "dmz": {"cidrs": ["10.0.1.0/24"], "network": "outer"},
        "inner": {"cidrs": ["10.0.2.0/24"]},
    },
    id="core",
    project="uc",
)
OUTER = interface("edge/external", "dmz", "10.0.1.11", "10.0.1.12")
INNER = interface("edge/internal", "inner", "10.0.2.11", "10.0.2.12")
CONTROL = interface("control/single", "inner", "10.0.2.50")
POLICY = policy(OUTER, INNER, CONTROL)

OUTER_IN, OUTER_OUT = at("edge/external", "ingress"), at("edge/external", "egress")
INNER_IN, CONTROL_IN = at("edge/internal", "ingress"), at("control/single", "ingress")
EDGE_TAG = target_tag("lab", "edge", "external")
CONTROL_TAG = target_tag("lab", "control", "single")


def rule(**more: Any) -> dict[str, Any]:
    """A classic rule of the outer network; `None` leaves an argument out."""
    whole = {"name": "r", "network": "outer", "allow": [{"protocol": "all"}]} | more
    return {key: value for key, value in whole.items() if value is not None}


def meaning(*rules: dict[str, Any], **resource: Any) -> Enforcement:
    resource = {"google_compute_firewall": {f"r{i}": one for i, one in enumerate(rules)}} | resource
    return enforcement({"resource": resource}, POLICY, SITE)


def test_the_implied_rules_refuse_what_arrives_and_allow_what_leaves() -> None:
    enforced = meaning()
    assert len(enforced) == 6
    for point, stages in enforced.items():
        assert through(stages) == (ALL if point.direction.value == "egress" else ALL - ALL)


def test_the_lowest_priority_decides_and_deny_wins_a_tie() -> None:
    stages = meaning(
        rule(priority=100, source_ranges=["192.0.2.0/24"]),
        rule(priority=100, source_ranges=["192.0.2.0/25"], allow=None, deny=[{"protocol": "tcp"}]),
        rule(priority=99, source_ranges=["192.0.2.1"]),
    )[OUTER_IN]
    assert passes(stages, "192.0.2.1", TCP, 1)
    assert not passes(stages, "192.0.2.2", TCP, 1)
    assert passes(stages, "192.0.2.2", UDP, 1)
    assert passes(stages, "192.0.2.129", TCP, 1)
    assert not passes(stages, "192.0.3.1", TCP, 1)


def test_a_rule_without_a_priority_has_1000() -> None:
    deny = {"allow": None, "deny": [{"protocol": "all"}], "source_ranges": ["0.0.0.0/0"]}
    for priority, open_ in ((999, True), (1001, False)):
        stages = meaning(rule(**deny), rule(priority=priority, source_ranges=["0.0.0.0/0"]))
        assert passes(stages[OUTER_IN], "192.0.2.1", TCP, 1) is open_


def test_entries_are_united_and_have_ports_only_where_the_protocol_has() -> None:
    stages = meaning(
        rule(
            source_ranges=["192.0.2.0/24"],
            allow=[
                {"protocol": "tcp", "ports": ["22", "5060-5061"]},
                {"protocol": "udp", "ports": ["53"]},
                {"protocol": "icmp"},
                {"protocol": "50"},
            ],
        )
    )[OUTER_IN]
    for port in (22, 5060, 5061):
        assert passes(stages, "192.0.2.1", TCP, port)
    for port in (21, 23, 5062):
        assert not passes(stages, "192.0.2.1", TCP, port)
    assert passes(stages, "192.0.2.1", UDP, 53)
    assert not passes(stages, "192.0.2.1", UDP, 22)
    assert passes(stages, "192.0.2.1", ICMP, 8 * 256)
    assert passes(stages, "192.0.2.1", ESP)


def test_a_rule_is_for_its_network_alone_however_that_is_written() -> None:
    for network in (
        "outer",
        "projects/uc/global/networks/outer",
        "https://www.googleapis.com/compute/v1/projects/uc/global/networks/outer",
        "${google_compute_network.n.id}",
    ):
        enforced = meaning(
            rule(network=network, source_ranges=["0.0.0.0/0"]),
            google_compute_network={"n": {"name": "outer"}},
        )
        assert passes(enforced[OUTER_IN], "192.0.2.1", TCP, 1), network
        assert not passes(enforced[INNER_IN], "192.0.2.1", TCP, 1), network


def test_a_network_that_the_file_does_not_resolve_is_the_deployments_own() -> None:
    enforced = meaning(rule(network="${var.network}", source_ranges=["0.0.0.0/0"]))
    assert passes(enforced[INNER_IN], "192.0.2.1", TCP, 1)
    assert not passes(enforced[OUTER_IN], "192.0.2.1", TCP, 1)


def test_a_target_tag_reaches_every_interface_of_the_machine_that_is_in_the_network() -> None:
    enforced = meaning(rule(network="core", source_ranges=["0.0.0.0/0"], target_tags=[EDGE_TAG]))
    assert passes(enforced[INNER_IN], "192.0.2.1", TCP, 1)
    assert not passes(enforced[OUTER_IN], "192.0.2.1", TCP, 1)
    assert not passes(enforced[CONTROL_IN], "192.0.2.1", TCP, 1)


def test_foreign_targets_reach_nobody_known_and_are_noted() -> None:
    [stage] = meaning(rule(source_ranges=["0.0.0.0/0"], target_tags=["web"]))[OUTER_IN]
    assert not stage.allowed()
    assert any("r0" in note and "web" in note for note in map(str, stage.unknown))
    [stage] = meaning(
        rule(source_ranges=["0.0.0.0/0"], target_service_accounts=["a@uc.iam.example"])
    )[OUTER_IN]
    assert not stage.allowed()
    assert any("a@uc" in note for note in map(str, stage.unknown))


def test_the_deployment_tells_which_machines_have_a_service_account() -> None:
    told = SITE.model_copy(
        update={
            "options": SITE.options.model_copy(
                update={
                    "gcp": GcpSite.of(SITE).options.gcp.model_copy(
                        update={"service_accounts": {"edge": "edge@uc", "control": "core@uc"}}
                    )
                }
            )
        }
    )
    document = {
        "resource": {
            "google_compute_firewall": {
                "r": rule(
                    network="core",
                    target_service_accounts=["edge@uc"],
                    source_service_accounts=["core@uc"],
                )
            }
        }
    }
    enforced = enforcement(document, POLICY, told)
    assert passes(enforced[INNER_IN], "10.0.2.50", TCP, 1)
    assert not passes(enforced[INNER_IN], "10.0.2.51", TCP, 1)
    assert not passes(enforced[CONTROL_IN], "10.0.2.50", TCP, 1)


def test_source_tags_are_the_primary_interface_in_the_same_network_and_add_to_ranges() -> None:
    enforced = meaning(
        rule(source_tags=[EDGE_TAG], source_ranges=["192.0.2.0/24"]),
        rule(network="core", source_tags=[EDGE_TAG, CONTROL_TAG]),
    )
    assert passes(enforced[OUTER_IN], "10.0.1.11", TCP, 1)
    assert passes(enforced[OUTER_IN], "192.0.2.1", TCP, 1)
    assert not passes(enforced[OUTER_IN], "192.0.3.1", TCP, 1)
    assert passes(enforced[INNER_IN], "10.0.2.50", TCP, 1)
    # The edge's primary interface is in the other network, and its second one is not primary.
    assert not passes(enforced[INNER_IN], "10.0.2.11", TCP, 1)
    assert not passes(enforced[INNER_IN], "10.0.1.11", TCP, 1)


def test_a_source_that_is_not_known_is_nobody_rather_than_anybody() -> None:
    for source in ({"source_tags": ["web"]}, {"source_service_accounts": ["a@uc"]}):
        [stage] = meaning(rule(**source))[OUTER_IN]
        assert not stage.allowed()
        assert stage.unknown


def test_without_a_source_or_destination_a_rule_is_for_every_ipv4_address() -> None:
    enforced = meaning(rule(), rule(direction="EGRESS", allow=None, deny=[{"protocol": "all"}]))
    assert through(enforced[OUTER_IN]) == ALL.seen_by(EVERY_ADDRESS[:1])
    assert through(enforced[OUTER_OUT]) == ALL.seen_by(EVERY_ADDRESS[1:])


def test_the_local_ranges_of_a_rule_choose_the_machines() -> None:
    some = rule(source_ranges=["0.0.0.0/0"], destination_ranges=["10.0.1.11/32"])
    none = rule(source_ranges=["0.0.0.0/0"], destination_ranges=["10.0.1.13/32"])
    both = rule(source_ranges=["0.0.0.0/0"], destination_ranges=["10.0.1.8/29"])
    # Nobody asks for the packet: the one machine that it reaches shows.
    assert passes(meaning(some)[OUTER_IN], "192.0.2.1", TCP, 1)
    assert not passes(meaning(none)[OUTER_IN], "192.0.2.1", TCP, 1)
    assert passes(meaning(both)[OUTER_IN], "192.0.2.1", TCP, 1)


def test_a_disabled_rule_means_nothing() -> None:
    assert not through(meaning(rule(disabled=True, source_ranges=["0.0.0.0/0"]))[OUTER_IN])


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ({"priority": 65536}, "65536"),
        ({"direction": "INBOUND"}, "INBOUND"),
        ({"allow": None}, "allow"),
        ({"deny": [{"protocol": "all"}]}, "either"),
        ({"allow": [{"protocol": "tpc"}]}, "tpc"),
        ({"allow": [{"protocol": "icmp", "ports": ["8"]}]}, "icmp"),
        ({"allow": [{"protocol": "tcp", "ports": ["5-"]}]}, "5-"),
        ({"source_ranges": ["10.0.0.0/64"]}, "10.0.0.0/64"),
        ({"direction": "EGRESS", "source_tags": ["x"]}, "EGRESS"),
        ({"network": None}, "network"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_by_name(bad: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=r"google_compute_firewall\.r0") as caught:
        meaning(rule(**bad))
    assert complaint in str(caught.value)


# --- firewall policies --------------------------------------------------------------------


def in_policy(priority: int, action: str, **match: Any) -> dict[str, Any]:
    whole = {
        "src_ip_ranges": ["0.0.0.0/0"],
        "layer4_configs": [{"ip_protocol": "all"}],
    } | match
    return {
        "firewall_policy": "${google_compute_network_firewall_policy.p.name}",
        "priority": priority,
        "action": action,
        "direction": "INGRESS",
        "match": [{key: value for key, value in whole.items() if value is not None}],
    }


def with_policy(*rules: dict[str, Any], order: str = "", classic: Any = ()) -> Enforcement:
    network = {"name": "outer", "network_firewall_policy_enforcement_order": order or None}
    return meaning(
        *classic,
        google_compute_network={"n": network},
        google_compute_network_firewall_policy={"p": {"name": "p"}},
        google_compute_network_firewall_policy_association={
            "a": {
                "firewall_policy": "${google_compute_network_firewall_policy.p.id}",
                "attachment_target": "${google_compute_network.n.id}",
            }
        },
        google_compute_network_firewall_policy_rule={f"q{i}": r for i, r in enumerate(rules)},
    )


DENY = rule(allow=None, deny=[{"protocol": "tcp", "ports": ["22"]}], source_ranges=["0.0.0.0/0"])


def test_a_policy_is_decided_after_classic_rules_unless_the_network_says_otherwise() -> None:
    after = with_policy(in_policy(1, "allow"), classic=[DENY])[OUTER_IN]
    assert not passes(after, "192.0.2.1", TCP, 22)
    assert passes(after, "192.0.2.1", TCP, 23)
    before = with_policy(in_policy(1, "allow"), classic=[DENY], order="BEFORE_CLASSIC_FIREWALL")[
        OUTER_IN
    ]
    assert passes(before, "192.0.2.1", TCP, 22)


def test_a_policy_is_for_the_networks_it_is_attached_to() -> None:
    assert not through(with_policy(in_policy(1, "allow"))[INNER_IN])


def test_goto_next_leaves_the_policy_for_the_stages_behind() -> None:
    rules = (
        in_policy(10, "goto_next", src_ip_ranges=["192.0.2.0/24"]),
        in_policy(20, "allow"),
    )
    stages = with_policy(*rules)[OUTER_IN]
    assert not passes(stages, "192.0.2.1", TCP, 1)  # on to the implied deny
    assert passes(stages, "192.0.3.1", TCP, 1)
    first = with_policy(
        *rules,
        classic=[rule(source_ranges=["192.0.2.0/24"])],
        order="BEFORE_CLASSIC_FIREWALL",
    )[OUTER_IN]
    assert passes(first, "192.0.2.1", TCP, 1)


def test_a_policy_written_as_one_resource_means_the_same() -> None:
    one = in_policy(
        5, "allow", layer4_configs=None, layer4_config=[{"ip_protocol": "tcp", "ports": ["443"]}]
    )
    del one["firewall_policy"]
    enforced = meaning(
        google_compute_network_firewall_policy_with_rules={"p": {"name": "p", "rule": [one]}},
        google_compute_network_firewall_policy_association={
            "a": {"firewall_policy": "p", "attachment_target": "outer"}
        },
    )
    assert passes(enforced[OUTER_IN], "192.0.2.1", TCP, 443)
    assert not passes(enforced[OUTER_IN], "192.0.2.1", TCP, 444)


def test_secure_tags_of_the_file_are_known_by_their_short_names() -> None:
    targeted = in_policy(1, "allow")
    targeted["target_secure_tags"] = [{"name": "${google_tags_tag_value.v.id}"}]
    for short_name, reached in ((EDGE_TAG, True), (CONTROL_TAG, False), ("web", False)):
        enforced = meaning(
            google_tags_tag_value={"v": {"short_name": short_name}},
            google_compute_network_firewall_policy={"p": {"name": "p"}},
            google_compute_network_firewall_policy_association={
                "a": {"firewall_policy": "p", "attachment_target": "outer"}
            },
            google_compute_network_firewall_policy_rule={"q": targeted},
        )
        assert passes(enforced[OUTER_IN], "192.0.2.1", TCP, 1) is reached


def test_a_secure_tag_is_good_in_the_network_of_its_key_alone() -> None:
    targeted = in_policy(1, "allow")
    targeted["target_secure_tags"] = [{"name": "${google_tags_tag_value.v.id}"}]
    for network, reached in (("uc/outer", True), ("uc/core", False)):
        enforced = meaning(
            google_tags_tag_key={"k": {"purpose_data": {"network": network}}},
            google_tags_tag_value={
                "v": {"parent": "${google_tags_tag_key.k.id}", "short_name": EDGE_TAG}
            },
            google_compute_network_firewall_policy={"p": {"name": "p"}},
            google_compute_network_firewall_policy_association={
                "a": {"firewall_policy": "p", "attachment_target": "outer"}
            },
            google_compute_network_firewall_policy_rule={"q": targeted},
        )
        assert passes(enforced[OUTER_IN], "192.0.2.1", TCP, 1) is reached


def test_peers_that_a_file_does_not_tell_are_nobody_and_noted() -> None:
    [stage] = with_policy(in_policy(1, "allow", src_ip_ranges=None, src_fqdns=["example.com"]))[
        OUTER_IN
    ]
    assert not stage.allowed()
    assert any("example.com" in note for note in map(str, stage.unknown))


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (in_policy(1, "apply_security_profile_group"), "apply_security_profile_group"),
        (in_policy(1, "allow", src_ip_ranges=None), "peers"),
        (in_policy(1, "allow", layer4_configs=None), "layer4_configs"),
        (in_policy(1, "allow", src_network_scope="INTERNET"), "src_network_scope"),
        (in_policy(1, "allow") | {"match": []}, "match"),
    ],
)
def test_a_policy_rule_that_cannot_be_read_is_refused(bad: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=r"google_compute_network_firewall_policy_rule\.q0") as e:
        with_policy(bad)
    assert complaint in str(e.value)


def test_two_rules_of_one_priority_and_hierarchical_policies_are_refused() -> None:
    with pytest.raises(ValueError, match="priority 5"):
        with_policy(in_policy(5, "allow"), in_policy(5, "deny"))
    with pytest.raises(ValueError, match=r"google_compute_firewall_policy_rule\.h"):
        meaning(google_compute_firewall_policy_rule={"h": {}})


# --- brute force: a reader of one packet at a time ------------------------------------------


def _rules_say(rules: list[dict[str, Any]], peer: str, protocol: int, port: int) -> bool:
    def rank(one: dict[str, Any]) -> tuple[int, bool]:
        return one["priority"], "allow" in one

    for one in sorted(rules, key=rank):
        if one["target_tags"] != [EDGE_TAG]:
            continue
        if not any(ip_address(peer) in ip_network(text) for text in one["source_ranges"]):
            continue
        for layer in one.get("allow") or one["deny"]:
            low, high = map(int, layer["ports"][0].split("-"))
            if {"tcp": 6, "udp": 17}[layer["protocol"]] == protocol and low <= port <= high:
                return "allow" in one
    return False


def test_random_rules_decide_random_packets_as_reading_them_line_by_line_does() -> None:
    chance = random.Random(13)  # noqa: S311 - a repeatable test, no secret
    outcomes = set()

    def layer() -> dict[str, Any]:
        low = chance.randrange(9)
        return {"protocol": chance.choice(["tcp", "udp"]), "ports": [f"{low}-{low + 3}"]}

    for _ in range(40):
        rules = []
        for _ in range(8):
            action = chance.choice(["allow", "deny"])
            rules.append(
                rule(
                    allow=None,
                    priority=chance.randrange(1, 6),
                    source_ranges=chance.sample(["192.0.2.0/24", "192.0.2.1/32", "0.0.0.0/0"], 2),
                    target_tags=[chance.choice([EDGE_TAG, EDGE_TAG, CONTROL_TAG])],
                )
                | {action: [layer(), layer()]}
            )
        stages = meaning(*rules)[OUTER_IN]
        whole = through(stages)
        for _ in range(60):
            peer = chance.choice(["192.0.2.1", "192.0.2.9", "198.51.100.1"])
            protocol, port = chance.choice([TCP, UDP]), chance.randrange(14)
            said = _rules_say(rules, peer, protocol, port)
            assert passes(stages, peer, protocol, port) == said
            assert (packet(peer, protocol, 40000, port) in whole) == said
            outcomes.add(said)
    assert outcomes == {True, False}
