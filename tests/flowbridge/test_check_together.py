"""`flowbridge check A B`: every deployment by itself, and where they do not agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flowbridge.commands.check import command

EXAMPLES = Path(__file__).parents[2] / "examples"
EDGE, CORE = EXAMPLES / "split-edge.yaml", EXAMPLES / "split-core.yaml"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """The inner half for a large pair, where the outer half is of a medium one."""
    text = CORE.read_text("utf-8")
    assert "size: medium" in text
    path = tmp_path / "large.yaml"
    path.write_text(text.replace("size: medium", "size: large"), "utf-8")
    return path


def test_halves_that_agree() -> None:
    result = run(EDGE, CORE, "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["disagreements"] == []
    assert "Everything holds." in run(EDGE, CORE).output


def test_halves_that_do_not(large: Path) -> None:
    result = run(EDGE, large, "--format", "json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["holds"] is False
    assert all(deployment["holds"] for deployment in answer["deployments"])
    opened = {(each["opens"], each["interface"]) for each in answer["disagreements"]}
    assert ("split-core", "expressway-c/single") in opened
    assert any("3479-3483" in each["message"] for each in answer["disagreements"])


def test_the_text_names_rows_ports_and_hosts(large: Path) -> None:
    result = run(EDGE, large)
    assert result.exit_code == 1
    (line,) = [each for each in result.output.splitlines() if "split-core lets" in each]
    for words in ("expressway/11/9", "36000-36011", "10.3.10.11", "does not let"):
        assert words in line
    assert "Everything holds." not in result.output


def test_each_half_alone_says_nothing_of_the_other(large: Path) -> None:
    for file in (EDGE, large):
        assert run(file).exit_code == 0
