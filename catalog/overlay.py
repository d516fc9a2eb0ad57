"""Overlays: a user's own rows, parties and parameters beside ours.

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
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import Field

from flowbridge.catalog.load import Catalog, load
from flowbridge.catalog.parameter import Parameter
from flowbridge.catalog.party import Party
from flowbridge.catalog.reading.expressions import expressions
from flowbridge.catalog.reading.located_model import as_model
from flowbridge.catalog.reading.located_yaml import BadFileError, LocatedYaml, Location, read_yaml
from flowbridge.catalog.record import Record
from flowbridge.catalog.row import Table
from flowbridge.catalog.validate import conditions_of, faults_of


class Overlay(Record):
    """One overlay file."""

    document: str | None = Field(None, pattern=r"^[a-z][a-z0-9-]*$")
    tables: tuple[Table, ...] = ()
    parties: dict[str, Party] = Field(default_factory=dict)
    parameters: dict[str, Parameter] = Field(default_factory=dict)


def with_overlays(
    catalog: Catalog, paths: Sequence[Path], options: Collection[str] | None = None
) -> Catalog:
    """The catalog and the user's own tables. BadFileError, with all faults of a file at once.

    `options` are the paths of the options (`turn.tcp_443`) that conditions may name; None where
    that was looked after before.
    """
    extended = catalog
    for path in paths:
        located = read_yaml(path)
        _complete(located)
        one_table = isinstance(located.data, dict) and "rows" in located.data
        if one_table:
            overlay = Overlay(tables=(as_model(located, Table),))
        else:
            overlay = as_model(located, Overlay)
        extended = _extended(extended, located, overlay, one_table, options)
    return extended


def load_with(overlays: Sequence[str], beside: Path) -> Catalog:
    """Our catalog with the overlays that the file `beside` names, by paths relative to it."""
    return with_overlays(load(), [beside.parent / name for name in overlays])


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
    extended = catalog.extended(overlay.tables, overlay.parties, overlay.parameters)
    for index, table in enumerate(overlay.tables):
        start: Location = () if one_table else ("tables", index)
        unknown = () if options is None else _unknown_options(table, options)
        for location, text in (*faults_of(extended, table), *unknown):
            faults.append(located.problem((*start, *location), text))
    if faults:
        raise BadFileError(faults)
    return extended


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
    for party in _mappings(data.get("parties")):
        party.setdefault("ja", [party.get("en", "")])


def _complete_table(located: LocatedYaml, table: dict[str, Any], start: Location) -> None:
    table.setdefault("line", located.line_of(start) or 1)
    table.setdefault("columns", [])
    rows = table.get("rows")
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(row, dict):
            row.setdefault("line", located.line_of((*start, "rows", index)) or 1)
            for name in ("source", "source_ports", "protocol", "destination", "destination_ports"):
                if isinstance(row.get(name), dict):
                    row[name].setdefault("printed", None)


def _mappings(value: object) -> list[dict[str, Any]]:
    parts = value.values() if isinstance(value, Mapping) else ()
    return [part for part in parts if isinstance(part, dict)]
