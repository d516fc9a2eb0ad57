"""Overlays: a user's own rows, parties, parameters and switches beside ours; rows of ours closed.

An overlay file has the schema of our own files: `tables` (each as a file of ours, or the whole
file is one table), `parties`, `parameters`. Its document id and its names must not be ours, so
that an id always says who wrote the row. What only a printed document has may be left out:
`line` (the line in the overlay file stands for it), `columns`, and the `printed` texts.

    document: acme-corp
    tables:
      - table: 1
        service: badge-readers
        title: {en: Badge readers}
        rows:
          - row: 1
            purpose: {en: Door events}
            source: {parties: [{party: badge-reader}]}
            source_ports: {alternatives: [{ports: 1024-65535}]}
            protocol: {l4: [tcp]}
            destination: {parties: [{party: expressway-c}]}
            destination_ports: {alternatives: [{ports: 8443}]}
    parties:
      badge-reader: {en: Badge reader, kind: system}

An overlay may also close rows of ours, or give cells of theirs anew, each with a reason:

    closes:
      - {row: cucm/1/22, reason: The certificate manager listens on its own host only.}
    replaces:
      cucm/7/13:
        reason: Our gateways are set to these ports.
        destination_ports: {alternatives: [{ports: 12000-12099}]}
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from flowbridge.catalog.condition import Condition
from flowbridge.catalog.load import Catalog, load
from flowbridge.catalog.parameter import Parameter
from flowbridge.catalog.party import Party
from flowbridge.catalog.reading.expressions import expressions
from flowbridge.catalog.reading.located_model import as_model
from flowbridge.catalog.reading.located_yaml import (
    BadFileError,
    LocatedYaml,
    Location,
    parse_yaml,
    read_text,
    read_yaml,
)
from flowbridge.catalog.record import Record
from flowbridge.catalog.row import Bilingual, PartyCell, PortCell, ProtocolCell, Table
from flowbridge.catalog.row_change import CELLS, NO_REASON, RowChange
from flowbridge.catalog.row_id import read_row_id
from flowbridge.catalog.row_switch import RowSwitch
from flowbridge.catalog.validate import conditions_of, faults_of, row_faults

RowId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*/\d+/\+?\d+$")]


class Closing(Record):
    """A row of ours that opens nothing here, and why."""

    row: RowId
    reason: str | None = Field(None, min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _of_id(cls, value: object) -> object:
        """A plain id, whose reason is the overlay's own."""
        return {"row": value} if isinstance(value, str) else value


class Replacing(Record):
    """Cells of a row of ours that are others here, and why."""

    reason: str | None = Field(None, min_length=1)
    purpose: Bilingual | None = None
    source: PartyCell | None = None
    source_ports: PortCell | None = None
    protocol: ProtocolCell | None = None
    destination: PartyCell | None = None
    destination_ports: PortCell | None = None
    when: Condition | None = None
    enabled_by_default: bool | None = None
    management: bool | None = None
    signalling: bool | None = None

    @property
    def cells(self) -> dict[str, Any]:
        """The cells that are given, as plain data."""
        given = self.model_dump(mode="json", exclude_unset=True)
        return {name: given[name] for name in CELLS if name in given}


class Overlay(Record):
    """One overlay file.

    `reason` is that of every row it closes or replaces without one of its own.
    """

    document: str | None = Field(None, pattern=r"^[a-z][a-z0-9-]*$")
    reason: str | None = Field(None, min_length=1)
    tables: tuple[Table, ...] = ()
    closes: tuple[Closing, ...] = ()
    replaces: dict[RowId, Replacing] = Field(default_factory=dict)
    switches: dict[str, RowSwitch] = Field(default_factory=dict)
    parties: dict[str, Party] = Field(default_factory=dict)
    parameters: dict[str, Parameter] = Field(default_factory=dict)


_PRINTED_CELLS = ("source", "source_ports", "protocol", "destination", "destination_ports")


