"""What tables look like in a pipe, on a narrow terminal, and without colour."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from flowbridge import terminal
from flowbridge.cli import flowbridge
from flowbridge.stacks.pipeline import build_all, judge
from flowbridge.summary import print_deployment
from tests.deployment.files import DUAL, setting

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
EDGE = str(EXAMPLES / "edge-cluster.yaml")


def run(*words: str, color: bool = False) -> str:
    result = CliRunner().invoke(flowbridge, list(words), color=color)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    "words",
    [("rules", EDGE), ("exposure", EDGE), ("catalog", "list", "mra"), ("catalog", "guide")],
    ids=" ".join,
)
def test_no_line_of_a_table_ends_in_blanks(words: tuple[str, ...]) -> None:
    assert not [line for line in run(*words).splitlines() if line != line.rstrip()]


def test_a_check_in_a_pipe_has_no_blanks_at_line_ends_and_folds_no_limit() -> None:
    lines = run("check", EDGE).splitlines()
    assert not [line for line in lines if line != line.rstrip()]
    assert [line for line in lines if "the built-in deny included " in line], "on one line"


def test_a_check_shows_a_range_of_ipv6_as_a_range(tmp_path: Path) -> None:
    data = setting(
        DUAL,
        network__tiers__internal__cidrs=["10.0.10.0/24", "2001:db8::/32"],
        systems__cucm__addresses=["10.0.10.21", "2001:db8::/32"],
    )
    (tmp_path / "site.yaml").write_text(json.dumps(data), encoding="utf-8")
    assert "10.0.10.21, 2001:db8::/32 " in run("check", str(tmp_path / "site.yaml"))


def test_a_narrow_terminal_gets_whole_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns of eleven letters would cut `10.2.10.11/32` and `vpc-firewall` in two."""
    narrow = Console(width=80, force_terminal=True)
    monkeypatch.setattr(terminal, "console", lambda: narrow)
    lines = run("rules", EDGE).splitlines()
    assert max(map(len, lines)) <= 80
    words = {word.rstrip(",") for line in lines for word in line.split()}
    assert {"10.2.10.11/32", "expressway-e/internal", "expressway/24/10"} <= words


def test_a_sentence_on_a_terminal_is_folded_between_words() -> None:
    (built,) = build_all([Path(EDGE)])
    shown = io.StringIO()
    screen = Console(file=shown, width=80, force_terminal=True, color_system=None)
    print_deployment(judge(built), screen)
    lines = shown.getvalue().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert [line for line in lines if line.startswith("expressway-e/external ")], "not cut"


def test_what_is_counted_says_where_it_is_listed_and_what_is_closed_how_to_open_it() -> None:
    assert f"Excess: `flowbridge report {EDGE}` (or `--format json` here)" in run("check", EDGE)
    words = ("--to", "cucm", "--protocol", "tcp", "--port", "4")
    assert "a row of your own would (`overlays`)" in run("explain", EDGE, *words)


def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("explain", EDGE, "--to", "cucm", "--protocol", "tcp", "--port", "5061")
    assert "\x1b[" in run(*words, color=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run(*words, color=True)


def test_a_row_shown_says_what_is_used_for_what_is_wrong_and_where_that_is_shown() -> None:
    said = run("catalog", "show", "expressway/6/5")
    assert "used:  to: dns-external" in said
    place = "Cisco Expressway IP Port Usage Configuration Guide, X14.3/X15.0, table 6, row 5"
    assert f"shown: {place}" in said
    assert "brackets" not in run("catalog", "show", "expressway/24/+1")
