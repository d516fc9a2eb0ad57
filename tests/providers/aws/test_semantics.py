"""The meaning of AWS security groups and network ACLs, on Terraform JSON written by hand."""

from __future__ import annotations

import random
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from flowbridge.policy.filter import Enforcement
from flowbridge.policy.packets.packet_set import ALL
from flowbridge.providers.aws.meaning.filters import enforcement
from tests.policy.one_packet import packet, verdict
from tests.providers.sites import ESP, ICMP, ICMPV6, TCP, UDP, at, interface, passes, policy, site

DMZ = {"cidrs": ["10.0.1.0/24", "10.0.2.0/24"], "subnets": ["subnet-a", "subnet-b"]}
CORE = {"cidrs": ["10.0.10.0/24"], "subnets": ["subnet-c"]}
SITE = site("aws", {"dmz": DMZ, "internal": CORE})
EDGE = interface("edge/external", "dmz", "10.0.1.11", "10.0.1.12+2001:db8::12")
CONTROL = interface("control/single", "internal", "10.0.10.11")
POLICY = policy(EDGE, CONTROL)

EDGE_IN = at("edge/external", "ingress")
EDGE_OUT = at("edge/external", "egress")
CORE_IN = at("control/single", "ingress")
CORE_OUT = at("control/single", "egress")


def group(workload: str, name: str, **more: Any) -> dict[str, Any]:
    tags = {
        "flowbridge:site": "lab",
        "flowbridge:workload": workload,
        "flowbridge:interface": name,
    }
    return {"tags": tags, **more}


GROUPS = {"edge": group("edge", "external"), "control": group("control", "single")}


def meaning(**resource: Any) -> Enforcement:
    resource.setdefault("aws_security_group", GROUPS)
    return enforcement({"resource": resource}, POLICY, SITE)


def ingress(**rule: Any) -> Enforcement:
    """What one ingress rule resource on the edge's group means."""
    rule = {"security_group_id": "${aws_security_group.edge.id}", "ip_protocol": "tcp"} | rule
    return meaning(aws_vpc_security_group_ingress_rule={"r": rule})


def test_a_group_without_rules_lets_nothing_pass() -> None:
    enforced = meaning()
    assert all(not stage.allowed() for stages in enforced.values() for stage in stages)
    assert set(enforced) == {EDGE_IN, EDGE_OUT, CORE_IN, CORE_OUT}


def test_a_rule_opens_its_ports_its_range_and_its_direction_and_no_more() -> None:
    enforced = ingress(cidr_ipv4="198.51.100.0/24", from_port=5060, to_port=5061)
    stages = enforced[EDGE_IN]
    assert passes(stages, "198.51.100.0", TCP, 5060, source=1)
    assert passes(stages, "198.51.100.255", TCP, 5061, source=65535)
    assert not passes(stages, "198.51.101.0", TCP, 5060)
    assert not passes(stages, "198.51.100.1", TCP, 5062)
    assert not passes(stages, "198.51.100.1", UDP, 5060)
    assert not passes(enforced[EDGE_OUT], "198.51.100.1", TCP, 5060)
    assert not passes(enforced[CORE_IN], "198.51.100.1", TCP, 5060)


def test_a_rule_has_the_rows_of_its_description_and_of_its_tag() -> None:
    [stage] = ingress(
        cidr_ipv4="0.0.0.0/0",
        from_port=1,
        to_port=1,
        description="expressway/11/5,6, expressway/12/+1 (+1 rows): from expressway/9/9",
        tags={"flowbridge:rows": "expressway/11/5 cucm/2/3"},
    )[EDGE_IN]
    assert stage.rules[0].rows == (
        "expressway/11/5",
        "expressway/11/6",
        "expressway/12/+1",
        "cucm/2/3",
    )


