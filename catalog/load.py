"""The catalog in memory: tables by service, rows by id, parties and parameters.

One YAML file per table below this folder (`expressway/table-11.yaml`). Knowing which tables there
are takes the head of each file only; the rows of a table are read when somebody asks for them, so
a deployment pays for its own services and no more. What has been read is kept for the process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from flowbridge.catalog.document import Edition, documents
from flowbridge.catalog.edition import elsewhere, in_edition, printed_table
from flowbridge.catalog.edition_choice import EditionChoice, choose_editions
from flowbridge.catalog.parameter import Parameter, Parameters
from flowbridge.catalog.party import Parties, Party
from flowbridge.catalog.reading.kept_yaml import is_ours, keeps, read_kept
from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.reading.located_yaml import (
    BadFileError,
    LocatedYaml,
    Problem,
    parse_yaml,
    read_text,
)
from flowbridge.catalog.row import ClosedRow, Erratum, Replacement, Row, Table
from flowbridge.catalog.row_change import RowChange, with_changes
from flowbridge.catalog.row_id import read_row_id
from flowbridge.catalog.row_switch import RowSwitch, row_switches

ROOT: Final = Path(__file__).parent


def data_version() -> str:
    """The version of the catalog's data, as its change log has it."""
    return (ROOT / "VERSION").read_text("utf-8").strip()


PLATFORM: Final = "platform"
"""A document of our own: what a cloud itself needs (path MTU, probes)."""
OURS: Final = "ours"
"""A document of our own: what features need and nobody prints; left out with errata as printed."""
OWN_DOCUMENTS: Final = (PLATFORM, OURS)
FEATURES: Final = "features"
"""The folder of what people use (`catalog.feature`): it has no tables."""
TableKey = tuple[str, int]
"""Document and number of a table: `("expressway", 11)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row with its id and its table. `added` is the erratum of a row that no document prints.

    `closed`: why the row opens nothing, whatever the deployment is. `replaced`: what an overlay
    made of it.
    """

    id: str
    table: Table
    row: Row
    added: Erratum | None = None
    closed: ClosedRow | None = None
    replaced: Replacement | None = None


@dataclass(frozen=True, slots=True)
class TableFile:
    """What the head of a table's file says, and where the file is."""

    path: Path
    document: str
    table: int
    service: str | None

    @property
    def key(self) -> TableKey:
        return self.document, self.table


