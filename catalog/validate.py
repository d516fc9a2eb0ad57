"""The catalog checked against itself: identities, names, conditions, errata, printed numbers.

What the models cannot see, because it takes several rows, other files, or the printed text of a
cell beside its reading. Every fault comes with the file and line of the row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, get_args

from pydantic import ValidationError

from flowbridge.catalog import printed
from flowbridge.catalog.condition import CloudName, Condition
from flowbridge.catalog.feature import features_of, not_conversations, services_with_features
from flowbridge.catalog.guide_rule import FILE as GUIDE
from flowbridge.catalog.guide_rule import Guide, guide
from flowbridge.catalog.load import OURS, PLATFORM, Catalog, Entry, entries_of
from flowbridge.catalog.ports import ANY_PORT, PortRange
from flowbridge.catalog.reading.located_yaml import Location, Problem, read_yaml
from flowbridge.catalog.release import ReleaseRange
from flowbridge.catalog.release_default import FILE as RELEASE_DEFAULTS
from flowbridge.catalog.release_default import release_defaults
from flowbridge.catalog.row import Disposition, PortCell, Row, Table
from flowbridge.catalog.row_id import read_row_id

Fault = tuple[Location, str]
"""Where in the row (`("source", "parties")`) or table, and what is wrong."""

FACT_VALUES: Final = {
    "cloud": set(get_args(CloudName)),
    "size": {"small", "medium", "large"},
    "platform": {"vm", "appliance"},
    "nics": {"dual", "single"},
    "edge_nics": {"dual", "single"},
    "cluster": {"true", "false"},
    "topology": {"pair", "core-only", "edge-only"},
    "multiplexed_media": {"pair", "first-media-ports"},
    "reflection": {"true", "false"},
    "static_nat": {"true", "false"},
}
"""The facts with a fixed set of values; `release`, `service`, `system`, `option.*` are others."""

_CELLS: Final = ("source", "source_ports", "protocol", "destination", "destination_ports")
_FOOTNOTE_MARKS: Final = frozenset("*†‡§¹²³⁴⁵⁶⁷⁸⁹")
_PORT_CELLS: Final = ("source_ports", "destination_ports")


def problems(catalog: Catalog) -> list[Problem]:
    """Everything wrong in our own files, in their order. BadFileError where one is unreadable."""
    found: list[Problem] = []
    for file in catalog.files:
        faults = list(faults_of(catalog, catalog.table(*file.key)))
        if faults:
            located = read_yaml(file.path)
            found += [located.problem(location, text) for location, text in faults]
    found += guide_problems(catalog, guide())
    found += _unused(catalog)
    found += feature_problems(catalog)
    return found


def feature_problems(catalog: Catalog) -> Iterator[Problem]:
    """Features that name no row of their service, and rows of a service that no feature uses."""
    every = (*catalog.entries(), *catalog.closed_entries())  # those of other editions as well
    services = {entry.id: entry.table.service for entry in every}
    used: set[str] = set()
    for service in services_with_features():
        for name, feature in features_of(service).items():
            place = f"catalog/features/{service}.yaml"
            used.update(feature.rows())
            for row in feature.rows():
                if services.get(row) != service:
                    yield Problem(place, None, name, f"the service {service} has no row {row}")
    excused = not_conversations()
    for row in excused.keys() - services.keys():
        yield Problem("catalog/features/not-conversations.yaml", None, row, "there is no such row")
    for row, owner in services.items():
        if owner is None or read_row_id(row).document == PLATFORM:
            continue
        if (row in used) == (row in excused):
            told = (
                "a feature uses it" if row in used else "no feature uses it, and nothing says why"
            )
            yield Problem("catalog/features", None, row, told)


def guide_problems(catalog: Catalog, rules: Guide) -> Iterator[Problem]:
    """Conditions of guide rules that no deployment can meet."""
    for name, rule in rules.root.items():
        for location, text in _condition_faults(catalog, rule.when):
            key = ".".join(map(str, (name, "when", *location)))
            yield Problem(str(GUIDE), None, key, text)


def faults_of(catalog: Catalog, table: Table) -> Iterator[Fault]:
    """What is wrong in one table, each with its place in the table's file."""
    yield from _table_faults(catalog, table)
    for place, entry in _placed(table):
        for location, text in _faults(catalog, entry):
            yield (*place, *location), text


