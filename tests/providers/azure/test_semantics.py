"""The meaning of Azure NSGs, on Terraform JSON written by hand."""

from __future__ import annotations

import random
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from flowbridge.policy.filter import Enforcement
from flowbridge.policy.filter import passes as through
from flowbridge.policy.packets.packet_set import ALL
from flowbridge.providers.azure.meaning.filters import enforcement
from tests.policy.one_packet import packet
from tests.providers.sites import ESP, ICMP, ICMPV6, TCP, UDP, at, interface, passes, policy, site

DMZ = {"cidrs": ["10.0.1.0/24"], "subnets": ["/subscriptions/s/subnets/Dmz"]}
CORE = {"cidrs": ["10.0.10.0/24"]}
SITE = site("azure", {"dmz": DMZ, "internal": CORE}, resource_group="rg")
EDGE = interface("edge/external", "dmz", "10.0.1.11", "10.0.1.12", cards=("/nic/E1", "/nic/E2"))
CONTROL = interface("control/single", "internal", "10.0.10.11")
POLICY = policy(EDGE, CONTROL)

EDGE_IN = at("edge/external", "ingress")
EDGE_OUT = at("edge/external", "egress")


def rule(
    priority: int, access: str = "Allow", direction: str = "Inbound", **more: Any
) -> dict[str, Any]:
    """A rule that matches everything but for what `more` says; `None` leaves an argument out."""
    whole: dict[str, Any] = {
        "name": f"r{priority}",
        "priority": priority,
        "direction": direction,
        "access": access,
        "protocol": "*",
        "source_port_range": "*",
        "destination_port_range": "*",
        "source_address_prefix": "*",
        "destination_address_prefix": "*",
    } | more
    return {key: value for key, value in whole.items() if value is not None}


def asg(workload: str, name: str) -> dict[str, Any]:
    return {"tags": {"flowbridge:workload": workload, "flowbridge:interface": name}}


ASGS = {"edge": asg("edge", "external"), "control": asg("control", "single")}
MEMBERS = {
    card: {
        "network_interface_id": card,
        "application_security_group_id": "${azurerm_application_security_group.edge.id}",
    }
    for card in ("/nic/e1", "/nic/e2")
}
ON_SUBNET = {
    "dmz": {
        "subnet_id": "/subscriptions/s/subnets/dmz",
        "network_security_group_id": "${azurerm_network_security_group.dmz.id}",
    }
}


def meaning(*rules: dict[str, Any], **resource: Any) -> Enforcement:
    """An NSG with `rules` on the DMZ's subnet."""
    resource = {
        "azurerm_network_security_group": {"dmz": {"name": "dmz", "security_rule": list(rules)}},
        "azurerm_subnet_network_security_group_association": ON_SUBNET,
        "azurerm_application_security_group": ASGS,
        "azurerm_network_interface_application_security_group_association": MEMBERS,
    } | resource
    return enforcement({"resource": resource}, POLICY, SITE)


def test_without_any_nsg_everything_passes() -> None:
    enforced = enforcement({"resource": {}}, POLICY, SITE)
    assert all(through(stages) == ALL for stages in enforced.values())
    assert len(enforced) == 4


def test_the_default_rules_leave_the_virtual_network_and_the_way_out_open() -> None:
    enforced = meaning()
    assert passes(enforced[EDGE_IN], "10.0.10.11", TCP, 22)
    assert passes(enforced[EDGE_IN], "168.63.129.16", TCP, 22)
    assert not passes(enforced[EDGE_IN], "198.51.100.1", TCP, 22)
    assert not passes(enforced[EDGE_IN], "10.9.0.1", TCP, 22)
    assert passes(enforced[EDGE_OUT], "198.51.100.1", TCP, 22)
    assert passes(enforced[EDGE_OUT], "10.0.10.11", TCP, 22)
    assert not passes(enforced[EDGE_OUT], "10.9.0.1", TCP, 22)


def test_the_lowest_priority_that_matches_decides_whatever_its_place_in_the_file() -> None:
    stages = meaning(
        rule(4096, "Deny"),
        rule(200, "Allow", protocol="Tcp", destination_port_range="443"),
        rule(100, "Deny", source_address_prefix="198.51.100.0/25"),
    )[EDGE_IN]
    assert passes(stages, "198.51.100.128", TCP, 443)
    assert not passes(stages, "198.51.100.127", TCP, 443)
    assert not passes(stages, "198.51.100.128", UDP, 443)
    assert not passes(stages, "10.0.10.11", TCP, 22)  # the default rule is behind the deny


