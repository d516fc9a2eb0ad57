"""What a stolen workload reaches, riskiest first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flowbridge.cli import flowbridge

EXAMPLES = Path(__file__).parents[2] / "examples"


def reached(example: str, source: str) -> list[dict[str, Any]]:
    words = ["exposure", str(EXAMPLES / f"{example}.yaml"), "--from", source, "--format", "json"]
    result = CliRunner().invoke(flowbridge, words)
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["reaches"]
    return found


@pytest.mark.parametrize("example", ["emea-edge", "azure-edge", "gcp-edge"])
def test_a_stolen_edge_reaches_its_peers_and_the_internet_and_nothing_unlisted(
    example: str,
) -> None:
    found = reached(example, "expressway-e")
    targets = {each["target"] for each in found}
    assert {"internet", "dns", "ntp"} <= targets
    # Groups of AWS cannot leave out the hosts of the card's own subnet, where no ACL is met.
    unlisted = [each for each in found if each["target"].startswith("private addresses")]
    assert all(each["risk"] == "unasked-inside" for each in unlisted)
    assert bool(unlisted) == (example == "emea-edge")
    order = [each["risk"] for each in found]
    ranks = ["management", "unasked-inside", "unasked", "inside", "internet"]
    assert order == sorted(order, key=ranks.index)


def test_what_a_core_reaches_at_the_edge_names_its_rows() -> None:
    found = reached("emea-edge", "expressway-c")
    edge = [each for each in found if each["target"] == "expressway-e/internal"]
    assert any(row.startswith("expressway/") for each in edge for row in each["rows"])
    assert all(each["interface"] == "expressway-c/single" for each in found)


def test_a_name_that_does_not_run_here_is_refused() -> None:
    words = ["exposure", str(EXAMPLES / "emea-edge.yaml"), "--from", "dns"]
    result = CliRunner().invoke(flowbridge, words)
    assert result.exit_code == 2
    assert "does not run here; name one of cucm, expressway-c, expressway-e" in result.output
