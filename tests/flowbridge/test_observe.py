"""`flowbridge observe`: facts planted in logs of every format are found, and no false one."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from flowbridge.cli import flowbridge

ROOT = Path(__file__).parents[2]
AT = 1_764_230_000
EDGE, CORE = "10.0.1.11", "10.0.10.11"


class Line(NamedTuple):
    source: str
    destination: str
    source_port: int
    port: int
    protocol: int
    accepted: bool


# What is planted, and what has to be found of it.
PLANTED = (
    Line("198.18.5.5", EDGE, 40000, 3478, 17, True),  # TURN, used
    Line(EDGE, "198.18.5.5", 3478, 40000, 17, True),  # ... and its answer
    Line("198.18.5.6", EDGE, 40001, 22, 6, False),  # a scan
    Line("198.18.5.7", EDGE, 40001, 3389, 6, True),  # let in, and nobody asks for it
    Line("10.9.0.5", CORE, 50000, 22, 6, False),  # an administrator who is refused
    Line("172.16.0.1", "172.16.0.2", 1, 2, 6, True),  # others
)


def aws(lines: Iterable[Line]) -> str:
    rows = [
        f"2 1 eni-1 {x.source} {x.destination} {x.source_port} {x.port} {x.protocol} 1 60 {AT} "
        f"{AT + 60} {'ACCEPT' if x.accepted else 'REJECT'} OK"
        for x in lines
    ]
    return "\n".join([*rows, f"2 1 eni-1 - - - - - - - {AT} {AT + 60} - NODATA"]) + "\n"


def aws_fields(lines: Iterable[Line]) -> str:
    """Fields in an order of their own; behind a NAT gateway the packet has the host's address."""
    rows = [
        f"{'ACCEPT' if x.accepted else 'REJECT'} {x.port} {x.source_port} {x.protocol} 9.9.9.9 "
        f"{x.destination} {x.source} {AT}"
        for x in lines
    ]
    return "\n".join(["action dstport srcport protocol srcaddr dstaddr pkt-srcaddr start", *rows])


def azure_network(lines: Iterable[Line]) -> str:
    tuples = [
        f"{AT}000,{x.source},{x.destination},{x.source_port},{x.port},{x.protocol},I,"
        f"{'B' if x.accepted else 'D'},NX,1,60,1,60"
        for x in lines
    ]
    group = {"rule": "any", "flowTuples": tuples}
    flows = {"flows": [{"aclID": "x", "flowGroups": [group]}]}
    return json.dumps({"records": [{"time": "t", "flowRecords": flows}]})


def azure_nsg(lines: Iterable[Line]) -> str:
    tuples = [
        f"{AT},{x.source},{x.destination},{x.source_port},{x.port},"
        f"{'T' if x.protocol == 6 else 'U'},I,{'A' if x.accepted else 'D'},B,,,,"
        for x in lines
    ]
    flows = [{"rule": "any", "flows": [{"mac": "x", "flowTuples": tuples}]}]
    return json.dumps({"records": [{"time": "t", "properties": {"Version": 2, "flows": flows}}]})


def google_rules(lines: Iterable[Line]) -> str:
    return "\n".join(
        json.dumps(
            {
                "timestamp": "2025-11-27T08:00:00.5Z",
                "jsonPayload": {
                    "disposition": "ALLOWED" if x.accepted else "DENIED",
                    "connection": {
                        "src_ip": x.source,
                        "dest_ip": x.destination,
                        "src_port": x.source_port,
                        "dest_port": x.port,
                        "protocol": x.protocol,
                    },
                },
            }
        )
        for x in lines
    )


FORMATS: dict[str, Callable[[Iterable[Line]], str]] = {
    "aws": aws,
    "aws with fields": aws_fields,
    "azure network": azure_network,
    "azure nsg": azure_nsg,
    "google": google_rules,
}


def observe(*words: str | Path) -> tuple[int, dict[str, Any]]:
    file = str(ROOT / "examples" / "emea-edge.yaml")
    named = [str(word) for word in words]
    result = CliRunner().invoke(flowbridge, ["observe", file, *named, "--format", "json"])
    found: dict[str, Any] = json.loads(result.stdout)
    return result.exit_code, found


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("form", FORMATS)
def test_what_is_planted_is_found(tmp_path: Path, form: str, packed: bool) -> None:
    file = tmp_path / "it's a [log].txt"
    content = FORMATS[form](PLANTED).encode()
    file.write_bytes(gzip.compress(content) if packed else content)
    code, found = observe("--logs", file)
    assert code == 1
    assert found["log"]["records"] == len(PLANTED)
    assert found["log"]["of_others"] == 1
    assert {each["row"] for each in found["used"]} == {"expressway/11/14", "expressway/16/6"}
    assert {each["records"] for each in found["used"]} == {2}
    (refused,) = found["refused"]
    assert (refused["interface"], refused["rows"]) == ("expressway-c/single", ["expressway/5/1"])
    (let_in,) = found["let_in"]
    assert "198.18.5.7" in let_in["example"]
    assert let_in["by"] == "no rule of ours"
    assert found["noise"]["records"] == 1
    assert found["conclusive"]
    assert "expressway/11/14" not in {each["row"] for each in found["never_seen"]}


