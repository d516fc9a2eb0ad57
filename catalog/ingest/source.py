"""What a source prints: its tables, row by row, from PDF, HTML or text.

A text has its tables flattened line by line, cells apart by tabs or bars, as copied from a viewer;
a caption (`Table 4: ...`) stands before each, or none of them has one. Cells are kept as printed,
white space made single. What cannot be read as a row is kept apart and never dropped.
"""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from flowbridge.catalog.reading.kept_yaml import read_plain

MAX_BYTES: Final = 50_000_000
CELLS: Final = (
    "purpose",
    "source",
    "source_ports",
    "protocol",
    "destination",
    "destination_ports",
    "detail",
)
_CAPTION: Final = re.compile(r"^[*_ ]*(?:表|Table) (\d+)\s*[:：.] ?(.*?)[*_ ]*$")
_RULE: Final = re.compile(r"^[\s|:-]+$")
_MOST_COLUMNS: Final = 8
_MOST_LINES: Final = 12


class UnreadableSourceError(ValueError):
    """A source that no table can be read from; str() is one clear sentence."""


@dataclass(frozen=True, slots=True)
class Line:
    """One printed row: where it stands, and its cells by name.

    `filled` are cells that the row shares with the one above (a cell over several lines).
    """

    place: str
    cells: dict[str, str]
    filled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Unread:
    """Something in a table that is no row of it: where, and what is printed."""

    place: str
    text: str
    why: str


@dataclass(slots=True, kw_only=True)
class SourceTable:
    """A table as the source prints it; `number` is its caption's, None without a caption."""

    number: int | None
    title: str
    place: str
    columns: tuple[str, ...] = ()
    lines: list[Line] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Source:
    """Everything read from one file. `text` is what its titles are looked for in."""

    name: str
    text: str
    tables: tuple[SourceTable, ...]


@cache
def _headings() -> dict[str, str]:
    data = read_plain(Path(__file__).parents[1] / "headings.yaml")
    return {_folded(word): cell for cell, words in data.items() for word in words}


def _folded(text: str) -> str:
    return re.sub(r"\s+", "", text).casefold()


def single(text: str) -> str:
    """White space made single, line breaks of a cell too."""
    return " ".join(re.sub(r"<br\s*/?>", " ", text).split())


def read_source(path: Path) -> Source:
    """Read `path`. UnreadableSourceError says in one sentence why it cannot be."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UnreadableSourceError(f"{path}: it cannot be read: {error.strerror}") from None
    if path.is_dir():
        raise UnreadableSourceError(f"{path}: this is a folder; name a PDF, HTML or text file")
    if size > MAX_BYTES:
        raise UnreadableSourceError(
            f"{path}: it has {size:,} bytes, and at most {MAX_BYTES:,} are read; a port guide has "
            "fewer than a million"
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableSourceError(f"{path}: it cannot be read: {error.strerror}") from None
    if not content.strip():
        raise UnreadableSourceError(f"{path}: the file is empty")
    reader = _of_pdf if content.startswith(b"%PDF") else _of_characters
    found = reader(path, content)
    if not any(table.columns for table in found.tables):
        raise UnreadableSourceError(
            f"{path}: it has no port table of a known kind (no columns such as "
            "Src. IP, Src. Ports, Protocol, Dest. IP, Dest. Ports); is it another vendor's guide?"
        )
    return found


def _of_characters(path: Path, content: bytes) -> Source:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableSourceError(
            f"{path}: it is neither a PDF nor UTF-8 text or HTML; convert it to one of these"
        ) from None
    if "\0" in text:
        raise UnreadableSourceError(f"{path}: it holds binary data; name a PDF, HTML or text file")
    start = text.lstrip()[:2000].casefold()
    if start.startswith(("<!doctype html", "<html")) or "<table" in text.casefold():
        return _of_html(path, text)
    return Source(path.name, text, tuple(_of_text(text)))


# --- Text ---------------------------------------------------------------------------------------


def _of_text(text: str) -> Iterator[SourceTable]:
    lines = list(_whole_lines(text.replace("\r\n", "\n").split("\n")))
    captions = any(_CAPTION.match(line) for _, line in lines)
    here: SourceTable | None = None
    running = False
    for number, line in lines:
        caption = _CAPTION.match(line)
        if caption:
            if here is not None:
                yield here
            here = SourceTable(
                number=int(caption[1]), title=single(caption[2]), place=f"line {number}"
            )
            continue
        parts = _split(line)
        if len(parts) < 2 or _RULE.match(line):
            running = running and bool(_RULE.match(line) and line.strip())
            continue
        if not captions and not running:
            if here is not None:
                yield here
            here = SourceTable(number=None, title="", place=f"line {number}")
        running = True
        if here is not None:
            _take(here, parts, f"line {number}", line)
    if here is not None:
        yield here


def _whole_lines(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; a row between bars that goes on is one line."""
    begun: tuple[int, str] | None = None
    for number, line in enumerate(lines, 1):
        if begun is not None:
            begun = (begun[0], f"{begun[1]} {line.strip()}")
        elif line.startswith("|") and not line.rstrip().endswith("|"):
            begun = (number, line)
        else:
            yield number, line
            continue
        over = begun[1].rstrip().endswith("|") or not line.strip()
        if over or number - begun[0] > _MOST_LINES:
            yield begun
            begun = None
    if begun is not None:
        yield begun