def with_overlays(
    catalog: Catalog, paths: Sequence[Path], options: Collection[str] | None = None
) -> Catalog:
    """The catalog and the user's own tables. BadFileError, with all faults of a file at once.

    `options` are the paths of the options (`turn.tcp_443`) that conditions may name; None where
    that was looked after before.
    """
    return _with(catalog, map(read_yaml, paths), options)


def _with(
    catalog: Catalog, files: Iterable[LocatedYaml], options: Collection[str] | None
) -> Catalog:
    extended = catalog
    for located in files:
        _complete(located)
        one_table = isinstance(located.data, dict) and "rows" in located.data
        if one_table:
            overlay = Overlay(tables=(as_model(located, Table),))
        else:
            overlay = as_model(located, Overlay)
        extended = _extended(extended, located, overlay, one_table, options)
    return extended


def load_with(overlays: Sequence[str], beside: Path) -> Catalog:
    """Our catalog with the overlays that the file `beside` names, by paths relative to it.

    The files are read each time, and what they say is worked out once for one content.
    """
    paths = [beside.parent / name for name in overlays]
    return _worked_out(load(), tuple((path, read_text(path)) for path in paths))


@lru_cache(maxsize=8)
def _worked_out(known: Catalog, texts: tuple[tuple[Path, str], ...]) -> Catalog:
    return _with(known, [parse_yaml(text, str(path)) for path, text in texts], None)


def _extended(
    catalog: Catalog,
    located: LocatedYaml,
    overlay: Overlay,
    one_table: bool,
    options: Collection[str] | None,
) -> Catalog:
    faults = [
        located.problem(place, text) for place, text in _name_faults(catalog, overlay, one_table)
    ]
    faults += expressions(located)
    if faults:
        raise BadFileError(faults)
    extended = catalog.extended(
        overlay.tables,
        overlay.parties,
        overlay.parameters,
        overlay.switches,
        tuple(_changes(located, overlay)),
    )
    faults += [located.problem(*fault) for fault in _change_faults(catalog, extended, overlay)]
    for index, table in enumerate(overlay.tables):
        start: Location = () if one_table else ("tables", index)
        known = None if options is None else {*options, *_switch_options(extended)}
        unknown = () if known is None else _unknown_options(table, known)
        for location, text in (*faults_of(extended, table), *unknown):
            faults.append(located.problem((*start, *location), text))
    if faults:
        raise BadFileError(faults)
    return extended


def _switch_options(catalog: Catalog) -> set[str]:
    return {f"switches.{name}" for name in catalog.switches}


def _changes(located: LocatedYaml, overlay: Overlay) -> Iterator[RowChange]:
    """What the overlay does to rows of ours, in the order of the file."""
    name = Path(located.file).name
    for closing in overlay.closes:
        reason = closing.reason or overlay.reason or NO_REASON
        yield RowChange(read_row_id(closing.row).printed_in, closing.row, reason, name)
    for row_id, replacing in overlay.replaces.items():
        reason = replacing.reason or overlay.reason or NO_REASON
        yield RowChange(read_row_id(row_id).printed_in, row_id, reason, name, replacing.cells)


