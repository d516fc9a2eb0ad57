"""What an edition prints, row by row, against another edition of its document.

    document: cucm
    edition: "14"
    against: 12.5(1)SU4
    tables:
      - table: 1
        title: Intracluster Ports Between Cisco Unified Communications Manager Servers
        rows: [1, 3-8, 37, 9-21]     # the catalog's rows in the order printed
        gone: [22]                   # printed by the other edition, not by this one
        back: [30]                   # printed before, not by the other one, and again here
        new: [{row: 37, ...}]        # rows that no edition before had, whole
        changed: [{row: 13, destination_ports: {...}}]    # the cells that differ

Every other row is the same. A table that is not named is the same as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from flowbridge.catalog.condition import Condition
from flowbridge.catalog.document import Document, Edition
from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.record import Record
from flowbridge.catalog.row import (
    Bilingual,
    ClosedRow,
    Erratum,
    PartyCell,
    PortCell,
    ProtocolCell,
    Row,
    Table,
)

ROOT: Final = Path(__file__).parent


def _numbers(value: object) -> object:
    """`[1, 3-8]` as numbers; anything else is left to pydantic to refuse."""
    if not isinstance(value, list):
        return value
    found: list[object] = []
    for part in value:
        first, dash, last = str(part).partition("-")
        if dash and first.isdecimal() and last.isdecimal():
            found.extend(range(int(first), int(last) + 1))
        else:
            found.append(part)
    return found


RowNumbers = Annotated[tuple[int, ...], BeforeValidator(_numbers)]


class ChangedRow(Record):
    """The cells of a row that the edition prints otherwise; `settles` are errata it ends."""

    row: int = Field(ge=1)
    purpose: Bilingual | None = None
    source: PartyCell | None = None
    source_ports: PortCell | None = None
    protocol: ProtocolCell | None = None
    destination: PartyCell | None = None
    destination_ports: PortCell | None = None
    when: Condition | None = None
    enabled_by_default: bool | None = None
    settles: tuple[str, ...] = ()

    @property
    def cells(self) -> dict[str, Any]:
        """The cells that are given, by name."""
        names = self.model_fields_set - {"row", "settles"}
        return {name: getattr(self, name) for name in type(self).model_fields if name in names}

    def of(self, row: Row) -> Row:
        """`row` as this edition prints it. No erratum corrects a cell that changed any more."""
        cells = self.cells
        errata = tuple(
            _without(erratum, cells) for erratum in row.errata if erratum.id not in self.settles
        )
        return row.model_copy(update={**cells, "errata": errata})


def _without(erratum: Erratum, cells: dict[str, Any]) -> Erratum:
    if not cells.keys() & erratum.correction.keys():
        return erratum
    left = {name: cell for name, cell in erratum.correction.items() if name not in cells}
    return erratum.model_copy(update={"correction": left})


class EditionTable(Record):
    """One table of an edition; `counted_from` is the number of its first row as printed."""

    table: int = Field(ge=1)
    title: str
    rows: RowNumbers
    gone: RowNumbers = ()
    back: RowNumbers = ()
    new: tuple[Row, ...] = ()
    changed: tuple[ChangedRow, ...] = ()
    counted_from: int = 1
    note: str | None = None


class EditionRows(Record):
    """An edition's file."""

    document: str
    edition: str
    against: str
    tables: tuple[EditionTable, ...] = ()

    def table(self, number: int) -> EditionTable | None:
        return next((table for table in self.tables if table.table == number), None)


@dataclass(frozen=True, slots=True)
class Printed:
    """A table as an edition prints it.

    `order` are the numbers of its rows in the order printed, `rows` every row it or an edition
    that it stands against prints, by number. `title` and `first` are None and 1 where the table
    is that of the table files.
    """

    rows: dict[int, Row]
    order: tuple[int, ...]
    title: str | None = None
    first: int = 1

    def place(self, row: int) -> int | None:
        """The number of a row as printed, from 1."""
        return self.order.index(row) + self.first if row in self.order else None


@cache
def edition_rows(file: str) -> EditionRows:
    """The file of an edition. BadFileError where it is faulty."""
    return read_model(ROOT / file, EditionRows)


def chain(document: Document, edition: Edition) -> tuple[EditionRows, ...]:
    """The files to apply to the table files, one after the other."""
    files: list[EditionRows] = []
    while edition.id != document.tables:
        if edition.file is None:
            raise KeyError(f"the rows of edition {edition.id} are not known")
        rows = edition_rows(edition.file)
        files.insert(0, rows)
        edition = document.edition(rows.against)
    return tuple(files)


def printed_table(document: Document, edition: Edition, table: Table) -> Printed:
    """`table`, which is that of the table files, as `edition` prints it."""
    rows = {row.row: row for row in table.rows}
    here = Printed(dict(rows), tuple(rows))
    for file in chain(document, edition):
        part = file.table(table.table)
        if part is not None:
            here = _applied(here, part)
    return here


def _applied(before: Printed, part: EditionTable) -> Printed:
    rows = {**before.rows, **{row.row: row for row in part.new}}
    for changed in part.changed:
        rows[changed.row] = changed.of(rows[changed.row])
    return Printed(rows, part.rows, part.title, part.counted_from)


def in_edition(document: Document, edition: Edition, table: Table) -> Table:
    """The table with the rows of `edition`; those that others print are its `closed` rows."""
    here = printed_table(document, edition, table)
    closed = tuple(
        ClosedRow(row=row, reason=_reason(document, edition, table, number))
        for number, row in here.rows.items()
        if number not in here.order
    )
    rows = tuple(here.rows[number] for number in here.order)
    return table.model_copy(update={"rows": rows, "closed": closed})


def elsewhere(document: Document, edition: Edition, table: Table) -> Iterator[ClosedRow]:
    """Rows of a table that other editions print and `edition` does not, each once."""
    known = set(printed_table(document, edition, table).order)
    for other in document.with_rows():
        printed = printed_table(document, other, table)
        for number in printed.order:
            if number not in known:
                known.add(number)
                reason = _reason(document, edition, table, number)
                yield ClosedRow(row=printed.rows[number], reason=reason)


def _reason(document: Document, edition: Edition, table: Table, number: int) -> str:
    """Why a row is closed: who does not print it, who does, and what would take such an edition."""
    printing = [other for other in document.with_rows() if _prints(document, other, table, number)]
    names = ", ".join(repr(other.name) for other in printing)
    first = [other.releases.first for other in printing if other.releases is not None]
    opens = f"; release.{document.product}: {first[-1]!r} would take one" if first else ""
    return (
        f"{document.product_name}: the edition {edition.name!r} does not print this row; it is in "
        f"the edition {names}{opens}"
    )


def _prints(document: Document, edition: Edition, table: Table, number: int) -> bool:
    return number in printed_table(document, edition, table).order
