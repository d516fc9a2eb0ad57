"""Ingesting: known documents are found cell for cell, and nothing that changed passes in silence.

The sources are made from the catalog's own printed cells, flattened line by line as a viewer copies
them, so that nothing outside the repository is needed. What is known of the documents' own texts
are the hashes in `catalog/printed`.
"""

from __future__ import annotations

import html
import json
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from flowbridge.catalog.document import Documents
from flowbridge.catalog.edition import EditionRows
from flowbridge.catalog.ingest.compare import Comparison, compare
from flowbridge.catalog.ingest.known import known_tables
from flowbridge.catalog.ingest.source import UnreadableSourceError, read_source
from flowbridge.catalog.load import ROOT, load
from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.row import Row, Table
from flowbridge.cli import flowbridge

Printed = list[list[str]]
"""A table: its heading, then its rows."""

HEADINGS = {
    "expressway": ["目的", "送信元IP", "送信元ポート", "プロトコル", "宛先IP", "宛先ポート"],
    "cucm": ["送信元（送信者）", "送信先（リスナー）", "宛先ポート", "目的"],
}
TABLES = {"expressway": range(4, 31), "cucm": range(1, 12)}


def cells(document: str, row: Row) -> list[str]:
    purpose = row.purpose.ja or ""
    source, destination = row.source.printed or "", row.destination.printed or ""
    ports = row.destination_ports.printed or ""
    if document == "cucm":
        return [source, destination, ports, purpose]
    middle = [row.source_ports.printed or "", row.protocol.printed or ""]
    return [purpose, source, *middle, destination, ports]


def printed(document: str) -> dict[str, Printed]:
    """Every table of a document by its caption."""
    found: dict[str, Printed] = {}
    for number in TABLES[document]:
        table: Table = load().table(document, number)
        rows = [cells(document, row) for row in table.rows]
        found[f"表 {number}: {table.title.ja}"] = [HEADINGS[document], *rows]
    return found


def flattened(tables: dict[str, Printed]) -> str:
    lines = []
    for caption, rows in tables.items():
        lines += [caption, "", *("\t".join(row) for row in rows), ""]
    return "\n".join(lines)


def ingested(folder: Path, text: str, name: str = "guide.txt") -> Comparison:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return compare(read_source(path))


# What the catalog keeps no printed cells of: the details of table 3, sentences outside of tables.
NOT_PRINTED_HERE = {"expressway": ("expressway/3/", "expressway-prose/")}


def shown(comparison: Comparison) -> Counter[tuple[str, str | None, str]]:
    """Everything that is not the same, but what these sources cannot have."""
    left_out = NOT_PRINTED_HERE.get(comparison.document_id, ())
    return Counter(
        (each.status, each.row, each.why)
        for each in comparison.found
        if each.status != "same" and not (each.row or "").startswith(left_out or "-")
    )


@pytest.mark.parametrize("document", sorted(TABLES))
def test_a_known_document_is_found_cell_for_cell(tmp_path: Path, document: str) -> None:
    comparison = ingested(tmp_path, flattened(printed(document)))
    assert (comparison.document_id, comparison.edition.id) == (
        document,
        {"expressway": "X15.0", "cucm": "ja"}[document],
    )
    assert not shown(comparison)
    rows = sum(len(table) - 1 for table in printed(document).values())
    assert len(comparison.of("same")) == rows


def test_every_row_of_every_edition_is_known_by_its_cells() -> None:
    """At least 97 %, says the promise; these are all."""
    for document, edition, rows in (
        ("expressway", "X15.0", 246),
        ("expressway-prose", "X15.0", 3),
        ("expressway", "mra-ja", 33),
        ("expressway", "meeting-server-ja", 53),
        ("expressway", "meeting-server-en", 53),
        ("cucm", "ja", 139),
        ("cucm", "14", 135),
        ("cucm", "15", 135),
    ):
        known = known_tables(document, edition)
        assert sum(len(table.rows) for table in known) == rows, (document, edition)


