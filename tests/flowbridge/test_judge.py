"""`flowbridge judge`: answers, formats and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from flowbridge.cli import flowbridge
from tests.stacks.judging import estates
from tests.stacks.judging.shown_json import Json, state
from tests.stacks.judging.sites import ASKED, text_for

MAPPING = """\
interfaces:
  expressway-c/single: [aws_security_group.edge]
  expressway-e/single: aws_security_group.edge
"""


def run(folder: Path, document: Any, *more: str, mapping: str = MAPPING) -> Result:
    (folder / "tiny.yaml").write_text(text_for("aws"), "utf-8")
    (folder / "map.yaml").write_text(mapping, "utf-8")
    text = document if isinstance(document, str) else json.dumps(document)
    (folder / "plan.json").write_text(text, "utf-8")
    words = ["judge", "plan.json", "--deployment", "tiny.yaml", "--map", "map.yaml", *more]
    return CliRunner().invoke(flowbridge, words)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def right() -> Json:
    return estates.aws_inline().document


def wrong(monkeypatch: pytest.MonkeyPatch) -> Json:
    asked = (("ingress", "tcp", 23, "0.0.0.0/0"), *ASKED[1:])
    monkeypatch.setattr(estates, "ASKED", asked)
    return estates.aws_inline().document


def test_what_holds(folder: Path) -> None:
    result = run(folder, right())
    assert result.exit_code == 0, result.output
    assert "Everything holds." in result.output
    assert "expressway-c/single: aws_security_group.edge (by the mapping file)" in result.output
    assert "no network ACL in this plan" in result.output


def test_what_does_not_hold(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(folder, wrong(monkeypatch), "--format", "json")
    assert result.exit_code == 1
    plain = json.loads(result.stdout)
    assert plain["holds"] is False
    assert {each["rule"] for each in plain["unintended"]} == {"aws_security_group.edge.ingress[0]"}
    assert {row for each in plain["missing"] for row in each["rows"]} == {
        "expressway/5/1",
        "expressway/6/1",
    }
    assert all(each["certain"] for each in plain["missing"])
    assert plain["cannot_be_told"] == []
    assert "changes" not in plain


def test_changes(folder: Path) -> None:
    result = run(folder, right(), "--changes", "--format", "json")
    assert result.exit_code == 0
    changes = json.loads(result.stdout)["changes"]
    assert changes
    assert {each["change"] for each in changes} == {"allowed"}
    assert all(each["by"] for each in changes)
    assert "becomes allowed" in run(folder, right(), "--changes").output


@pytest.mark.parametrize("form", ["sarif", "junit", "github", "gitlab", "md"])
def test_formats_of_pipelines(form: str, folder: Path) -> None:
    (folder / "tiny.yaml").write_text(text_for("aws"), "utf-8")
    document = estates.aws_state().document
    (folder / "plan.json").write_text(json.dumps(document), "utf-8")
    words = ["judge", "plan.json", "--deployment", "tiny.yaml", "--format", form]
    command = [sys.executable, "-m", "flowbridge", *words]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stderr
    assert "what it wears is not known" in result.stdout
    if form in ("sarif", "gitlab"):
        json.loads(result.stdout)
    if form == "junit":
        ET.fromstring(result.stdout)  # noqa: S314


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("{", "this is no JSON"),
        ("[1]", "no object"),
        ({"lineage": "x", "serial": 1}, "terraform show -json"),
        ({"a": 1}, "neither what"),
        ({**state([]), "format_version": "7.0"}, "format_version"),
        ({**state([]), "values": []}, "not an object"),
        (
            {"format_version": "1.0", "planned_values": {"root_module": {"resources": [1]}}},
            "address",
        ),
        ({"resource": [1]}, "where an object is due"),
    ],
)
def test_bad_input(document: Any, text: str, folder: Path) -> None:
    result = run(folder, document)
    assert result.exit_code == 2, result.output
    assert text in result.output
    assert "Traceback" not in result.output
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        ("interfaces:\n  expressway-d/single: [x]\n", "map.yaml:2: interfaces.expressway-d/single"),
        ("interfaces:\n  expressway-c/single: 3\n", "write a list of names"),
        ("interfaces:\n  expressway-c/single: [sg-o, nope]\n", "'nope' is nothing in this plan"),
        ("cards: {}\n", "there is no such name"),
        ("- a\n", "write sections"),
        ("interfaces: [a]\n", "map.yaml:1: interfaces"),
        ("subnets:\n  dmz2: [x]\n", "did you mean dmz?"),
    ],
)
def test_bad_mapping(mapping: str, text: str, folder: Path) -> None:
    result = run(folder, right(), mapping=mapping)
    assert result.exit_code == 2, result.output
    assert text in result.output


def test_changes_of_a_state(folder: Path) -> None:
    result = run(folder, estates.aws_state().document, "--changes")
    assert result.exit_code == 2
    assert "--changes is about a plan" in result.output


def test_a_file_that_is_not_there(folder: Path) -> None:
    (folder / "tiny.yaml").write_text(text_for("aws"), "utf-8")
    words = ["judge", "none.json", "--deployment", "tiny.yaml"]
    result = CliRunner().invoke(flowbridge, words)
    assert result.exit_code == 2
    assert "none.json" in result.output
