"""`flowbridge diff FILE --set release=...`: what an upgrade opens and closes, in packets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from flowbridge.cli import flowbridge
from tests.deployment.files import DUAL, Data, setting
from tests.deployment.sites import CORE_PEERS, EDGE_PEERS

PROXY: Data = setting(
    DUAL,
    release="X12.5",
    services=["traversal-pair", "cms-web-proxy"],
    options__admin__https_port=7443,
    network__tiers__internal__nat=["198.51.100.7"],
    systems__cms={"tier": "internal", "addresses": ["10.0.10.31"]},
)
CLUSTER: Data = setting(
    DUAL,
    release="X8.7",
    services=["cluster"],
    expressway_e__peers=EDGE_PEERS,
    expressway_c__peers=CORE_PEERS,
)


def changes(tmp_path: Path, data: Data, release: str) -> list[dict[str, Any]]:
    file = tmp_path / "site.yaml"
    file.write_text(json.dumps(data), encoding="utf-8")
    result = CliRunner().invoke(
        flowbridge, ["diff", str(file), "--set", f"release={release}", "--format", "json"]
    )
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["changes"]
    return found


def rows(found: list[dict[str, Any]], change: str) -> set[str]:
    return {row for each in found if each["change"] == change for row in each["rows"]}


def test_relays_are_no_longer_reflected_from_x12_5_3(tmp_path: Path) -> None:
    found = changes(tmp_path, PROXY, "X12.5.3")
    assert rows(found, "refused") == {"expressway/24/11"}
    assert not rows(found, "allowed")
    assert all("203.0.113.11" in json.dumps(each) for each in found)
    assert not changes(tmp_path, setting(PROXY, release="X12.5.3"), "X15.0")


def test_a_cluster_reflects_until_x12_5_5(tmp_path: Path) -> None:
    cluster = setting(PROXY, expressway_e__peers=EDGE_PEERS)
    assert not changes(tmp_path, cluster, "X12.5.4")
    assert rows(changes(tmp_path, cluster, "X12.5.5"), "refused") == {"expressway/24/11"}


def test_x8_8_ends_ipsec_between_cluster_peers(tmp_path: Path) -> None:
    found = changes(tmp_path, CLUSTER, "X8.8")
    closed = rows(found, "refused")
    assert {"expressway/8/1", "expressway/8/2"} <= closed  # AH and ISAKMP
    assert {row.split("/")[1] for row in closed} == {"8"}
    opened = rows(found, "allowed")
    # Table 9 stays within ports that table 8 opens (4371 and 4372 of 4369-4380).
    assert {row.split("/")[1] for row in opened} == {"10"}
    ah = [each for each in found if "expressway/8/1" in each["rows"]]
    assert all("ah" in json.dumps(each) for each in ah)
