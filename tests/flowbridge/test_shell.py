"""What a shell offers, what is suggested for a misspelt word, and what may be copied."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from flowbridge.cli import flowbridge, main
from flowbridge.help_text import EXAMPLES
from flowbridge.invocation import file_argument, own_command

EDGE = str(Path(__file__).parents[2] / "examples" / "emea-edge.yaml")


def offered(*words: str, begun: str = "") -> list[str]:
    shell = ShellComplete(flowbridge, {}, "flowbridge", "_FLOWBRIDGE_COMPLETE")
    return [item.value for item in shell.get_completions(list(words), begun)]


def test_a_shell_knows_parties_rows_services_features_and_settings() -> None:
    assert offered("trace", EDGE, "--from", begun="expressway-e/") == [
        "expressway-e/external",
        "expressway-e/internal",
    ]
    assert "admin-pc" in offered("explain", EDGE, "--to", begun="ad")
    assert "expressway/11/5" in offered("rules", EDGE, "--row", begun="expressway/11/")
    assert offered("catalog", "list", begun="xmpp") == ["xmpp-federation"]
    assert "mra/sign-in" in offered("rehearse", EDGE, "--feature", begun="mra/")
    assert "options.turn.port=" in offered("diff", EDGE, "--set", begun="options.turn.")
    assert offered("trace", "no-such-file.yaml", "--from", begun="internet")[0] == "internet"


def test_every_command_has_examples_that_parse() -> None:
    context = click.Context(flowbridge, info_name="flowbridge")
    for name in flowbridge.list_commands(context):
        said = CliRunner().invoke(flowbridge, [name, "--help"]).output
        assert "flowbridge " in said.split("Usage:")[1].split("\n", 1)[1], name
    for lines in EXAMPLES.values():
        for line in lines:
            words = line.partition(" > ")[0].replace("'", "").split()
            if words[0] != "flowbridge":
                continue
            command = flowbridge.get_command(context, words[1])
            assert command is not None
            command.make_context(words[1], words[2:], resilient_parsing=True)
            options = {word for word in words if word.startswith("--")}
            target = command
            if isinstance(command, click.Group):
                found = command.get_command(context, words[2])
                assert found is not None
                target = found
            known = {
                name for param in target.params for name in (*param.opts, *param.secondary_opts)
            }
            assert options <= known, line


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("check", EDGE, "--format", "jsn"), "Did you mean 'json'?"),
        (("rules", EDGE, "--scope", "expresway-c"), "did you mean expressway-c?"),
        (("rules", EDGE, "--row", "expressway/11/55"), "near: expressway/11/5"),
        (("exposure", EDGE, "--from", "cucmm"), "did you mean 'cucm'?"),
        (("catalog", "show", "guide/no-al"), "Near: guide/no-alg"),
        (("check", EDGE.replace("emea-edge", "emea-egde")), "emea-edge.yaml?"),
    ],
    ids=lambda value: "" if isinstance(value, str) else value[0],
)
def test_a_misspelt_word_has_its_suggestion(
    words: tuple[str, ...],
    meant: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["flowbridge", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert meant in "".join(capsys.readouterr())


def test_what_init_prints_works_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = tmp_path / ".venv" / "bin" / "flowbridge"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", "/nowhere")
    assert own_command() == ".venv/bin/flowbridge"
    monkeypatch.setenv("PATH", str(program.parent))
    assert own_command() == "flowbridge"
    monkeypatch.setattr(sys, "argv", ["/x/flowbridge/__main__.py"])
    assert own_command().endswith(" -m flowbridge")
    assert file_argument(Path("-a b.yaml")) == "'./-a b.yaml'"
    said = CliRunner().invoke(flowbridge, ["init", "--name", "emea-edge"]).output
    assert said.rstrip().endswith("check emea-edge.yaml")
