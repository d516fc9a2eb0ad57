"""A source against the editions that are known: every row the same, changed, gone, new or unsure.

The edition with most rows and cells in common is compared with. Nothing is dropped: a line that is
no row, a table without a counterpart and columns in another order are all said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

from flowbridge.catalog.document import Document, Edition, documents
from flowbridge.catalog.ingest.known import (
    KnownRow,
    KnownTable,
    cells_of,
    digest,
    known_tables,
)
from flowbridge.catalog.ingest.source import (
    Line,
    Source,
    SourceTable,
    UnreadableSourceError,
    single,
)

_HEAD = 4000
"""Characters of a source in which its title is looked for."""
_ROWS, _CELLS = 0.1, 0.34
"""The shares of a source's rows, or cells, that are known where it is a known document."""
_ALIKE = 0.5
"""The share of equal cells from which two rows are one row that changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of one row. `row` is the catalog's id, None for a new one or a line that is none.

    `status` is `same`, `changed`, `gone`, `new` or `unsure`; `cells` are those that differ.
    `after` is the row behind which a new one is printed.
    """

    status: str
    table: int
    row: str | None
    place: str
    line: Line | None = None
    cells: tuple[str, ...] = ()
    why: str = ""
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A source, the edition it was compared with, and every row of both."""

    source: Source
    document_id: str
    document: Document
    edition: Edition
    found: tuple[Found, ...]

    def of(self, *statuses: str) -> tuple[Found, ...]:
        return tuple(each for each in self.found if each.status in statuses)

    @property
    def share(self) -> float:
        """The share of the edition's rows that were found cell for cell."""
        known = sum(each.status in ("same", "changed", "gone") for each in self.found)
        return len(self.of("same")) / known if known else 0.0


def compare(source: Source) -> Comparison:
    """The comparison with the nearest edition. UnreadableSourceError where none is near."""
    tables = [table for table in source.tables if table.columns]
    here = _counted([cells_of(line) for table in tables for line in table.lines])
    best: tuple[tuple[int, int, bool], str, Document, Edition] | None = None
    for name, document in documents().items():
        for edition in document.editions:
            rows, cells = _in_common(here, _counted_edition(name, edition.id))
            score = rows, cells, _named(source, edition)
            if cells and (best is None or score > best[0]):
                best = score, name, document, edition
    if best is None or not (_titled(source) or _enough(best[0][0], best[0][1], here)):
        raise UnreadableSourceError(
            f"{source.name}: its tables have next to nothing in common with any known document "
            f"({', '.join(sorted(_titles()))}); is it another vendor's guide?"
        )
    _, name, document, edition = best
    found = (
        *_found(tables, known_tables(name, edition.id)),
        *_prose(source, known_tables(f"{name}-prose", edition.id)),
    )
    return Comparison(source, name, document, edition, found)


@dataclass(frozen=True, slots=True)
class _Counted:
    """Rows, and cells, by how often each is there."""

    rows: Counter[tuple[tuple[str, str], ...]]
    cells: Counter[tuple[str, str]]


def _counted(rows: Iterable[dict[str, str]]) -> _Counted:
    keys = [_key(cells) for cells in rows]
    return _Counted(Counter(keys), Counter(part for key in keys for part in key))


@cache
def _counted_edition(document: str, edition: str) -> _Counted:
    known = known_tables(document, edition)
    return _counted(row.cells for table in known for row in table.rows)


def _enough(rows: int, cells: int, here: _Counted) -> bool:
    """Whether so much in common is no accident: every guide has rows of TCP."""
    return rows >= _ROWS * here.rows.total() or cells >= _CELLS * here.cells.total()


def _titles() -> set[str]:
    return {document.title.en for document in documents().values() if document.product}


def _titled(source: Source) -> bool:
    """Whether the source bears the title of a known document."""
    text = single(source.text[:_HEAD])
    every = [d.title for d in documents().values() if d.product]
    return any(title and title in text for each in every for title in (each.en, each.ja))


def _named(source: Source, edition: Edition) -> bool:
    """Whether the source names the release: of two editions that print the same, it is the one."""
    release = edition.releases.first if edition.releases is not None else edition.name
    return re.search(rf"(?<![\w.]){re.escape(release)}(?![\w.])", source.text[:_HEAD]) is not None


def _prose(source: Source, known: Sequence[KnownTable]) -> Iterator[Found]:
    """Rows that a document states in its text, outside of any table, by the line that does."""
    lines = {digest(line): number for number, line in enumerate(source.text.split("\n"), 1)}
    for table in known:
        for row in table.rows:
            number = lines.get(row.cells["text"])
            if number is None:
                why = "the sentence that states it is not there"
                yield Found(
                    status="gone", table=table.table, row=_id(table, row), place="", why=why
                )
            else:
                yield Found(
                    status="same", table=table.table, row=_id(table, row), place=f"line {number}"
                )


def _in_common(one: _Counted, other: _Counted) -> tuple[int, int]:
    """How many rows, and how many cells, stand in both."""
    return (one.rows & other.rows).total(), (one.cells & other.cells).total()


def _key(cells: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(cells.items()))