def _change_faults(
    catalog: Catalog, extended: Catalog, overlay: Overlay
) -> Iterator[tuple[Location, str]]:
    """Rows that do not exist, are changed twice, or would not be rows any more."""
    known = {entry.id for entry in (*catalog.entries(), *catalog.closed_entries())}
    places: list[tuple[Location, str]] = [
        (("closes", index), closing.row) for index, closing in enumerate(overlay.closes)
    ]
    places += [(("replaces", row_id), row_id) for row_id in overlay.replaces]
    ids = [row_id for _, row_id in places]
    for place, row_id in places:
        if row_id not in known:
            near = get_close_matches(row_id, known, n=1)
            instead = f"did you mean {near[0]}?" if near else "`flowbridge catalog list` has them"
            yield place, f"there is no row {row_id!r}; {instead}"
        elif ids.count(row_id) > 1:
            yield place, f"{row_id} is closed or replaced twice; write it once"
    for row_id, replacing in overlay.replaces.items():
        if row_id not in known:
            continue
        if not replacing.cells:
            yield ("replaces", row_id), "give at least one cell, or close the row under `closes`"
            continue
        change = RowChange(read_row_id(row_id).printed_in, row_id, "", "", replacing.cells)
        try:
            row = change.applied(catalog.entry_of_any_edition(row_id).row)
        except ValueError as error:
            yield ("replaces", row_id), str(error)
            continue
        for location, text in row_faults(extended, row):
            yield ("replaces", row_id, *location), text


def _unknown_options(table: Table, options: Collection[str]) -> Iterator[tuple[Location, str]]:
    """Conditions on options that no deployment file has."""
    told: set[str] = set()
    for location, condition in conditions_of(table):
        for fact in sorted(condition.facts() - told):
            kind, _, path = fact.partition(".")
            if kind == "option" and path not in options:
                told.add(fact)
                near = get_close_matches(path, options, n=1)
                instead = f"did you mean {near[0]!r}?" if near else "docs/deployment.md lists them"
                yield location, f"there is no option {path!r}; {instead}"


def _name_faults(
    catalog: Catalog, overlay: Overlay, one_table: bool
) -> Iterator[tuple[Location, str]]:
    """Names that exist already or lead nowhere."""
    ours = set(catalog.documents)
    for index, table in enumerate(overlay.tables):
        start: Location = () if one_table else ("tables", index)
        if table.document in ours:
            message = f"the document id {table.document!r} is taken; choose one of your own"
            yield (*start, "document"), message
        same = [other.table for other in overlay.tables if other.document == table.document]
        if same.count(table.table) > 1:
            yield (*start, "table"), f"table {table.table} stands twice; number them"
    for kind, names, known in (
        ("parties", overlay.parties, catalog.parties),
        ("parameters", overlay.parameters, catalog.parameters),
        ("switches", overlay.switches, catalog.switches),
    ):
        for name in names:
            if name in known:
                yield (kind, name), f"{name!r} exists in the catalog; choose another name"
    for name, parameter in overlay.parameters.items():
        if parameter.supplied_by != f"options.ports.{name}":
            place = ("parameters", name, "supplied_by")
            yield place, f"ports of your own are given by options.ports.{name}; write that"


def _complete(located: LocatedYaml) -> None:
    """Write what an overlay may leave out into the data that was read."""
    data: Any = located.data
    if not isinstance(data, dict):
        return
    if "rows" in data:
        _complete_table(located, data, ())
    tables = data.get("tables")
    for index, table in enumerate(tables if isinstance(tables, list) else []):
        if isinstance(table, dict):
            if "document" in data:
                table.setdefault("document", data["document"])
            _complete_table(located, table, ("tables", index))
    for row in _mappings(data.get("replaces")):
        for name in _PRINTED_CELLS:
            if isinstance(row.get(name), dict):
                row[name].setdefault("printed", None)
    for party in _mappings(data.get("parties")):
        party.setdefault("ja", [party.get("en", "")])


def _complete_table(located: LocatedYaml, table: dict[str, Any], start: Location) -> None:
    table.setdefault("line", located.line_of(start) or 1)
    table.setdefault("columns", [])
    rows = table.get("rows")
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(row, dict):
            row.setdefault("line", located.line_of((*start, "rows", index)) or 1)
            for name in _PRINTED_CELLS:
                if isinstance(row.get(name), dict):
                    row[name].setdefault("printed", None)


def _mappings(value: object) -> list[dict[str, Any]]:
    parts = value.values() if isinstance(value, Mapping) else ()
    return [part for part in parts if isinstance(part, dict)]
