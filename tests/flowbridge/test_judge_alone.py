"""`flowbridge judge PLAN.json` without a deployment file: by what the plan itself tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from flowbridge.commands.judge import command
from tests.stacks.judging import estates
from tests.stacks.judging.estates import Case
from tests.stacks.judging.shown_json import resource, state

ESTATES = [estates.aws_by_address, estates.azure_cards, estates.gcp_machines]


def judged(folder: Path, document: object, *more: str) -> Result:
    plan = folder / "plan.json"
    plan.write_text(json.dumps(document), "utf-8")
    return CliRunner().invoke(command, [str(plan), *more])


@pytest.mark.parametrize("make", ESTATES)
def test_an_estate_is_judged_by_its_own_names(make: Callable[[], Case], tmp_path: Path) -> None:
    result = judged(tmp_path, make().document, "--format", "json")
    answer = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert {row for each in answer["open"] for row in each["rows"]} >= {"expressway/5/1"}
    # Nothing is taken for granted in silence.
    assert any("which release runs?" in text for text in answer["assumed"])
    assert any(text.startswith("services:") for text in answer["assumed"])
    assert any("10.0.1.11" in text and "likely" in text for text in answer["assumed"])


def test_a_party_that_nothing_tells_cannot_be_told(tmp_path: Path) -> None:
    document = estates.aws_by_address().document
    text = json.dumps(document).replace('"from_port": 53', '"from_port": 54')
    text = text.replace('"to_port": 53', '"to_port": 54')
    assert text != json.dumps(document)
    result = judged(tmp_path, json.loads(text), "--format", "json")
    assert result.exit_code == 1
    untold = json.loads(result.stdout)["cannot_be_told"]
    assert any(str(each).count("dns: {addresses") for each in untold)


def test_an_open_port_is_beyond_the_documents(tmp_path: Path) -> None:
    document: dict[str, Any] = json.loads(json.dumps(estates.aws_by_address().document))
    text = json.dumps(document).replace('"10.9.0.0/24"', '"0.0.0.0/0"')
    result = judged(tmp_path, json.loads(text))
    assert result.exit_code == 1
    assert "open beyond the documents" in result.output


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"format_version": "1.0", "values": {"root_module": {}}}, "resources of no cloud"),
        ({"hello": "world"}, "no cloud"),
        (
            state([resource("aws_vpc", "v", {"id": "vpc-0", "cidr_block": "10.0.0.0/16"})]),
            "cannot be told",
        ),
    ],
)
def test_what_tells_no_deployment_says_what_to_do(
    document: object, told: str, tmp_path: Path
) -> None:
    result = judged(tmp_path, document)
    assert result.exit_code in (1, 2)
    assert told in result.output
    assert "Traceback" not in result.output