def test_the_rules_of_all_groups_on_an_interface_are_united() -> None:
    def rule(name: str, port: int) -> dict[str, Any]:
        return {
            "security_group_id": f"${{aws_security_group.{name}.id}}",
            "ip_protocol": "6",
            "cidr_ipv4": "0.0.0.0/0",
            "from_port": port,
            "to_port": port,
        }

    enforced = meaning(
        aws_security_group={**GROUPS, "edge-2": group("edge", "external")},
        aws_vpc_security_group_ingress_rule={"a": rule("edge", 80), "b": rule("edge-2", 443)},
    )
    for port in (80, 443):
        assert passes(enforced[EDGE_IN], "192.0.2.1", TCP, port)
    [stage] = enforced[EDGE_IN]
    _, decided = verdict(stage, packet("192.0.2.1", TCP, 1, 443))
    assert decided is not None
    assert decided.name == "aws_vpc_security_group_ingress_rule.b"


def test_a_group_reference_stands_for_private_addresses_of_both_families() -> None:
    enforced = meaning(
        aws_vpc_security_group_egress_rule={
            "r": {
                "security_group_id": "${aws_security_group.control.id}",
                "referenced_security_group_id": "${aws_security_group.edge.id}",
                "ip_protocol": "udp",
                "from_port": 1000,
                "to_port": 1000,
            }
        }
    )
    for member in ("10.0.1.11", "10.0.1.12", "2001:db8::12"):
        assert passes(enforced[CORE_OUT], member, UDP, 1000)
    assert not passes(enforced[CORE_OUT], "10.0.1.13", UDP, 1000)


def test_a_group_elsewhere_has_no_known_addresses_and_is_noted() -> None:
    [stage] = ingress(referenced_security_group_id="sg-0abc", from_port=1, to_port=2)[EDGE_IN]
    assert not stage.allowed()
    assert any("sg-0abc" in note and "ingress_rule.r" in note for note in map(str, stage.unknown))


def test_a_reference_to_a_group_that_the_file_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ingress_rule\.r.*aws_security_group\.edgy"):
        ingress(security_group_id="${aws_security_group.edgy.id}", cidr_ipv4="0.0.0.0/0")


def test_prefix_lists_stand_for_their_entries_inline_and_apart() -> None:
    enforced = meaning(
        aws_ec2_managed_prefix_list={"dns": {"entry": [{"cidr": "192.0.2.1/32"}]}},
        aws_ec2_managed_prefix_list_entry={
            "e": {
                "prefix_list_id": "${aws_ec2_managed_prefix_list.dns.id}",
                "cidr": "192.0.2.8/31",
            }
        },
        aws_vpc_security_group_egress_rule={
            "r": {
                "security_group_id": "${aws_security_group.edge.id}",
                "prefix_list_id": "${aws_ec2_managed_prefix_list.dns.id}",
                "ip_protocol": "udp",
                "from_port": 53,
                "to_port": 53,
            }
        },
    )
    reached = [
        f"192.0.2.{i}" for i in range(16) if passes(enforced[EDGE_OUT], f"192.0.2.{i}", UDP, 53)
    ]
    assert reached == ["192.0.2.1", "192.0.2.8", "192.0.2.9"]


@pytest.mark.parametrize("protocol", ["-1", "all"])
def test_every_protocol_means_every_protocol(protocol: str) -> None:
    [stage] = ingress(ip_protocol=protocol, cidr_ipv4="192.0.2.0/24")[EDGE_IN]
    assert stage.allowed() == ALL.seen_by([ip_network("192.0.2.0/24")])


def test_protocols_by_number_open_wholly_whatever_ports_are_given() -> None:
    stages = ingress(ip_protocol="50", cidr_ipv4="192.0.2.0/24", from_port=1, to_port=1)[EDGE_IN]
    assert passes(stages, "192.0.2.1", ESP)
    assert not passes(stages, "192.0.2.1", TCP, 1)


