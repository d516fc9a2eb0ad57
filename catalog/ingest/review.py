"""A comparison as a review: what a person decides before anything enters the catalog.

`review(...)` is plain data for a YAML file; every change in it has `accept: null`. `accepted(...)`
reads it back: with all decided, the edition's file and its entry for `documents.yaml`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from flowbridge.catalog.edition import EditionRows
from flowbridge.catalog.ingest.compare import Comparison, Found
from flowbridge.catalog.ingest.reading import read_row
from flowbridge.catalog.load import Catalog
from flowbridge.catalog.reading.located_model import as_model
from flowbridge.catalog.reading.located_yaml import BadFileError, Problem, parse_yaml, read_yaml
from flowbridge.catalog.row_id import read_row_id

CHANGED_CELLS: Final = (
    "source",
    "source_ports",
    "protocol",
    "destination",
    "destination_ports",
)


def review(comparison: Comparison, catalog: Catalog) -> dict[str, Any]:
    """Keys: `source, document, against, edition, found, tables, changes, unsure`."""
    document, edition = comparison.document, comparison.edition
    counts = {
        status: len(comparison.of(status))
        for status in ("same", "changed", "gone", "new", "unsure")
    }
    return {
        "source": comparison.source.name,
        "document": comparison.document_id,
        "title": document.title.en,
        "against": edition.id,
        "edition": {
            "id": None,
            "name": None,
            "language": edition.language,
            "date": None,
            "releases": {"first": None, "last": None},
            "address": None,
        },
        "found": counts,
        "tables": list(_tables(comparison)),
        "changes": [_change(each, catalog) for each in comparison.of("changed", "gone", "new")],
        "unsure": [
            {
                "where": each.place,
                "table": each.table or None,
                "what": _unsure(each),
                "accept": None,
            }
            for each in comparison.of("unsure")
        ],
    }


def _tables(comparison: Comparison) -> list[dict[str, Any]]:
    """The rows of each table in the order the source prints them; a new row is `new`."""
    rows: dict[int, list[int | str]] = {}
    for each in comparison.of("same", "changed", "new"):
        if each.line is not None:
            rows.setdefault(each.table, []).append(_number(each.row) if each.row else "new")
    titles = {table.number: table.title for table in comparison.source.tables}
    return [
        {"table": number, "title": titles.get(number) or f"table {number}", "rows": order}
        for number, order in sorted(rows.items())
        if number
    ]


def _number(row_id: str) -> int | str:
    """The number of a known row; one that an erratum adds is `+1`."""
    row = read_row_id(row_id)
    return row.spelled if row.added else row.number


def _change(found: Found, catalog: Catalog) -> dict[str, Any]:
    if found.line is None:
        return {"what": "gone", "row": found.row, "why": found.why or None, "accept": None}
    reading = read_row(found.line.cells, catalog.parties)
    if found.row is None:
        return {
            "what": "new",
            "table": found.table,
            "after": found.after,
            "where": found.place,
            "printed": found.line.cells,
            "reading": reading.cells,
            "look_at": list(reading.doubts),
            "accept": None,
        }
    known = catalog.entry_of_any_edition(found.row).row
    plain = known.model_dump(mode="json")
    return {
        "what": "changed",
        "row": found.row,
        "where": found.place,
        "cells": {
            name: {"printed": found.line.cells.get(name), "before": _before(plain, name)}
            for name in found.cells
        },
        "reading": {name: reading.cells[name] for name in CHANGED_CELLS if name in found.cells},
        "look_at": [doubt for doubt in reading.doubts if doubt.split(":")[0] in found.cells],
        "accept": None,
    }


def _before(row: dict[str, Any], name: str) -> Any:
    cell = row.get(name)
    if isinstance(cell, dict):
        return cell.get("printed") or cell.get("ja") or cell.get("en")
    return cell


def _unsure(found: Found) -> str:
    if found.line is None:
        return found.why
    return f"{found.why}: {' | '.join(found.line.cells.values())}"


def review_text(data: dict[str, Any]) -> str:
    """The review as the YAML file that a person edits."""
    return (
        "# Decide each change: `accept: true` takes it, `accept: false` leaves the row as the\n"
        "# other edition has it. Correct a `reading` that is not right, and fill in `edition`.\n"
        "# Then: flowbridge catalog ingest --accept THIS_FILE --into CATALOG_FOLDER\n"
        + yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=110)
    )


def review_page(data: dict[str, Any]) -> str:
    """The same for reading: Markdown."""
    found = data["found"]
    lines = [
        f"# {data['source']}: {data['title']}",
        "",
        f"Compared with the edition {data['against']!r}: "
        + ", ".join(f"{number} {status}" for status, number in found.items())
        + ".",
    ]
    for change in data["changes"]:
        lines += [
            "",
            f"## {change['what']}: {change.get('row') or 'a row of table ' + str(change['table'])}",
        ]
        if change["what"] == "changed":
            for name, cell in change["cells"].items():
                lines.append(f"- {name}: {cell['before']!r} is now {cell['printed']!r}")
        elif change["what"] == "new":
            lines.append(f"- {' | '.join(change['printed'].values())} ({change['where']})")
        lines += [f"- look at {doubt}" for doubt in change.get("look_at", ())]
    if data["unsure"]:
        lines += ["", "## Unsure"]
        lines += [f"- {each['where']}: {each['what']}" for each in data["unsure"]]
    return "\n".join(lines) + "\n"


def accepted(path: Path, catalog: Catalog) -> tuple[str, str, str]:
    """What a decided review writes: the edition's file (below the catalog), its text, and the
    edition's entry for `documents.yaml`. BadFileError names all that is undecided or wrong."""
    located = read_yaml(path)
    data: Any = located.data
    if not isinstance(data, dict) or "changes" not in data or "edition" not in data:
        message = "this is no review; `flowbridge catalog ingest SOURCE` writes one"
        raise BadFileError([Problem(str(path), 1, "", message)])
    faults = [
        located.problem((part, index, "accept"), "write true or false")
        for part in ("changes", "unsure")
        for index, each in enumerate(data[part])
        if not isinstance(each.get("accept"), bool)
    ]
    edition = data["edition"]
    wanted = ("id", "name", "language", "date", "address")
    faults += [
        located.problem(("edition", key), "fill this in")
        for key in wanted
        if not isinstance(edition.get(key), str) or not edition[key].strip()
    ]
    releases = edition.get("releases") or {}
    faults += [
        located.problem(("edition", "releases", key), "fill this in")
        for key in ("first", "last")
        if not isinstance(releases.get(key), str)
    ]
    if faults:
        raise BadFileError(faults)
    slug = "".join(
        c for c in edition["id"].lower().replace("(1)", ".1") if c.isalnum() or c in ".-"
    )
    file = f"{data['document']}/editions/{slug}.yaml"
    text = yaml.safe_dump(_edition(data, catalog), allow_unicode=True, sort_keys=False, width=110)
    as_model(parse_yaml(text, str(path)), EditionRows)
    entry = {**{key: edition[key] for key in wanted}, "releases": releases, "file": file}
    return file, text, yaml.safe_dump([entry], allow_unicode=True, sort_keys=False, width=110)


