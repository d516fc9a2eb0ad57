"""Two halves of one system in two deployment files: what one opens, the other opens."""

from __future__ import annotations

import copy
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowbridge.policy.point import Direction, Point
from flowbridge.policy.questions.between_deployments import Disagreement
from flowbridge.stacks.agreement import disagreements_of
from flowbridge.stacks.pipeline import Built, build, load
from tests.policy.one_packet import packet

EXAMPLES = Path(__file__).parents[2] / "examples"
HALVES = ("split-edge", "split-core")
Data = dict[str, Any]


def half(name: str) -> Data:
    data: Data = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text("utf-8"))
    data.pop("tests", None)
    return data


@pytest.fixture
def edge() -> Data:
    return half("split-edge")


@pytest.fixture
def core() -> Data:
    return half("split-core")


def built(folder: Path, *files: Data) -> list[Built]:
    out = []
    for number, data in enumerate(files):
        path = folder / f"{number}.yaml"
        path.write_text(yaml.safe_dump(data), "utf-8")
        out.append(build(load(path)))
    return out


def found(folder: Path, *files: Data) -> tuple[Disagreement, ...]:
    return disagreements_of(built(folder, *files))


def test_the_halves_of_the_example_agree_and_do_talk(
    tmp_path: Path, edge: Data, core: Data
) -> None:
    assert found(tmp_path, edge, core) == ()
    edge["systems"]["expressway-c"] = {"addresses": ["10.3.10.99"]}
    assert found(tmp_path, edge, core)


def test_a_service_that_one_half_lacks(tmp_path: Path, edge: Data, core: Data) -> None:
    core["services"] = ["single-system"]
    core["systems"]["cucm"].pop("tier")
    told = found(tmp_path, edge, core)
    assert told
    assert {each.opener for each in told} == {"split-edge"}
    assert {str(each.other_point) for each in told} == {"expressway-c/single egress"}
    assert "no service of split-core selects these rows" in {each.reason for each in told}
    traversal = packet("10.2.2.11", 6, 25000, 7001)
    (first, *_) = [each for each in told if traversal in each.packets]
    assert "expressway/11/1" in first.rows
    assert first.point.direction is Direction.INGRESS
    # In the other order of files, the same is found.
    assert {str(each) for each in found(tmp_path, core, edge)} == {str(each) for each in told}


def test_a_port_that_the_halves_set_differently(tmp_path: Path, edge: Data, core: Data) -> None:
    edge["options"]["traversal_zones"] = 2
    (told,) = found(tmp_path, edge, core)
    assert (told.opener, told.other) == ("split-edge", "split-core")
    assert packet("10.2.2.11", 6, 25000, 7002) in told.packets
    assert packet("10.2.2.11", 6, 25000, 7001) not in told.packets
    assert told.reason == "split-core opens these rows for other addresses or ports"


def test_what_a_switch_closes_in_one_half_is_named(tmp_path: Path, edge: Data, core: Data) -> None:
    core["options"] = {"mra": {"ice_passthrough": False}, "turn": {"sip_calls": False}}
    told = found(tmp_path, edge, core)
    assert {each.opener for each in told} == {"split-edge"}
    assert any("options.mra.ice_passthrough is false" in each.reason for each in told)


def test_a_peer_that_one_half_does_not_list(tmp_path: Path, edge: Data, core: Data) -> None:
    core["expressway_c"]["peers"].append({"address": "10.3.10.12"})
    told = found(tmp_path, edge, core)
    assert {each.opener for each in told} == {"split-core"}
    seen = {network for each in told for box in each.packets.boxes() for network in box.peers}
    assert seen == {ip_network("10.3.10.12/32")}
    edge["systems"]["expressway-c"] = {"addresses": ["10.3.10.11", "10.3.10.12"]}
    assert found(tmp_path, edge, core) == ()


def test_a_half_that_does_not_know_the_other_at_all(tmp_path: Path, edge: Data, core: Data) -> None:
    edge["systems"]["expressway-c"] = {"addresses": ["10.4.10.11"]}
    told = found(tmp_path, edge, core)
    assert {each.opener for each in told} == {"split-core"}
    assert {each.point for each in told} == {Point("expressway-c/single", Direction.EGRESS)}


