"""The internet is not the inside: no rule for the internet opens anything towards it."""

from __future__ import annotations

import json
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from flowbridge.cli import flowbridge
from flowbridge.deployment.addresses import outside
from flowbridge.stacks.pipeline import Checked, build, judge, load

EXAMPLES = Path(__file__).parents[2] / "examples"
# What users wrote before: RFC 1918 and what is no host's address cut out of 0.0.0.0/0.
AROUND = [
    str(network)
    for network in outside(
        [ip_network("0.0.0.0/0")],
        map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3")),
    )
]


def data_of(example: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((EXAMPLES / f"{example}.yaml").read_text("utf-8"))
    return data


def written(data: dict[str, Any], folder: Path) -> str:
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(data), "utf-8")
    return str(path)


def checked(file: str) -> Checked:
    return judge(build(load(Path(file))))


def verdict(file: str, source: str, target: str, port: int, protocol: str = "tcp") -> str:
    words = ("--from", source, "--to", target, "--protocol", protocol, "--port", str(port))
    result = CliRunner().invoke(flowbridge, ["trace", file, *words, "--format", "json"])
    assert result.exit_code == 0, result.output
    found: str = json.loads(result.stdout)["verdict"]
    return found


@pytest.mark.parametrize(
    "example", ["emea-edge", "edge-cluster", "single-nic", "azure-edge", "gcp-edge", "gcp-policy"]
)
def test_expressway_e_reaches_the_internet_and_no_private_address(example: str) -> None:
    file = str(EXAMPLES / f"{example}.yaml")
    for inside in ("10.77.1.1", "192.168.7.7", "172.20.0.1", "100.64.1.1"):
        for port in (3389, 1433):
            assert verdict(file, "expressway-e", inside, port) == "denied", (inside, port)
        assert verdict(file, inside, "expressway-e", 5061) == "denied", inside
    assert verdict(file, "expressway-e", "8.8.8.8", 5061) == "allowed"
    assert verdict(file, "internet", "expressway-e", 5061) == "allowed"


@pytest.mark.parametrize("example", ["emea-edge", "azure-edge", "gcp-edge"])
def test_a_list_around_the_inside_by_hand_means_the_internet(example: str, tmp_path: Path) -> None:
    data = data_of(example)
    for party in ("any", "remote-sip-endpoint", "offpremises-endpoint"):
        data["systems"][party] = {"addresses": AROUND}
    found = checked(written(data, tmp_path))
    assert found.exit_code == 0, found.failures
    by_itself = checked(str(EXAMPLES / f"{example}.yaml"))
    assert len(found.built.lowered.rules) == len(by_itself.built.lowered.rules)


@pytest.mark.parametrize("example", ["emea-edge", "azure-edge", "gcp-edge"])
def test_what_is_private_can_be_said(example: str, tmp_path: Path) -> None:
    data = data_of(example)
    data["network"]["private"] = ["10.0.0.0/8"]
    file = written(data, tmp_path)
    assert verdict(file, "expressway-e", "10.77.1.1", 3389) == "denied"
    assert verdict(file, "expressway-e", "192.168.7.7", 3389) == "allowed"


@pytest.mark.parametrize("example", ["azure-edge", "gcp-edge"])
def test_a_server_with_a_public_address_is_no_internet_and_an_office_is(
    example: str, tmp_path: Path
) -> None:
    data = data_of(example)
    data["systems"]["dns-external"] = {"addresses": ["192.0.2.53"]}
    data["systems"]["sip-endpoint"] = {"addresses": ["192.0.2.128/25"]}
    file = written(data, tmp_path)
    assert verdict(file, "expressway-e", "192.0.2.53", 53, "udp") == "allowed"
    assert verdict(file, "expressway-e", "192.0.2.53", 3389) == "denied"
    assert verdict(file, "192.0.2.130", "expressway-e/external", 5061) == "allowed"


def test_without_a_network_acl_groups_say_what_the_quota_takes(tmp_path: Path) -> None:
    data = data_of("emea-edge")
    data.setdefault("options", {})["aws"] = {"network_acl": "none"}
    found = checked(written(data, tmp_path))
    assert found.exit_code == 0, found.failures
    assert not any("network_acl" in kind for kind in found.built.document["resource"])
    assert verdict(str(tmp_path / "site.yaml"), "expressway-e", "10.77.1.1", 3389) == "denied"
    told = [each for each in found.built.lowered.excess if "no network ACL denies" in each.reason]
    assert told  # the rest, in words
    assert any(each.id == "aws/network-acl-of-others" for each in found.built.findings)


def test_a_deny_that_is_taken_out_is_found() -> None:
    """The rules behind it still let the internet in: the proof has to miss the deny itself."""
    found = checked(str(EXAMPLES / "azure-edge.yaml"))
    document = json.loads(json.dumps(found.built.document))
    for nsg in document["resource"]["azurerm_network_security_group"].values():
        nsg["security_rule"] = [
            rule for rule in nsg["security_rule"] if not rule["name"].startswith("deny-inside")
        ]
    assert any("no flow asks for it" in text for text in judge(found.built, document).failures)
    found = checked(str(EXAMPLES / "emea-edge.yaml"))
    document = json.loads(json.dumps(found.built.document))
    entries = document["resource"]["aws_network_acl_rule"]
    for name in [name for name, body in entries.items() if body["rule_action"] == "deny"]:
        del entries[name]
    assert any("more than planned" in text for text in judge(found.built, document).failures)
