"""The export: the contract's keys for every row, in JSON and in CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from flowbridge.catalog.export import COLUMNS, export_rows, to_csv, to_json
from flowbridge.catalog.load import load
from tests.catalog.test_as_printed import ROWS

CONTRACT = (
    "id", "document", "table", "row", "title", "purpose", "source", "source_ports", "protocols",
    "protocol_printed", "destination", "destination_ports", "enabled_by_default", "notes", "errata",
    "line",
)  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in export_rows(load())}


def test_every_printed_row_is_exported_with_every_key(rows: dict[str, dict[str, Any]]) -> None:
    wanted = {
        f"{document}/{table}/{row}"
        for document, tables in ROWS.items()
        for table, count in tables.items()
        for row in range(1, count + 1)
    }
    assert {key for key in rows if not key.startswith("expressway-prose/")} == wanted
    for row in rows.values():
        assert tuple(row) == COLUMNS
        assert COLUMNS[: len(CONTRACT)] == CONTRACT
        assert row["id"] == f"{row['document']}/{row['table']}/{row['row']}"
        assert isinstance(row["title"], str)
        assert row["purpose"]["en"]
        assert row["purpose"]["ja"]


def test_every_row_opens_something_a_person_can_read(rows: dict[str, dict[str, Any]]) -> None:
    for row in rows.values():
        assert row["protocols"], row["id"]
        portless = not {"tcp", "udp"} & set(row["protocols"])
        assert bool(row["destination_ports"]) != portless, row["id"]
        for part in row["destination_ports"]:
            assert part["ports"] or part["parameter"], row["id"]


def ports(row: dict[str, Any]) -> list[str]:
    return [part["ports"] for part in row["destination_ports"]]


def test_cells_are_normalised(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["expressway/11/1"]["source_ports"] == "25000-29999"
    assert rows["expressway/11/9"]["destination_ports"][2] == {
        "ports": "36000-36010 even",
        "when": {"size": "large"},
        "parameter": "multiplexed-rtp",
    }
    assert rows["expressway/11/5"]["enabled_by_default"] is False
    assert rows["expressway/11/5"]["destination_ports"][0]["bracketed"] is True
    assert ports(rows["cucm/3/1"]) == ["389", "636", "3268", "3269"]
    assert ports(rows["cucm/2/29"]) == ["9966"]


def test_ip_protocols_and_icmp_are_not_ports(rows: dict[str, dict[str, Any]]) -> None:
    for row_id in ("cucm/7/1", "cucm/7/2"):
        assert set(rows[row_id]["protocols"]) == {"gre", "esp", "ah"}
        assert rows[row_id]["destination_ports"] == []
        assert rows[row_id]["source_ports"] is None
    for row_id in ("cucm/2/1", "cucm/2/2"):
        assert (rows[row_id]["protocols"], rows[row_id]["icmp_types"]) == (["icmp"], [8])
        assert rows[row_id]["destination_ports"] == []


def test_a_row_without_a_printed_protocol_says_so(rows: dict[str, dict[str, Any]]) -> None:
    """Which is used, and why, is in its errata."""
    silent = {key for key, row in rows.items() if row["protocol_printed"] is None}
    assert {"cucm/1/29", "cucm/2/27", "cucm/2/30", "cucm/3/2", "cucm/6/15"} <= silent
    for key in silent:
        assert rows[key]["protocols"], key
        assert rows[key]["errata"], key


def test_corrections_stand_beside_what_is_printed(rows: dict[str, dict[str, Any]]) -> None:
    row = rows["expressway/5/1"]
    assert row["destination"] is None
    assert row["corrected"]["destination_parties"] == ["expressway-c"]
    assert [erratum["id"] for erratum in row["errata"]]
    assert rows["cucm/2/5"]["corrected"]["destination_ports"] == [{"ports": "53", "when": {}}]


def test_rows_that_errata_add_are_named_and_not_counted(rows: dict[str, dict[str, Any]]) -> None:
    catalog = load()
    added = {entry.id for entry in catalog.entries() if entry.added}
    named = {part["adds"] for row in rows.values() for part in row["errata"] if "adds" in part}
    assert added
    assert named == added
    assert {row["id"] for row in export_rows(catalog, added=True)} == set(rows) | added


def test_footnotes_are_among_the_notes(rows: dict[str, dict[str, Any]]) -> None:
    assert any("32768 to 61000" in note for note in rows["cucm/1/20"]["notes"])


def test_json_and_csv_say_the_same() -> None:
    catalog = load()
    from_json = json.loads(to_json(catalog))
    from_csv = list(csv.DictReader(io.StringIO(to_csv(catalog), newline="")))
    assert len(from_json) == len(from_csv)
    for one, other in zip(from_json, from_csv, strict=True):
        for key, value in one.items():
            text = other[key]
            if isinstance(value, dict | list):
                assert json.loads(text) == value
            elif isinstance(value, bool):
                assert text == str(value).lower()
            else:
                assert text == ("" if value is None else str(value))