def _found(tables: Sequence[SourceTable], known: Sequence[KnownTable]) -> Iterator[Found]:
    pairs = _paired(tables, known)
    for index, table in enumerate(tables):
        other = pairs.get(index)
        number = other.table if other else 0
        for unread in table.unread:
            yield Found(
                status="unsure",
                table=number,
                row=None,
                place=unread.place,
                why=f"{unread.why}: {unread.text}",
            )
        if other is None:
            for line in table.lines:
                why = "no known table is like this one"
                yield Found(
                    status="unsure", table=0, row=None, place=line.place, line=line, why=why
                )
            continue
        yield from _table_differences(table, other)
        yield from _rows(table, other)
    met = {other.table for other in pairs.values()}
    for other in known:
        if other.table not in met:
            for row in other.rows:
                yield Found(
                    status="gone",
                    table=other.table,
                    row=_id(other, row),
                    place="",
                    why="the table is not there",
                )


def _table_differences(table: SourceTable, other: KnownTable) -> Iterator[Found]:
    if table.columns != other.columns:
        shown = ", ".join(name or "?" for name in table.columns)
        why = f"the columns are {shown}, and were {', '.join(other.columns)}"
        yield Found(status="unsure", table=other.table, row=None, place=table.place, why=why)
    if digest(table.title) != other.title:
        why = f"the caption is another one: {table.title!r}"
        yield Found(status="unsure", table=other.table, row=None, place=table.place, why=why)


def _paired(tables: Sequence[SourceTable], known: Sequence[KnownTable]) -> dict[int, KnownTable]:
    """For each table of the source the known one with most in common, each once."""
    scores = []
    theirs = [_counted(row.cells for row in other.rows) for other in known]
    for index, table in enumerate(tables):
        here = _counted([cells_of(line) for line in table.lines])
        for other, counted in zip(known, theirs, strict=True):
            rows, cells = _in_common(here, counted)
            if cells:
                size = len(table.lines) + len(other.rows)
                scores.append(((rows / size, cells / size), -abs(index), index, other))
    pairs: dict[int, KnownTable] = {}
    taken: set[int] = set()
    for _, _, index, other in sorted(scores, key=lambda score: score[:2], reverse=True):
        if index not in pairs and other.table not in taken:
            pairs[index] = other
            taken.add(other.table)
    return pairs


def _id(table: KnownTable, row: KnownRow) -> str:
    return f"{table.document}/{table.table}/{row.row}"


def _rows(table: SourceTable, other: KnownTable) -> Iterator[Found]:
    """The rows of one table, in the order printed, what is gone where it stood."""
    here = [cells_of(line) for line in table.lines]
    ours = [_key(row.cells) for row in other.rows]
    matcher = SequenceMatcher(None, ours, [_key(cells) for cells in here], autojunk=False)
    last: str | None = None
    for kind, a, b, x, y in matcher.get_opcodes():
        if kind == "equal":
            for row, line in zip(other.rows[a:b], table.lines[x:y], strict=True):
                last = _id(other, row)
                yield Found(status="same", table=other.table, row=last, place=line.place, line=line)
            continue
        for known, position in _alike(other.rows[a:b], here, range(x, y)):
            printed = None if position is None else table.lines[position]
            if known is not None:
                last = _id(other, known)
            if printed is None:
                yield Found(status="gone", table=other.table, row=last, place="")
            elif known is None:
                yield Found(
                    status="new",
                    table=other.table,
                    row=None,
                    place=printed.place,
                    line=printed,
                    after=last,
                )
            else:
                cells = _different(known.cells, cells_of(printed))
                yield Found(
                    status="changed",
                    table=other.table,
                    row=last,
                    place=printed.place,
                    line=printed,
                    cells=cells,
                )


def _different(known: dict[str, str], here: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        name for name in (*known, *(here.keys() - known)) if known.get(name) != here.get(name)
    )


def _alike(
    rows: Sequence[KnownRow], here: Sequence[dict[str, str]], positions: range
) -> Iterator[tuple[KnownRow | None, int | None]]:
    """Known rows beside printed ones, in order: the pairing with most equal cells."""
    best: dict[tuple[int, int], tuple[int, list[tuple[KnownRow | None, int | None]]]] = {}

    def of(i: int, j: int) -> tuple[int, list[tuple[KnownRow | None, int | None]]]:
        if (i, j) not in best:
            best[i, j] = _step(i, j)
        return best[i, j]

    def _step(i: int, j: int) -> tuple[int, list[tuple[KnownRow | None, int | None]]]:
        if i == len(rows):
            return 0, [(None, position) for position in positions[j:]]
        if j == len(positions):
            return 0, [(row, None) for row in rows[i:]]
        equal = sum(here[positions[j]].get(n) == h for n, h in rows[i].cells.items())
        ways = [
            (of(i + 1, j)[0], [(rows[i], None), *of(i + 1, j)[1]]),
            (of(i, j + 1)[0], [(None, positions[j]), *of(i, j + 1)[1]]),
        ]
        if equal >= _ALIKE * len(rows[i].cells):
            rest = of(i + 1, j + 1)
            ways.insert(0, (rest[0] + equal, [(rows[i], positions[j]), *rest[1]]))
        return max(ways, key=lambda way: way[0])

    # The table is filled from its end, so that no chain of calls grows with it.
    for i in range(len(rows), -1, -1):
        for j in range(len(positions), -1, -1):
            of(i, j)
    yield from of(0, 0)[1]
