"""The command's contract: exit codes, clean JSON on stdout, one message for bad input."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from flowbridge.cli import COMMANDS, flowbridge
from flowbridge.stacks.provenance import provenance

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "examples" / "emea-edge.yaml")


def run(*words: str) -> Result:
    return CliRunner().invoke(flowbridge, list(words))


def test_every_listed_command_exists_and_explains_itself() -> None:
    for name in COMMANDS:
        result = run(name, "--help")
        assert result.exit_code == 0, result.output
        assert "Usage:" in result.output


def test_check_of_a_sound_deployment_holds() -> None:
    result = run("check", EXAMPLE)
    assert result.exit_code == 0, result.output
    assert "Everything holds." in result.output


def test_check_answers_in_clean_json() -> None:
    result = run("check", EXAMPLE, "--format", "json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    (deployment,) = answer["deployments"]
    assert answer["holds"] is True
    assert deployment["proof"]["holds"] is True
    assert [test["holds"] for test in deployment["tests"]] == [True, True]


def test_a_failed_test_is_a_finding(tmp_path: Path) -> None:
    text = Path(EXAMPLE).read_text(encoding="utf-8")
    file = tmp_path / "site.yaml"
    file.write_text(
        text.replace("ports: [22, 443], expect: denied", "ports: [22], expect: allowed")
    )
    result = run("check", str(file))
    assert result.exit_code == 1, result.output
    assert "22" in result.output
    assert "(check/test-failed)" in result.output
    told = json.loads(run("check", str(file), "--format", "sarif").stdout)["runs"][0]
    (failed,) = [each for each in told["results"] if each["level"] == "error"]
    assert failed["ruleId"] == "check/test-failed"
    here = failed["locations"][0]["physicalLocation"]["region"]["startLine"]
    assert "ports: [22], expect: allowed" in file.read_text("utf-8").splitlines()[here - 1]


def test_bad_input_is_exit_code_2_with_file_line_and_key(tmp_path: Path) -> None:
    text = Path(EXAMPLE).read_text(encoding="utf-8")
    file = tmp_path / "site.yaml"
    file.write_text(text.replace("size: large", "size: huge"))
    line = text[: text.index("size: large")].count("\n") + 1
    for command in ("check", "rules", "exposure"):
        result = run(command, str(file))
        assert result.exit_code == 2
        assert f"{file}:{line}: size:" in result.stderr
        assert "Traceback" not in result.output
    (problem,) = json.loads(run("check", str(file), "--format", "json").stdout)["problems"]
    assert (problem["line"], problem["key"]) == (line, "size")


def test_a_missing_file_and_a_wrong_word_are_bad_input() -> None:
    assert run("check", "no-such-file.yaml").exit_code == 2
    assert run("chekc", EXAMPLE).exit_code == 2
    assert (
        run("explain", EXAMPLE, "--to", "nobody", "--protocol", "tcp", "--port", "1").exit_code == 2
    )
    assert run("explain", EXAMPLE, "--to", "expressway-e", "--protocol", "tcp").exit_code == 2
    assert run("catalog", "show", "expressway/99/1").exit_code == 2
    assert run("diff", EXAMPLE).exit_code == 2


@pytest.mark.slow
@pytest.mark.parametrize("asked", [("--format", "json"), ("--format=json",)])
@pytest.mark.parametrize(
    "words", [("explain",), ("rules", EXAMPLE, "--nonsense"), ("trace", EXAMPLE, "--port", "70000")]
)
def test_wrong_usage_answers_a_program_in_json_too(
    words: tuple[str, ...], asked: tuple[str, ...]
) -> None:
    command = [sys.executable, "-m", "flowbridge", *words, *asked]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    (problem,) = json.loads(result.stdout)["problems"]
    assert (result.returncode, result.stderr) == (2, "")
    assert problem["message"]


def test_export_has_every_documented_row() -> None:
    rows = json.loads(run("catalog", "export").stdout)
    by_table: dict[str, int] = {}
    for row in rows:
        if row["line"] and "+" not in row["id"] and row["document"] in ("expressway", "cucm"):
            key = f"{row['document']}/{row['table']}"
            by_table[key] = by_table.get(key, 0) + 1
    # The row counts of the documents' own tables.
    assert sum(by_table[f"expressway/{table}"] for table in range(4, 31)) == 232
    assert sum(by_table[f"cucm/{table}"] for table in range(1, 12)) == 139
    assert by_table["expressway/3"] == 14


def test_csv_export_has_the_same_rows_and_columns() -> None:
    rows = json.loads(run("catalog", "export").stdout)
    lines = list(csv.DictReader(io.StringIO(run("catalog", "export", "--format", "csv").stdout)))
    assert [line["id"] for line in lines] == [row["id"] for row in rows]
    assert list(lines[0]) == list(rows[0])


def test_trace_names_the_deciding_rule_and_its_rows() -> None:
    words = ("--from", "internet", "--to", "expressway-e", "--protocol", "udp", "--port", "3478")
    answer = json.loads(run("trace", EXAMPLE, *words, "--format", "json").stdout)
    assert answer["verdict"] == "allowed"
    assert "expressway/11/14" in answer["rows"]
    assert any("security_group" in (hop["rule"] or "") for hop in answer["hops"])


def test_explain_names_the_switch_of_a_closed_port() -> None:
    words = ("--to", "expressway-e", "--protocol", "tcp", "--port", "5060")
    answer = json.loads(run("explain", EXAMPLE, *words, "--format", "json").stdout)
    assert answer["open"] is False
    assert any("sip_tcp" in row["reason"] for row in answer["would_open"])


def test_a_change_that_is_refused_says_so_beside_its_packets() -> None:
    # The same packets, and a network ACL that nothing fits into.
    asked = ("diff", EXAMPLE, "--set", "quotas.network_acl_entries=3")
    plain = run(*asked)
    assert "No packet fares differently." in plain.stdout
    assert "Refused after: " in plain.stdout
    assert "Refused before: " not in plain.stdout
    refused = json.loads(run(*asked, "--format", "json").stdout)["refused"]
    assert refused["before"] == []
    assert any("network ACL" in reason for reason in refused["after"])


def test_diff_of_a_size_speaks_in_packets() -> None:
    result = run("diff", EXAMPLE, "--set", "size=medium", "--format", "json")
    changes = json.loads(result.stdout)["changes"]
    refused = [
        change
        for change in changes
        if change["change"] == "refused" and change["interface"] == "expressway-e/external"
    ]
    assert refused, "large opens TURN 3478-3483, medium 3478 only"


@pytest.mark.slow
def test_the_bare_command_loads_neither_pydantic_nor_an_sdk_nor_jsii() -> None:
    code = (
        "import sys; from flowbridge.cli import flowbridge; "
        "flowbridge(['--help'], standalone_mode=False); "
        "print(sorted({m.split('.')[0] for m in sys.modules} "
        "& {'pydantic', 'boto3', 'azure', 'google', 'jsii', 'cdktf', 'yaml'}), file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert result.stderr.strip() == "[]"


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
@pytest.mark.parametrize("nics", ["dual", "single"])
def test_init_writes_a_file_that_check_accepts(tmp_path: Path, cloud: str, nics: str) -> None:
    file = tmp_path / "mine.yaml"
    assert run("init", "--cloud", cloud, "--nics", nics, "-o", str(file)).exit_code == 0
    result = run("check", str(file))
    assert result.exit_code == 0, result.output
    again = run("init", "-o", str(file))
    assert again.exit_code == 2, "an existing file is never overwritten"


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
def test_init_names_the_schema_as_an_editor_finds_it_from_there(tmp_path: Path, cloud: str) -> None:
    (tmp_path / "sites").mkdir()
    file = tmp_path / "sites" / "mine.yaml"
    assert run("init", "--cloud", cloud, "-o", str(file)).exit_code == 0
    text = file.read_text(encoding="utf-8")
    named = text.splitlines()[0].partition("$schema=")[2]
    assert (file.parent / named).resolve() == ROOT / "schemas" / "deployment.schema.json"
    schema = json.loads((file.parent / named).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(text))


def test_init_in_the_project_names_the_schema_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    first = run("init", "-o", "-").stdout.splitlines()[0]
    assert first.endswith("$schema=./schemas/deployment.schema.json")


def test_init_refuses_in_json_too(tmp_path: Path) -> None:
    taken = tmp_path / "taken.yaml"
    taken.write_text("mine\n")
    for words in (("--name", "A"), ("-o", str(taken)), ("-o", str(tmp_path / "no" / "x.yaml"))):
        result = run("init", *words, "--format", "json")
        assert result.exit_code == 2
        assert json.loads(result.stdout)["holds"] is False
    assert taken.read_text() == "mine\n"


def test_a_block_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """Terraform takes both, and Python's reader the last alone."""
    from flowbridge.stacks.pipeline import check

    whole = json.dumps(check(Path(EXAMPLE)).built.document)
    file = tmp_path / "cdk.tf.json"
    file.write_text('{"resource": {"aws_security_group": {"open": {}}}, ' + whole[1:])
    result = run("check", EXAMPLE, "--synthesized", str(file))
    assert result.exit_code == 2
    assert "the key 'resource' stands twice" in result.stderr