@pytest.mark.parametrize(
    ("first", "last", "kinds"),
    [
        (3, 4, {(3, 4)}),
        (3, -1, {(3, 0), (3, 4), (3, 255)}),
        (-1, -1, {(0, 0), (3, 0), (3, 4), (3, 255), (8, 0)}),
    ],
)
def test_icmp_ports_are_type_and_code(first: int, last: int, kinds: set[tuple[int, int]]) -> None:
    stages = ingress(ip_protocol="icmp", cidr_ipv4="192.0.2.0/24", from_port=first, to_port=last)
    probes = [(0, 0), (3, 0), (3, 4), (3, 255), (8, 0)]
    found = {(t, c) for t, c in probes if passes(stages[EDGE_IN], "192.0.2.1", ICMP, t * 256 + c)}
    assert found == kinds


def test_ipv6_ranges_match_ipv6_alone() -> None:
    stages = ingress(ip_protocol="icmpv6", cidr_ipv6="2001:db8::/32")[EDGE_IN]
    assert passes(stages, "2001:db8::1", ICMPV6, 2 * 256)
    assert not passes(stages, "192.0.2.1", ICMPV6, 2 * 256)


def test_inline_blocks_and_legacy_rules_mean_the_same_as_rule_resources() -> None:
    span = {"from_port": 22, "to_port": 22, "protocol": "tcp"}
    inline = meaning(
        aws_security_group={
            **GROUPS,
            "edge": group(
                "edge", "external", ingress=[{**span, "cidr_blocks": ["10.9.0.0/24"], "self": True}]
            ),
        }
    )
    edge = "${aws_security_group.edge.id}"
    legacy = meaning(
        aws_security_group_rule={
            "a": {**span, "type": "ingress", "security_group_id": edge, "self": True},
            "b": {
                **span,
                "type": "ingress",
                "security_group_id": edge,
                "cidr_blocks": ["10.9.0.0/24"],
            },
        }
    )
    for enforced in (inline, legacy):
        assert passes(enforced[EDGE_IN], "10.9.0.1", TCP, 22)
        assert passes(enforced[EDGE_IN], "10.0.1.11", TCP, 22)
        assert not passes(enforced[EDGE_IN], "10.0.10.11", TCP, 22)


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ({"cidr_ipv4": "192.0.2.0/24"}, "from_port"),
        ({"cidr_ipv4": "192.0.2.0/24", "from_port": 9, "to_port": 3}, "9-3"),
        ({"from_port": 1, "to_port": 1}, "exactly one of"),
        ({"cidr_ipv4": "1.2.3.4/99", "from_port": 1, "to_port": 1}, "1.2.3.4/99"),
        ({"cidr_ipv4": "2001:db8::/32", "from_port": 1, "to_port": 1}, "IPv4"),
        ({"cidr_ipv4": "1.2.3.4/32", "ip_protocol": "tpc"}, "tpc"),
        ({"cidr_ipv4": "1.2.3.4/32", "for_each": "${toset([])}"}, "for_each"),
        ({"cidr_ipv4": "1.2.3.4/32", "from_port": "${var.p}", "to_port": 1}, "expression"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(rule: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=r"aws_vpc_security_group_ingress_rule\.r") as caught:
        ingress(**rule)
    assert complaint in str(caught.value)


def test_a_card_that_the_file_attaches_differently_cannot_hide_behind_the_others() -> None:
    """One peer of two has the group: what the group admits is too much, if nobody asked."""
    two = interface("edge/external", "dmz", "10.0.1.11", "10.0.1.12", cards=("eni-1", "eni-2"))
    document = {
        "resource": {
            "aws_security_group": {"edge": group("edge", "external")},
            "aws_network_interface_sg_attachment": {
                "one": {
                    "security_group_id": "${aws_security_group.edge.id}",
                    "network_interface_id": "eni-1",
                }
            },
            "aws_vpc_security_group_ingress_rule": {
                "r": {
                    "security_group_id": "${aws_security_group.edge.id}",
                    "ip_protocol": "-1",
                    "cidr_ipv4": "192.0.2.0/24",
                }
            },
        }
    }
    assert passes(enforcement(document, policy(two), SITE)[EDGE_IN], "192.0.2.1", TCP, 1)


# --- network ACLs ------------------------------------------------------------------------


def entry(number: int, action: str, cidr: str, protocol: str = "-1", **more: Any) -> dict[str, Any]:
    family = "ipv6_cidr_block" if ":" in cidr else "cidr_block"
    return {"rule_no": number, "action": action, family: cidr, "protocol": protocol, **more}


def acl(*, inbound: Any = (), outbound: Any = (), subnets: Any = ("subnet-a", "subnet-b")) -> Any:
    return meaning(
        aws_network_acl={
            "dmz": {
                "tags": {"flowbridge:tier": "dmz"},
                "ingress": list(inbound),
                "egress": list(outbound),
            }
        },
        aws_network_acl_association={
            subnet: {"subnet_id": subnet, "network_acl_id": "${aws_network_acl.dmz.id}"}
            for subnet in subnets
        },
    )


def the_acl(enforced: Enforcement, direction: str) -> Any:
    stages = enforced[at("edge/external", direction)]
    kinds = [stage.kind for stage in stages]
    order = ["network-acl", "security-group"]
    assert kinds == (order if direction == "ingress" else order[::-1])
    return [next(stage for stage in stages if stage.kind == "network-acl")]


def test_the_lowest_number_that_matches_decides_whatever_its_place_in_the_file() -> None:
    enforced = acl(
        inbound=[
            entry(200, "allow", "0.0.0.0/0", "tcp", from_port=0, to_port=65535),
            entry(100, "deny", "192.0.2.0/24", "6", from_port=22, to_port=22),
        ]
    )
    stages = the_acl(enforced, "ingress")
    assert [rule.name for rule in stages[0].rules] == [
        "aws_network_acl.dmz ingress 100",
        "aws_network_acl.dmz ingress 200",
    ]
    assert not passes(stages, "192.0.2.1", TCP, 22)
    assert passes(stages, "192.0.2.1", TCP, 23)
    assert passes(stages, "192.0.3.1", TCP, 22)
    assert not passes(stages, "192.0.3.1", UDP, 22)
    assert not passes(stages, "2001:db8::1", TCP, 23)
    assert stages[0].stateful is False


def test_neighbours_in_the_subnet_of_every_member_bypass_the_acl() -> None:
    stages = the_acl(acl(), "ingress")
    assert passes(stages, "10.0.1.200", TCP, 22)
    assert not passes(stages, "10.0.2.200", TCP, 22)


def test_neighbours_are_known_where_a_subnet_has_one_cidr_of_each_ip_version() -> None:
    dmz = {
        "cidrs": ["10.0.1.0/24", "2001:db8:1::/64", "10.0.2.0/24", "2001:db8:2::/64"],
        "subnets": ["subnet-a", "subnet-b"],
    }
    card = interface("edge/external", "dmz", "10.0.1.11+2001:db8:1::11")
    document = {"resource": {"aws_network_acl": {"dmz": {"subnet_ids": ["subnet-a", "subnet-b"]}}}}
    here = site("aws", {"dmz": dmz, "internal": CORE})
    stages = [
        stage
        for stage in enforcement(document, policy(card), here)[EDGE_IN]
        if stage.kind == "network-acl"
    ]
    assert passes(stages, "10.0.1.200", TCP, 22)
    assert passes(stages, "2001:db8:1::200", TCP, 22)
    assert not passes(stages, "10.0.2.200", TCP, 22)
    assert not passes(stages, "2001:db8:2::200", TCP, 22)


def test_nobody_bypasses_when_members_sit_in_different_subnets() -> None:
    spread = interface("edge/external", "dmz", "10.0.1.11", "10.0.2.12")
    document = {"resource": {"aws_network_acl": {"dmz": {"subnet_ids": ["subnet-a", "subnet-b"]}}}}
    stages = enforcement(document, policy(spread), SITE)[EDGE_IN]
    assert not any(passes([s], "10.0.1.200", TCP, 22) for s in stages if s.kind == "network-acl")


def test_a_tier_whose_subnets_are_not_attached_falls_back_to_the_open_default_acl() -> None:
    [stage] = the_acl(acl(subnets=()), "egress")
    assert stage.allowed() == ALL
    assert any("default network ACL" in note for note in map(str, stage.unknown))


def test_a_tier_without_any_acl_has_no_such_stage() -> None:
    assert [stage.kind for stage in acl()[CORE_IN]] == ["security-group"]


def test_acl_rules_as_resources_mean_the_same_as_inline() -> None:
    rule = {
        "network_acl_id": "${aws_network_acl.dmz.id}",
        "rule_number": 100,
        "rule_action": "allow",
        "protocol": "17",
        "cidr_block": "0.0.0.0/0",
        "from_port": 53,
        "to_port": 53,
        "egress": True,
    }
    enforced = meaning(
        aws_network_acl={"dmz": {"subnet_ids": ["subnet-a", "subnet-b"]}},
        aws_network_acl_rule={"r": rule},
    )
    inline = acl(outbound=[entry(100, "allow", "0.0.0.0/0", "udp", from_port=53, to_port=53)])
    for direction in ("ingress", "egress"):
        [one], [two] = the_acl(enforced, direction), the_acl(inline, direction)
        assert one.allowed() == two.allowed()


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (entry(0, "allow", "0.0.0.0/0"), "32766"),
        (entry(1, "permit", "0.0.0.0/0"), "permit"),
        (entry(1, "allow", "0.0.0.0/0", "tcp"), "from_port"),
        (entry(1, "allow", "0.0.0.0/0", "icmp"), "icmp_type"),
        ({"rule_no": 1, "action": "allow", "protocol": "-1"}, "cidr_block"),
    ],
)
def test_an_entry_that_cannot_be_read_is_refused(bad: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=r"aws_network_acl\.dmz\.ingress\[0\]") as caught:
        acl(inbound=[bad])
    assert complaint in str(caught.value)


