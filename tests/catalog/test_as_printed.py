"""Every row against the documents' text: counts, lines, cells, numbers, protocols, brackets."""

from __future__ import annotations

import pytest

from flowbridge.catalog.load import load
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.catalog.row import PortAlternative, PortCell, ProtocolCell, Row, Table
from tests.catalog import comparison, digest
from tests.catalog.documents import single_spaced

# Printed lines of each table, counted by a person.
ROWS = {
    "expressway": {
        3: 14, 4: 5, 5: 5, 6: 7, 7: 4, 8: 5, 9: 3, 10: 4, 11: 17, 12: 28, 13: 10, 14: 4, 15: 1,
        16: 7, 17: 5, 18: 18, 19: 2, 20: 10, 21: 13, 22: 14, 23: 6, 24: 13, 25: 15, 26: 12,
        27: 13, 28: 4, 29: 5, 30: 2,
    },
    "cucm": {1: 36, 2: 32, 3: 2, 4: 5, 5: 1, 6: 18, 7: 25, 8: 14, 9: 1, 10: 1, 11: 4},
}  # fmt: skip
TABLES = [(document, number) for document, tables in ROWS.items() for number in tables]


def row_faults(table: Table, row: Row, cells: dict[str, str]) -> list[str]:
    if "ports" in cells:
        return list(comparison.default_faults(row, cells))
    return list(comparison.faults(table.id_of(row), row, cells))


def test_no_table_is_missing() -> None:
    catalog = load()
    here = {(file.document, file.table) for file in catalog.files}
    missing = [
        f"{document}/{number}" for document, number in TABLES if (document, number) not in here
    ]
    assert not missing


@pytest.mark.parametrize(("document", "number"), TABLES)
def test_a_table_has_all_its_rows(document: str, number: int) -> None:
    rows = load().table(document, number).rows
    assert [row.row for row in rows] == list(range(1, ROWS[document][number] + 1))


def test_the_documents_have_the_counted_rows() -> None:
    """By what was read of the documents' texts (`digest.json`), not by the catalog."""
    for document, number in TABLES:
        assert len(digest.committed()[document][str(number)]["rows"]) == ROWS[document][number]


@pytest.mark.parametrize(("document", "number"), TABLES)
def test_printed_texts_have_the_committed_hashes(document: str, number: int) -> None:
    """The hashes are those of the documents' own texts."""
    table = load().table(document, number)
    assert digest.of_table(table) == digest.committed()[document][str(number)]


@pytest.mark.parametrize(("document", "number"), TABLES)
def test_numbers_are_those_of_the_printed_text(document: str, number: int) -> None:
    """With the hashes above, numbers are checked without the documents too."""
    table = load().table(document, number)
    found = [text for row in table.rows for text in row_faults(table, row, own_cells(table, row))]
    assert not found


def own_cells(table: Table, row: Row) -> dict[str, str]:
    """The printed cells as the catalog has them."""
    cells = {
        "purpose": single_spaced(row.purpose.ja or ""),
        "protocol": single_spaced(row.protocol.printed or ""),
        "destination_ports": single_spaced(row.destination_ports.printed or ""),
    }
    if (table.document, table.table) == ("expressway", 3):
        return {**cells, "ports": cells.pop("destination_ports")}
    if table.document != "cucm":
        cells["source_ports"] = single_spaced(row.source_ports.printed or "")
    return cells


# --- Could these tests fail? Each fault below is put into every row that it fits. ---


def shifted(cell: PortCell) -> PortCell | None:
    """The cell with the first port of its first range one higher or lower."""
    for index, part in enumerate(cell.alternatives):
        if part.ports:
            span = part.ports[0]
            first = span.first + 1 if span.first < span.last else span.first - 1
            other = PortRange(first, max(first, span.last if span.first < span.last else first))
            changed = PortAlternative(**{**dict(part), "ports": (other, *part.ports[1:])})
            parts = (*cell.alternatives[:index], changed, *cell.alternatives[index + 1 :])
            return PortCell(printed=cell.printed, alternatives=parts)
    return None


def broken(row: Row) -> dict[str, Row]:
    """The row with one thing wrong, by what is wrong."""
    out: dict[str, Row] = {}
    printed = row.destination_ports.printed or ""
    changed = shifted(row.destination_ports)
    if changed and (any(letter.isdigit() for letter in printed) or "フェメラル" in printed):
        out["a port"] = row.model_copy(update={"destination_ports": changed})
    if row.protocol.printed:
        other = Protocol.UDP if Protocol.UDP not in row.protocol.l4 else Protocol.GRE
        cell = ProtocolCell(printed=row.protocol.printed, l4=(other,))
        out["a protocol"] = row.model_copy(update={"protocol": cell})
    out["the default"] = row.model_copy(update={"enabled_by_default": not row.enabled_by_default})
    return out


@pytest.mark.parametrize(("document", "number"), TABLES)
def test_a_broken_row_is_seen(document: str, number: int) -> None:
    table = load().table(document, number)
    unseen = []
    for row in table.rows:
        cells = own_cells(table, row)
        for fault, wrong in broken(row).items():
            if fault == "the default" and "ports" in cells:
                continue  # table 3 opens nothing
            if not row_faults(table, wrong, cells):
                unseen.append(f"{table.id_of(row)}: {fault}")
    assert not unseen


def test_a_lost_moved_or_reworded_row_is_seen() -> None:
    for document, number in TABLES:
        table = load().table(document, number)
        known = digest.committed()[document][str(number)]
        row = table.rows[0]
        moved = row.model_copy(update={"line": (row.line or 0) + 1})
        renamed = row.purpose.model_copy(update={"ja": "他の目的"})
        reworded = row.model_copy(update={"purpose": renamed})
        for rows in (table.rows[1:], (moved, *table.rows[1:]), (reworded, *table.rows[1:])):
            changed = table.model_copy(update={"rows": rows})
            assert digest.of_table(changed) != known, (document, number)