def test_lists_of_prefixes_and_ranges_are_every_combination() -> None:
    stages = meaning(
        rule(4000, "Deny"),
        rule(
            100,
            protocol="Udp",
            source_address_prefix=None,
            source_address_prefixes=["192.0.2.1", "198.51.100.0/24"],
            source_port_range=None,
            source_port_ranges=["1024-2000", "3000"],
            destination_port_range=None,
            destination_port_ranges=["53", "123-124"],
        ),
    )[EDGE_IN]
    for peer in ("192.0.2.1", "198.51.100.9"):
        for source in (1024, 2000, 3000):
            for port in (53, 123, 124):
                assert passes(stages, peer, UDP, port, source)
        assert not passes(stages, peer, UDP, 53, source=2001)
        assert not passes(stages, peer, UDP, 54, source=3000)
    assert not passes(stages, "192.0.2.2", UDP, 53, source=3000)


def test_outbound_the_local_side_is_the_source() -> None:
    stages = meaning(
        rule(4000, "Deny", "Outbound"),
        rule(
            100,
            "Allow",
            "Outbound",
            source_address_prefix="10.0.1.0/24",
            destination_address_prefix="192.0.2.0/24",
        ),
        rule(110, "Allow", "Outbound", source_address_prefix="10.0.10.0/24"),
    )[EDGE_OUT]
    assert passes(stages, "192.0.2.1", TCP, 1)
    assert not passes(stages, "192.0.3.1", TCP, 1)


def test_a_group_is_the_private_addresses_of_its_members_and_limits_whom_a_rule_is_for() -> None:
    edge = "${azurerm_application_security_group.edge.id}"
    control = "${azurerm_application_security_group.control.id}"

    def between(source: str, destination: str) -> dict[str, Any]:
        return rule(
            100,
            source_address_prefix=None,
            source_application_security_group_ids=[source],
            destination_address_prefix=None,
            destination_application_security_group_ids=[destination],
        )

    stages = meaning(rule(4000, "Deny"), between(control, edge))[EDGE_IN]
    assert passes(stages, "10.0.10.11", TCP, 5061)
    assert not passes(stages, "10.0.10.12", TCP, 5061)
    not_for_edge = meaning(rule(4000, "Deny"), between(edge, control))[EDGE_IN]
    assert not through(not_for_edge)


def test_group_membership_follows_the_cards_that_the_file_associates() -> None:
    stages = meaning(
        rule(4000, "Deny"),
        rule(
            100,
            destination_address_prefix=None,
            destination_application_security_group_ids=[
                "${azurerm_application_security_group.edge.id}"
            ],
        ),
        azurerm_network_interface_application_security_group_association={
            "one": MEMBERS["/nic/e1"]
        },
    )[EDGE_IN]
    # The second card is not a member. Nobody asks for the packet, so the open card shows.
    assert passes(stages, "192.0.2.1", TCP, 1)


@pytest.mark.parametrize(
    ("access", "part", "passed"),
    [
        ("Allow", "10.0.1.17/32", True),  # somewhere in the fleet
        ("Allow", "10.0.1.64/26", False),  # outside it
        ("Deny", "10.0.1.0/27", True),  # the second half stays open
        ("Deny", "10.0.1.32/27", True),
        ("Deny", "10.0.0.0/16", False),
    ],
)
def test_a_rule_for_a_part_of_a_fleet_shows_what_is_open_in_any_of_it(
    access: str, part: str, passed: bool
) -> None:
    fleet = policy(interface("edge/external", "dmz", "10.0.1.0/26"))
    otherwise = "Allow" if access == "Deny" else "Deny"
    document = {
        "resource": {
            "azurerm_network_security_group": {
                "dmz": {
                    "security_rule": [
                        rule(4000, otherwise),
                        rule(100, access, destination_address_prefix=part),
                    ]
                }
            },
            "azurerm_subnet_network_security_group_association": ON_SUBNET,
        }
    }
    stages = enforcement(document, fleet, SITE)[EDGE_IN]
    assert passes(stages, "192.0.2.1", TCP, 1) is passed


def test_both_levels_must_allow_and_stand_in_the_order_a_packet_meets_them() -> None:
    def only(*ports: str) -> list[dict[str, Any]]:
        return [
            rule(4000, "Deny"),
            rule(100, destination_port_range=None, destination_port_ranges=list(ports)),
        ]

    card = {
        "network_interface_id": "/nic/e1",
        "network_security_group_id": "${azurerm_network_security_group.card.id}",
    }
    enforced = meaning(
        azurerm_network_security_group={
            "dmz": {"security_rule": only("80", "443")},
            "card": {"security_rule": only("443", "22")},
        },
        azurerm_network_interface_security_group_association={
            "one": card,
            "two": card | {"network_interface_id": "/nic/E2"},
        },
    )
    names = [stage.name.rsplit(".")[-1] for stage in enforced[EDGE_IN]]
    assert names == ["dmz", "card"]
    assert [stage.name.rsplit(".")[-1] for stage in enforced[EDGE_OUT]] == ["card", "dmz"]
    assert passes(enforced[EDGE_IN], "192.0.2.1", TCP, 443)
    assert not passes(enforced[EDGE_IN], "192.0.2.1", TCP, 80)
    assert not passes(enforced[EDGE_IN], "192.0.2.1", TCP, 22)