@pytest.mark.parametrize("content", ["{", "[" * 100_000, "[]", '{"resource": 5}', b"\xff"])
def test_a_synthesized_file_that_cannot_be_judged_is_named(
    content: str | bytes, tmp_path: Path
) -> None:
    file = tmp_path / "cdk.tf.json"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    result = run("check", EXAMPLE, "--synthesized", str(file))
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {file}: ")


@pytest.mark.parametrize(
    ("peer", "unknown"),
    [
        ({"referenced_security_group_id": "sg-0123456789abcdef0"}, "sg-0123"),
        ({"prefix_list_id": "pl-0123456789abcdef0"}, "pl-0123"),
        ({"cidr_ipv4": "${var.office}"}, "${var.office}"),
    ],
)
def test_a_hand_made_rule_for_peers_that_nobody_knows_proves_nothing(
    peer: dict[str, str], unknown: str, tmp_path: Path
) -> None:
    from flowbridge.stacks.pipeline import check

    document = json.loads(json.dumps(check(Path(EXAMPLE)).built.document))
    file = tmp_path / "cdk.tf.json"
    words = ("check", EXAMPLE, "--synthesized", str(file))
    file.write_text(json.dumps(document))
    assert run(*words).exit_code == 0
    document["resource"]["aws_vpc_security_group_ingress_rule"]["by_hand"] = {
        "security_group_id": "${aws_security_group.expressway-c_single.id}",
        "ip_protocol": "tcp",
        "from_port": 22,
        "to_port": 22,
        **peer,
    }
    file.write_text(json.dumps(document))
    result = run(*words)
    assert result.exit_code == 1, result.output
    assert "Everything holds" not in result.output
    (deployment,) = json.loads(run(*words, "--format", "json").stdout)["deployments"]
    (failure,) = deployment["failures"]
    assert failure.startswith("cannot be proved: ")
    assert "aws_vpc_security_group_ingress_rule.by_hand" in failure
    assert unknown in failure