def _split(line: str) -> list[str]:
    if line.startswith("|"):
        return [
            single(part) for part in line.strip().removeprefix("|").removesuffix("|").split("|")
        ]
    return [single(part) for part in line.split("\t")]


def _take(table: SourceTable, parts: list[str], place: str, text: str) -> None:
    """One line of a table: its heading, a row, or something that is neither."""
    names = [_headings().get(_folded(part)) for part in parts]
    if sum(name is not None for name in names) >= max(2, len(parts) - 1):
        columns = tuple(name or "" for name in names)
        if not table.columns:
            table.columns = columns
        elif table.columns != columns:
            table.unread.append(Unread(place, single(text), "the columns change their order here"))
            table.columns = columns
        return
    if not table.columns:
        return
    if any(part.casefold() == "note" for part in parts[:1]):
        return
    width = len(table.columns)
    if len(parts) > width and not any(parts[width:]):
        parts = parts[:width]
    if len(parts) > width and parts[width].casefold() == "note":
        parts = parts[:width]  # a note in a cell, printed once more behind the row
    if len(parts) == width:
        _add(table, parts, place)
    elif len(parts) < width and table.lines and _shared(table, parts, place):
        return
    else:
        why = f"{len(parts)} cells in a table of {width} columns"
        table.unread.append(Unread(place, single(text), why))


def _add(table: SourceTable, parts: Iterable[str], place: str) -> None:
    """A row; where source and destination, or the ports, are blank, those above are meant."""
    cells = {name: part for name, part in zip(table.columns, parts, strict=True) if name}
    filled: set[str] = set()
    if table.lines and "source_ports" not in table.columns:
        above = table.lines[-1].cells
        ends = {"source", "destination"}
        if not any(cells.get(name) for name in ends):
            filled |= ends
        filled |= {n for n in ("destination_ports", "purpose") if not cells.get(n)}
        cells |= {name: above.get(name, "") for name in filled}
    table.lines.append(Line(place, cells, frozenset(filled)))


def _shared(table: SourceTable, parts: list[str], place: str) -> bool:
    """A shorter row of a table whose cells span lines: the ends alone, or the ports alone."""
    if "source_ports" in table.columns or len(parts) > len(table.columns) - 1:
        return False
    above = table.lines[-1].cells
    behind = re.match(r"\d", parts[0]) is not None
    names = table.columns[-len(parts) :] if behind else table.columns[: len(parts)]
    cells = {**above, **dict(zip(names, parts, strict=True))}
    table.lines.append(Line(place, cells, frozenset(set(cells) - set(names))))
    return True


# --- HTML ---------------------------------------------------------------------------------------