def test_two_entries_of_one_number_are_refused() -> None:
    with pytest.raises(ValueError, match="number 7 is taken"):
        acl(inbound=[entry(7, "allow", "0.0.0.0/0"), entry(7, "deny", "0.0.0.0/0")])


# --- brute force: a reader of one packet at a time ------------------------------------------


def _acl_says(entries: list[dict[str, Any]], peer: str, protocol: int, port: int) -> bool:
    for rule in sorted(entries, key=lambda rule: rule["rule_no"]):
        inside = ip_address(peer) in ip_network(rule.get("cidr_block") or rule["ipv6_cidr_block"])
        number = {"tcp": 6, "udp": 17, "-1": None}[rule["protocol"]]
        if not inside or number not in (None, protocol):
            continue
        if number is None or rule["from_port"] <= port <= rule["to_port"]:
            return bool(rule["action"] == "allow")
    return False


def test_random_acls_decide_random_packets_as_reading_them_line_by_line_does() -> None:
    chance = random.Random(11)  # noqa: S311 - a repeatable test, no secret
    outcomes = set()
    for _ in range(40):
        entries = [
            entry(
                number,
                chance.choice(["allow", "deny"]),
                chance.choice(["192.0.2.0/24", "192.0.2.128/25", "0.0.0.0/0", "2001:db8::/64"]),
                chance.choice(["tcp", "udp", "-1"]),
                from_port=(first := chance.randrange(0, 12)),
                to_port=first + chance.randrange(0, 6),
            )
            for number in chance.sample(range(1, 1000), 8)
        ]
        stages = the_acl(acl(inbound=entries), "ingress")
        whole = stages[0].allowed()
        for _ in range(60):
            peer = chance.choice(["192.0.2.1", "192.0.2.200", "198.51.100.1", "2001:db8::5"])
            protocol, port = chance.choice([TCP, UDP, ESP]), chance.randrange(0, 18)
            said = _acl_says(entries, peer, protocol, port)
            assert passes(stages, peer, protocol, port) == said
            assert (packet(peer, protocol, 40000, port) in whole) == said
            outcomes.add(said)
    assert outcomes == {True, False}
