"""Folders, globs and many sites at once; what is said first, and what is only counted."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from flowbridge.cli import flowbridge
from tests.deployment.files import DUAL, SINGLE, setting

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(*words: str | Path, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(flowbridge, [str(word) for word in words])


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    """Five deployments in a folder, a part of one and an overlay beside them."""
    folder = tmp_path / "sites"
    (folder / "eu").mkdir(parents=True)
    for number in range(5):
        address = f"10.0.10.{21 + number}"
        data = setting(
            DUAL,
            name=f"site-{number}",
            network__id=f"vpc-0a1b2c3d4e5f6072{number}",
            network__tiers__dmz__subnets=[],
            network__tiers__internal__subnets=[],
            systems__cucm__addresses=[address, "10.0.10.30"],
            services=["traversal-pair"],
            tests=[],
        )
        place = folder / "eu" if number else folder
        (place / f"{number}.yaml").write_text(yaml.safe_dump(data), "utf-8")
    (folder / "common.yaml").write_text("region: eu-west-1\n")
    (folder / "rows.yaml").write_text("document: acme\ntables: []\n")
    return folder


def test_a_folder_is_the_deployments_in_it_and_many_are_a_line_each(sites: Path) -> None:
    said = run("check", sites)
    lines = [line for line in said.output.splitlines() if line.startswith("site-")]
    assert [line.split()[0] for line in lines] == [f"site-{number}" for number in range(5)]
    assert "deployment/cut-off" in said.output, "never hidden"
    assert "Interface " not in said.output


def test_one_that_is_refused_stops_the_others_only_unless_told(sites: Path) -> None:
    (sites / "eu" / "3.yaml").write_text("name: site-3\n")
    said = run("check", sites, "--keep-going")
    assert said.exit_code == 2
    assert "4 judged, 1 refused." in said.output
    assert "site-4" in said.output
    assert "3.yaml:1: cloud: this key is missing" in said.output
    answer = json.loads(run("check", sites, "--keep-going", "--format", "json").stdout)
    assert len(answer["deployments"]) == 4
    assert answer["problems"][0]["key"] == "cloud"


def test_globs_and_the_apps_own(sites: Path) -> None:
    glob = run("check", f"{sites}/eu/[12].yaml", "--format", "json")
    names = [each["name"] for each in json.loads(glob.stdout)["deployments"]]
    assert names == ["site-1", "site-2"]
    own = run(
        "check", "--format", "json", FLOWBRIDGE_DEPLOYMENTS=f"{sites}/eu/1.yaml:{sites}/0.yaml"
    )
    names = [each["name"] for each in json.loads(own.stdout)["deployments"]]
    assert names == ["site-1", "site-0"]
    empty = sites / "empty"
    empty.mkdir()
    refused = run("check", empty)
    assert refused.exit_code == 2
    assert "without a deployment file" in refused.output


def test_the_ordinary_answer_says_what_is_open_and_counts_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    data = setting(SINGLE, network__tiers__internal__nat=["198.51.100.7"])
    file.write_text(yaml.safe_dump(data), "utf-8")
    ordinary, quiet, everything = (
        run("check", file, *options).output for options in ((), ("--quiet",), ("--all",))
    )
    warned = "one card with static NAT"
    for said in (ordinary, quiet, everything):
        assert "(guide/two-network-cards)" in said, warned
    assert ordinary.index("guide/two-network-cards") < ordinary.index("Interface ")
    assert "guide/no-alg" in ordinary
    assert "(guide/no-alg)" not in ordinary
    assert "(guide/no-alg)" in everything
    assert "guide/no-alg" not in quiet
    accepted = setting(data, accept={"guide/two-network-cards": "the appliance has one card"})
    file.write_text(yaml.safe_dump(accepted), "utf-8")
    said = run("check", file).output
    assert "(guide/two-network-cards)" not in said
    assert "Accepted: 1: guide/two-network-cards" in said


def test_what_ran_out_fails_a_check_and_no_synth(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    one = {"id": "guide/no-alg", "reason": "in hand", "until": "2020-01-01"}
    file.write_text(yaml.safe_dump({**DUAL, "accept": [one]}), "utf-8")
    said = run("check", file)
    assert said.exit_code == 1
    assert "accept/expired" in said.output
    made = run("synth", file, "-o", tmp_path / "out")
    assert made.exit_code == 0, made.output


def test_extends_in_a_folder(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "emea-edge.yaml", tmp_path / "common.yaml")
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "a.yaml").write_text("extends: ../common.yaml\nname: site-a\n")
    answer = json.loads(run("check", tmp_path / "sites", "--format", "json").stdout)
    (deployment,) = answer["deployments"]
    assert deployment["name"] == "site-a"
    files = {finding.get("file") for finding in deployment["findings"] if finding["key"]}
    assert str(tmp_path / "common.yaml") in files


def test_exposure_and_features_speak_to_pipelines() -> None:
    file = EXAMPLES / "emea-edge.yaml"
    line = next(
        number
        for number, text in enumerate(file.read_text("utf-8").splitlines(), 1)
        if text.startswith("expressway_e:")
    )
    exposed = json.loads(run("exposure", file, "--format", "sarif").stdout)["runs"][0]["results"]
    places = {each["locations"][0]["physicalLocation"]["region"]["startLine"] for each in exposed}
    assert places == {line}
    assert {each["ruleId"] for each in exposed} >= {"exposure-wide", "exposure-service"}
    told = run("rehearse", file, "--format", "md").stdout
    assert told.startswith("## flowbridge rehearse: holds\n")
    assert "feature-on-condition" in told


def test_tables_as_csv() -> None:
    file = EXAMPLES / "emea-edge.yaml"
    rules = list(csv.DictReader(io.StringIO(run("rules", file, "--format", "csv").stdout)))
    known = json.loads(run("rules", file, "--format", "json").stdout)
    assert [each["address"] for each in rules] == [each["address"] for each in known]
    exposed = list(csv.DictReader(io.StringIO(run("exposure", file, "--format", "csv").stdout)))
    assert exposed[0]["ports"] == "36000-59999"


def test_rules_name_the_party_and_go_by_port_number() -> None:
    lines = run("rules", EXAMPLES / "emea-edge.yaml").stdout.splitlines()
    assert [line for line in lines if "admin-pc 10.9.0.0/24" in line]
    group = [line.split() for line in lines if line.startswith("cucm/single")]
    inward = [int(cells[6]) for cells in group if cells[1] == "ingress" and cells[5] == "tcp"]
    assert inward == sorted(inward)
    assert len(inward) > 5


def test_data_for_rego() -> None:
    said = json.loads(run("opa", EXAMPLES / "emea-edge.yaml").stdout)
    deployment = said["flowbridge"]["deployments"]["emea-edge"]
    assert deployment["holds"] is True
    assert {rule["scope"] for rule in deployment["rules"]} >= {"expressway-e/external"}
    assert all({"id", "severity", "accepted"} <= set(each) for each in deployment["findings"])