def test_rules_as_resources_mean_the_same_as_inline() -> None:
    one = rule(100, "Deny", protocol="Tcp", destination_port_range="22")
    reference = "azurerm_network_security_group.dmz.name"
    for name in ("dmz", "DMZ", f"${{{reference}}}", f"${{ {reference} }}"):
        apart = meaning(
            azurerm_network_security_rule={"r": one | {"network_security_group_name": name}}
        )
        assert through(apart[EDGE_IN]) == through(meaning(one)[EDGE_IN])
        assert through(apart[EDGE_IN]) != through(meaning()[EDGE_IN])


@pytest.mark.parametrize(
    ("id_", "attached"),
    [
        ("/subscriptions/s/resourceGroups/rg/x/virtualNetworks/Net/subnets/DMZ", True),
        ("/subscriptions/${x}/resourceGroups/rg/x/virtualNetworks/${n.name}/subnets/dmz", True),
        ("/subscriptions/s/resourceGroups/rg/x/virtualNetworks/other/subnets/dmz", False),
        ("/subscriptions/s/resourceGroups/rg/x/virtualNetworks/net/subnets/dmz2", False),
    ],
)
def test_a_subnet_that_the_deployment_names_barely_is_found_by_its_id(
    id_: str, attached: bool
) -> None:
    named = site("azure", {"dmz": DMZ | {"subnets": ["dmz"]}, "internal": CORE})
    document = {
        "resource": {
            "azurerm_network_security_group": {
                "dmz": {
                    "tags": {"flowbridge:tier": "dmz"},
                    "security_rule": [rule(100, "Deny")],
                }
            },
            "azurerm_subnet_network_security_group_association": {
                "a": ON_SUBNET["dmz"] | {"subnet_id": id_}
            },
        }
    }
    stages = enforcement(document, POLICY, named)[EDGE_IN]
    assert bool(through(stages)) is not attached


def test_a_tier_without_named_subnets_is_found_by_its_tag() -> None:
    stages = meaning(
        azurerm_network_security_group={
            "core": {
                "tags": {"flowbridge:tier": "internal"},
                "security_rule": [rule(100, "Deny")],
            }
        },
        azurerm_subnet_network_security_group_association={},
    )
    assert not through(stages[at("control/single", "ingress")])
    assert through(stages[EDGE_IN]) == ALL


def test_protocols() -> None:
    def only(**more: Any) -> Any:
        return meaning(rule(4000, "Deny"), rule(100, **more))[EDGE_IN]

    assert passes(only(protocol="Icmp"), "192.0.2.1", ICMP, 8 * 256)
    assert not passes(only(protocol="Icmp"), "2001:db8::1", ICMPV6, 8 * 256)
    assert passes(only(protocol="Esp"), "192.0.2.1", ESP)
    ported = only(destination_port_range="53")
    assert passes(ported, "192.0.2.1", TCP, 53)
    assert passes(ported, "192.0.2.1", UDP, 53)
    assert not passes(ported, "192.0.2.1", ESP)
    assert not passes(ported, "192.0.2.1", ICMP, 53)


def test_the_internet_is_what_is_public_and_not_ours() -> None:
    stages = meaning(rule(4000, "Deny"), rule(100, source_address_prefix="Internet"))[EDGE_IN]
    for peer, inside in {
        "8.8.8.8": True,
        "2a00::1": True,
        "10.0.10.1": False,
        "192.168.1.1": False,
        "100.64.0.1": False,
        "fd00::1": False,
    }.items():
        assert passes(stages, peer, TCP, 1) is inside, peer


def test_public_addresses_of_the_virtual_network_are_not_the_internet() -> None:
    tiers = {"dmz": DMZ | {"cidrs": ["198.51.100.0/24"]}}
    public = policy(interface("edge/external", "dmz", "198.51.100.11"))
    document = {
        "resource": {
            "azurerm_network_security_group": {
                "dmz": {
                    "security_rule": [
                        rule(4000, "Deny"),
                        rule(100, source_address_prefix="Internet"),
                    ]
                }
            },
            "azurerm_subnet_network_security_group_association": ON_SUBNET,
        }
    }
    stages = enforcement(document, public, site("azure", tiers))[EDGE_IN]
    assert passes(stages, "203.0.113.1", TCP, 1)
    assert not passes(stages, "198.51.100.1", TCP, 1)


