"""Every row for other programs: plain data, as JSON or CSV.

What is exported is what the documents print, read into ports and protocols. Where a row prints no
protocol, the one its erratum gives is exported (`protocol_printed` stays null); every other
correction stands under `errata` and, applied, under `corrected`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from flowbridge.catalog.citation import citation_of, plain_erratum
from flowbridge.catalog.load import OWN_DOCUMENTS, Catalog, Entry
from flowbridge.catalog.protocol import Protocol
from flowbridge.catalog.row import Erratum, PartyCell, PortCell, Row, Table

Record = dict[str, Any]

COLUMNS: Final = (
    "id",
    "document",
    "table",
    "row",
    "title",
    "purpose",
    "source",
    "source_ports",
    "protocols",
    "protocol_printed",
    "destination",
    "destination_ports",
    "enabled_by_default",
    "notes",
    "errata",
    "line",
    "service",
    "when",
    "source_parties",
    "destination_parties",
    "source_ports_printed",
    "destination_ports_printed",
    "icmp_types",
    "management",
    "signalling",
    "disposition",
    "host_names",
    "protocols_when",
    "title_ja",
    "notes_ja",
    "corrected",
    "cited",
    "address",
    "closed",
    "replaced",
    "sources",
    "doubtful_source_ports",
)


_WITH_ALL: Final = {*OWN_DOCUMENTS, "imp", "unity", "webex"}
"""Documents whose rows are exported on demand."""


def export_rows(
    catalog: Catalog, *, added: bool = False, platform: bool = False, closed: bool = False
) -> list[Record]:
    """All printed rows, in the order of the documents; with `added` those that errata add, too.

    `closed`: also rows that other editions print and those that overlays close, behind the others.

    `platform`: as well the rows of our own documents `platform` and `ours`, which no document of
    Cisco prints, and those of the documents beside the two port guides (`imp`, `unity`, `webex`).

    Keys are `COLUMNS`. `source` and `destination` are printed texts (null where nothing is
    printed); `source_ports` is a text such as `25000-29999`; `destination_ports` a list of
    `{ports, when}`, one a range, and with `bracketed`, `example` and `parameter` where they
    apply. It is empty for protocols without ports; for ICMP see `icmp_types`. An erratum that
    adds a row stands with the row whose line is its evidence, and has the new row's id under
    `adds`.
    """
    entries = (*catalog.entries(), *(catalog.closed_entries() if closed else ()))
    return [
        _record(catalog, entry)
        for entry in entries
        if (added or entry.added is None) and (platform or entry.table.document not in _WITH_ALL)
    ]


def export_row(catalog: Catalog, row_id: str) -> Record | None:
    """One row of those tables, read without the others; None where they do not have it (a row that
    only another edition prints is among `export_rows`)."""
    try:
        return _record(catalog, catalog.entry(row_id))
    except KeyError:
        return None


def to_json(catalog: Catalog, *, platform: bool = False) -> str:
    """`export_rows` as indented JSON with one trailing newline."""
    rows = export_rows(catalog, platform=platform)
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def to_csv(catalog: Catalog, *, platform: bool = False) -> str:
    """`export_rows` as CSV (RFC 4180, heading first); lists and mappings are JSON in their cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    rows = export_rows(catalog, platform=platform)
    writer.writerows([_csv_cell(record[key]) for key in COLUMNS] for record in rows)
    return out.getvalue()


def _csv_cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str() | int():
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False)


