"""Guide rules and errata through the command: refused with their line, listed, explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from flowbridge.cli import flowbridge
from tests.deployment.files import DUAL, SINGLE, Data, setting

PROXY: Data = setting(
    DUAL,
    services=["traversal-pair", "cms-web-proxy"],
    network__tiers__internal__nat=["198.51.100.7"],
    systems__cms={"tier": "internal", "addresses": ["10.0.10.31"]},
    options={"admin": {"https_port": 443}},
)


def run(*words: str) -> Result:
    return CliRunner().invoke(flowbridge, list(words))


def written(tmp_path: Path, data: Data) -> Path:
    file = tmp_path / "site.yaml"
    file.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return file


def line_of(file: Path, words: str) -> int:
    lines = file.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if words in line)


def test_a_broken_rule_is_refused_with_file_line_key_and_source(tmp_path: Path) -> None:
    file = written(tmp_path, PROXY)
    result = run("check", str(file))
    assert result.exit_code == 2
    place = f"{file}:{line_of(file, 'https_port')}: options.admin.https_port: "
    assert place in result.output
    assert "guide/web-administration-not-443" in result.output
    assert run("check", str(written(tmp_path, setting(PROXY, options=None)))).exit_code == 2
    kept = setting(PROXY, options__admin__https_port=7443)
    assert run("check", str(written(tmp_path, kept))).exit_code == 0


def test_a_rule_refused_while_read_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, setting(DUAL, options={"media_ports": "35000-36200"}))
    result = run("check", str(file))
    assert result.exit_code == 2
    assert f":{line_of(file, 'media_ports')}: options.media_ports:" in result.output
    assert "[guide/media-range]" in result.output


def test_warnings_and_obligations_do_not_fail_a_check(tmp_path: Path) -> None:
    data = setting(SINGLE, network__tiers__internal__nat=["198.51.100.7"])
    file = written(tmp_path, data)
    result = run("check", str(file), "--format", "json")
    assert result.exit_code == 0, result.output
    (deployment,) = json.loads(result.stdout)["deployments"]
    findings: dict[str, Any] = {found["id"]: found for found in deployment["findings"]}
    assert findings["guide/two-network-cards"]["severity"] == "warning"
    assert findings["guide/two-network-cards"]["line"] == line_of(file, '"nics"')
    assert findings["guide/no-alg"]["severity"] == "obligation"


@pytest.mark.parametrize(("command", "known"), [("guide", "guide/no-alg"), ("errata", "5/1")])
def test_rules_and_errata_are_listed(command: str, known: str) -> None:
    for form in ("text", "json", "markdown"):
        result = run("catalog", command, "--format", form)
        assert result.exit_code == 0
        assert known in result.stdout
    assert isinstance(json.loads(run("catalog", command, "--format", "json").stdout), list)


def test_a_rule_is_explained_like_a_row() -> None:
    shown = run("catalog", "show", "guide/media-range")
    assert shown.exit_code == 0
    assert "35000" in shown.stdout
    assert "X14.3/X15.0, table 3" in shown.stdout
    assert run("catalog", "show", "guide/media-rage").exit_code == 2