def _of_html(path: Path, text: str) -> Source:
    soup = _library(path, "bs4", "HTML").BeautifulSoup(text, "html.parser")
    tables = []
    for index, element in enumerate(soup.find_all("table"), 1):
        if element.find_parent("table") is None:
            tables.append(_html_table(element, index))
    return Source(path.name, soup.get_text("\n"), tuple(tables))


def _html_table(element: Any, index: int) -> SourceTable:
    caption = element.find("caption")
    words = single(caption.get_text(" ")) if caption else ""
    numbered = _CAPTION.match(words)
    number = int(numbered[1]) if numbered else None
    table = SourceTable(
        number=number, title=numbered[2] if numbered else words, place=f"table {index}"
    )
    spanning: dict[int, tuple[int, str]] = {}
    for count, row in enumerate(element.find_all("tr"), 1):
        if row.find_parent("table") is not element:
            continue
        parts = _html_cells(row, spanning)
        if len(parts) > 1:
            _take(table, parts, f"table {index}, row {count}", " | ".join(parts))
    return table


def _html_cells(row: Any, spanning: dict[int, tuple[int, str]]) -> list[str]:
    """The cells of a row, with those that reach down from rows above."""
    own = list(row.find_all(["td", "th"], recursive=False))
    parts: list[str] = []
    while own or len(parts) in spanning:
        column = len(parts)
        left, text = spanning.get(column, (0, ""))
        if left:
            parts.append(text)
            spanning[column] = (left - 1, text)
            if left == 1:
                del spanning[column]
            continue
        cell = own.pop(0)
        for nested in cell.find_all("table"):
            nested.extract()
        text = single(cell.get_text(" "))
        rows, columns = (_count(cell.get(name)) for name in ("rowspan", "colspan"))
        for _ in range(columns):
            if rows > 1:
                spanning[len(parts)] = (rows - 1, text)
            parts.append(text)
        if len(parts) > _MOST_COLUMNS:
            break
    return parts


def _count(value: object) -> int:
    text = str(value or "1")
    return min(int(text), 200) if text.isdecimal() and int(text) else 1


# --- PDF ----------------------------------------------------------------------------------------


def _of_pdf(path: Path, content: bytes) -> Source:
    pdfplumber = _library(path, "pdfplumber", "PDF")
    tables: list[SourceTable] = []
    texts: list[str] = []
    try:
        with pdfplumber.open(io.BytesIO(content)) as document:
            for number, page in enumerate(document.pages, 1):
                texts.append(page.extract_text() or "")
                _of_page(page, number, tables)
    except Exception as error:  # a library for files of strangers: whatever it stumbles over
        raise UnreadableSourceError(
            f"{path}: this PDF cannot be read ({type(error).__name__}); save it anew, or copy its "
            "text into a file"
        ) from None
    text = "\n".join(texts)
    if not text.strip():
        raise UnreadableSourceError(
            f"{path}: this PDF has no text, only pictures of pages (a scan); use the publisher's "
            "own PDF or HTML, or a text with its tables line by line"
        )
    if not tables:
        tables = list(_of_text(text))
    return Source(path.name, text, tuple(tables))


def _of_page(page: Any, number: int, tables: list[SourceTable]) -> None:
    """The tables of one page; one that goes on from the page before is one with it."""
    for found in page.find_tables():
        above = page.crop((0, 0, page.width, max(found.bbox[1], 1))).extract_text() or ""
        captions = [match for line in above.split("\n") if (match := _CAPTION.match(line.strip()))]
        place = f"page {number}"
        if captions and all(t.number != int(captions[-1][1]) for t in tables):
            tables.append(
                SourceTable(number=int(captions[-1][1]), title=single(captions[-1][2]), place=place)
            )
        elif not tables:
            tables.append(SourceTable(number=None, title="", place=place))
        for count, row in enumerate(found.extract(), 1):
            parts = [single(part or "") for part in row]
            _take(tables[-1], parts, f"{place}, row {count}", " | ".join(parts))


def _library(path: Path, name: str, kind: str) -> Any:
    """A library of the extra `ingest`, loaded when a source of its kind comes."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise UnreadableSourceError(
            f"{path}: reading {kind} takes more: install flowbridge[ingest]"
        ) from None