def test_damage_is_counted_and_proves_nothing(tmp_path: Path) -> None:
    text = aws(PLANTED[:2])
    bad = ["2 1 eni-1 here there 1 2 6 1 60 1 2 ACCEPT OK", "2 broken", "2 1 eni-1 10.0.1.11"]
    (tmp_path / "a.log").write_text(text + "\n".join(bad) + "\n", "utf-8")
    (tmp_path / "notes.txt").write_text("hello\n", "utf-8")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(text.encode())[:-9])
    code, found = observe("--logs", tmp_path)
    assert found["log"]["damaged"] == len(bad)
    assert len(found["log"]["unread"]) == 2
    assert not found["conclusive"]
    assert code == 2


def test_a_sampled_log_and_skipped_intervals_prove_no_absence(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text(aws(PLANTED[:2]), "utf-8")
    assert observe("--logs", file)[1]["conclusive"]
    assert not observe("--logs", file, "--sampled")[1]["conclusive"]
    skipped = f"2 1 eni-1 - - - - - - - {AT} {AT + 60} - SKIPDATA\n"
    file.write_text(aws(PLANTED[:2]) + skipped, "utf-8")
    assert not observe("--logs", file)[1]["conclusive"]
    unsampled = google_rules(PLANTED[:2])
    flows = unsampled.replace('"disposition": "ALLOWED", ', "")
    file.write_text(flows, "utf-8")
    assert not observe("--logs", file)[1]["conclusive"]


def test_parquet_is_read(tmp_path: Path) -> None:
    import duckdb

    rows = ", ".join(
        f"('{x.source}', '{x.destination}', {x.source_port}, {x.port}, {x.protocol}, "
        f"'{'ACCEPT' if x.accepted else 'REJECT'}', {AT}, {AT + 60})"
        for x in PLANTED
    )
    file = tmp_path / "a.parquet"
    duckdb.sql(
        f"COPY (SELECT * FROM (VALUES {rows}) v(srcaddr, dstaddr, srcport, dstport, protocol, "  # noqa: S608
        f"action, start, \"end\")) TO '{file}'"
    )
    code, found = observe("--logs", file)
    assert code == 1
    assert {each["row"] for each in found["used"]} == {"expressway/11/14", "expressway/16/6"}
    assert len(found["refused"]) == len(found["let_in"]) == 1


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    code, found = observe("--logs", tmp_path / "nowhere")
    assert code == 2
    assert "no such file or folder" in found["problems"][0]["message"]
    assert observe("--logs", tmp_path)[0] == 2  # an empty folder


def test_features_at_work_and_rules_without_use_are_told_with_evidence(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    core = Line("10.0.10.11", "10.0.2.11", 25500, 7001, 6, True)
    file.write_text(aws([*PLANTED, core]), "utf-8")
    found = observe("--logs", file)[1]
    features = {each["id"]: each for each in found["features"]}
    assert features["sip-calls/turn"]["sighting"] == "in part"
    assert features["mra/call-media"]["sighting"] == "never seen"
    closable = {each["rule"]: each for each in found["could_be_closed"]}
    used = {each["row"] for each in found["used"]}
    assert closable
    assert not used & {row for each in closable.values() for row in each["rows"]}
    # What the log has no records of proves nothing, and is named.
    assert "cucm/single" in found["silent"]
    assert "cucm/single" not in {each["interface"] for each in closable.values()}
    assert "expressway/18/3" not in {
        each["row"] for each in found["not_told"]
    }  # seen at Expressway-C
    sampled = observe("--logs", file, "--sampled")[1]
    assert sampled["could_be_closed"] == sampled["never_seen"] == []
    assert {each["sighting"] for each in sampled["features"]} <= {
        "at work",
        "in part",
        "cannot be told",
    }


def test_a_heading_in_the_middle_and_texts_in_the_place_of_numbers_are_no_records(
    tmp_path: Path,
) -> None:
    """Joined files; such a file is read line by line, and what is right in it counts."""
    file = tmp_path / "a.log"
    fields = aws_fields(PLANTED)
    file.write_text(f"{fields}\n{fields}\nACCEPT x y 6 9.9.9.9 {EDGE} 1.2.3.4 {AT}\n", "utf-8")
    log = observe("--logs", file)[1]["log"]
    assert (log["records"], log["damaged"]) == (2 * len(PLANTED), 1)