def row_faults(catalog: Catalog, row: Row) -> Iterator[Fault]:
    """Names and conditions of one row that lead nowhere."""
    for location, condition in _conditions(row):
        for inner, text in _condition_faults(catalog, condition):
            yield (*location, *inner), text
    yield from _name_faults(catalog, row)


def conditions_of(table: Table) -> Iterator[tuple[Location, Condition]]:
    """Every condition of a table and its rows, errata applied, too, with its place in the file."""
    yield ("when",), table.when
    for place, entry in _placed(table):
        for location, condition in _conditions(entry.row):
            yield (*place, *location), condition
        with suppress(ValidationError):  # a fault of its own
            for _, condition in _conditions(entry.row.corrected()):
                yield (*place, "errata"), condition


def _placed(table: Table) -> Iterator[tuple[Location, Entry]]:
    """Each row of a table that is open, with its place in the table's file."""
    rows: Iterator[Location] = (("rows", number) for number in range(len(table.rows)))
    added: Iterator[Location] = (("added", number, "row") for number in range(len(table.added)))
    for entry in entries_of(table):
        yield next(rows if entry.added is None else added), entry


def _table_faults(catalog: Catalog, table: Table) -> Iterator[Fault]:
    numbers = [row.row for row in table.rows]
    if numbers != list(range(1, len(numbers) + 1)):
        yield ("rows",), f"rows count from 1 without gaps, not {numbers}"
    if [extra.row.row for extra in table.added] != list(range(1, len(table.added) + 1)):
        yield ("added",), "added rows count from 1 without gaps"
    lines = [row.line or 0 for row in table.rows]
    if lines != sorted(lines) or (lines and lines[0] < table.line):
        yield ("rows",), "the lines of the rows rise from that of the caption"
    used = {mark for entry in entries_of(table) for mark in entry.row.footnotes}
    for index, note in enumerate(table.notes):
        if note.mark in _FOOTNOTE_MARKS and note.mark not in used:
            yield ("notes", index), f"no row refers to the note {note.mark}"
    for location, text in _condition_faults(catalog, table.when):
        yield ("when", *location), text


def _faults(catalog: Catalog, entry: Entry) -> Iterator[Fault]:
    row = entry.row
    yield from _errata_faults(entry)
    for mark in row.footnotes:
        if mark not in {note.mark for note in entry.table.notes}:
            yield ("footnotes",), f"the table has no note {mark}"
    for fact in row.when.root.keys() & entry.table.when.root.keys():
        yield ("when", fact), "the table's condition names this too; say it in one place"
    for location, condition in _conditions(row):
        for inner, text in _condition_faults(catalog, condition):
            yield (*location, *inner), text
    yield from _name_faults(catalog, row)
    try:
        corrected = row.corrected()
    except ValidationError as error:
        yield ("errata",), f"a correction does not fit the row: {error.errors()[0]['msg']}"
        return
    if corrected is not row:
        yield from _name_faults(catalog, corrected)
    if entry.table.service is not None and row.disposition is Disposition.NETWORK:
        yield from _resolvable(corrected)
    if row.disposition is Disposition.LOCAL and not row.notes:
        yield ("disposition",), "a note has to say why the row never leaves its host"
    yield from _reply_faults(catalog, row)
    if entry.added is None:
        yield from (
            _ours_faults(catalog, row) if entry.table.document == OURS else _reading_faults(row)
        )


def _ours_faults(catalog: Catalog, row: Row) -> Iterator[Fault]:
    if row.instead_of is not None:
        try:
            catalog.entry_of_any_edition(row.instead_of)
        except (KeyError, ValueError):
            yield ("instead_of",), f"no edition prints a row {row.instead_of}"
    if not row.sources:
        yield ("sources",), "a row of ours names the public source that shows it"