class Catalog:
    """See the module's opening. Every order is that of the documents, ours before the user's."""

    def __init__(
        self,
        files: tuple[TableFile, ...],
        parties: Mapping[str, Party],
        parameters: Mapping[str, Parameter],
        switches: Mapping[str, RowSwitch] | None = None,
        own: tuple[Table, ...] = (),
        changes: tuple[RowChange, ...] = (),
        releases: Mapping[str, str] | None = None,
    ) -> None:
        self._files = {file.key: file for file in files}
        self._own = {(table.document, table.table): table for table in own}
        self._changes = changes
        self._releases = dict(releases or {})
        self.parties: Final = parties
        self.parameters: Final = parameters
        self.switches: Final = switches or {}

    def at(self, releases: Mapping[str, str]) -> Catalog:
        """This catalog with the editions for these releases, by product (`{"cucm": "14"}`).

        ValueError for what is no release.
        """
        choose_editions(documents(), releases)
        return Catalog(
            self.files,
            self.parties,
            self.parameters,
            self.switches,
            tuple(self._own.values()),
            self._changes,
            releases,
        )

    def extended(
        self,
        tables: tuple[Table, ...],
        parties: Mapping[str, Party],
        parameters: Mapping[str, Parameter],
        switches: Mapping[str, RowSwitch],
        changes: tuple[RowChange, ...] = (),
    ) -> Catalog:
        """This catalog with a user's own tables and names behind ours (`catalog.overlay`)."""
        return Catalog(
            self.files,
            {**self.parties, **parties},
            {**self.parameters, **parameters},
            {**self.switches, **switches},
            (*self._own.values(), *tables),
            (*self._changes, *changes),
            self._releases,
        )

    @cached_property
    def editions(self) -> Mapping[str, EditionChoice]:
        """For each of our documents the edition that is used."""
        return choose_editions(documents(), self._releases)

    def __repr__(self) -> str:
        return f"Catalog({len(self._files)} tables, {len(self._own)} of the user's own)"

    @property
    def documents(self) -> tuple[str, ...]:
        """Ids of the documents: `expressway`, `cucm`, our own (`platform`), then the overlays'."""
        return tuple(dict.fromkeys(document for document, _ in (*self._files, *self._own)))

    @property
    def files(self) -> tuple[TableFile, ...]:
        """The files of our own tables."""
        return tuple(self._files.values())

    @cached_property
    def _services(self) -> dict[str, tuple[TableKey, ...]]:
        tables: dict[str, tuple[TableKey, ...]] = {}
        parts: tuple[TableFile | Table, ...] = (*self._files.values(), *self._own.values())
        for part in parts:
            if part.service is not None:
                key = part.document, part.table
                tables[part.service] = (*tables.get(part.service, ()), key)
        return tables

    @property
    def services(self) -> tuple[str, ...]:
        """The names that a deployment may list under `services`. Reads no rows."""
        return tuple(self._services)

    def services_of(self, document: str) -> tuple[str, ...]:
        """The services that one document defines. Reads no rows."""
        return tuple(name for name, keys in self._services.items() if keys[0][0] == document)

    def services_naming(self, party: str) -> tuple[str, ...]:
        """The services with a row that names `party`. Searches the files, and reads no rows."""
        found = [
            file.service
            for file in self.files
            if file.service is not None and party in _parties_named(file.path)
        ]
        for table in self._own.values():
            ends = (cell for row in table.rows for cell in (row.source, row.destination))
            if table.service and any(part.party == party for cell in ends for part in cell.parties):
                found.append(table.service)
        return tuple(dict.fromkeys(found))

    def table(self, document: str, number: int) -> Table:
        """One table. KeyError where there is none; BadFileError where its file is faulty."""
        key = (document, number)
        if key in self._own:
            table = self._own[key]
        else:
            table = _read_table(self._files[key].path)
            choice = self.editions.get(document)
            if choice is not None and not choice.own_tables:
                table = _of_edition(self._files[key].path, document, choice.edition.id)
        stood_in = {
            row.row for row in table.rows if row.instead_of and self._prints(row.instead_of)
        }
        if stood_in:
            left = tuple(row for row in table.rows if row.row not in stood_in)
            table = table.model_copy(update={"rows": left})
        mine = tuple(change for change in self._changes if change.table == key)
        return with_changes(table, mine) if mine else table

    def table_of_file(self, document: str, number: int) -> Table:
        """A table as its file has it, whatever edition is used. KeyError where there is no file."""
        return _read_table(self._files[document, number].path)

    def _prints(self, row_id: str) -> bool:
        """Whether the edition in use prints this row of another table."""
        document, number, _ = row_id.split("/")
        table = self.table(document, int(number))
        return any(entry.id == row_id for entry in entries_of(table))

    def printed_in(self, entry: Entry) -> tuple[Edition, str | None, int] | None:
        """The edition that prints a row, its title for the table, and the row's number there.

        The edition in use where it prints the row, else the first that does. The title is None
        for tables that the edition numbers as the catalog does. None for rows that no document
        prints, and for the user's own.
        """
        table, number = entry.table, entry.row.row
        choice = self.editions.get(table.document)
        if choice is None or entry.added is not None:
            return None
        own = _read_table(self._files[table.document, table.table].path)
        for edition in (choice.edition, *choice.document.with_rows()):
            printed = printed_table(choice.document, edition, own)
            place = printed.place(number)
            if place is not None:
                return edition, printed.title, place
        return None

    @property
    def platform(self) -> tuple[Table, ...]:
        """The tables of what clouds need: of no service, for every deployment they fit."""
        return tuple(self.table(*key) for key in self._files if key[0] == PLATFORM)

    def tables_of(self, service: str) -> tuple[Table, ...]:
        """The tables that define a service. KeyError for a name that is not in `services`."""
        return tuple(self.table(*key) for key in self._services[service])

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables. BadFileError with the faults of all files, where there are any."""
        tables: list[Table] = []
        faults: list[Problem] = []
        for key in (*self._files, *self._own):
            try:
                tables.append(self.table(*key))
            except BadFileError as error:
                faults.extend(error.problems)
        if faults:
            raise BadFileError(faults)
        return tuple(tables)

    def entries(self) -> Iterator[Entry]:
        """Every row with its id: those of each table as printed, then those that errata add."""
        for table in self.tables:
            yield from entries_of(table)

    def closed_entries(self) -> Iterator[Entry]:
        """Every row that opens nothing here: what other editions print, what overlays close."""
        for table in self.tables:
            known = set()
            for entry in closed_of(table):
                known.add(entry.id)
                yield entry
            choice = self.editions.get(table.document)
            key = (table.document, table.table)
            if choice is not None and key in self._files:
                own = _read_table(self._files[key].path)
                for closed in elsewhere(choice.document, choice.edition, own):
                    if table.id_of(closed.row) not in known:
                        yield Entry(
                            id=table.id_of(closed.row), table=table, row=closed.row, closed=closed
                        )

    @property
    def changes(self) -> tuple[RowChange, ...]:
        """What overlays do to rows of ours."""
        return self._changes

    def entry_of_any_edition(self, row_id: str) -> Entry:
        """The row with this id, by whatever edition prints it. KeyError where none does."""
        try:
            return self.entry(row_id)
        except KeyError:
            found = (entry for entry in self.closed_entries() if entry.id == row_id)
            entry = next(found, None)
            if entry is None:
                raise
            return entry

    def entry(self, row_id: str) -> Entry:
        """The row with this id (`expressway/11/5`), closed or not. KeyError where there is none."""
        try:
            printed_in = read_row_id(row_id).printed_in
        except ValueError:
            raise KeyError(row_id) from None
        if printed_in in (*self._files, *self._own):
            table = self.table(*printed_in)
            for entry in (*entries_of(table), *closed_of(table)):
                if entry.id == row_id:
                    return entry
        raise KeyError(row_id)


def entries_of(table: Table) -> Iterator[Entry]:
    """The rows of one table with their ids, but those that are closed."""
    for row in table.rows:
        yield Entry(id=table.id_of(row), table=table, row=row, replaced=table.replaced.get(row.row))
    for extra in table.added:
        yield Entry(id=table.id_of_added(extra), table=table, row=extra.row, added=extra.erratum)


def closed_of(table: Table) -> Iterator[Entry]:
    """The rows of one table that the edition or an overlay closes."""
    for closed in table.closed:
        yield Entry(id=table.id_of(closed.row), table=table, row=closed.row, closed=closed)


@cache
def load() -> Catalog:
    """Our own catalog. Raises BadFileError where the data is faulty."""
    paths = (path for path in sorted(ROOT.glob("*/*.yaml")) if path.parent.name != FEATURES)
    files = [_head(path) for path in paths]
    files.sort(key=lambda file: (_DOCUMENT_ORDER.get(file.document, 99), file.key))
    _refuse_twice(files)
    parties = read_model(ROOT / "parties.yaml", Parties)
    parameters = read_model(ROOT / "parameters.yaml", Parameters)
    return Catalog(tuple(files), parties.root, parameters.root, row_switches())


_DOCUMENT_ORDER: Final = {"expressway": 0, "expressway-prose": 1, "cucm": 2, PLATFORM: 3, OURS: 4}


def _refuse_twice(files: list[TableFile]) -> None:
    """BadFileError where two files are for one table: the second would hide the first."""
    first: dict[TableKey, TableFile] = {}
    for file in files:
        if first.setdefault(file.key, file) is not file:
            message = f"table {file.table} of {file.document} is in {first[file.key].path} already"
            raise BadFileError([Problem(str(file.path), 1, "table", message)])


@cache
def _parties_named(path: Path) -> frozenset[str]:
    """The parties in the rows of one file."""
    return frozenset(re.findall(r"party: ([-\w]+)", read_text(path)))


@cache
def _read_table(path: Path) -> Table:
    return read_model(path, Table)


@cache
def _of_edition(path: Path, document: str, edition: str) -> Table:
    known = documents()[document]
    return in_edition(known, known.edition(edition), _read_table(path))


def _head(path: Path) -> TableFile:
    """What a table's file says of itself, before its rows."""
    if is_ours(path) and keeps():
        located = LocatedYaml(file=str(path), data=read_kept(path), lines={})
    else:
        text, _, _ = read_text(path).partition("\nrows:")
        located = parse_yaml(text, str(path))
    data = located.data if isinstance(located.data, dict) else {}
    match data:
        case {"document": str(document), "table": int(table), "service": str() | None as service}:
            return TableFile(path, document, table, service)
        case _:
            message = "a table's file starts with `document`, `table` and `service`"
            raise BadFileError([located.problem((), message)])
