"""The Azure emitter: exact up to what rules can say, stable, and within what Azure takes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.finding import Severity
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.interface import Interface, Member
from flowbridge.policy.compiled import compile_policy
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.proof.proof import prove
from flowbridge.providers.azure import limits
from flowbridge.providers.azure.cloud import PROVIDER
from flowbridge.providers.azure.emit.network_security_groups import network_security_groups
from flowbridge.providers.azure.emit.security_rules import security_rules
from flowbridge.providers.azure.quotas import default_quotas
from flowbridge.providers.provider import Lowered
from tests.providers.azure.policies import (
    ADMIN,
    CORE,
    CUCM,
    EPHEMERAL,
    EXTERNAL,
    INTERFACES,
    INTERNAL,
    INTERNET,
    NETWORK,
    SUBNETS,
    SUBSCRIPTION,
    TIERS,
    card,
    flow,
    flows,
    inside,
    outside,
    policy,
    site,
    translated,
)

FLOWS = st.lists(flows(), max_size=6)
# azurerm 4 and 5: every attribute of `security_rule`, which must all be there.
ENDS = {
    f"{end}_{what}"
    for end in ("source", "destination")
    for what in (
        "port_range",
        "port_ranges",
        "address_prefix",
        "address_prefixes",
        "application_security_group_ids",
    )
}
KEYS = ENDS | {"name", "description", "priority", "direction", "access", "protocol"}
SIP = flow(INTERNET, inside(EXTERNAL), Protocol.TCP, EPHEMERAL, [5061], "expressway/11/1")
TRAVERSAL = flow(
    inside(CORE), inside(EXTERNAL), Protocol.TCP, ["30000-35999"], [7001], "expressway/5/1"
)


def lowered(*asked: Flow, **more: Any) -> Lowered:
    return PROVIDER.lower(policy(*asked), site(**more))


def rules(emitted: Lowered, tier: str | None = None) -> list[dict[str, Any]]:
    """The rules of one tier or all of them, the two that deny left out."""
    nsgs = emitted.terraform["resource"]["azurerm_network_security_group"]
    return [
        rule
        for name, nsg in nsgs.items()
        if tier in (None, name)
        for rule in nsg["security_rule"]
        if rule["access"] == "Allow"
    ]


def one(emitted: Lowered, tier: str, direction: str = "Inbound") -> dict[str, Any]:
    (found,) = (rule for rule in rules(emitted, tier) if rule["direction"] == direction)
    return found


def refusals(emitted: Lowered) -> list[str]:
    return [f.message for f in emitted.findings if f.severity is Severity.REFUSAL]


@settings(max_examples=25, deadline=None)
@given(FLOWS)
def test_what_the_json_enforces_is_what_is_asked_for(asked: list[Flow]) -> None:
    wanted = policy(*asked)
    emitted = PROVIDER.lower(wanted, site())
    document = json.loads(json.dumps(emitted.terraform))
    proof = prove(wanted, PROVIDER.enforcement(document, wanted, site()), PROVIDER.expressible)
    assert proof.failures() == ()
    for point in proof.points:
        told = PacketSet.union(e.packets for e in emitted.excess if e.where == str(point.point))
        assert told == point.excess


@settings(max_examples=15, deadline=None)
@given(FLOWS, st.randoms(use_true_random=False))
def test_the_order_of_the_file_does_not_matter(asked: list[Flow], random: Any) -> None:
    shuffled, cards = list(asked), list(INTERFACES)
    random.shuffle(shuffled)
    random.shuffle(cards)
    again = PROVIDER.lower(policy(*shuffled, interfaces=cards), site())
    assert json.dumps(again.terraform) == json.dumps(lowered(*asked).terraform)


@settings(max_examples=25, deadline=None)
@given(FLOWS, flows())
def test_a_further_flow_leaves_every_other_rule_as_it_was(asked: list[Flow], added: Flow) -> None:
    before = {rule["name"]: rule for rule in rules(lowered(*asked))}
    after = {rule["name"]: rule for rule in rules(lowered(*asked, added))}
    own = {rule["name"] for rule in rules(lowered(added))}
    for name, rule in before.items():
        if name not in own:
            # Two rules that want one priority: test_priorities says which one gives way.
            priority = after[name]["priority"]
            assert after[name] == {**rule, "priority": priority}
            assert priority == rule["priority"] or priority not in _priorities(before, rule)
    assert set(after) == set(before) | own


def _priorities(known: dict[str, dict[str, Any]], like: dict[str, Any]) -> set[int]:
    return {
        rule["priority"]
        for rule in known.values()
        if rule["direction"] == like["direction"] and rule is not like
    }


@settings(max_examples=25, deadline=None)
@given(FLOWS)
def test_azure_takes_every_rule(asked: list[Flow]) -> None:
    emitted = lowered(*asked)
    for nsg in emitted.terraform["resource"]["azurerm_network_security_group"].values():
        listed = nsg["security_rule"]
        assert len({rule["name"] for rule in listed}) == len(listed)
        places = {(rule["direction"], rule["priority"]) for rule in listed}
        assert len(places) == len(listed)
        for rule in listed:
            assert set(rule) == KEYS
            assert re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._-]{0,78}[0-9A-Za-z_]", rule["name"])
            assert len(rule["description"]) <= 140
            assert 100 <= rule["priority"] <= 4096
            assert rule["protocol"] in ("Tcp", "Udp", "Icmp", "Esp", "Ah", "*")
            for end in ("source", "destination"):
                _check_end(rule, end)


def _check_end(rule: dict[str, Any], end: str) -> None:
    """Exactly one way to name the addresses and one the ports; one family; no overlaps."""
    for ways in (
        ("address_prefix", "address_prefixes", "application_security_group_ids"),
        ("port_range", "port_ranges"),
    ):
        assert sum(rule[f"{end}_{way}"] is not None for way in ways) == 1
    prefixes = rule[f"{end}_address_prefixes"] or [rule[f"{end}_address_prefix"]]
    named = [ip_network(p) for p in prefixes if p not in (None, "*")]
    assert len({network.version for network in named}) <= 1
    assert not any(a is not b and a.overlaps(b) for a in named for b in named)
    ranges = rule[f"{end}_port_ranges"] or [rule[f"{end}_port_range"]]
    assert len(ranges) <= 250
    if rule["protocol"] not in ("Tcp", "Udp"):
        assert ranges == ["*"]
    last = -1
    for text in ranges:
        if text != "*":
            low, _, high = text.partition("-")
            assert last < int(low) <= int(high or low) <= 65535
            last = int(high or low)


def test_everything_else_is_denied_both_ways_above_the_default_rules() -> None:
    for nsg in lowered().terraform["resource"]["azurerm_network_security_group"].values():
        assert {rule["direction"] for rule in nsg["security_rule"]} == {"Inbound", "Outbound"}
        for rule in nsg["security_rule"]:
            assert rule["access"] == "Deny"
            assert rule["priority"] == 4096
            assert {rule[key] for key in ENDS if rule[key] is not None} == {"*"}


def test_an_interface_whose_cards_are_all_named_is_its_group() -> None:
    rule = one(lowered(SIP), "dmz")
    group = "${azurerm_application_security_group.expressway-e_external.id}"
    assert rule["destination_application_security_group_ids"] == [group]
    assert rule["source_address_prefix"] == "0.0.0.0/0"


def test_an_interface_with_a_card_that_is_not_named_is_its_addresses() -> None:
    asked = flow(ADMIN, inside(INTERNAL), Protocol.TCP, EPHEMERAL, [22], "expressway/4/1")
    rule = one(lowered(asked), "dmz")
    assert rule["destination_application_security_group_ids"] is None
    assert rule["destination_address_prefixes"] == ["10.0.2.11/32", "10.0.2.12/32"]


def test_a_peer_by_its_public_address_is_never_a_group() -> None:
    asked = flow(inside(CORE), translated(EXTERNAL), Protocol.TCP, EPHEMERAL, [8443], "x/1/1")
    rule = one(lowered(asked), "internal", "Outbound")
    assert rule["destination_application_security_group_ids"] is None
    assert rule["destination_address_prefixes"] == ["203.0.113.11/32", "203.0.113.12/32"]


def test_behind_a_nat_gateway_each_end_names_the_source_ports_that_it_sees() -> None:
    sent, arriving, to = ["25000-29999"], ["1024-65535"], [7001]
    nat = End(
        party=CORE.workload,
        interface=CORE,
        addresses=(ip_network("198.51.100.7/32"),),
        translated=True,
    )
    asked = flow(
        nat, translated(EXTERNAL), Protocol.TCP, sent, to, "expressway/11/1",
        translated_ports=arriving,
    )  # fmt: skip
    found = lowered(asked)
    (egress,) = [r for r in found.rules if r.scope == CORE.key and r.action == "allow"]
    (ingress,) = [r for r in found.rules if r.scope == EXTERNAL.key and r.action == "allow"]
    assert (egress.source_ports, egress.destination_ports) == ("25000-29999", "7001")
    assert (ingress.source_ports, ingress.destination_ports) == ("1024-65535", "7001")
    assert not found.excess


def test_translated_means_no_group_even_where_the_addresses_are_the_cards_own() -> None:
    end = End(party="expressway-e", interface=EXTERNAL, addresses=EXTERNAL.private, translated=True)
    asked = flow(inside(CORE), end, Protocol.TCP, EPHEMERAL, [8443], "x/1/1")
    rule = one(lowered(asked), "internal", "Outbound")
    assert rule["destination_address_prefixes"] == ["10.0.1.11/32", "10.0.1.12/32"]


def test_every_port_is_a_star() -> None:
    asked = flow(INTERNET, inside(EXTERNAL), Protocol.TCP, ["any"], ["any"], "x/1/1")
    rule = one(lowered(asked), "dmz")
    assert (rule["source_port_range"], rule["destination_port_range"]) == ("*", "*")


def test_a_peer_with_cards_named_is_its_group() -> None:
    rule = one(lowered(TRAVERSAL), "internal", "Outbound")
    group = "${azurerm_application_security_group.expressway-e_external.id}"
    assert rule["destination_application_security_group_ids"] == [group]


def test_a_range_of_machines_with_one_card_is_not_taken_for_that_card() -> None:
    fleet = Interface(
        workload="phones",
        name="single",
        tier="internal",
        members=(Member("f", (ip_network("10.0.10.64/28"),), (), "nic"),),
    )
    asked = flow(ADMIN, inside(fleet), Protocol.TCP, EPHEMERAL, [443], "cucm/5/1")
    emitted = PROVIDER.lower(policy(asked, interfaces=[fleet]), site())
    assert one(emitted, "internal")["destination_address_prefix"] == "10.0.10.64/28"


def test_rules_wait_for_the_memberships_of_the_groups_that_they_name() -> None:
    resource = lowered(TRAVERSAL).terraform["resource"]
    memberships = resource["azurerm_network_interface_application_security_group_association"]
    kind = "azurerm_network_interface_application_security_group_association"
    named = {f"{kind}.{name}": body["network_interface_id"] for name, body in memberships.items()}
    inside_nsg = resource["azurerm_network_security_group"]["internal"]
    waits_for = {named[address] for address in inside_nsg["depends_on"]}
    assert waits_for == {card("e1-outer"), card("e2-outer"), card("c1")}
    assert all(body["lifecycle"]["create_before_destroy"] for body in memberships.values())


def test_every_interface_has_a_tagged_group_and_every_tier_a_tagged_nsg() -> None:
    resource = lowered().terraform["resource"]
    groups = resource["azurerm_application_security_group"].values()
    assert {
        (g["tags"]["flowbridge:workload"], g["tags"]["flowbridge:interface"]) for g in groups
    } == {(i.workload, i.name) for i in INTERFACES}
    nsgs = resource["azurerm_network_security_group"].values()
    for nsg in nsgs:
        tier, tags = nsg["tags"]["flowbridge:tier"], nsg["tags"]
        here = sorted((i.workload, i.key) for i in INTERFACES if i.tier == tier)
        assert tags["flowbridge:site"] == "lab"
        assert tags["flowbridge:workload"] == ", ".join(dict.fromkeys(name for name, _ in here))
        assert tags["flowbridge:interface"] == ", ".join(key for _, key in here)
    assert {nsg["tags"]["flowbridge:tier"] for nsg in nsgs} == {i.tier for i in INTERFACES}


def test_a_tag_holds_as_many_names_as_azure_takes() -> None:
    many = [*INTERFACES, *(replace(CORE, workload=f"system-{n:03}") for n in range(40))]
    emitted = PROVIDER.lower(compile_policy(many, []), site())
    nsg = emitted.terraform["resource"]["azurerm_network_security_group"]["internal"]
    for name in ("workload", "interface"):
        text = nsg["tags"][f"flowbridge:{name}"]
        assert len(text) <= 256
        assert text.endswith(" ...")
        known = {card.workload if name == "workload" else card.key for card in many}
        assert set(text.removesuffix(" ...").split(", ")) <= known


def test_subnets_by_name_are_found_in_the_network_of_the_deployment() -> None:
    tiers = {name: {**tier, "subnets": [f"{name}-net"]} for name, tier in TIERS.items()}
    emitted = lowered(network={"tiers": tiers}, provider={"subscription": SUBSCRIPTION})
    kind = "azurerm_subnet_network_security_group_association"
    found = {body["subnet_id"] for body in emitted.terraform["resource"][kind].values()}
    assert found == {f"{SUBNETS}/dmz-net", f"{SUBNETS}/internal-net"}
    assert "data" not in emitted.terraform


def test_without_a_subscription_that_of_the_credentials_is_read() -> None:
    tiers = {name: {**tier, "subnets": [f"{name}-net"]} for name, tier in TIERS.items()}
    emitted = lowered(network={"tiers": tiers})
    kind = "azurerm_subnet_network_security_group_association"
    for body in emitted.terraform["resource"][kind].values():
        reference = "${data.azurerm_client_config.current.subscription_id}"
        assert body["subnet_id"].startswith(f"/subscriptions/{reference}/resourceGroups/uc/")
    assert emitted.terraform["data"] == {"azurerm_client_config": {"current": {}}}


def test_a_network_by_its_full_id_tells_group_and_subscription() -> None:
    network = {"resource_group": None, "vnet": None, "id": f"{NETWORK}/virtualNetworks/other"}
    tiers = {name: {**tier, "subnets": [f"{name}-net"]} for name, tier in TIERS.items()}
    emitted = lowered(network={**network, "tiers": tiers})
    kind = "azurerm_subnet_network_security_group_association"
    found = {body["subnet_id"] for body in emitted.terraform["resource"][kind].values()}
    assert f"{NETWORK}/virtualNetworks/other/subnets/dmz-net" in found
    nsgs = emitted.terraform["resource"]["azurerm_network_security_group"]
    assert {nsg["resource_group_name"] for nsg in nsgs.values()} == {"uc"}
    assert not refusals(emitted)


def test_a_further_cluster_peer_renames_no_rule() -> None:
    asked = flow(inside(CUCM), inside(INTERNAL), Protocol.TCP, EPHEMERAL, [5061], "x/1/1")
    more = Interface(
        workload=CUCM.workload,
        name=CUCM.name,
        tier=CUCM.tier,
        members=(*CUCM.members, Member("peer-3", (ip_network("10.0.10.30"),))),
    )
    again = flow(inside(more), inside(INTERNAL), Protocol.TCP, EPHEMERAL, [5061], "x/1/1")
    grown = PROVIDER.lower(policy(again, interfaces=[more, INTERNAL]), site())
    first = {(rule["name"], rule["priority"]) for rule in rules(lowered(asked))}
    assert {(rule["name"], rule["priority"]) for rule in rules(grown)} == first
    assert "10.0.10.30" in json.dumps(rules(grown))


def test_two_rows_that_ask_for_the_same_share_a_rule_and_are_both_named() -> None:
    other = flow(INTERNET, inside(EXTERNAL), Protocol.TCP, EPHEMERAL, [5061], "expressway/16/2")
    assert one(lowered(SIP, other), "dmz")["description"].startswith(
        "expressway/11/1, expressway/16/2"
    )


def test_a_description_that_is_too_long_names_whole_rows_and_counts_the_rest() -> None:
    many = [
        flow(INTERNET, inside(EXTERNAL), Protocol.TCP, EPHEMERAL, [5061], f"document-{i}/1/1")
        for i in range(30)
    ]
    text = one(lowered(*many), "dmz")["description"]
    assert len(text) <= 140
    shown = text.partition(" (+")[0].split(", ")
    assert set(shown) <= {f"document-{i}/1/1" for i in range(30)}
    assert text.endswith(f"(+{30 - len(shown)} rows)")


@pytest.mark.parametrize("protocol", [Protocol.GRE, Protocol.ICMPV6])
def test_a_protocol_that_no_rule_can_name_is_refused_and_opens_nothing(protocol: Protocol) -> None:
    asked = flow(inside(CUCM), inside(CORE), protocol, ["any"], ["any"], "cucm/7/1")
    emitted = lowered(asked)
    assert not rules(emitted)
    assert any("cucm/7/1" in text and protocol.label in text for text in refusals(emitted))


def test_rules_that_do_not_fit_are_refused_with_the_rows_that_take_most() -> None:
    asked = [
        flow(INTERNET, inside(EXTERNAL), Protocol.TCP, EPHEMERAL, [port], "expressway/11/7")
        for port in range(5000, 5009)
    ]
    fits = lowered(*asked, quotas={"nsg_rules": 11})
    assert not refusals(fits)
    (message,) = refusals(lowered(*asked, quotas={"nsg_rules": 10}))
    assert "11 rules" in message
    assert "most go to expressway/11/7 (internet, 9):" in message
    assert "eni" not in message, "groups save addresses, not rules"


def test_more_rules_than_priorities_are_refused() -> None:
    few = default_quotas()
    few = replace(few, lowest_priority=replace(few.lowest_priority, value=2995))  # to 2999: five
    asked = [
        flow(INTERNET, inside(EXTERNAL), Protocol.TCP, EPHEMERAL, [port], "expressway/11/7")
        for port in range(5000, 5006)
    ]
    fits, too_many = policy(*asked[:5]), policy(*asked)
    for wanted, refused in ((fits, 0), (too_many, 1)):
        nsgs = network_security_groups(wanted, security_rules(wanted, few), few)
        found = list(limits.refusals(nsgs, wanted, few))
        assert [f.severity for f in found] == [Severity.REFUSAL] * refused


def test_more_addresses_than_an_nsg_takes_are_refused() -> None:
    scattered = outside("phones", *(f"10.{i // 256}.{i % 256}.0/25" for i in range(2000)))
    asked = [
        flow(scattered, inside(EXTERNAL), Protocol.TCP, EPHEMERAL, [port], "cucm/6/1")
        for port in (2000, 5060)
    ]
    assert not refusals(lowered(*asked[:1]))
    (message,) = refusals(lowered(*asked))
    assert "source addresses" in message
    assert "most go to cucm/6/1 (phones, 4000):" in message, "the other side is not counted"
    assert "eni" not in message, "all cards are named already"
    used = {u.scope: u.used for u in lowered(*asked).usage}
    assert used["lab dmz source addresses"] == 2 * 2000 + 2  # the two that deny name one each


def test_naming_the_cards_is_asked_for_where_it_saves_addresses() -> None:
    members = tuple(Member(f"peer-{n}", (ip_network(f"10.0.1.{n}"),)) for n in (21, 22))
    edge = Interface(workload="edge", name="single", tier="dmz", members=members)
    scattered = outside("phones", *(f"10.{i // 256}.{i % 256}.0/25" for i in range(4000)))
    asked = flow(scattered, inside(edge), Protocol.TCP, EPHEMERAL, [22])
    back = flow(inside(edge), scattered, Protocol.TCP, EPHEMERAL, [22])
    quotas = default_quotas()
    for flows_asked, saves in (([asked], False), ([asked, back], True)):
        wanted = compile_policy([edge], flows_asked)
        nsgs = network_security_groups(wanted, security_rules(wanted, quotas), quotas)
        message = next(f.message for f in limits.refusals(nsgs, wanted, quotas))
        assert "source addresses" in message
        assert ("name all network cards as `eni`" in message) is saves


def test_a_subnet_of_two_tiers_is_refused() -> None:
    tiers = {name: {**tier, "subnets": ["shared"]} for name, tier in TIERS.items()}
    assert any("shared" in text for text in refusals(lowered(network={"tiers": tiers})))


def test_signalling_over_public_addresses_asks_for_keepalives() -> None:
    call = Flow(
        SIP.source,
        SIP.destination,
        SIP.protocol,
        SIP.source_ports,
        SIP.destination_ports,
        SIP.rows,
        signalling=True,
    )
    found = {f.id: f for f in lowered(call).findings}
    assert found["azure/idle-timeout"].severity is Severity.OBLIGATION
    assert EXTERNAL.key in found["azure/idle-timeout"].message
    assert "azure/idle-timeout" not in {f.id for f in lowered(SIP).findings}


def test_settings_accept_azurerm_4_and_5_and_name_the_subscription() -> None:
    settings = PROVIDER.settings(site(provider={"subscription": SUBSCRIPTION}))
    required = settings["terraform"]["required_providers"]["azurerm"]
    assert required == {"source": "hashicorp/azurerm", "version": ">= 4.0.0, < 6.0.0"}
    assert settings["provider"]["azurerm"] == [{"features": [{}], "subscription_id": SUBSCRIPTION}]