def _reply_faults(catalog: Catalog, row: Row) -> Iterator[Fault]:
    if (row.disposition is Disposition.REPLY) != (row.reply_to is not None):
        yield ("reply_to",), "a reply, and nothing else, names the row that it answers"
    elif row.reply_to is not None and not _is_row(catalog, row.reply_to):
        yield ("reply_to",), f"there is no row {row.reply_to}"


def _is_row(catalog: Catalog, row_id: str) -> bool:
    try:
        catalog.entry(row_id)
    except KeyError:
        return False
    return True


def _errata_faults(entry: Entry) -> Iterator[Fault]:
    ids = [erratum.id for erratum in entry.row.errata]
    for index, erratum in enumerate(entry.row.errata):
        place = ("errata", index)
        if ids.count(erratum.id) > 1:
            yield place, f"{erratum.id} stands twice"
        if not erratum.id.startswith(f"{entry.id}/"):
            yield place, f"the id starts with {entry.id}/, not {erratum.id}"
        for name in erratum.correction:
            if name not in Row.model_fields or name in ("row", "line", "errata"):
                yield (*place, "correction", name), "this is no cell of a row"
    if entry.added is not None and entry.added.id != entry.id:
        yield (), f"the erratum's id is that of the row it adds, {entry.id}, not {entry.added.id}"


def _conditions(row: Row) -> Iterator[tuple[Location, Condition]]:
    yield ("when",), row.when
    for name in _PORT_CELLS:
        cell: PortCell = getattr(row, name)
        for index, part in enumerate(cell.alternatives):
            yield (name, "alternatives", index, "when"), part.when
    for label, condition in row.protocol.when.items():
        yield ("protocol", "when", label), condition


def _condition_faults(catalog: Catalog, condition: Condition) -> Iterator[Fault]:
    for fact, wanted in condition.root.items():
        if fact in ("any", "not"):
            parts = wanted if isinstance(wanted, list) else [wanted]
            if (fact == "any") != isinstance(wanted, list):
                yield (fact,), "`any` takes a list of conditions, `not` takes one"
            for part in parts:
                if isinstance(part, Condition):
                    yield from _condition_faults(catalog, part)
                else:
                    yield (fact,), f"{part!r} is not a condition"
        else:
            for value in wanted if isinstance(wanted, list) else [wanted]:
                message = _value_fault(catalog, fact, value)
                if message:
                    yield (fact,), message


def _value_fault(catalog: Catalog, fact: str, value: Any) -> str | None:
    if fact == "release":
        try:
            ReleaseRange.parse(str(value))
        except ValueError as error:
            return str(error)
        return None
    if fact.startswith("option.switches."):
        switch = catalog.switches.get(fact.removeprefix("option.switches."))
        if switch is None:
            return f"there is no switch {fact.removeprefix('option.switches.')!r}"
        return None if value in switch.choices else f"{value!r} is none of its values"
    known = FACT_VALUES.get(fact)
    if fact == "service":
        known = set(catalog.services)
    elif fact == "system":
        known = set(catalog.parties)
    if known is not None and value not in known:
        return f"{value!r} is none of {', '.join(sorted(known))}"
    if known is None and not fact.startswith("option."):
        return f"no deployment states the fact {fact!r}"
    return None


def _name_faults(catalog: Catalog, row: Row) -> Iterator[Fault]:
    for label in row.protocol.when:
        if label not in {protocol.label for protocol in row.protocol.l4}:
            yield ("protocol", "when", label), f"the row has no protocol {label}"
    for name in ("source", "destination"):
        for index, reference in enumerate(getattr(row, name).parties):
            if reference.party not in catalog.parties:
                yield (name, "parties", index), f"there is no party {reference.party!r}"
    for name in _PORT_CELLS:
        for index, part in enumerate(getattr(row, name).alternatives):
            place = (name, "alternatives", index)
            if part.parameter is not None and part.parameter not in catalog.parameters:
                yield place, f"there is no parameter {part.parameter!r}"
            if not part.ports and part.parameter is None:
                yield place, "give ports, or the parameter that a deployment supplies"
            if part.example and part.parameter is None:
                yield place, "an example stands for a parameter that a deployment supplies; name it"


