"""`exposure --live`: by what is in force, and never complete where it was not read whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from flowbridge.cli import flowbridge
from tests.live.azure.estates import DMZ, EXAMPLE, INTERNAL, deployed
from tests.live.azure.server import AzureCloud, serving

pytestmark = pytest.mark.slow


def asked(cloud: AzureCloud, *words: str) -> tuple[int, Any]:
    with serving(cloud) as url:
        result = CliRunner().invoke(
            flowbridge,
            ["exposure", str(EXAMPLE), "--live", "--endpoint-url", url, "--format", "json", *words],
        )
    return result.exit_code, json.loads(result.stdout)


def test_a_stolen_edge_reaches_what_was_opened_by_hand() -> None:
    cloud = deployed()
    source = ("--from", "expressway-e")
    code, before = asked(cloud, *source)
    assert code == 0, before["live"]
    assert not [each for each in before["reaches"] if "3389" in each["ports"]]
    for nsg in (DMZ, INTERNAL):
        _open(cloud, nsg)
    code, after = asked(cloud, *source)
    assert code == 0
    opened = [each for each in after["reaches"] if "3389" in each["ports"]]
    assert {each["target"] for each in opened} >= {"cucm/single"}


def _open(cloud: AzureCloud, nsg: str) -> None:
    cloud.add_rule(nsg, "rdp-in", priority=101, destinationPortRange="3389")
    cloud.add_rule(nsg, "rdp-out", priority=101, direction="Outbound", destinationPortRange="3389")


def test_a_machine_that_is_not_there_leaves_the_answer_open() -> None:
    cloud = deployed()
    subnets = next(iter(cloud.networks.values()))["properties"]["subnets"]
    del cloud.resources["networkInterfaces"]["cucm-1"]
    for subnet in subnets:
        held = subnet["properties"].get("ipConfigurations", [])
        held[:] = [each for each in held if "/cucm-1/" not in each["id"]]
    code, found = asked(cloud)
    assert code == 2
    assert any("10.0.10.21" in gap for gap in found["live"]["not_told"])