def mutated(tables: dict[str, Printed], chance: random.Random) -> tuple[str, dict[str, Printed]]:
    """The tables with one thing changed, and what it is."""
    caption = chance.choice(sorted(tables))
    rows = [list(row) for row in tables[caption]]
    kind = chance.choice(
        ["a cell", "a digit", "a dropped row", "a split row", "swapped cells", "swapped columns",
         "a row twice", "an empty cell", "another caption"]
    )  # fmt: skip
    at = chance.randrange(1, len(rows))
    row = rows[at]
    full = [index for index, cell in enumerate(row) if cell]
    column = chance.choice(full)
    changed = dict(tables)
    match kind:
        case "a cell":
            row[column] += " 別"
        case "a digit":
            digits = [i for i in full if any(c.isdigit() for c in row[i])]
            if not digits:
                row[column] += "1"
            else:
                text = row[digits[0]]
                place = next(i for i, c in enumerate(text) if c.isdigit())
                row[digits[0]] = f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}"
        case "a dropped row":
            del rows[at]
        case "a split row":
            cut = chance.randrange(1, len(row))
            rows[at : at + 1] = [row[:cut], row[cut:]]
        case "swapped cells":
            other = next((i for i in range(len(row)) if row[i] != row[column]), None)
            if other is None:
                row[column] += "x"
            else:
                row[column], row[other] = row[other], row[column]
        case "swapped columns":
            for each in rows:
                each[0], each[1] = each[1], each[0]
        case "a row twice":
            rows.insert(at, list(row))
        case "an empty cell":
            row[column] = "" if len(full) > 1 and len(row) == 6 else row[column] + "?"
        case _:
            changed = {f"{k} (改)" if k == caption else k: v for k, v in tables.items()}
            return f"{kind} in {caption}", changed
    changed[caption] = rows
    return f"{kind} in {caption}, row {at}", changed


@pytest.mark.parametrize("document", sorted(TABLES))
def test_no_mutation_of_a_source_passes_in_silence(tmp_path: Path, document: str) -> None:
    tables = printed(document)
    chance = random.Random(14)  # noqa: S311 - the same 110 each time
    unseen, kinds = [], set()
    for _ in range(110):
        what, changed = mutated(tables, chance)
        kinds.add(what.split(" in ")[0])
        if not shown(ingested(tmp_path, flattened(changed))):
            unseen.append(what)
    assert not unseen
    assert len(kinds) == 9


def test_what_changed_is_said_cell_by_cell(tmp_path: Path) -> None:
    tables = printed("cucm")
    caption = next(iter(tables))
    del tables[caption][22]  # cucm/1/22
    tables[caption][3] = [*tables[caption][3][:2], "444 / TCP", tables[caption][3][3]]
    tables[caption].append(["Unified Communications Manager", "ＩＭ", "9999 / TCP", "新しい行"])
    comparison = ingested(tmp_path, flattened(tables))
    (changed,) = comparison.of("changed")
    assert (changed.row, changed.cells) == ("cucm/1/3", ("destination_ports",))
    assert [each.row for each in comparison.of("gone")] == ["cucm/1/22"]
    (new,) = comparison.of("new")
    assert new.after == "cucm/1/36"


def run(*words: str) -> tuple[int, str]:
    result = CliRunner(env={"COLUMNS": "120", "NO_COLOR": "1"}).invoke(flowbridge, list(words))
    return result.exit_code, result.output