@pytest.mark.parametrize(
    ("group", "code"),
    [
        ("${ aws_security_group.expressway-c_single.id }", 1),
        ('${aws_security_group.expressway-c_single["id"]}', 1),
        ("%{ if true }${aws_security_group.expressway-c_single.id}%{ endif }", 1),
        ("${local.group}", 1),
    ],
)
def test_a_hand_made_rule_of_our_group_is_ours_however_it_is_written(
    group: str, code: int, tmp_path: Path
) -> None:
    from flowbridge.stacks.pipeline import check

    document = json.loads(json.dumps(check(Path(EXAMPLE)).built.document))
    document["resource"]["aws_vpc_security_group_ingress_rule"]["by_hand"] = {
        "security_group_id": group,
        "ip_protocol": "-1",
        "cidr_ipv4": "0.0.0.0/0",
    }
    file = tmp_path / "cdk.tf.json"
    file.write_text(json.dumps(document))
    result = run("check", EXAMPLE, "--synthesized", str(file))
    assert result.exit_code == code, result.output
    assert "aws_vpc_security_group_ingress_rule.by_hand" in result.output


def test_a_dash_is_stdout_and_json_stays_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = run("report", EXAMPLE, "-o", "-")
    assert page.stdout.startswith("<!doctype html>"), page.stdout[:80]
    assert page.stdout.rstrip().endswith("</html>")
    answer = json.loads(run("report", EXAMPLE, "-o", "-", "--format", "json").stdout)
    told = {"provenance": provenance()}
    assert answer == {"written": None, "holds": True, "content": page.stdout, **told}
    first = run("init", "-o", "-").stdout
    assert first.splitlines()[0].startswith("#")
    answer = json.loads(run("init", "-o", "-", "--format", "json").stdout)
    assert answer == {"written": None, "content": first, **told}
    assert list(tmp_path.iterdir()) == []


def test_a_report_without_a_name_is_refused() -> None:
    result = run("report", EXAMPLE, "-o", "")
    assert result.exit_code == 2
    assert "-o names no file" in result.stderr
