"""Each documented difference between editions, traced both ways on every cloud."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from flowbridge.cli import flowbridge

NETWORKS: dict[str, dict[str, Any]] = {
    "aws": {
        "region": "eu-west-1",
        "network": {
            "id": "vpc-0a1b2c3d4e5f60718",
            "tiers": {
                "internal": {"cidrs": ["10.0.10.0/24"], "subnets": ["subnet-0bbbbbbbbbbbbbbb1"]}
            },
        },
    },
    "azure": {
        "region": "westeurope",
        "provider": {"subscription": "00000000-0000-0000-0000-000000000000"},
        "network": {
            "resource_group": "voice",
            "vnet": "voice-vnet",
            "tiers": {"internal": {"cidrs": ["10.0.10.0/24"], "subnets": ["internal"]}},
        },
    },
    "gcp": {
        "region": "europe-west1",
        "network": {
            "project": "voice-project",
            "id": "voice",
            "tiers": {"internal": {"cidrs": ["10.0.10.0/24"]}},
        },
    },
}
CUCM: dict[str, Any] = {
    "name": "phones",
    "size": "large",
    "systems": {
        "cucm": {"tier": "internal", "addresses": ["10.0.10.21", "10.0.10.22"]},
        "gateway": {"addresses": ["10.30.0.5"]},
        "browser": {"addresses": ["10.9.0.0/24"]},
        "admin-pc": {"addresses": ["10.9.1.0/24"]},
    },
    "services": ["cucm-cluster", "cucm-common", "cucm-web", "cucm-gateways"],
    "options": {"cucm": {"gateway_platform": "isr-g2", "ipsec_protocols": ["esp", "ah"]}},
}
LDAP: dict[str, Any] = {
    "name": "core",
    "size": "large",
    "expressway_c": {"tier": "internal", "peers": [{"address": "10.0.10.11"}]},
    "systems": {
        "ldap": {"addresses": ["10.50.0.5"]},
        "admin-pc": {"addresses": ["10.9.0.0/24"]},
        "dns": {"addresses": ["10.0.10.2"]},
        "ntp": {"addresses": ["10.0.10.3"]},
    },
    "services": ["ldap"],
}


def file(folder: Path, cloud: str, data: dict[str, Any], release: Any) -> Path:
    whole = {**copy.deepcopy(data), "cloud": cloud, **copy.deepcopy(NETWORKS[cloud])}
    if release is not None:
        whole["release"] = release
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(whole))
    return path


def run(*words: str) -> tuple[int, str]:
    result = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(flowbridge, list(words))
    return result.exit_code, result.output


def verdict(path: Path, source: str, target: str, protocol: str, port: int, *more: str) -> str:
    _, said = run(
        "trace", str(path), "--from", source, "--to", target, "--protocol", protocol,
        "--port", str(port), *more, "--format", "json",
    )  # fmt: skip
    return str(json.loads(said)["verdict"]).lower()


NODES = ("10.0.10.21", "10.0.10.22")
# who, to whom, protocol, port; the releases that allow it, and those that refuse it
UNIFIED_CM = [
    (*NODES, "tcp", 1516, ("12.5", "14", "15"), (None,)),
    (*NODES, "tcp", 8006, ("14",), (None,)),
    # An edition that prints no commands of Unified CM has them as a row of ours.
    ("cucm", "gateway", "udp", 2427, (None, "14", "15"), ()),
    ("cucm", "gateway", "tcp", 62000, ("14",), (None,)),
    (*NODES, "tcp", 30000, (None, "12.5(1)SU2"), ("14", "15")),
    (*NODES, "udp", 6666, (None,), ("12.5", "14")),
    ("browser", "cucm", "tcp", 2355, (None, "12.5(1)SU2"), ("14",)),
    ("browser", "cucm", "tcp", 9463, ("14", "15", None), ("12.5(1)SU4",)),
]


@pytest.mark.parametrize("cloud", sorted(NETWORKS))
@pytest.mark.parametrize(
    ("source", "target", "protocol", "port", "allowed", "refused"),
    UNIFIED_CM,
    ids=[f"{row[2]}-{row[3]}" for row in UNIFIED_CM],
)
def test_unified_cm_by_edition(
    tmp_path: Path,
    cloud: str,
    source: str,
    target: str,
    protocol: str,
    port: int,
    allowed: tuple[str | None, ...],
    refused: tuple[str | None, ...],
) -> None:
    for releases, wanted in ((allowed, "allowed"), (refused, "denied")):
        for release in releases:
            path = file(tmp_path, cloud, CUCM, {"cucm": release} if release else None)
            assert verdict(path, source, target, protocol, port) == wanted, release


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
def test_ldap_leaves_from_any_port_by_the_guide_for_x14_0(tmp_path: Path, cloud: str) -> None:
    for release in ("X14.0", {"expressway": "X14.0.3"}, "X14.2"):
        path = file(tmp_path, cloud, LDAP, release)
        source = ("--source-port", "1500")
        assert verdict(path, "expressway-c", "ldap", "tcp", 389, *source) == "allowed", release
        assert run("check", str(path))[0] == 0


def test_the_ports_that_ldap_leaves_from_are_a_difference_of_the_releases(tmp_path: Path) -> None:
    """Security groups and NSGs have no source ports: what differs is what the flows ask for."""
    path = file(tmp_path, "aws", LDAP, "X15.0")
    _, said = run("diff", str(path), "--set", "release.expressway=X14.0")
    assert "expressway/14/1" in said
    assert "1024-29999" in said


def test_check_says_which_editions_are_used(tmp_path: Path) -> None:
    path = file(tmp_path, "aws", CUCM, {"expressway": "X15.0", "cucm": "13"})
    code, said = run("check", str(path), "--format", "json")
    deployment = json.loads(said)["deployments"][0]
    assert code == 0
    (used,) = deployment["editions"]
    assert (used["edition"], used["fit"]) == ("12.5(1)SU4 to SU7", "between")
    assert used["address"].startswith("https://www.cisco.com/")
    (told,) = (f for f in deployment["findings"] if f["id"] == "deployment/undocumented-release")
    assert told["severity"] == "note"
    assert "12.5(1)SU4 to SU7" in told["message"]
    _, text = run("check", str(path))
    assert "Unified CM 13: no edition is for this release" in " ".join(text.split())


def test_a_release_newer_than_any_edition_is_warned_of(tmp_path: Path) -> None:
    path = file(tmp_path, "aws", CUCM, {"cucm": "17"})
    _, said = run("check", str(path), "--format", "json")
    findings = json.loads(said)["deployments"][0]["findings"]
    (told,) = (f for f in findings if f["id"] == "deployment/undocumented-release")
    assert (told["severity"], told["key"]) == ("warning", "release.cucm")
    assert "15 and SUs" in told["message"]


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ({"cucm": 14.5}, "in quotes"),
        ({"cucm": "X14"}, "12.5(1)SU3"),
        ({"callmanager": "14"}, "unknown"),
        ("14", "X15.0"),
    ],
)
def test_what_is_no_release_is_refused(tmp_path: Path, release: Any, words: str) -> None:
    code, said = run("check", str(file(tmp_path, "aws", CUCM, release)))
    assert code == 2
    assert "release" in said
    assert words in said


def test_a_release_may_be_set_on_the_command_line(tmp_path: Path) -> None:
    path = file(tmp_path, "aws", CUCM, "X15.0")
    code, said = run("diff", str(path), "--set", "release.cucm=15")
    assert code == 0
    assert "cucm/1/37" in said
    assert "cucm/1/34" in said


OVERLAY = """\
closes:
  - {row: cucm/1/36, reason: Nodes are administered one by one.}
