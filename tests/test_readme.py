"""The README holds: its example checks, its links lead somewhere, its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from flowbridge.cli import COMMANDS, flowbridge
from tests.documented_pages import Reader

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_checks(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    file = tmp_path / "my-edge.yaml"
    file.write_text(example, encoding="utf-8")
    result = CliRunner().invoke(flowbridge, ["check", str(file)])
    assert result.exit_code == 0, result.output


def test_the_first_screen_shows_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer on the first screen is that of the example."""
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (shown,) = re.findall(r"```console\n\$ flowbridge (.*?)\n(.*?)```", README, re.DOTALL)
    assert README.index("```console") < README.index("\n## ")
    monkeypatch.chdir(tmp_path)
    Path("my-edge.yaml").write_text(example, encoding="utf-8")
    result = CliRunner().invoke(flowbridge, shown[0].split())
    assert [line.split() for line in result.stdout.splitlines()] == [
        line.split() for line in shown[1].splitlines()
    ]


def test_the_front_page_of_the_site_shows_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Reader({}, {}, {}).follow("website/pages/index.md")


def test_links_lead_to_files_of_the_repository() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_table_of_commands_is_the_commands() -> None:
    named = set(re.findall(r"`flowbridge (\w+)", README))
    assert named == set(COMMANDS) - {"schema", "init"}


def test_make_bench_runs_every_program_that_the_benchmarks_name() -> None:
    named = set(re.findall(r"bench/\w+\.py", (ROOT / "docs/benchmarks.md").read_text("utf-8")))
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\nbench:")[1].split("\n\n")[0]
    assert named
    assert named == set(re.findall(r"bench/\w+\.py", recipe))