def test_nothing_enters_the_catalog_without_a_persons_accept(tmp_path: Path) -> None:
    tables = printed("cucm")
    caption = next(iter(tables))
    del tables[caption][22]
    tables[caption].append(
        ["Unified Communications Manager", "謎のサーバー", "9999 / TCP", "新しい行"]
    )
    source = tmp_path / "new.txt"
    source.write_text(flattened(tables), encoding="utf-8")
    code, said = run("catalog", "ingest", str(source), "-o", str(tmp_path / "out"))
    assert code == 1
    assert "cucm/1/22" in said
    path = tmp_path / "out" / "review.yaml"
    review = yaml.safe_load(path.read_text("utf-8"))
    assert "no party is spelled '謎のサーバー'" in str(review["changes"])
    catalog = tmp_path / "catalog"
    shutil.copytree(ROOT, catalog, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    code, said = run("catalog", "ingest", "--accept", str(path), "--into", str(catalog))
    assert code == 2
    assert "write true or false" in said
    assert "fill this in" in said
    assert not (catalog / "cucm/editions/16.yaml").exists()
    review["edition"] |= {
        "id": "16", "name": "16", "date": "2027-01", "address": "https://www.cisco.com/x",
        "releases": {"first": "16", "last": "16SU*"},
    }  # fmt: skip
    for change in review["changes"]:
        change["accept"] = change["what"] == "gone"
    path.write_text(yaml.safe_dump(review, allow_unicode=True), encoding="utf-8")
    code, said = run("catalog", "ingest", "--accept", str(path), "--into", str(catalog))
    assert code == 0, said
    edition = read_model(catalog / "cucm/editions/16.yaml", EditionRows)
    first = edition.table(1)
    assert first is not None
    assert (first.gone, 22 in first.rows, len(first.rows)) == ((22,), False, 35)
    documents = read_model(catalog / "documents.yaml", Documents).root
    assert documents["cucm"].edition("16").file == "cucm/editions/16.yaml"


def test_html_is_read_with_its_spanning_cells(tmp_path: Path) -> None:
    pytest.importorskip("bs4", reason="THE EXTRA `ingest` IS NOT INSTALLED: HTML IS NOT TESTED")
    parts = ["<!DOCTYPE html><html><body>"]
    for caption, rows in printed("cucm").items():
        parts.append(f"<table><caption>{html.escape(caption)}</caption>")
        parts += [
            "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in rows
        ]
        parts.append("</table>")
    comparison = ingested(tmp_path, "\n".join(parts), "guide.html")
    assert not shown(comparison)
    assert len(comparison.of("same")) == 139


def scan(path: Path) -> None:
    """A PDF of one page with nothing but an empty picture of it."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
    ]
    out = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer << /Size 4 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    path.write_bytes(out)


def test_a_scanned_pdf_ends_in_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip(
        "pdfplumber", reason="THE EXTRA `ingest` IS NOT INSTALLED: NO PDF IS TESTED"
    )
    path = tmp_path / "scan.pdf"
    scan(path)
    with pytest.raises(UnreadableSourceError, match="a scan"):
        read_source(path)
    path.write_bytes(b"%PDF-1.7\nnot really")
    with pytest.raises(UnreadableSourceError, match="cannot be read"):
        read_source(path)


def bad(folder: Path, kind: str) -> Path:
    path = folder / "source"
    match kind:
        case "empty":
            path.write_text(" \n")
        case "another vendor":
            rows = "\n".join(f"Any\t10.0.0.{n}\tAny\tTCP\tHost {n}\t{5000 + n}" for n in range(40))
            heading = "Purpose\tSrc. IP\tSrc. Ports\tProtocol\tDest. IP\tDest. Ports"
            path.write_text(f"Table 1: Ports\n{heading}\n{rows}\n")
        case "prose":
            path.write_text("A story without any table.\nThe end.\n")
        case "binary":
            path.write_bytes(bytes(range(256)) * 10)
        case "a folder":
            path.mkdir()
        case "huge":
            with path.open("wb") as stream:
                stream.truncate(200_000_000)
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("empty", "the file is empty"),
        ("another vendor", "another vendor's guide?"),
        ("prose", "no port table"),
        ("binary", "neither a PDF nor UTF-8"),
        ("a folder", "a folder"),
        ("huge", "200,000,000 bytes"),
        ("missing", "cannot be read"),
    ],
)
def test_bad_input_ends_in_one_clear_sentence(tmp_path: Path, kind: str, words: str) -> None:
    path = bad(tmp_path, kind)
    code, said = run("catalog", "ingest", str(path))
    assert code == 2
    assert words in said
    assert len(said.strip().splitlines()) == 1
    code, answer = run("catalog", "ingest", str(path), "--format", "json")
    assert code == 2
    assert words in json.loads(answer)["problems"][0]["message"]
