"""The port tables of the five documents, parsed from their text with no help from the catalog.

No test needs the texts: `python -m tests.catalog.facts FOLDER` writes what tests compare with.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(os.environ.get("FLOWBRIDGE_DOCUMENTS", "."))

GUIDE = "001_b4226a9559fa8c24.txt"
UNIFIED_CM = "004_f5a05621c64c5648.txt"
MEETING_SERVER_JA = "000_3105cb600debda6c.txt"
MEETING_SERVER_EN = "003_799017b7f3e6b0c8.txt"
MRA_JA = "002_6d8799634c37b64d.txt"

TEXT_OF = {
    ("expressway", "X15.0"): GUIDE,
    ("expressway-prose", "X15.0"): GUIDE,
    ("expressway", "mra-ja"): MRA_JA,
    ("expressway", "meeting-server-ja"): MEETING_SERVER_JA,
    ("expressway", "meeting-server-en"): MEETING_SERVER_EN,
    ("cucm", "ja"): UNIFIED_CM,
}
"""The text of an edition, by document and edition."""

CELLS = ("purpose", "source", "source_ports", "protocol", "destination", "destination_ports")

CAPTION = re.compile(r"^[*]*(?:表|Table) (\d+)\s*: (.*?)[*]*$")
HEADINGS = {"目的", "送信元（送信者）", "プロトコル", "Purpose"}

SECOND_HEADINGS = {"送信元IP", "送信先（リスナー）", "用途", "Src. IP"}


@dataclass(frozen=True)
class PrintedRow:
    """One printed line: where it stands and its cells by name, white space made single."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class PrintedTable:
    number: int
    line: int
    title: str
    rows: tuple[PrintedRow, ...]


def single_spaced(text: str) -> str:
    return " ".join(text.replace("<br>", " ").split())


@cache
def tables(name: str) -> dict[int, PrintedTable]:
    """The tables of one text by printed number; only rows of tables with ports have cells."""
    found: dict[int, tuple[int, str, list[PrintedRow]]] = {}
    current: list[PrintedRow] | None = None
    for line, text in enumerate((FOLDER / name).read_text(encoding="utf-8").split("\n"), start=1):
        caption = CAPTION.match(text)
        if caption:
            current = []
            found[int(caption[1])] = (line, single_spaced(caption[2]), current)
            continue
        parts = _split(text)
        if current is None or len(parts) < 2 or _is_heading(parts):
            continue
        current.append(PrintedRow(line, _cells(parts, current, name)))
    return {
        number: PrintedTable(number, line, title, tuple(rows))
        for number, (line, title, rows) in found.items()
    }


def _is_heading(parts: list[str]) -> bool:
    """The names of the columns, repeated on each page, and the rule below them."""
    names = parts[0] in HEADINGS and parts[1] in SECOND_HEADINGS
    return names or set("".join(parts)) <= set("-|")


def _split(text: str) -> list[str]:
    if text.startswith("|"):
        return [single_spaced(part) for part in text.strip().strip("|").split("|")]
    return [single_spaced(part) for part in text.split("\t")]


def _cells(parts: list[str], above: list[PrintedRow], name: str) -> dict[str, str]:
    if name == UNIFIED_CM:
        return _unified_cm(parts, above)
    if len(parts) == 4:  # table 3: protocol, purpose, range, detail
        protocol, purpose, ports, detail = parts
        return {"protocol": protocol, "purpose": purpose, "ports": ports, "detail": detail}
    if len(parts) == 6:
        return dict(zip(CELLS, parts, strict=True))
    return {}


def _unified_cm(parts: list[str], above: list[PrintedRow]) -> dict[str, str]:
    """Source, destination, port / protocol, purpose. A cell may span this line and that above."""
    source, destination, ports, purpose = (*parts, "", "", "", "")[:4]
    if above:
        last = above[-1].cells
        if not source and not destination:
            source, destination = last["source"], last["destination"]
        ports = ports or last["destination_ports"]
        purpose = purpose or last["purpose"]
    printed = re.search(r"(?:/\s*|\d )(TCP および UDP|TCP|UDP|HTTPS|セキュア WebSocket)", ports)
    return {
        "purpose": purpose,
        "source": source,
        "protocol": printed[1] if printed else "",
        "destination": destination,
        "destination_ports": ports,
    }
