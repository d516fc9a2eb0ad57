"""`flowbridge diff` says which features start, stop or hang on something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from flowbridge.commands.diff import command

EXAMPLE = Path(__file__).parents[2] / "examples" / "emea-edge.yaml"


def changed(*arguments: str) -> dict[str, dict[str, object]]:
    result = CliRunner().invoke(command, [str(EXAMPLE), *arguments, "--format", "json"])
    assert result.exit_code == 0, result.output
    return {each["id"]: each for each in json.loads(result.stdout)["features"]}


def test_a_switch_starts_what_hangs_on_it() -> None:
    found = changed("--set", "options.sip_tcp=true")
    assert found["sip-calls/call-in-tcp"]["before"] == "works only if"
    assert found["sip-calls/call-in-tcp"]["after"] == "works"
    # TURN hangs on another switch and is as it was.
    assert not any("turn" in name for name in found)


def test_a_service_that_is_taken_out_stops() -> None:
    found = changed("--set", "services=[traversal-pair, sip-calls]")
    assert found["mra/im-and-presence"]["after"] == "not requested"
    assert {each["after"] for name, each in found.items() if name.startswith("mra/")} == {
        "not requested"
    }


def test_nothing_is_said_where_nothing_changes() -> None:
    assert not changed("--set", "name=another")


@pytest.mark.parametrize("form", ["text", "sarif"])
def test_every_form_says_it(form: str) -> None:
    words = [str(EXAMPLE), "--set", "options.sip_tcp=true", "--format", form]
    result = CliRunner().invoke(command, words)
    assert "SIP call in over TCP (sip-calls/call-in-tcp): works only if becomes works" in (
        result.stdout
    )