def _edition(data: dict[str, Any], catalog: Catalog) -> dict[str, Any]:
    tables: dict[int, dict[str, Any]] = {}
    for table in data["tables"]:
        known = {"table": table["table"], "title": table["title"], "rows": []}
        tables[table["table"]] = {**known, "gone": [], "new": [], "changed": []}
    number = {
        table["table"]: _highest(catalog, data["document"], table["table"])
        for table in data["tables"]
    }
    new = {
        table["table"]: iter(
            [c for c in data["changes"] if c["what"] == "new" and c["table"] == table["table"]]
        )
        for table in data["tables"]
    }
    for table in data["tables"]:
        here = tables[table["table"]]
        for row in table["rows"]:
            if row != "new":
                here["rows"].append(row)
                continue
            change = next(new[table["table"]])
            if change["accept"]:
                number[table["table"]] += 1
                here["rows"].append(number[table["table"]])
                here["new"].append({"row": number[table["table"]], **change["reading"]})
    for change in data["changes"]:
        if change["what"] == "new":
            continue
        row = read_row_id(change["row"])
        here = tables.setdefault(
            row.table,
            {
                "table": row.table,
                "title": f"table {row.table}",
                "rows": [],
                "gone": [],
                "new": [],
                "changed": [],
            },
        )
        if change["what"] == "gone":
            here["gone" if change["accept"] else "rows"].append(row.number)
        elif change["accept"] and change["reading"]:
            here["changed"].append({"row": row.number, **change["reading"]})
    kept = [{key: part for key, part in table.items() if part != []} for table in tables.values()]
    for table in kept:
        table.setdefault("rows", [])
    return {
        "document": data["document"],
        "edition": data["edition"]["id"],
        "against": data["against"],
        "tables": sorted(kept, key=lambda table: table["table"]),
    }


def _highest(catalog: Catalog, document: str, table: int) -> int:
    """The highest number that any edition has given to a row of a table."""
    own = catalog.table(document, table)
    closed = [
        e.row.row
        for e in catalog.closed_entries()
        if (e.table.document, e.table.table) == (document, table)
    ]
    return max([row.row for row in own.rows] + closed)


def with_edition(documents: str, document: str, entry: str) -> str:
    """The text of `documents.yaml` with an edition more at the end of a document's."""
    lines = documents.split("\n")
    start = next(index for index, line in enumerate(lines) if line == f"{document}:")
    end = next(
        (
            i
            for i in range(start + 1, len(lines))
            if lines[i] and not lines[i].startswith((" ", "#"))
        ),
        len(lines),
    )
    while end > start and not lines[end - 1].strip():
        end -= 1
    new = ["    " + line for line in entry.rstrip("\n").split("\n")]
    return "\n".join([*lines[:end], *new, *lines[end:]])
