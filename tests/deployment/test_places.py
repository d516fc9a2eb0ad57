"""Places: one file that spans networks, cut into a stack for each, on three clouds."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from flowbridge.catalog.load import load
from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.deployment.interface import Network
from flowbridge.deployment.pages.schema import deployment_schema
from flowbridge.policy.doubt import Bounds
from flowbridge.policy.questions.directory import Directory
from flowbridge.policy.questions.question import Question
from flowbridge.policy.questions.trace import Trace, Tracer
from flowbridge.stacks.agreement import disagreements_of
from flowbridge.stacks.pipeline import Checked, build_all, catalog_of, judge
from flowbridge.stacks.rehearsal import Scene, rehearsals, rehearsed_live
from flowbridge.stacks.seen import seen

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "places").glob("*.yaml"))
Data = dict[str, Any]
CLOUDS = ("aws", "azure", "gcp")
_OWN = {
    "aws": {
        "dmz": {"id": "vpc-0aaaaaaaaaaaaaaa1"},
        "core": {"id": "vpc-0aaaaaaaaaaaaaaa2"},
        "far": {"id": "vpc-0aaaaaaaaaaaaaaa3"},
    },
    "azure": {
        "dmz": {"resource_group": "hub-rg", "vnet": "hub-vnet"},
        "core": {"resource_group": "spoke-rg", "vnet": "spoke-vnet"},
        "far": {"resource_group": "far-rg", "vnet": "far-vnet"},
    },
    "gcp": {
        "dmz": {"project": "uc-host", "id": "dmz-net"},
        "core": {"project": "uc-host", "id": "core-net"},
        "far": {"project": "uc-far", "id": "projects/uc-shared/global/networks/far-net"},
    },
}
_REGIONS = {
    "aws": ("eu-west-1", "us-east-1"),
    "azure": ("westeurope", "eastus"),
    "gcp": ("europe-west1", "us-east1"),
}


def _tier(cloud: str, name: str, cidr: str, number: int, **more: Any) -> Data:
    subnets = {"aws": [f"subnet-0aaaaaaaaaaaaaa0{number}"], "azure": [name], "gcp": []}
    return {"cidrs": [cidr], **({"subnets": subnets[cloud]} if subnets[cloud] else {}), **more}


def two_networks(cloud: str) -> Data:
    """The outer card of Expressway-E in one network, all else in another, half of Unified CM in the
    office."""
    own = _OWN[cloud]
    return {
        "name": "estate",
        "cloud": cloud,
        "region": _REGIONS[cloud][0],
        "size": "medium",
        "places": {
            "dmz-net": {
                "network": {**own["dmz"], "tiers": {"dmz": _tier(cloud, "dmz", "10.0.1.0/24", 1)}}
            },
            "core-net": {
                "network": {
                    **own["core"],
                    "tiers": {
                        "edge": _tier(cloud, "edge", "10.1.2.0/24", 2),
                        "internal": _tier(cloud, "internal", "10.1.10.0/24", 3),
                    },
                }
            },
            "office": {"managed": False, "cidrs": ["10.20.0.0/16"]},
        },
        "links": [
            {"between": ["core-net", "office"], "meet": "vpn"},
            {"between": ["dmz-net", "core-net"], "meet": "transit", "inspection": True},
        ],
        "expressway_e": {
            "tier": "dmz",
            "internal_tier": "edge",
            "peers": [{"external": "10.0.1.11", "internal": "10.1.2.11", "public": "203.0.113.11"}],
        },
        "expressway_c": {"tier": "internal", "peers": [{"address": "10.1.10.11"}]},
        "systems": {
            "cucm": {
                "tier": "internal",
                "addresses": ["10.1.10.21", "10.1.10.22"],
                "elsewhere": ["10.20.0.21"],
            },
            "admin-pc": {"addresses": ["10.9.0.0/24"]},
            "dns": {"addresses": ["10.9.10.2"]},
            "ntp": {"addresses": ["10.9.10.3"]},
        },
        "services": ["traversal-pair", "mra", "cucm-cluster"],
        "accept": {"deployment/cut-off": "only the pair and Unified CM are looked at here"},
        "tests": [
            {
                "from": "internet",
                "to": "expressway-e",
                "protocol": "tcp",
                "ports": 8443,
                "expect": "allowed",
            }
        ],
    }


def two_regions(cloud: str) -> Data:
    """A pair of Expressways at home and a Unified CM cluster over two regions."""
    own, (here, there) = _OWN[cloud], _REGIONS[cloud]
    data = two_networks(cloud)
    data["network"] = {
        **own["dmz"],
        "tiers": {
            "dmz": _tier(cloud, "dmz", "10.0.1.0/24", 1),
            "voice": _tier(cloud, "voice", "10.0.10.0/24", 2),
        },
    }
    if cloud == "gcp":
        data["network"]["networks"] = {"external": "outer-net", "internal": "dmz-net"}
    data["places"] = {
        "far": {
            "region": there,
            "network": {
                **own["far"],
                "tiers": {"voice-far": _tier(cloud, "voice-far", "10.5.10.0/24", 3)},
            },
        }
    }
    data["links"] = [{"between": ["home", "far"], "meet": "peered"}]
    data["region"] = here
    data["expressway_e"] = {
        "tier": "dmz",
        "peers": [{"external": "10.0.1.11", "internal": "10.0.1.12", "public": "203.0.113.11"}],
    }
    data["expressway_c"] = {"tier": "voice", "peers": [{"address": "10.0.10.11"}]}
    data["systems"]["cucm"] = {
        "tier": "voice",
        "further_tiers": ["voice-far"],
        "addresses": ["10.0.10.21", "10.0.10.22", "10.5.10.21"],
    }
    return data


def stacks(data: Data, folder: Path) -> tuple[Checked, ...]:
    file = folder / "estate.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    return tuple(judge(each) for each in build_all([file]))


def problems(data: Data, folder: Path) -> list[tuple[str, str]]:
    with pytest.raises(BadFileError) as refusal:
        stacks(data, folder)
    return [(problem.key, problem.message) for problem in refusal.value.problems]


@cache
def _once(which: str, cloud: str, folder: Path) -> tuple[Checked, ...]:
    make = {"networks": two_networks, "regions": two_regions}[which]
    home = folder / f"{which}-{cloud}"
    home.mkdir()
    return stacks(make(cloud), home)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("places")


def traced(checked: tuple[Checked, ...], source: str, destination: str, port: int) -> Trace:
    whole = seen(checked)
    catalog = catalog_of(whole.resolution)
    directory = Directory.of(whole.policy, whole.resolution.site, catalog.parties, whole.around)
    from flowbridge.catalog.ports import PortRange

    asked = Question.ask(source, destination, "tcp", [PortRange(port, port)])
    return Tracer(whole.policy, whole.enforcement, directory).trace(asked)


def texts(networks: Iterable[Network]) -> set[str]:
    return {str(network.network_address) for network in networks}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_two_cards_in_two_networks_are_two_stacks_that_hold(cloud: str, home: Path) -> None:
    checked = _once("networks", cloud, home)
    names = {each.built.resolution.site.name: each for each in checked}
    assert set(names) == {"estate-dmz-net", "estate-core-net"}
    assert not [failure for each in checked for failure in each.failures]
    cards = {
        name: {card.key for card in each.built.resolution.interfaces}
        for name, each in names.items()
    }
    assert cards == {
        "estate-dmz-net": {"expressway-e/external"},
        "estate-core-net": {"expressway-e/internal", "expressway-c/single", "cucm/single"},
    }
    assert not disagreements_of([each.built for each in checked])
    (outcome,) = [outcome for each in checked for outcome in each.assertions]
    assert outcome.holds


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_packet_between_two_places_passes_the_filters_of_both(cloud: str, home: Path) -> None:
    found = traced(_once("regions", cloud, home), "10.0.10.21", "10.5.10.21", 8002)
    assert found.verdict == "allowed"
    assert found.rows
    assert {hop.point.interface for hop in found.hops} == {"cucm/single", "far:cucm/single"}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_region_has_its_own_nodes_and_the_others_as_addresses(cloud: str, home: Path) -> None:
    here, far = _once("regions", cloud, home)
    assert here.built.resolution.site.name == "estate"
    assert far.built.resolution.site.region == _REGIONS[cloud][1]
    (nodes,) = far.built.resolution.interfaces
    assert texts(nodes.private) == {"10.5.10.21"}
    for each in (here, far):
        assert not each.failures
        for flow in each.built.resolution.flows:
            for end in (flow.source, flow.destination):
                if end.interface is None:
                    continue
                assert {"10.5.10.21"} & texts(end.interface.private) == (
                    {"10.5.10.21"} if each is far else set()
                )
    # One node there talks to nobody of its own place: what it sends to itself never leaves it.
    among = [f for f in far.built.resolution.flows if f.source.key == f.destination.key]
    assert not among


def test_a_place_more_leaves_the_stack_that_was_there(tmp_path: Path) -> None:
    with_office = two_regions("aws")
    with_office["systems"]["cucm"] = {"tier": "voice", "addresses": ["10.0.10.21"]}
    plain = {key: value for key, value in with_office.items() if key not in ("places", "links")}
    (before,) = stacks(plain, tmp_path)
    (after, _) = stacks(with_office, tmp_path)
    assert after.built.document == before.built.document
    assert [card.key for card in seen([after]).resolution.interfaces if card.place == "home"] == [
        card.key for card in before.built.resolution.interfaces
    ]


def test_the_places_of_a_file_are_rehearsed_together_also_live(home: Path) -> None:
    checked = _once("networks", "aws", home)
    (emitted,) = rehearsals(checked)
    assert emitted.names == ("estate-dmz-net", "estate-core-net")
    assert emitted.holds
    scenes = [
        Scene(
            each.built,
            each.enforcement,
            each.around,
            Bounds(each.enforcement, each.enforcement, {}),
        )
        for each in checked
    ]
    (live,) = rehearsed_live(scenes)
    assert [feature.id for feature in live.features] == [each.id for each in emitted.features]
    assert [feature.answer for feature in live.features] == [
        each.answer for each in emitted.features
    ]


def test_groups_are_named_inside_a_place_and_addresses_between_places(home: Path) -> None:
    dmz, core = _once("networks", "aws", home)
    rules = [
        body
        for each in (dmz, core)
        for body in each.built.document["resource"]["aws_vpc_security_group_egress_rule"].values()
    ]
    assert any("referenced_security_group_id" in body for body in rules)
    outer = dmz.built.document["resource"]
    assert not [
        body
        for kind in ("ingress", "egress")
        for body in outer[f"aws_vpc_security_group_{kind}_rule"].values()
        if "referenced_security_group_id" in body
    ]


def test_an_appliance_inside_a_network_leaves_addresses(tmp_path: Path) -> None:
    data = two_regions("aws")
    del data["places"]
    data["systems"]["cucm"] = {"tier": "voice", "addresses": ["10.0.10.21"]}
    data["links"] = [{"between": ["dmz", "voice"], "inspection": True}]
    (checked,) = stacks(data, tmp_path)
    assert not checked.failures
    groups = {
        (rule.scope, rule.peer)
        for rule in checked.built.lowered.rules
        if rule.stage == "security-group"
    }
    assert ("expressway-c/single", "10.0.1.12/32") in groups
    assert ("expressway-c/single", "cucm/single") in groups


def over_the_internet(cloud: str) -> Data:
    """Expressway-C in another region that the edge meets over the internet alone."""
    data = two_regions(cloud)
    data["links"] = [{"between": ["home", "far"], "meet": "internet"}]
    far = data["places"]["far"]["network"]["tiers"]["voice-far"]
    far["nat"] = ["198.51.100.50"]
    data["expressway_c"] = {"tier": "voice-far", "peers": [{"address": "10.5.10.11"}]}
    data["systems"]["cucm"] = {"tier": "voice-far", "addresses": ["10.5.10.21", "10.5.10.22"]}
    return data


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_client_over_the_internet_meets_the_outer_card(cloud: str, tmp_path: Path) -> None:
    checked = stacks(over_the_internet(cloud), tmp_path)
    assert not [failure for each in checked for failure in each.failures]
    assert not disagreements_of([each.built for each in checked])
    edge = checked[0].built.resolution
    met = [flow for flow in edge.flows if flow.source.party == "expressway-c"]
    assert {flow.destination.key for flow in met} == {"expressway-e/external"}
    assert {address for flow in met for address in texts(flow.source.addresses)} == {
        "198.51.100.50"
    }
    core = checked[1].built.resolution
    sent = [flow for flow in core.flows if flow.destination.party == "expressway-e"]
    assert {address for flow in sent for address in texts(flow.destination.addresses)} == {
        "203.0.113.11"
    }
    found = traced(checked, "expressway-c", "203.0.113.11", 7001)
    assert found.verdict == "allowed"


def test_who_has_no_public_address_is_not_met_over_the_internet(tmp_path: Path) -> None:
    data = over_the_internet("aws")
    del data["places"]["far"]["network"]["tiers"]["voice-far"]["nat"]
    ((key, message),) = problems(data, tmp_path)
    assert key == "expressway_c.peers"
    assert "expressway-c/single has no address" in message
    assert "the `nat` of its tier" in message


def test_places_that_nothing_links_are_refused_with_their_rows(tmp_path: Path) -> None:
    data = two_networks("aws")
    data["links"] = []
    ((key, message),) = problems(data, tmp_path)
    assert key == "links"
    assert "between: [core-net, office]" in message
    assert "cucm/1/" in message


def test_hosts_in_two_places_are_told_apart(tmp_path: Path) -> None:
    data = two_regions("aws")
    data["systems"]["cucm"]["public"] = ["203.0.113.77"]
    ((key, message),) = problems(data, tmp_path)
    assert key == "systems.cucm.addresses"
    assert "the place far and the file's own network" in message


def test_a_card_is_in_one_tier_of_a_place(tmp_path: Path) -> None:
    data = two_networks("aws")
    data["expressway_e"]["further_tiers"] = ["edge", "internal"]
    data["expressway_e"]["peers"].append(
        {"external": "10.1.2.12", "internal": "10.1.10.12", "public": "203.0.113.12"}
    )
    ((_, message),) = problems(data, tmp_path)
    assert "expressway-e/internal is in the tiers edge and internal" in message


def _at(data: Data, path: str, value: Any) -> Data:
    changed = copy.deepcopy(data)
    *above, last = path.split("/")
    here: Any = changed
    for part in above:
        here = here[int(part)] if isinstance(here, list) else here[part]
    here[last] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "key", "words"),
    [
        (
            "systems/cucm/addresses",
            ["10.1.10.21", "10.0.1.21"],
            "systems.cucm.addresses[1]",
            "further_tiers: [dmz]",
        ),
        (
            "systems/cucm/addresses",
            ["10.1.10.21", "10.20.0.22"],
            "systems.cucm.addresses[1]",
            "place 'office', where no rules are made",
        ),
        (
            "systems/cucm/addresses",
            ["10.1.10.21", "10.7.0.22"],
            "systems.cucm.addresses[1]",
            "systems.cucm.elsewhere",
        ),
        ("systems/cucm/further_tiers", ["dmmz"], "systems.cucm.further_tiers[0]", "did you mean"),
        ("systems/cucm/further_tiers", ["edge"], "systems.cucm.further_tiers[0]", "in one place"),
        ("systems/cucm/further_tiers", ["office"], "systems.cucm.further_tiers[0]", "`elsewhere`"),
        ("systems/cucm/tier", "office", "systems.cucm.tier", "no rules are made"),
        ("systems/cucm/tier", "core-net", "systems.cucm.tier", "one of its tiers: edge, internal"),
        ("links/0/between", ["core-net", "offise"], "links[0].between[1]", "did you mean 'office'"),
        ("links/0/meet", "peered", "links[0].meet", "write vpn"),
        ("links/1/between", ["core-net", "office"], "links[1].between", "links[0] says how"),
        ("links/1/between", ["dmz", "edge"], "links[1].meet", "leave `meet` out"),
        ("places/office/region", "eu-west-1", "places.office.region", "not managed"),
        ("places/office", {"managed": False}, "places.office", "write its address ranges"),
        ("places/office", {}, "places.office", "write managed: false"),
        ("places/office/cidrs", ["10.0.0.0/16"], "places.office.cidrs", "overlaps 10.0.1.0/24"),
        (
            "places/dmz-net/network/id",
            "vpc-0aaaaaaaaaaaaaaa2",
            "places.core-net.network",
            "one network is one place",
        ),
        ("places/dmz-net/network/id", "dmz", "places.dmz-net.network.id", "no AWS id"),
        (
            "places/dmz-net/network/vnet",
            "x",
            "places.dmz-net.network.vnet",
            "this key is for Azure",
        ),
        ("places/dmz-net/cidrs", ["10.8.0.0/16"], "places.dmz-net.cidrs", "stand in its tiers"),
        ("places/dmz-net/cloud", "ibm", "places.dmz-net.cloud", "aws, azure or gcp"),
        (
            "places/dmz-net/stack",
            "estate-core-net",
            "places.core-net.stack",
            "has the name 'estate-core-net' too",
        ),
        ("places/dmz-net/provider", {"profil": "x"}, "places.dmz-net.provider.profil", "profile"),
        (
            "places/dmz-net/network/tiers/edge",
            {"cidrs": ["10.3.0.0/24"]},
            "places.core-net.network.tiers.edge",
            "has a tier 'edge' too",
        ),
    ],
)
def test_what_places_cannot_be_is_refused_with_what_to_write(
    path: str, value: Any, key: str, words: str, tmp_path: Path
) -> None:
    found = problems(_at(two_networks("aws"), path, value), tmp_path)
    assert any(at == key and words in message for at, message in found), found


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_of_places_hold(example: Path) -> None:
    Draft202012Validator(deployment_schema(load())).validate(
        yaml.safe_load(example.read_text("utf-8"))
    )
    checked = tuple(judge(each) for each in build_all([example]))
    assert len(checked) == 2
    assert not [failure for each in checked for failure in each.failures]
    assert not disagreements_of([each.built for each in checked])


def test_two_clouds_are_two_stacks(tmp_path: Path) -> None:
    data = two_networks("aws")
    core = two_networks("azure")["places"]["core-net"]
    data["places"]["core-net"] = {**core, "cloud": "azure", "region": "westeurope"}
    data["links"][1]["meet"] = "vpn"
    data["options"] = {"aws": {"peers": "auto"}, "azure": {"peers": "addresses"}}
    dmz, inner = stacks(data, tmp_path)
    assert not (*dmz.failures, *inner.failures)
    assert "aws_security_group" in dmz.built.document["resource"]
    assert "azurerm_network_security_group" in inner.built.document["resource"]
    assert traced((dmz, inner), "10.20.0.21", "cucm", 8002).verdict == "allowed"