replaces:
  cucm/7/17:
    reason: The gateways send to another port.
    destination_ports: {alternatives: [{ports: 12427}]}
"""


@pytest.mark.parametrize("cloud", sorted(NETWORKS))
def test_an_overlay_closes_and_replaces_rows_with_its_reasons(tmp_path: Path, cloud: str) -> None:
    (tmp_path / "own.yaml").write_text(OVERLAY)
    path = file(tmp_path, cloud, {**CUCM, "overlays": ["own.yaml"]}, None)
    assert verdict(path, *NODES, "tcp", 8443) == "denied"
    assert verdict(path, "gateway", "cucm", "udp", 2427) == "denied"
    assert verdict(path, "gateway", "cucm", "udp", 12427) == "allowed"
    _, closed = run("explain", str(path), "--to", "cucm", "--protocol", "tcp", "--port", "8443")
    assert "Nodes are administered one by one." in closed
    _, opened = run("explain", str(path), "--to", "cucm", "--protocol", "udp", "--port", "12427")
    assert "The gateways send to another port." in opened
    code, said = run("check", str(path), "--all")
    assert code == 0
    for reason in ("Nodes are administered one by one.", "The gateways send to another port."):
        assert reason in " ".join(said.split())
    page = tmp_path / "page.html"
    run("report", str(path), "-o", str(page))
    assert "Nodes are administered one by one." in page.read_text("utf-8")


def test_a_change_without_a_reason_is_warned_of_and_accepts_nothing(tmp_path: Path) -> None:
    """Reasons are the words in which a feature is given up: without them its cut is a finding."""
    (tmp_path / "own.yaml").write_text("closes: [cucm/1/22]\n")
    path = file(tmp_path, "aws", {**CUCM, "overlays": ["own.yaml"]}, None)
    code, said = run("check", str(path), "--format", "json")
    findings = json.loads(said)["deployments"][0]["findings"]
    (told,) = (f for f in findings if f["id"] == "deployment/overlay-changes-row")
    assert (code, told["severity"]) == (1, "warning")
    assert "write a `reason`" in told["message"]
    (tmp_path / "own.yaml").write_text("closes: [{row: cucm/1/22, reason: By hand.}]\n")
    code, said = run("rehearse", str(path), "--format", "json")
    (rehearsal,) = json.loads(said)["rehearsals"]
    (given_up,) = (f for f in rehearsal["features"] if f["answer"] == "fails")
    assert (code, given_up["id"]) == (0, "cucm-cluster/certificates")
    assert given_up["accepted"] == "By hand."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("closes: [cucm/1/99]\n", "there is no row 'cucm/1/99'"),
        ("closes: [cucm/1/22, cucm/1/22]\n", "twice"),
        ("replaces: {cucm/1/22: {reason: because}}\n", "give at least one cell"),
        ("replaces: {cucm/1/22: {destination: {parties: [{party: nobody}]}}}\n", "no party"),
    ],
)
def test_an_overlay_that_changes_what_is_not_there_is_refused(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "own.yaml").write_text(text)
    path = file(tmp_path, "aws", {**CUCM, "overlays": ["own.yaml"]}, None)
    code, said = run("check", str(path))
    assert code == 2
    assert "own.yaml:1" in said
    assert words in said


def test_catalog_commands_take_overlays_and_releases(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(OVERLAY)
    _, shown = run("catalog", "show", "cucm/1/36", "--overlay", str(own))
    assert "Nodes are administered one by one." in shown
    _, listed = run("catalog", "list", "cucm-gateways", "--overlay", str(own))
    assert "12427" in listed
    _, exported = run("catalog", "export", "--release", "cucm=14")
    ids = {row["id"] for row in json.loads(exported)}
    assert "cucm/1/37" in ids
    assert "cucm/1/34" not in ids
    _, changed = run("catalog", "diff", "cucm=12.5(1)SU4", "cucm=14")
    assert "cucm/2/30" in changed
    code, said = run("catalog", "diff", "X14.0", "cucm=14")
    assert code == 2
    assert "one product" in said


def test_a_switch_of_an_overlay_is_data_alone(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        """\
document: acme-corp
tables:
  - table: 1
    service: badge-readers
    title: {en: Badge readers}
    rows:
      - row: 1
        purpose: {en: Door events}
        source: {parties: [{party: badge-reader}]}
        source_ports: {alternatives: [{ports: 1024-65535}]}
        protocol: {l4: [tcp]}
        destination: {parties: [{party: cucm}]}
        destination_ports: {alternatives: [{ports: 8444}]}
        when: {option.switches.badges: true}
parties:
  badge-reader: {en: Badge reader, kind: system}
switches:
  badges: {description: Badge readers are there.}
"""
    )
    data = copy.deepcopy(CUCM)
    data["overlays"] = ["own.yaml"]
    data["services"] = ["badge-readers", "cucm-gateways"]
    data["systems"]["badge-reader"] = {"addresses": ["10.60.0.5"]}
    path = file(tmp_path, "aws", data, None)
    assert verdict(path, "badge-reader", "cucm", "tcp", 8444) == "denied"
    data["options"]["switches"] = {"badges": True}
    path = file(tmp_path, "aws", data, None)
    assert verdict(path, "badge-reader", "cucm", "tcp", 8444) == "allowed"
    data["options"]["switches"] = {"badge": True}
    code, said = run("check", str(file(tmp_path, "aws", data, None)))
    assert code == 2
    assert "did you mean 'badges'?" in said
