"""Facts about the documents' texts, kept so that no test needs the texts themselves.

`python -m tests.catalog.facts FOLDER` writes `facts.json` (and `digest.json`) from the five texts
in FOLDER, after it has checked every row, quotation and statement against them:

- `quotes`: a hash for each piece of text that the catalog quotes, with its edition and line;
- `chapters`: for each row that a chapter published by itself prints too, its ports, its protocol,
  its brackets, and a hash of each cell without footnote marks and white space.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from flowbridge.catalog.guide_rule import guide
from flowbridge.catalog.load import load
from tests.catalog import documents
from tests.catalog.comparison import numbers

FILE: Final = Path(__file__).with_name("facts.json")
CHAPTERS: Final = {"mra-ja": 14, "meeting-server-ja": 23, "meeting-server-en": 23}
"""Chapters by edition, and what is added to the numbers of their tables."""
PROSE: Final = {"expressway": "X15.0", "expressway-prose": "X15.0", "cucm": "ja"}

Quote = tuple[str, str, int, str]
"""Document, edition, line, and the words."""


def plain(text: str) -> str:
    return documents.single_spaced(text).replace("*", "")


def unmarked(text: str) -> str:
    """Without footnote marks and white space; both depend on the edition's layout."""
    return re.sub(r"<sup>.*?</sup>|[¹²³⁴⁵⁶⁷⁸⁹⁰]+|\^\{.*?\}|\s+", "", text)


def hashed(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:12]


def evidence() -> Iterator[tuple[str, Quote]]:
    """Every quotation of an erratum, with the erratum's id."""
    for entry in load().entries():
        for erratum in (*entry.row.errata, *filter(None, [entry.added])):
            for proof in erratum.evidence:
                if proof.line is not None:
                    quote = (proof.document, proof.edition, proof.line, plain(proof.quote))
                    yield erratum.id, quote


def footnotes() -> Iterator[tuple[str, Quote]]:
    for table in load().tables:
        for note in table.notes:
            if note.text.ja is not None and table.document in PROSE:
                where = f"{table.document}/{table.table} line {note.line}"
                text = plain(note.text.ja).lstrip("- ")
                yield where, (table.document, PROSE[table.document], note.line, text)


def statements() -> Iterator[tuple[str, Quote]]:
    """The sentences of the guide rules, in the editions that print them."""
    for name, rule in guide().root.items():
        places = [(rule.source, rule.statement.ja), (rule.english, rule.statement.en)]
        for place, text in places:
            if place is not None and place.line is not None and text is not None:
                yield name, (place.document, place.edition, place.line, plain(text))


def quotes() -> list[tuple[str, Quote]]:
    return [*evidence(), *footnotes(), *statements()]


@cache
def facts() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def unquoted() -> list[str]:
    """What is quoted and was never seen in the texts."""
    known = set(facts()["quotes"])
    return [f"{name}: {quote}" for name, quote in quotes() if hashed(*quote) not in known]


# --- Written from the texts ---------------------------------------------------------------------


@cache
def _lines(text: str) -> list[str]:
    whole = (documents.FOLDER / text).read_text(encoding="utf-8")
    return [plain(line) for line in whole.split("\n")]


def _stands(quote: Quote) -> bool:
    document, edition, line, text = quote
    lines = _lines(documents.TEXT_OF[document, edition])
    return text in " ".join(lines[line - 1 : line + 3])


def _chapter(edition: str, offset: int) -> dict[str, Any]:
    found = {}
    for number, table in documents.tables(documents.TEXT_OF["expressway", edition]).items():
        for index, row in enumerate(table.rows, 1):
            if "source_ports" not in row.cells:
                continue  # the defaults of table 3, and tables of other things
            found[f"expressway/{number + offset}/{index}"] = _row(row)
    return found


def _row(row: documents.PrintedRow) -> dict[str, Any]:
    cells = row.cells
    ports = {name: cells[name].replace(r"$\geq", ">=").replace("$", "") for name in cells}
    return {
        "line": row.line,
        "source_ports": sorted(numbers(ports["source_ports"])),
        "destination_ports": sorted(numbers(ports["destination_ports"])),
        "protocol": cells["protocol"],
        "bracketed": "[" in cells["destination_ports"],
        "cells": {name: hashed(unmarked(cells[name])) for name in documents.CELLS},
    }


def main() -> None:
    from tests.catalog import digest

    wrong = [f"{name}: {quote}" for name, quote in quotes() if not _stands(quote)]
    if wrong:
        sys.exit("\n".join(wrong))
    chapters = {edition: _chapter(edition, offset) for edition, offset in CHAPTERS.items()}
    guide_rows = _chapter("X15.0", 0)
    printed = {row for chapter in chapters.values() for row in chapter}
    chapters["X15.0"] = {row: guide_rows[row] for row in guide_rows if row in printed}
    known = sorted({hashed(*quote) for _, quote in quotes()})
    rows = {
        edition: "{\n"
        + ",\n".join(f"  {json.dumps(row)}: {json.dumps(fact)}" for row, fact in chapter.items())
        + "\n }"
        for edition, chapter in chapters.items()
    }
    text = ",\n ".join(f"{json.dumps(edition)}: {part}" for edition, part in rows.items())
    FILE.write_text(f'{{"quotes": {json.dumps(known)},\n"chapters": {{\n {text}\n}}}}\n', "utf-8")
    digest.main()


if __name__ == "__main__":
    os.environ["FLOWBRIDGE_DOCUMENTS"] = sys.argv[1]
    documents.FOLDER = Path(sys.argv[1])
    main()
