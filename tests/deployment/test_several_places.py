"""Parties in several places: hosts elsewhere, parts played by others, a core over the internet."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.stacks.pipeline import Checked, build, judge, load
from tests.providers.one_deployment import CLOUDS, Data, Deployment

ON_PREMISES = "10.20.0.21"


def hybrid(cloud: str) -> Data:
    """A Unified CM cluster of which one node still runs on premises."""
    data = copy.deepcopy(Deployment(services=("traversal-pair", "mra", "cucm-cluster")).data(cloud))
    data["systems"]["cucm"] = {
        "tier": "internal",
        "addresses": ["10.0.10.21"],
        "elsewhere": [ON_PREMISES],
    }
    data["accept"] = {"deployment/cut-off": "only the pair and Unified CM are looked at here"}
    return data


def checked(data: Data, folder: Path) -> Checked:
    file = folder / "site.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    return judge(build(load(file)))


def problems(data: Data, folder: Path) -> list[tuple[str, str]]:
    with pytest.raises(BadFileError) as refusal:
        checked(data, folder)
    return [(problem.key, problem.message) for problem in refusal.value.problems]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_node_elsewhere_is_met_by_its_address(cloud: str, tmp_path: Path) -> None:
    found = checked(hybrid(cloud), tmp_path)
    assert not found.built.refusals
    assert not found.failures
    peers = {
        rule.peer
        for rule in found.built.lowered.rules
        if rule.scope == "expressway-c/single" and rule.direction == "egress"
    }
    assert any(ON_PREMISES in peer for peer in peers), peers
    between = {
        (flow.source.key, flow.destination.key)
        for flow in found.built.resolution.flows
        if ON_PREMISES in {str(n.network_address) for n in flow.destination.addresses}
    }
    assert ("cucm/single", "cucm") in between


def test_fewer_subnets_than_ranges_are_refused_where_a_host_is_in_the_rest(tmp_path: Path) -> None:
    data = hybrid("aws")
    data["network"]["tiers"]["internal"]["cidrs"].append("10.20.0.0/24")
    data["systems"]["cucm"] = {"tier": "internal", "addresses": ["10.0.10.21", ON_PREMISES]}
    ((key, message),) = problems(data, tmp_path)
    assert key == "systems.cucm.addresses[1]"
    assert "no subnet (10.20.0.0/24)" in message
    assert "systems.cucm.elsewhere" in message


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_address_outside_its_tier_is_advised_to_be_elsewhere(cloud: str, tmp_path: Path) -> None:
    data = hybrid(cloud)
    data["systems"]["cucm"] = {"tier": "internal", "addresses": ["10.0.10.21", ON_PREMISES]}
    ((_, message),) = problems(data, tmp_path)
    assert "systems.cucm.elsewhere" in message
    assert "cidrs" not in message


@pytest.mark.parametrize(("peers", "referred"), [("auto", True), ("addresses", False)])
def test_groups_are_named_only_where_the_file_lets_them(
    peers: str, referred: bool, tmp_path: Path
) -> None:
    data = hybrid("aws")
    data["options"] = {"aws": {"peers": peers}}
    found = checked(data, tmp_path)
    assert not found.failures
    rules = found.built.document["resource"]["aws_vpc_security_group_egress_rule"]
    assert any("referenced_security_group_id" in body for body in rules.values()) == referred


def test_azure_names_groups_of_peers_only_where_the_file_lets_it(tmp_path: Path) -> None:
    for peers, most in (("auto", 2), ("addresses", 1)):
        data = copy.deepcopy(Deployment(cards=True).data("azure"))
        data["accept"] = {"deployment/cut-off": "only the pair and Unified CM are looked at here"}
        data["options"] = {"azure": {"peers": peers}}
        found = checked(data, tmp_path)
        assert not found.failures
        nsgs = found.built.document["resource"]["azurerm_network_security_group"]
        ends = {
            sum(bool(rule.get(f"{end}_application_security_group_ids")) for end in _ENDS)
            for nsg in nsgs.values()
            for rule in nsg["security_rule"]
        }
        assert max(ends) == most


_ENDS = ("source", "destination")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_core_over_the_internet_meets_the_outer_card_alone(cloud: str, tmp_path: Path) -> None:
    data = copy.deepcopy(Deployment(services=("traversal-pair", "sip-calls", "mra")).data(cloud))
    del data["expressway_c"]
    data["systems"] = {
        "expressway-c": {"addresses": ["198.51.100.50"]},
        "admin-pc": {"addresses": ["10.9.0.0/24"]},
    }
    found = checked(data, tmp_path)
    assert not found.failures
    cards = {
        flow.destination.key
        for flow in found.built.resolution.flows
        if flow.source.party == "expressway-c"
    }
    assert cards == {"expressway-e/external"}
    assert "deployment/core-over-the-internet" in {each.id for each in found.built.findings}


def phones(**cucm: Any) -> Data:
    """Unified CM with its phones; who plays hold music is said by the test."""
    return {
        "name": "voice",
        "cloud": "aws",
        "region": "eu-west-1",
        "network": {
            "id": "vpc-0a1b2c3d4e5f60718",
            "tiers": {
                "voice": {"cidrs": ["10.0.10.0/24"], "subnets": ["subnet-0aaaaaaaaaaaaaaa1"]}
            },
        },
        "systems": {
            "cucm": {"tier": "voice", "addresses": ["10.0.10.21", "10.0.10.22"], **cucm},
            "phone": {"addresses": ["10.46.0.0/16"]},
            "gateway": {"addresses": ["10.47.0.1"]},
        },
        "services": ["cucm-cluster", "cucm-phones"],
        "quotas": {"rules_per_security_group": 200},
    }


def test_a_role_opens_what_its_party_needs(tmp_path: Path) -> None:
    closed, opened = (
        checked(phones(**more), tmp_path) for more in ({}, {"roles": ["dns", "tftp"]})
    )
    rows = {row for flow in opened.built.resolution.flows for row in flow.rows}
    assert rows > {row for flow in closed.built.resolution.flows for row in flow.rows}
    ends = {
        flow.destination.key
        for flow in opened.built.resolution.flows
        if flow.destination.party == "dns"
    }
    assert ends == {"cucm/single"}
    assert not opened.failures


def test_addresses_that_run_here_as_another_system_play_its_part(tmp_path: Path) -> None:
    data = phones()
    data["systems"]["ip-vms"] = {"addresses": ["10.0.10.21", "10.99.0.1"]}
    flows = checked(data, tmp_path).built.resolution.flows
    ends = {flow.source.key for flow in flows if flow.source.party == "ip-vms"}
    ends |= {flow.destination.key for flow in flows if flow.destination.party == "ip-vms"}
    assert "cucm/single" in ends
    assert ends <= {"cucm/single", "ip-vms"}


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("ip-vsm", "did you mean"),
        ("expressway-c", "described under expressway_c"),
    ],
)
def test_a_role_that_nobody_can_play_is_refused(role: str, words: str, tmp_path: Path) -> None:
    ((key, message),) = problems(phones(roles=[role]), tmp_path)
    assert key == "systems.cucm.roles[0]"
    assert words in message


@pytest.mark.parametrize("cloud", CLOUDS)
def test_cluster_rows_reach_peers_elsewhere(cloud: str, tmp_path: Path) -> None:
    data = copy.deepcopy(
        Deployment(services=("traversal-pair", "sip-calls", "cluster")).data(cloud)
    )
    data["expressway_c"]["elsewhere"] = ["10.40.0.12"]
    data["accept"] = {"deployment/cut-off": "only the pair and Unified CM are looked at here"}
    found = checked(data, tmp_path)
    assert not found.failures
    between = {
        (flow.source.key, flow.destination.key)
        for flow in found.built.resolution.flows
        if {flow.source.party, flow.destination.party} == {"this-peer", "other-peer"}
    }
    assert {("expressway-c/single", "other-peer"), ("this-peer", "expressway-c/single")} <= between
    client = {
        str(address)
        for flow in found.built.resolution.flows
        if flow.source.party == "expressway-c" and flow.destination.key == "expressway-e/internal"
        for address in flow.source.addresses
    }
    assert client == {"10.0.10.11/32", "10.40.0.12/32"}


def test_a_party_may_be_two_systems_with_names_of_their_own(tmp_path: Path) -> None:
    data = phones()
    tiers = data["network"]["tiers"]
    tiers["second"] = {"cidrs": ["10.0.11.0/24"], "subnets": ["subnet-0bbbbbbbbbbbbbbb1"]}
    del data["systems"]["cucm"]
    roles = ["cucm", "tftp", "ip-vms", "ntp", "media-destination"]
    data["systems"]["cucm-one"] = {"tier": "voice", "addresses": ["10.0.10.21"], "roles": roles}
    data["systems"]["cucm-two"] = {"tier": "second", "addresses": ["10.0.11.21"], "roles": roles}
    found = checked(data, tmp_path)
    assert not found.built.refusals
    assert not found.failures
    flows = {(flow.source.key, flow.destination.key) for flow in found.built.resolution.flows}
    assert {("cucm-one/single", "cucm-two/single"), ("cucm-two/single", "cucm-one/single")} <= flows
    assert {("phone", "cucm-one/single"), ("phone", "cucm-two/single")} <= flows


PARTNERS = "192.0.2.0/24"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_service_narrows_its_own_peers_alone(cloud: str, tmp_path: Path) -> None:
    data = copy.deepcopy(Deployment(services=("traversal-pair", "sip-calls", "mra")).data(cloud))
    data["accept"] = {"deployment/cut-off": "only the pair and Unified CM are looked at here"}
    data["services"] = {"traversal-pair": {}, "sip-calls": {"any": [PARTNERS]}, "mra": {}}
    found = checked(data, tmp_path)
    assert not found.failures
    turn = {
        row: {str(address) for address in flow.source.addresses}
        for flow in found.built.resolution.flows
        for row in flow.rows
        if row in ("expressway/11/14", "expressway/16/6")
    }
    assert turn["expressway/11/14"] == {PARTNERS}
    assert turn["expressway/16/6"] == {"0.0.0.0/0", "::/0"} & turn["expressway/16/6"]


@pytest.mark.parametrize(
    ("services", "key", "words"),
    [
        ({"sip-call": {}}, "services.sip-call", "sip-calls"),
        ({"sip-calls": {"anyy": [PARTNERS]}}, "services.sip-calls.anyy", "no row of sip-calls"),
        ({"sip-calls": {"any": []}}, "services.sip-calls.any", "at least one address"),
    ],
)
def test_a_map_of_services_is_checked(services: Data, key: str, words: str, tmp_path: Path) -> None:
    data = copy.deepcopy(Deployment().data("aws"))
    data["services"] = services
    found = problems(data, tmp_path)
    assert any(at == key and words in message for at, message in found), found
