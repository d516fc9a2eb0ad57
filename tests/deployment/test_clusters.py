"""Named clusters: each has rules of its own, and those that talk meet each other alone."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from flowbridge.catalog.load import load as load_catalog
from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.deployment.pages.schema import deployment_schema
from flowbridge.stacks.pipeline import Checked, build, judge, load
from tests.providers.one_deployment import CLOUDS, Data, Deployment

MRA, B2B = ["traversal-pair", "mra"], ["traversal-pair", "sip-calls"]


def two_edges(cloud: str) -> Data:
    """An MRA edge and a B2B edge in one DMZ, each with its core."""
    data = copy.deepcopy(Deployment().data(cloud))
    data["systems"].pop("cms")
    data["systems"]["cucm"] = {"addresses": ["10.20.0.21"]}
    edge, core = data["expressway_e"], data["expressway_c"]
    second = {"external": "10.0.1.12", "internal": "10.0.2.12", "public": "203.0.113.12"}
    data["expressway_e"] = {
        "mra": {**edge, "services": MRA},
        "b2b": {**edge, "peers": [second], "services": B2B, "options": {"sip_udp": True}},
    }
    data["expressway_c"] = {
        "mra": core,
        "b2b": {**core, "peers": [{"address": "10.0.10.12"}]},
    }
    del data["services"]
    return data


def checked(data: Data, folder: Path) -> Checked:
    file = folder / "site.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    return judge(build(load(file)))


def problems(data: Data, folder: Path) -> list[tuple[str, str]]:
    with pytest.raises(BadFileError) as refusal:
        checked(data, folder)
    assert all(problem.line for problem in refusal.value.problems)
    return [(problem.key, problem.message) for problem in refusal.value.problems]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_clusters_in_one_dmz_have_rules_of_their_own(cloud: str, tmp_path: Path) -> None:
    found = checked(two_edges(cloud), tmp_path)
    assert not found.built.refusals
    assert not found.failures
    flows = found.built.resolution.flows
    rows = {
        name: {
            row
            for flow in flows
            for end in (flow.source, flow.destination)
            if end.interface is not None and end.interface.workload == name
            for row in flow.rows
        }
        for name in ("expressway-e-mra", "expressway-e-b2b")
    }
    assert any(row.startswith("expressway/16/") for row in rows["expressway-e-mra"])
    assert not any(row.startswith("expressway/16/") for row in rows["expressway-e-b2b"])
    assert "expressway/11/4" in rows["expressway-e-b2b"] - rows["expressway-e-mra"]
    meetings = {
        (flow.source.key, flow.destination.key)
        for flow in flows
        if flow.source.interface and flow.destination.interface
    }
    assert ("expressway-c-mra/single", "expressway-e-mra/internal") in meetings
    assert not any("mra" in one + other and "b2b" in one + other for one, other in meetings)


def test_options_of_a_cluster_are_its_own(tmp_path: Path) -> None:
    flows = checked(two_edges("aws"), tmp_path).built.resolution.flows
    udp = {
        flow.destination.key
        for flow in flows
        if flow.protocol.label == "udp" and any(5060 in ports for ports in flow.destination_ports)
    }
    assert "expressway-e-b2b/external" in udp
    assert "expressway-e-mra/external" not in udp


def test_a_further_cluster_leaves_the_rules_of_the_first_alone(tmp_path: Path) -> None:
    data = two_edges("aws")
    both = checked(data, tmp_path).built.document["resource"]
    for key in ("expressway_e", "expressway_c"):
        del data[key]["b2b"]
    alone = checked(data, tmp_path).built.document["resource"]
    for kind in ("aws_security_group", "aws_vpc_security_group_ingress_rule"):
        assert alone[kind].items() <= both[kind].items()


def test_one_core_of_two_edges_meets_both(tmp_path: Path) -> None:
    data = two_edges("aws")
    data["expressway_c"] = {"inside": data["expressway_c"]["mra"]}
    flows = checked(data, tmp_path).built.resolution.flows
    met = {
        flow.destination.key for flow in flows if flow.source.key == "expressway-c-inside/single"
    }
    assert {"expressway-e-mra/internal", "expressway-e-b2b/internal"} <= met


def test_several_cores_of_one_edge_are_told(tmp_path: Path) -> None:
    data = two_edges("aws")
    data["expressway_c"]["b2b"]["edges"] = ["mra", "b2b"]
    flows = checked(data, tmp_path).built.resolution.flows
    met = {flow.destination.key for flow in flows if flow.source.key == "expressway-c-b2b/single"}
    assert {"expressway-e-mra/internal", "expressway-e-b2b/internal"} <= met


@pytest.mark.parametrize("name", ["expressway-e", "expressway-e-b2b", "expressway-e/external"])
def test_tests_name_a_cluster_or_all(name: str, tmp_path: Path) -> None:
    data = two_edges("aws")
    data["tests"] = [
        {"from": "internet", "to": name, "protocol": "tcp", "ports": [22], "expect": "denied"}
    ]
    assert not checked(data, tmp_path).failures


FAULTS: tuple[tuple[str, Any, str, str], ...] = (
    (
        "expressway_e.b2b.peers.0.external",
        "10.0.1.11",
        "expressway_e.b2b.peers[0].external",
        "address of expressway_e.mra already",
    ),
    ("expressway_e.b2b.tier", "dmx", "expressway_e.b2b.tier", "did you mean 'dmz'?"),
    ("expressway_e.b2b.nisc", "dual", "expressway_e.b2b.nisc", "did you mean 'nics'?"),
    ("expressway_e.b2b.services", ["mar"], "expressway_e.b2b.services[0]", "'mra'"),
    ("expressway_c.b2b.edges", ["b2c"], "expressway_c.b2b.edges[0]", "no cluster 'b2c'"),
    ("options.aws", {"peers": "both"}, "options.aws.peers", "write"),
)


@pytest.mark.parametrize(("key", "value", "place", "words"), FAULTS)
def test_faults_of_a_cluster_are_told_at_its_key(
    key: str, value: Any, place: str, words: str, tmp_path: Path
) -> None:
    data = two_edges("aws")
    here: Any = data
    *path, last = key.split(".")
    for part in path:
        here = here[int(part)] if part.isdigit() else here[part]
    here[last] = value
    found = problems(data, tmp_path)
    assert any(at == place and words in message for at, message in found), found


def test_a_core_that_does_not_say_whose_client_it_is_is_refused(tmp_path: Path) -> None:
    data = two_edges("aws")
    data["expressway_c"]["other"] = {**data["expressway_c"].pop("b2b"), "services": B2B}
    told = dict(problems(data, tmp_path))
    assert "edges: [mra, b2b]" in told["expressway_c.other"]


def test_a_cluster_without_services_is_refused(tmp_path: Path) -> None:
    data = two_edges("aws")
    del data["expressway_e"]["b2b"]["services"]
    assert any("no services" in message for _, message in problems(data, tmp_path))


def test_a_second_edge_under_systems_is_advised_to_be_a_cluster(tmp_path: Path) -> None:
    data = copy.deepcopy(Deployment().data("aws"))
    data["systems"]["expressway-e"] = {"addresses": ["10.0.2.12"], "nics": "dual"}
    ((key, message),) = problems(data, tmp_path)
    assert key == "systems.expressway-e"
    assert "by name (expressway_e: {one:" in message


def test_editors_know_both_forms() -> None:
    validator = jsonschema.Draft202012Validator(deployment_schema(load_catalog()))
    data = two_edges("aws")
    assert not list(validator.iter_errors(data))
    data["expressway_e"]["b2b"]["nisc"] = "dual"
    (error,) = validator.iter_errors(data)
    assert list(error.absolute_path) == ["expressway_e", "b2b"]


ESTATES = sorted((Path(__file__).parents[2] / "examples" / "estates").glob("*.yaml"))


@pytest.mark.parametrize("example", ESTATES, ids=lambda path: path.stem)
def test_the_examples_of_estates_hold(example: Path) -> None:
    jsonschema.Draft202012Validator(deployment_schema(load_catalog())).validate(
        yaml.safe_load(example.read_text("utf-8"))
    )
    found = judge(build(load(example)))
    assert not found.built.refusals
    assert not found.failures
