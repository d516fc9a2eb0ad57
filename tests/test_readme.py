"""The README holds: its example checks, its links lead somewhere, its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from flowbridge.cli import COMMANDS, flowbridge

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_checks(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    file = tmp_path / "my-edge.yaml"
    file.write_text(example, encoding="utf-8")
    result = CliRunner().invoke(flowbridge, ["check", str(file)])
    assert result.exit_code == 0, result.output


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
