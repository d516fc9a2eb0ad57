"""The formats of pipelines, through the installed command, as a CI system reads them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from flowbridge.results.annotations import github, gitlab
from flowbridge.results.comment import comment
from flowbridge.results.formats import FORMATS
from flowbridge.results.junit import junit
from flowbridge.results.result import Level, Outcome, Result
from flowbridge.results.sarif import sarif

ROOT = Path(__file__).parents[2]
EXAMPLE = "examples/single-nic.yaml"
HOSTILE = 'a::b,c%d\n[x](https://evil.example) <img src=x> `y` @team | \x00"'


def run(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "flowbridge", *words], capture_output=True, check=False, cwd=ROOT
    )


def parsed(form: str, raw: bytes) -> Any:
    text = raw.decode("utf-8")
    if form in ("sarif", "gitlab"):
        return json.loads(text)
    return ET.fromstring(text) if form == "junit" else text  # noqa: S314  (our own)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "broken.yaml"
    text = (ROOT / EXAMPLE).read_text("utf-8").replace("cloud: aws", "cloud: awz")
    file.write_text(text, "utf-8")
    return file


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_a_file_that_holds_is_said_in_every_format(form: str) -> None:
    done = run("check", EXAMPLE, "--format", form)
    assert (done.returncode, done.stderr) == (0, b"")
    answer = parsed(form, done.stdout)
    if form == "sarif":
        (one,) = answer["runs"]
        assert one["invocations"][0]["executionSuccessful"]
        lines = {
            r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in one["results"]
        }
        assert len(lines) > 3, "each finding stands at its own line"
        assert not [r for r in one["results"] if r["level"] == "error"]
    elif form == "junit":
        assert answer.find("testsuite").get("failures") == "0"
        assert answer.find("testsuite/testcase").get("name") == "holds"
    elif form == "gitlab":
        assert not [issue for issue in answer if issue["severity"] == "critical"]
        assert len({issue["fingerprint"] for issue in answer}) == len(answer)
    elif form == "github":
        assert "::error" not in answer
        assert "::warning file=examples/single-nic.yaml,line=" in answer
    else:
        assert answer.startswith("## flowbridge check: holds\n")


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_a_file_that_is_refused_is_said_in_every_format(form: str, broken: Path) -> None:
    done = run("check", str(broken), "--format", form)
    assert (done.returncode, done.stderr) == (2, b"")
    answer = parsed(form, done.stdout)
    number = next(n for n, t in enumerate(broken.read_text().splitlines(), 1) if "awz" in t)
    if form == "sarif":
        (result,) = answer["runs"][0]["results"]
        region = result["locations"][0]["physicalLocation"]["region"]
        assert (result["level"], region["startLine"]) == ("error", number)
    elif form == "junit":
        assert answer.find("testsuite").get("failures") == "1"
    elif form == "gitlab":
        assert answer[0]["location"]["lines"]["begin"] == number
    elif form == "github":
        assert f",line={number}," in answer
    else:
        assert "### To mend" in answer


@pytest.mark.slow
def test_gates() -> None:
    changed = ("diff", "examples/emea-edge.yaml", "--set", "size=medium")
    assert run(*changed).returncode == 0
    assert run(*changed, "--exit-code").returncode == 1
    same = ("diff", "examples/emea-edge.yaml", "examples/emea-edge.yaml", "--exit-code")
    assert run(*same).returncode == 0
    ssh = ("trace", "examples/emea-edge.yaml", "--from", "internet", "--to", "expressway-e")
    asked = (*ssh, "--protocol", "tcp", "--port", "22", "--expect")
    assert run(*asked, "denied").returncode == 0
    assert run(*asked, "allowed").returncode == 1


def outcome(*results: Result) -> Outcome:
    return Outcome(command="check", examined=("a b.yaml",), results=results)


def hostile(level: Level = Level.ERROR) -> Result:
    return Result(rule="r", level=level, text=HOSTILE, file="a b.yaml", line=3, key=HOSTILE)


def test_texts_of_others_are_no_markup_and_no_command() -> None:
    whole = outcome(hostile())
    assert len(github(whole).splitlines()) == 1
    assert github(whole).count("::") == 2 + HOSTILE.count("::")
    assert ET.fromstring(junit(whole)) is not None  # noqa: S314  (our own)
    assert json.loads(gitlab(whole))[0]["description"] == HOSTILE
    told = comment(whole)
    assert "<img" not in told
    assert "[x](" not in told
    assert "@team" not in told
    message = sarif(whole)["runs"][0]["results"][0]["message"]["text"]
    assert "](" not in message


def test_what_could_not_be_told_is_no_success() -> None:
    silent = Outcome(command="audit", examined=("a.yaml",), results=(), incomplete=("no right",))
    assert not sarif(silent)["runs"][0]["invocations"][0]["executionSuccessful"]
    suite = ET.fromstring(junit(silent)).find("testsuite")  # noqa: S314  (our own)
    assert suite is not None
    assert suite.get("errors") == "1"
    assert "::error" in github(silent)
    assert json.loads(gitlab(silent))[0]["severity"] == "critical"
    assert comment(silent).startswith("## flowbridge audit: cannot be told")


def test_a_finding_keeps_its_fingerprint_where_its_line_moves() -> None:
    before, after = (
        Result(rule="r", level=Level.ERROR, text=text, file="f", line=line, key="k")
        for text, line in (("worded", 3), ("worded anew", 9))
    )
    assert before.fingerprint == after.fingerprint
    other = Result(rule="r", level=Level.ERROR, text="worded", file="f", line=3, key="other")
    assert before.fingerprint != other.fingerprint
    twice = sarif(outcome(before, before))["runs"][0]["results"]
    assert twice[0]["partialFingerprints"] != twice[1]["partialFingerprints"]