def _record(catalog: Catalog, entry: Entry) -> Record:
    table, row = entry.table, entry.row
    citation = citation_of(catalog, entry)
    corrected = row.corrected()
    protocols = row.protocol.l4 if row.protocol.printed is not None else corrected.protocol.l4
    notes = [*row.notes, *(note.text for note in table.notes if note.mark in row.footnotes)]
    return {
        "id": entry.id,
        "document": table.document,
        "table": table.table,
        "row": row.row,
        "title": table.title.en,
        "purpose": row.purpose.model_dump(),
        "source": row.source.printed,
        "source_ports": _source_ports(row, protocols),
        "protocols": [protocol.label for protocol in protocols],
        "protocol_printed": row.protocol.printed,
        "destination": row.destination.printed,
        "destination_ports": _destination_ports(row.destination_ports, protocols),
        "enabled_by_default": row.enabled_by_default,
        "notes": [note.en for note in notes],
        "errata": list(_errata(entry)),
        "line": row.line,
        "service": table.service,
        "when": {**_plain(table.when), **_plain(row.when)},
        "source_parties": _parties(row.source),
        "destination_parties": _parties(row.destination),
        "source_ports_printed": row.source_ports.printed,
        "destination_ports_printed": row.destination_ports.printed,
        "icmp_types": _icmp_types(row.destination_ports, protocols),
        "management": row.management,
        "signalling": row.signalling,
        "disposition": row.disposition.value,
        "host_names": list(row.host_names),
        "protocols_when": {label: _plain(when) for label, when in row.protocol.when.items()},
        "title_ja": table.title.ja,
        "notes_ja": [note.ja for note in notes if note.ja is not None],
        "corrected": _corrections(row, corrected),
        "cited": str(citation),
        "address": citation.address,
        "closed": entry.closed.reason if entry.closed else None,
        "replaced": f"{entry.replaced.overlay}: {entry.replaced.reason}"
        if entry.replaced
        else None,
        "sources": [str(source) for source in row.sources],
        "doubtful_source_ports": row.doubtful_source_ports,
    }


def _parties(cell: PartyCell) -> list[str]:
    return [
        f"{part.party} ({part.side.value})" if part.side else part.party for part in cell.parties
    ]


def _source_ports(row: Row, protocols: Sequence[Protocol]) -> str | None:
    if not any(protocol.has_ports for protocol in protocols):
        return None
    ranges = [str(span) for part in row.source_ports.alternatives for span in part.ports]
    return ", ".join(dict.fromkeys(ranges)) or None


def _destination_ports(cell: PortCell, protocols: Sequence[Protocol]) -> list[Record]:
    if protocols and not any(protocol.has_ports for protocol in protocols):
        return []
    ports: list[Record] = []
    for part in cell.alternatives:
        extra: Record = {}
        if part.parameter is not None:
            extra["parameter"] = part.parameter
        if part.bracketed:
            extra["bracketed"] = True
        if part.example:
            extra["example"] = True
        spans: list[str | None] = [str(span) for span in part.ports] or [None]
        ports += [{"ports": span, "when": _plain(part.when), **extra} for span in spans]
    return ports


def _icmp_types(cell: PortCell, protocols: Sequence[Protocol]) -> list[int]:
    """ICMP types; a row keeps them as ports of type * 256 + code."""
    if not {Protocol.ICMP, Protocol.ICMPV6} & set(protocols):
        return []
    spans = [span for part in cell.alternatives for span in part.ports]
    return sorted({kind for s in spans for kind in range(s.first // 256, s.last // 256 + 1)})


def _errata(entry: Entry) -> Iterator[Record]:
    if entry.added is not None:
        yield plain_erratum(entry.added)
    for erratum in entry.row.errata:
        yield plain_erratum(erratum)
    for extra in entry.table.added:
        if entry.added is None and _stands_with(extra.erratum, entry.table) == entry.row.row:
            yield {**plain_erratum(extra.erratum), "adds": entry.table.id_of_added(extra)}


def _stands_with(erratum: Erratum, table: Table) -> int:
    """The row that shows why a row is missing: the first whose line is evidence, else the last."""
    numbers = {row.row for row in table.rows}
    shown = [
        proof.row
        for proof in erratum.evidence
        if proof.row in numbers and (proof.document, proof.table) == (table.document, table.table)
    ]
    return shown[0] if shown and shown[0] is not None else table.rows[-1].row


def _corrections(row: Row, corrected: Row) -> Record:
    """The cells that errata replace, as they are used; empty where the row is used as printed."""
    changed: Record = {}
    if corrected.source != row.source:
        changed["source_parties"] = _parties(corrected.source)
    if corrected.source_ports != row.source_ports:
        changed["source_ports"] = _source_ports(corrected, corrected.protocol.l4)
    if corrected.protocol != row.protocol:
        changed["protocols"] = [protocol.label for protocol in corrected.protocol.l4]
    if corrected.destination != row.destination:
        changed["destination_parties"] = _parties(corrected.destination)
    if corrected.destination_ports != row.destination_ports:
        cell = corrected.destination_ports
        changed["destination_ports"] = _destination_ports(cell, corrected.protocol.l4)
    for name in ("when", "enabled_by_default", "disposition", "management", "signalling"):
        before, after = getattr(row, name), getattr(corrected, name)
        if before != after:
            changed[name] = _plain(after)
    return changed


def _plain(value: Any) -> Any:
    """A condition or another field as plain data."""
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