def _resolvable(row: Row) -> Iterator[Fault]:
    for name in _CELLS:
        cell = getattr(row, name)
        for part in ("parties", "alternatives", "l4"):
            if hasattr(cell, part) and not getattr(cell, part):
                yield (name,), f"the corrected row has no {part}, so no deployment can use it"


def _reading_faults(row: Row) -> Iterator[Fault]:
    """Where the printed text of a cell and its reading say different things."""
    for name in _PORT_CELLS:
        cell: PortCell = getattr(row, name)
        for text in _port_faults(row, cell):
            yield (name,), text
    if row.protocol.printed is not None:
        wanted = printed.protocols(row.protocol.printed)
        if wanted != set(row.protocol.l4):
            names = ", ".join(sorted(protocol.label for protocol in wanted)) or "nothing"
            yield ("protocol",), f"{row.protocol.printed!r} is {names}"
    elif row.protocol.l4 and not row.errata and row.destination.printed is not None:
        yield ("protocol",), "no protocol is printed: an erratum has to say which is used and why"
    brackets = printed.bracketed(row.destination_ports.printed or "")
    parts = row.destination_ports.alternatives
    if brackets != {span.first for part in parts if part.bracketed for span in part.ports}:
        yield (
            ("destination_ports",),
            "`bracketed` marks the ports in square brackets, and only those",
        )
    off = bool(parts) and all(part.bracketed for part in parts)
    if off == row.enabled_by_default:
        yield (
            ("enabled_by_default",),
            "false where all ports are in square brackets, and only there",
        )
    conditions = [row.when, *(part.when for part in parts)]
    if off and not any(fact.startswith("option.") for c in conditions for fact in c.facts()):
        yield ("when",), "name the option that switches the bracketed port on"


def _port_faults(row: Row, cell: PortCell) -> Iterator[str]:
    text = cell.printed or ""
    said = printed.spans(text)
    if row.protocol.l4 and not any(protocol.has_ports for protocol in row.protocol.l4):
        if said and not row.errata:
            yield "ports are printed with protocols that have none; an erratum says what is meant"
        return
    read = {span for part in cell.alternatives for span in part.ports}
    if said == read or (not said and read <= {ANY_PORT}):
        return
    explained = _explained(row)
    for span in sorted(said - read):
        if not _numbers(span) <= explained:
            yield f"{span} is printed and not read; if that is right, an erratum or a note says so"
    for span in sorted(read - said):
        by_word = printed.ephemeral(text) and span in printed.EPHEMERAL_RANGES
        if cell.printed is not None and not by_word and not _numbers(span) <= explained:
            yield f"{span} is not printed; if it is right, an erratum or a note says so"
    if printed.ephemeral(text) and not said and not read:
        yield "ephemeral ports are printed and none are read"


def _explained(row: Row) -> set[int]:
    """The numbers that the row's errata and notes speak of."""
    texts = [part for erratum in row.errata for part in (erratum.what, erratum.why)]
    texts += [part for note in row.notes for part in (note.en, note.ja or "")]
    texts += [row.purpose.en, row.purpose.ja or ""]
    numbers = {int(number) for text in texts for number in re.findall(r"\d+", text)}
    return numbers | {ANY_PORT.first, ANY_PORT.last}


def _numbers(span: PortRange) -> set[int]:
    return {span.first, span.last}


def _unused(catalog: Catalog) -> Iterator[Problem]:
    """Names of the other files that lead nowhere."""
    ids = {entry.id for entry in catalog.entries()}
    for entry in catalog.entries():
        for erratum in entry.row.errata:
            for row in set(erratum.filled_by) - ids:
                yield Problem("catalog", None, erratum.id, f"there is no row {row}")
    for name, parameter in catalog.parameters.items():
        if parameter.row is not None and parameter.row not in ids:
            message = f"there is no row {parameter.row}"
            yield Problem("catalog/parameters.yaml", None, f"{name}.row", message)
    for name, default in release_defaults().items():
        if default.row not in ids:
            yield Problem(str(RELEASE_DEFAULTS), None, f"{name}.row", f"no row {default.row}")
