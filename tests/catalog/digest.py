"""A digest of the printed rows, for where the documents are not at hand.

`python -m tests.catalog.digest` writes `digest.json` from the documents' text. Each row is its
line and a hash of its printed cells; the catalog's printed texts give the same hashes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from flowbridge.catalog.row import Row, Table
from tests.catalog import documents

FILE = Path(__file__).with_name("digest.json")
TEXTS = {"expressway": documents.GUIDE, "cucm": documents.UNIFIED_CM}
FIRST_TABLE = {"expressway": 3, "cucm": 1}  # 1 and 2 of the guide are its history and its links


def of_documents() -> dict[str, Any]:
    """From the documents' text alone."""
    return {
        document: {
            str(number): {
                "line": table.line,
                "title": _hash(table.title),
                "rows": [[row.line, _hash(_printed(row.cells))] for row in table.rows],
            }
            for number, table in documents.tables(text).items()
            if number >= FIRST_TABLE[document]
        }
        for document, text in TEXTS.items()
    }


def of_table(table: Table) -> dict[str, Any]:
    """The same from a table of the catalog."""
    title = documents.single_spaced(table.title.ja or "")
    rows = [[row.line, _hash(_of_row(table, row))] for row in table.rows]
    return {"line": table.line, "title": _hash(title), "rows": rows}


def _printed(cells: dict[str, str]) -> dict[str, str]:
    """Table 3 has details in a column of their own, which the catalog keeps as notes."""
    if "ports" not in cells:
        return cells
    return {name: cells[name] for name in ("protocol", "purpose", "ports")}


def _of_row(table: Table, row: Row) -> dict[str, str]:
    texts = {
        "purpose": row.purpose.ja,
        "source": row.source.printed,
        "source_ports": row.source_ports.printed,
        "protocol": row.protocol.printed,
        "destination": row.destination.printed,
        "destination_ports": row.destination_ports.printed,
    }
    if (table.document, table.table) == ("expressway", 3):
        texts["ports"] = texts["destination_ports"]
        wanted: tuple[str, ...] = ("protocol", "purpose", "ports")
    elif table.document == "cucm":
        wanted = tuple(name for name in documents.CELLS if name != "source_ports")
    else:
        wanted = documents.CELLS
    return {name: documents.single_spaced(texts[name] or "") for name in wanted}


def _hash(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def committed() -> dict[str, Any]:
    digest: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return digest


def main() -> None:
    text = json.dumps(of_documents(), indent=1)
    FILE.write_text(
        text.replace("[\n     ", "[").replace(",\n     ", ", ").replace("\n    ]", "]") + "\n"
    )


if __name__ == "__main__":
    main()
