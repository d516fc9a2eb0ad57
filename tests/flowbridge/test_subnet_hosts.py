"""A network ACL or the NSG of a subnet decides for every host in the subnet, listed or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from flowbridge.cli import flowbridge

EXAMPLES = Path(__file__).parents[2] / "examples"


def answer(*words: str) -> Any:
    result = CliRunner().invoke(flowbridge, [*words, "--format", "json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("example", "kind", "name"),
    [
        ("emea-edge", "network-acl", "aws_network_acl.internal"),
        ("azure-edge", "nsg", "azurerm_network_security_group.internal"),
    ],
)
def test_an_address_that_no_card_has_meets_the_filter_of_its_subnet(
    example: str, kind: str, name: str
) -> None:
    file = str(EXAMPLES / f"{example}.yaml")
    words = ("--from", "10.0.10.77", "--to", "8.8.8.8", "--protocol", "tcp", "--port", "443")
    found = answer("trace", file, *words)
    assert found["verdict"] == "denied"
    assert found["decided_by"]["kind"] == kind
    assert found["decided_by"]["filter"].startswith(name)
    assert found["from"]["name"].startswith("tier internal/")
    assert "10.0.10.77 is no card" in found["not_judged"][0]
    assert found["would_open"] == []  # rows are for the parties that are listed
    asked = ("--to", "10.0.10.77", "--from", "internet", "--protocol", "tcp", "--port", "22")
    assert not answer("explain", file, *asked)["open"]


def test_who_is_refused_for_being_cut_off_may_ask_what_cuts_it_off(tmp_path: Path) -> None:
    data = yaml.safe_load((EXAMPLES / "emea-edge.yaml").read_text("utf-8"))
    data["services"] = ["traversal-pair", "sip-calls"]
    data["systems"]["cucm"]["eni"] = [
        f"eni-0{n}aaaaaaaaaaaaaaa" for n, _ in enumerate(data["systems"]["cucm"]["addresses"])
    ]
    data["tests"] = []
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump(data), "utf-8")
    assert CliRunner().invoke(flowbridge, ["check", str(file)]).exit_code == 2
    asked = ("--from", "cucm", "--to", "8.8.8.8", "--protocol", "tcp", "--port", "443")
    result = CliRunner().invoke(flowbridge, ["trace", str(file), *asked])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("DENIED")
    assert "refused by check and synth: " in result.stderr


def test_google_cloud_has_no_filter_of_subnets() -> None:
    file = str(EXAMPLES / "gcp-edge.yaml")
    asked = ("--from", "10.0.10.77", "--to", "8.8.8.8", "--protocol", "tcp", "--port", "443")
    result = CliRunner().invoke(flowbridge, ["trace", file, *asked])
    assert result.exit_code == 2
    assert "no filter here sees these packets" in result.output


def test_a_part_of_a_subnet_is_its_cards_and_everybody_else() -> None:
    words = ("--from", "10.0.10.0/25", "--to", "8.8.8.8", "--protocol", "tcp", "--port", "443")
    found = answer("trace", str(EXAMPLES / "emea-edge.yaml"), *words)
    ways = {found["from"]["name"], *(other["path"].split(" to ")[0] for other in found["others"])}
    assert any(way.startswith("tier internal/") for way in ways)
    assert "expressway-c/single" in ways


def test_a_test_of_the_file_may_name_an_address_of_a_tier(tmp_path: Path) -> None:
    data = yaml.safe_load((EXAMPLES / "emea-edge.yaml").read_text("utf-8"))
    data["tests"] = [
        {"from": "10.0.10.77", "to": "8.8.8.8", "protocol": "tcp", "ports": 443, "expect": expect}
        for expect in ("denied", "allowed")
    ]
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(data), "utf-8")
    result = CliRunner().invoke(flowbridge, ["check", str(path), "--format", "json"])
    (found,) = json.loads(result.stdout)["deployments"]
    assert [test["holds"] for test in found["tests"]] == [True, False]
    assert "aws_network_acl.internal" in found["tests"][1]["message"]
