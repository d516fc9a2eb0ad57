"""Witnesses on Azure and Google: ready inputs, what is asked of the cloud, and what it answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from flowbridge.cli import flowbridge
from tests.live.azure import estates as azure_estate
from tests.live.azure import server as azure_server
from tests.live.gcp import estates as gcp_estate
from tests.live.gcp import server as gcp_server

pytestmark = pytest.mark.slow


def run(file: Path, folder: Path, *words: str) -> Result:
    asked = ["rehearse", str(file), "--witness", str(folder), "--feature", "mra/sign-in"]
    result = CliRunner().invoke(flowbridge, [*asked, *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def inputs(folder: Path) -> dict[str, Any]:
    return {
        path.name: json.loads(path.read_text("utf-8"))
        for path in folder.rglob("*.json")
        if path.name != "index.json"
    }


def test_google_needs_no_id_to_be_ready(tmp_path: Path) -> None:
    result = run(gcp_estate.EXAMPLE, tmp_path / "w")
    assert result.exit_code == 0, result.output
    found = [body for name, body in inputs(tmp_path / "w").items() if "16-1" in name]
    (from_outside,) = found
    assert from_outside["destination"] == {
        "ipAddress": "203.0.113.11",
        "projectId": gcp_server.PROJECT,
        "port": 8443,
    }
    assert from_outside["source"]["networkType"] == "NON_GCP_NETWORK"
    index = json.loads((tmp_path / "w" / "index.json").read_text("utf-8"))
    assert not [need for each in index["deployments"][0]["checks"] for need in each["needs"]]
    assert len(index["files"]) == len(inputs(tmp_path / "w"))


def test_a_folder_of_something_else_stays_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "w" / "notes.txt"
    own.parent.mkdir()
    own.write_text("mine")
    refused = run(gcp_estate.EXAMPLE, tmp_path / "w")
    assert (refused.exit_code, own.read_text()) == (2, "mine")
    assert "holds something else" in refused.stderr


def test_nothing_is_sent_where_nobody_can_be_asked(tmp_path: Path) -> None:
    cloud = gcp_estate.deployed()
    with gcp_server.serving(cloud) as url:
        refused = run(gcp_estate.EXAMPLE, tmp_path / "w", "--live", "--endpoint-url", url)
    assert refused.exit_code == 2
    assert "add --yes" in refused.stderr
    assert (cloud.sent, (tmp_path / "w").exists()) == ([], False)


def test_google_tests_run_and_go_again_and_what_disagrees_is_a_finding(tmp_path: Path) -> None:
    cloud = gcp_estate.deployed()
    words = ("--live", "--yes", "--endpoint-url")
    with gcp_server.serving(cloud) as url:
        agreed = run(gcp_estate.EXAMPLE, tmp_path / "w", *words, url)
        assert agreed.exit_code == 0, agreed.output
        assert "3 checks by Connectivity Tests at 0.15 USD each" in agreed.stderr
        assert agreed.stdout.count("the cloud says allowed") == len(cloud.tested) == 3
        cloud.reach = lambda test: (
            "UNREACHABLE" if test["destination"].get("port") == 8443 else "AMBIGUOUS"
        )
        other = run(gcp_estate.EXAMPLE, tmp_path / "w", *words, url, "--format", "json")
    assert cloud.tests == {}
    assert other.exit_code == 1
    verdicts = json.loads(other.stdout)["verdicts"]
    assert {each["agrees"] for each in verdicts} == {False, None}
    assert "Firewall rule x decides" in verdicts[0]["by"]


def test_azure_asks_at_both_ends_with_the_ids_that_were_read(tmp_path: Path) -> None:
    cloud = azure_estate.deployed()
    group = azure_server.GROUP
    for name, card in cloud.resources["networkInterfaces"].items():
        machine = {"id": f"{group}/providers/Microsoft.Compute/virtualMachines/{name}"}
        card["properties"]["virtualMachine"] = machine
    cloud.verify = lambda body: (
        ("Deny", "deny-all") if body["localPort"] == "8443" else ("Allow", "allow-x")
    )
    with azure_server.serving(cloud) as url:
        words = ("--live", "--yes", "--endpoint-url", url, "--format", "json")
        result = run(azure_estate.EXAMPLE, tmp_path / "w", *words)
    assert result.exit_code == 1
    assert {each["direction"] for each in cloud.verified} == {"Inbound", "Outbound"}
    assert all(each["targetNicResourceId"].startswith(group) for each in cloud.verified)
    refused = [v for v in json.loads(result.stdout)["verdicts"] if v["agrees"] is False]
    assert {(each["covers"], each["by"]) for each in refused} == {
        ("inbound at expressway-e/external", "deny-all"),
    }


def test_azure_without_ids_says_what_is_needed(tmp_path: Path) -> None:
    result = run(azure_estate.EXAMPLE, tmp_path / "w")
    assert result.exit_code == 0
    index = json.loads((tmp_path / "w" / "index.json").read_text("utf-8"))
    needs = {need for each in index["deployments"][0]["checks"] for need in each["needs"]}
    assert "the id of the virtual machine with 10.0.1.11" in needs
