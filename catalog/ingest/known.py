"""What is known of an edition's printed cells: a short hash of each, row by row.

`catalog/printed/<document>.<edition>.json` holds no wording, only whether a cell is the one that
was read before: `{"tables": [{"table", "title", "columns", "rows": [{"row", "cells"}]}]}`. `row` is
the catalog's number of the row. `python -m flowbridge.catalog.ingest.known` writes one anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from flowbridge.catalog.ingest.source import CELLS, Line, SourceTable, single

FOLDER: Final = Path(__file__).parents[1] / "printed"


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A row of an edition: its number in the catalog, the hash of each cell by name."""

    row: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class KnownTable:
    """A table of an edition: its number in the catalog, the hashes of its title and columns."""

    document: str
    table: int
    title: str
    columns: tuple[str, ...]
    rows: tuple[KnownRow, ...]


def digest(text: str) -> str:
    """A short hash of a printed cell, white space made single."""
    return hashlib.sha256(single(text).encode()).hexdigest()[:10]


def cells_of(line: Line) -> dict[str, str]:
    """The hash of each cell of a printed row."""
    return {name: digest(line.cells[name]) for name in CELLS if name in line.cells}


def file_name(document: str, edition: str) -> str:
    """`cucm.12.5.1su2.json`."""
    plain = re.sub(r"[^a-z0-9.-]", "", edition.lower().replace("(1)", ".1"))
    return f"{document}.{plain}.json"


@cache
def known_tables(document: str, edition: str) -> tuple[KnownTable, ...]:
    """What is known of an edition; empty where its cells were never read."""
    path = FOLDER / file_name(document, edition)
    if not path.is_file():
        return ()
    data = json.loads(path.read_text("utf-8"))
    return tuple(
        KnownTable(
            document,
            table["table"],
            table["title"],
            tuple(table["columns"]),
            tuple(KnownRow(row["row"], row["cells"]) for row in table["rows"]),
        )
        for table in data["tables"]
    )


def plain_table(number: int, table: SourceTable, rows: list[int]) -> dict[str, Any]:
    """A table of a source as it is kept; `rows` are the catalog's numbers of its lines."""
    return {
        "table": number,
        "title": digest(table.title),
        "columns": list(table.columns),
        "rows": [
            {"row": row, "cells": cells_of(line)}
            for row, line in zip(rows, table.lines, strict=True)
        ],
    }


def known_text(tables: list[dict[str, Any]]) -> str:
    """The file of an edition, one row a line."""
    parts = []
    for table in tables:
        head = {key: table[key] for key in ("table", "title", "columns")}
        rows = ",\n".join(f"   {json.dumps(row)}" for row in table["rows"])
        parts.append(f'  {json.dumps(head)[:-1]}, "rows": [\n{rows}]}}')
    return '{"tables": [\n' + ",\n".join(parts) + "\n]}\n"