def test_a_wider_range_is_the_same_party(tmp_path: Path, edge: Data, core: Data) -> None:
    """All of the subnet instead of the host: what the other sends is let in."""
    edge["systems"]["expressway-c"] = {"addresses": ["10.3.10.0/24"]}
    assert found(tmp_path, edge, core) == ()


def test_whole_networks_and_the_internet_name_nobody(
    tmp_path: Path, edge: Data, core: Data
) -> None:
    core["systems"].pop("expressway-e")
    core["services"] = ["cucm-phones"]
    core["systems"]["phone"] = {"addresses": ["10.0.0.0/8"]}
    edge["systems"].pop("expressway-c")
    edge["services"] = ["single-system", "acme"]
    edge["systems"]["admin-pc"] = {"addresses": ["10.0.0.0/8"]}
    assert found(tmp_path, edge, core) == ()


def test_a_private_address_in_several_networks_names_the_one_that_answers(
    tmp_path: Path, edge: Data, core: Data
) -> None:
    stranger = copy.deepcopy(edge)
    stranger["name"] = "stranger"
    stranger["systems"]["expressway-c"] = {"addresses": ["10.4.10.11"]}
    assert found(tmp_path, edge, core, stranger) == ()
    assert found(tmp_path, core, stranger)  # alone with it, there is nobody else to be meant


def test_a_nat_gateway_stands_for_the_workload_that_is_named(
    tmp_path: Path, edge: Data, core: Data
) -> None:
    """One card with static NAT: Expressway-C comes from its NAT gateway to the public address."""
    edge["expressway_e"] = {
        "tier": "dmz",
        "nics": "single",
        "peers": [{"address": "10.2.1.11", "public": "203.0.113.21"}],
    }
    edge["systems"]["expressway-c"]["public"] = ["198.51.100.20"]
    core["network"]["tiers"]["internal"]["nat"] = ["198.51.100.20"]
    core["systems"]["expressway-e"] = {"addresses": ["203.0.113.21"]}
    assert found(tmp_path, edge, core) == ()
    core["network"]["tiers"]["internal"]["nat"] = ["198.51.100.99"]
    core["expressway_c"]["peers"].append({"address": "10.3.10.12", "public": "198.51.100.20"})
    told = found(tmp_path, edge, core)
    assert {each.opener for each in told} == {"split-core"}
    seen = {network for each in told for box in each.packets.boxes() for network in box.peers}
    assert seen == {ip_network("198.51.100.99/32")}


def test_only_the_ip_version_that_is_translated_is_met_by_public_addresses(
    tmp_path: Path, edge: Data, core: Data
) -> None:
    """IPv4 behind NAT on both sides, IPv6 by the hosts' own addresses and ports."""
    edge["network"]["tiers"]["dmz"]["cidrs"].append("2001:db8:2::/64")
    core["network"]["tiers"]["internal"]["cidrs"].append("2001:db8:3::/64")
    core["network"]["tiers"]["internal"]["nat"] = ["198.51.100.20"]
    edge["expressway_e"] = {
        "tier": "dmz",
        "nics": "single",
        "peers": [{"address": ["10.2.1.11", "2001:db8:2::11"], "public": "203.0.113.21"}],
    }
    core["expressway_c"]["peers"] = [{"address": ["10.3.10.11", "2001:db8:3::11"]}]
    edge["systems"]["expressway-c"] = {
        "addresses": ["10.3.10.11", "2001:db8:3::11"],
        "public": ["198.51.100.20"],
    }
    core["systems"]["expressway-e"] = {"addresses": ["203.0.113.21", "2001:db8:2::11"]}
    assert found(tmp_path, edge, core) == ()
    core["expressway_c"]["peers"] = [{"address": ["10.3.10.11", "2001:db8:3::12"]}]
    told = found(tmp_path, edge, core)
    seen = {network for each in told for box in each.packets.boxes() for network in box.peers}
    assert {network.version for network in seen} == {6}


def test_a_disagreement_is_plain_data(tmp_path: Path, edge: Data, core: Data) -> None:
    edge["options"]["traversal_zones"] = 2
    (told,) = found(tmp_path, edge, core)
    plain = told.as_plain()
    assert plain["closed_interface"] == "expressway-c/single"
    assert plain["direction"] == "ingress"
    assert "7002" in plain["example"]
    assert plain["message"].startswith("split-edge lets expressway-e/internal receive what")
