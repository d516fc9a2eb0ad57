"""The question for logs in the cloud: the SQL, run on the same records, has the same answer."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import sqlglot
from click.testing import CliRunner

from flowbridge.cli import flowbridge
from tests.flowbridge.test_observe import AT, PLANTED, aws, google_rules, observe

EXAMPLE = str(Path(__file__).parents[2] / "examples" / "emea-edge.yaml")
ANSWERS = ("used", "refused", "let_in", "never_seen", "could_be_closed", "features", "silent")


def asked(sql: str, table: str) -> str:
    words = ["observe", EXAMPLE, "--sql", sql, "--table", table]
    result = CliRunner().invoke(flowbridge, words)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_athena_answers_as_the_files_do(tmp_path: Path) -> None:
    (translated,) = sqlglot.transpile(asked("athena", "logs"), read="athena", write="duckdb")
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE logs (srcaddr VARCHAR, dstaddr VARCHAR, srcport INT, dstport INT, "
        'protocol BIGINT, packets BIGINT, start BIGINT, "end" BIGINT, action VARCHAR, '
        "log_status VARCHAR)"
    )
    connection.executemany(
        "INSERT INTO logs VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, 'OK')",
        [
            (*x[:5], AT, AT + 60, "ACCEPT" if x.accepted else "REJECT")
            for x in (*PLANTED, *PLANTED[:2])
        ],
    )
    answer, whole = tmp_path / "answer.csv", tmp_path / "whole.log"
    connection.sql(translated).write_csv(str(answer), header=True)
    whole.write_text(aws([*PLANTED, *PLANTED[:2]]), "utf-8")
    from_cloud, from_file = observe("--logs", answer), observe("--logs", whole)
    assert from_cloud[0] == from_file[0] == 1
    for key in ("log", *ANSWERS):
        assert from_cloud[1][key] == from_file[1][key], key
    assert from_cloud[1]["log"]["of_others"] == 1


@pytest.mark.parametrize("sql", ["bigquery", "bigquery-firewall"])
def test_bigquery_answers_as_the_files_do(tmp_path: Path, sql: str) -> None:
    (translated,) = sqlglot.transpile(asked(sql, "logs"), read="bigquery", write="duckdb")
    connection = duckdb.connect()
    source = tmp_path / "whole.json"
    lines = PLANTED if sql == "bigquery-firewall" else [x for x in PLANTED if x.accepted]
    text = google_rules(lines)
    if sql == "bigquery":  # VPC flow logs hold what passed, and are sampled
        text = text.replace('"disposition": "ALLOWED", ', "")
    source.write_text(text, "utf-8")
    columns = (
        "connection STRUCT(src_ip VARCHAR, dest_ip VARCHAR, src_port DOUBLE, dest_port DOUBLE, "
        "protocol DOUBLE), disposition VARCHAR, packets_sent VARCHAR"
    )
    connection.execute(
        f"CREATE TABLE logs AS SELECT * FROM read_json('{source}', format='newline_delimited', "  # noqa: S608
        f"columns={{'jsonPayload': 'STRUCT({columns})', 'timestamp': 'TIMESTAMPTZ'}})"
    )
    answer = tmp_path / "answer.csv"
    connection.sql(translated).write_csv(str(answer), header=True)
    from_cloud, from_file = observe("--logs", answer)[1], observe("--logs", source)[1]
    assert from_cloud["log"] == from_file["log"]
    assert from_cloud["log"]["sampled"] == (sql == "bigquery")
    for key in ANSWERS:
        taken = [
            [{k: v for k, v in each.items() if k not in ("first", "last")} for each in found[key]]
            if key in ("used", "refused", "let_in")
            else found[key]
            for found in (from_cloud, from_file)
        ]
        assert taken[0] == taken[1], key


def test_a_name_that_is_no_table_is_refused() -> None:
    words = ["observe", EXAMPLE, "--sql", "athena", "--table", 'logs" --']
    assert CliRunner().invoke(flowbridge, words).exit_code == 2
    assert CliRunner().invoke(flowbridge, ["observe", EXAMPLE]).exit_code == 2
