"""Questions that name nothing, files that are nearly right: told so, with what to write instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flowbridge.cli import flowbridge
from tests.deployment.files import DUAL, Data, setting


def run(*words: str) -> Result:
    return CliRunner().invoke(flowbridge, list(words))


def written(folder: Path, data: Data, name: str = "site.yaml") -> str:
    file = folder / name
    file.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return str(file)


def test_rules_of_a_scope_that_is_none_are_refused_with_those_there_are(tmp_path: Path) -> None:
    result = run("rules", written(tmp_path, DUAL), "--scope", "expressway-f")
    assert result.exit_code == 2
    assert "'expressway-f' names nothing here" in result.output
    assert "expressway-e/external" in result.output


def test_rules_of_a_row_that_is_none_are_refused(tmp_path: Path) -> None:
    result = run("rules", written(tmp_path, DUAL), "--row", "expressway/99/1")
    assert result.exit_code == 2
    assert "there is no such row" in result.output


def test_rules_of_a_row_that_is_closed_say_what_closes_it(tmp_path: Path) -> None:
    file = written(tmp_path, DUAL)
    off = run("rules", file, "--row", "expressway/11/5")
    assert off.exit_code == 0
    assert "expressway/11/5: off: options.sip_udp is false" in off.output
    elsewhere = run("rules", file, "--row", "expressway/30/1")
    assert "no service that is requested here has this row; add acme to" in elsewhere.output


def test_check_names_the_rows_whose_party_the_file_does_not_name(tmp_path: Path) -> None:
    services = [*DUAL["services"], "xmpp-federation"]
    systems = {name: one for name, one in DUAL["systems"].items() if name != "imp"}
    lacking = setting(DUAL, services=services, systems=systems)
    result = run("check", written(tmp_path, lacking))
    assert result.exit_code == 0, result.output
    assert "imp is not in this deployment: add systems.imp.addresses" in result.output
    named = {**systems, "imp": {"addresses": ["10.20.0.31"]}}
    result = run("check", written(tmp_path, setting(lacking, systems=named)))
    assert "imp is not in this deployment" not in result.output


def test_an_overlay_that_is_not_there_is_named_where_it_is_asked_for(tmp_path: Path) -> None:
    file = written(tmp_path, setting(DUAL, overlays=["ours.yaml"]))
    result = run("check", file)
    assert result.exit_code == 2
    line = Path(file).read_text(encoding="utf-8").splitlines().index('  "ours.yaml"') + 1
    assert f"{file}:{line}: overlays[0]: there is no file" in result.output


def test_a_core_that_runs_elsewhere_is_told_where_to_write_it(tmp_path: Path) -> None:
    file = written(tmp_path, setting(DUAL, expressway_c={"peers": [{"address": "172.16.0.5"}]}))
    result = run("check", file)
    assert result.exit_code == 2
    assert "expressway_c: `tier` is missing" in result.output
    assert "systems.expressway-c" in result.output


def test_two_files_with_one_name_are_refused_at_the_line_of_the_name(tmp_path: Path) -> None:
    first, second = written(tmp_path, DUAL), written(tmp_path, DUAL, "other.yaml")
    result = run("check", first, second)
    assert result.exit_code == 2
    assert f"{second}:2: name: {first} has the name" in result.output


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("network:\n\ttiers: 1\n", 2, "indent with spaces"),
        ("name: a\nsize:\u00a0large\ncloud: aws\n", 3, "write a plain space"),
        ("name: a\n---\nname: b\n", 2, "write one document a file"),
    ],
)
def test_what_no_eye_sees_in_a_file_is_named(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(text, encoding="utf-8")
    result = run("check", str(file))
    assert result.exit_code == 2
    assert f"{file}:{line}: " in result.output
    assert words in result.output


def test_a_trace_names_only_rows_that_the_source_port_could_be_of(tmp_path: Path) -> None:
    asked = "--from internet --to expressway-e/external --protocol tcp --port 5060 --source-port"
    words = ("trace", written(tmp_path, DUAL), *asked.split())
    assert "expressway/11/6" in run(*words, "25000").output
    refused = run(*words, "100").output
    assert "DENIED" in refused
    assert "expressway/11/6" not in refused


def test_a_service_that_opens_nothing_names_the_party_and_not_the_alternatives(
    tmp_path: Path,
) -> None:
    services = [*DUAL["services"], "smart-licensing"]
    said = run("check", written(tmp_path, setting(DUAL, services=services))).output
    (warning,) = [line for line in said.splitlines() if "opens nothing here" in line]
    assert "smart-receiver is not in this deployment" in warning
    assert "transport" not in warning


def test_an_icmp_question_is_about_a_type_as_in_the_tests_of_a_file(tmp_path: Path) -> None:
    mtu = setting(DUAL, options={"platform": {"path_mtu": True}})
    asked = "--from internet --to expressway-e/external --protocol icmp --port"
    words = ("trace", written(tmp_path, mtu), *asked.split())
    assert "icmp type 8 code 0" in run(*words, "8").output
    too_big = run(*words, "3").output
    assert too_big.startswith("ALLOWED for only types 3/4\n")
    assert "One of them: icmp type 3 code 4" in too_big
    assert "icmp type 3 code 4" in run(*words, "772").output, "type * 256 + code"