def test_an_unknown_service_tag_has_no_addresses_and_is_noted() -> None:
    [stage] = meaning(rule(100, source_address_prefix="Storage.WestEurope"))[EDGE_IN]
    assert not passes([stage], "198.51.100.1", TCP, 1)
    assert any("Storage.WestEurope" in note for note in map(str, stage.unknown))


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (rule(99), "99"),
        (rule(100, "Permit"), "Allow nor Deny"),
        (rule(100, direction="Sideways"), "Inbound nor Outbound"),
        (rule(100, protocol="Tpc"), "Tpc"),
        (rule(100, protocol="Icmp", destination_port_range="8"), "no ports"),
        (rule(100, destination_port_range="80-"), "80-"),
        (rule(100, source_address_prefixes=["10.0.0.0/8"]), "exactly one of source_address"),
        (rule(100, source_address_prefix=None), "exactly one of source_address"),
        (rule(100, source_address_prefix="10.0.0.0/77"), "10.0.0.0/77"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_by_name(bad: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=r"group\.dmz\.security_rule\[r\d+\]") as caught:
        meaning(bad)
    assert complaint in str(caught.value)


def test_two_rules_of_one_priority_are_refused_only_in_one_direction() -> None:
    with pytest.raises(ValueError, match="priority 100 is taken"):
        meaning(rule(100), rule(100))
    meaning(rule(100), rule(100, direction="Outbound"))


def test_security_admin_rules_are_refused() -> None:
    with pytest.raises(ValueError, match=r"admin_rule\.x"):
        meaning(azurerm_network_manager_admin_rule={"x": {}})


# --- brute force: a reader of one packet at a time ------------------------------------------


def _nsg_says(rules: list[dict[str, Any]], local: str, peer: str, packet_of: Any) -> bool:
    protocol, source, port = packet_of
    for one in sorted(rules, key=lambda r: r["priority"]):
        if ip_address(peer) not in ip_network(one["source_address_prefix"]):
            continue
        if ip_address(local) not in ip_network(one["destination_address_prefix"]):
            continue
        if {"Tcp": 6, "Udp": 17}[one["protocol"]] != protocol:
            continue
        low, high = map(int, one["destination_port_range"].split("-"))
        first, last = map(int, one["source_port_range"].split("-"))
        if low <= port <= high and first <= source <= last:
            return bool(one["access"] == "Allow")
    return ip_address(peer) in ip_network("10.0.0.0/16")  # as the virtual network below


def test_random_nsgs_decide_random_packets_as_reading_them_line_by_line_does() -> None:
    chance = random.Random(12)  # noqa: S311 - a repeatable test, no secret
    here = site("azure", {"dmz": {"cidrs": ["10.0.0.0/16"], "subnets": DMZ["subnets"]}})
    one = policy(interface("edge/external", "dmz", "10.0.1.11"))
    outcomes = set()
    for _ in range(40):
        rules = [
            rule(
                priority,
                chance.choice(["Allow", "Deny"]),
                protocol=chance.choice(["Tcp", "Udp"]),
                source_address_prefix=chance.choice(["192.0.2.0/24", "10.0.0.0/16", "0.0.0.0/0"]),
                destination_address_prefix=chance.choice(["10.0.1.0/24", "10.0.9.0/24"]),
                source_port_range=f"{chance.randrange(5)}-{5 + chance.randrange(5)}",
                destination_port_range=f"{(low := chance.randrange(9))}-{low + 3}",
            )
            for priority in chance.sample(range(100, 4097), 8)
        ]
        document = {
            "resource": {
                "azurerm_network_security_group": {"dmz": {"security_rule": rules}},
                "azurerm_subnet_network_security_group_association": ON_SUBNET,
            }
        }
        stages = enforcement(document, one, here)[EDGE_IN]
        whole = through(stages)
        for _ in range(60):
            peer = chance.choice(["192.0.2.1", "198.51.100.1", "10.0.1.50"])
            protocol = chance.choice([TCP, UDP])
            source, port = chance.randrange(12), chance.randrange(14)
            said = _nsg_says(rules, "10.0.1.11", peer, (protocol, source, port))
            assert passes(stages, peer, protocol, port, source) == said
            assert (packet(peer, protocol, source, port) in whole) == said
            outcomes.add(said)
    assert outcomes == {True, False}
