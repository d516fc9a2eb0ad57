"""Every row of every edition with its history: what the explorer searches and its pages show."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flowbridge.catalog.citation import Citation, citation_of, plain_erratum
from flowbridge.catalog.document import PRODUCTS, Document, documents
from flowbridge.catalog.feature import features_of, services_with_features
from flowbridge.catalog.history import (
    InEdition,
    ReleaseChange,
    Standing,
    changes_by_release,
    history,
)
from flowbridge.catalog.load import Catalog, Entry, load
from flowbridge.catalog.row import PartyCell, Row, Table
from website.wording import condition_text, parties_text, ports_text, protocols_text


@dataclass(frozen=True)
class RowPage:
    """One row: as the catalog reads it, in every edition, and what releases change about it."""

    entry: Entry
    citation: Citation
    editions: tuple[InEdition, ...]
    changes: tuple[ReleaseChange, ...]
    features: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        return self.entry.id

    @property
    def anchor(self) -> str:
        return self.id.replace("/", "-").replace("+", "plus-")

    @property
    def row(self) -> Row:
        return self.entry.row

    @property
    def source(self) -> str:
        return parties_text(self.row.source)

    @property
    def destination(self) -> str:
        return parties_text(self.row.destination)

    @property
    def protocols(self) -> str:
        return protocols_text(self.row.protocol)

    @property
    def source_ports(self) -> str:
        return ports_text(self.row.source_ports, self.row.protocol.l4)

    @property
    def destination_ports(self) -> str:
        return ports_text(self.row.destination_ports, self.row.protocol.l4)

    @property
    def when(self) -> str:
        return condition_text(self.entry.table.when, self.row.when)

    @property
    def errata(self) -> list[dict[str, Any]]:
        found = [] if self.entry.added is None else [plain_erratum(self.entry.added)]
        return found + [plain_erratum(each) for each in self.row.errata]

    @property
    def corrected(self) -> dict[str, str]:
        """The cells that errata replace, as they are used, by the names of `wording`."""
        after = self.row.corrected()
        pairs = {
            "from": (self.source, parties_text(after.source)),
            "source ports": (
                self.source_ports,
                ports_text(after.source_ports, after.protocol.l4),
            ),
            "protocol": (self.protocols, protocols_text(after.protocol)),
            "to": (self.destination, parties_text(after.destination)),
            "ports": (
                self.destination_ports,
                ports_text(after.destination_ports, after.protocol.l4),
            ),
            "condition": (condition_text(self.row.when), condition_text(after.when)),
        }
        return {name: new or "none" for name, (old, new) in pairs.items() if old != new}

    @property
    def printings(self) -> Iterator[tuple[str, Row]]:
        """The row as each edition prints it; as the erratum adds it where none does."""
        for each in self.editions:
            if each.row is not None:
                yield each.edition.name, each.row
        if not self.editions:
            yield "", self.row


@dataclass(frozen=True)
class TablePage:
    """A table with its rows."""

    table: Table
    document: Document
    rows: tuple[RowPage, ...] = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.table.document}-{self.table.table}"

    @property
    def address(self) -> str | None:
        return self.document.edition(self.document.tables).address_of(self.table.table)


def table_pages() -> tuple[TablePage, ...]:
    """All tables of our documents with every row that any edition prints or an erratum adds."""
    catalog = load()
    changes = _changes(catalog)
    features = _features()
    return tuple(_page(catalog, *file.key, changes, features) for file in catalog.files)


def _page(
    catalog: Catalog,
    document: str,
    number: int,
    changes: Mapping[str, tuple[ReleaseChange, ...]],
    features: Mapping[str, list[tuple[str, str]]],
) -> TablePage:
    table = catalog.table_of_file(document, number)
    told = history(table)
    entries = [(_entry(catalog, table, n), told[n]) for n in sorted(told)]
    extra = [
        Entry(id=table.id_of_added(e), table=table, row=e.row, added=e.erratum) for e in table.added
    ]
    rows = tuple(
        RowPage(
            entry,
            citation_of(catalog, entry),
            editions,
            changes.get(entry.id, ()),
            tuple(features.get(entry.id, ())),
        )
        for entry, editions in (*entries, *((each, ()) for each in extra))
    )
    return TablePage(table, documents()[document], rows)


def _entry(catalog: Catalog, table: Table, number: int) -> Entry:
    row_id = f"{table.document}/{table.table}/{number}"
    own = {row.row: row for row in table.rows}
    if number in own:
        return Entry(id=row_id, table=table, row=own[number])
    return catalog.entry_of_any_edition(row_id)


def _changes(catalog: Catalog) -> dict[str, tuple[ReleaseChange, ...]]:
    found: dict[str, tuple[ReleaseChange, ...]] = {}
    for product in PRODUCTS:
        mine = {name for name, each in documents().items() if each.product == product}
        found |= {
            row: changes
            for row, changes in changes_by_release(catalog, product).items()
            if row.split("/")[0] in mine
        }
    return found


def _features() -> dict[str, list[tuple[str, str]]]:
    """The features that name a row, each with its title."""
    found: dict[str, list[tuple[str, str]]] = {}
    for service in services_with_features():
        for name, feature in features_of(service).items():
            for row in dict.fromkeys(feature.rows()):
                found.setdefault(row, []).append((name, feature.title.en))
    return found


def search_records(pages: tuple[TablePage, ...]) -> dict[str, Any]:
    """What the explorer's script reads: `{editions, parties, services, features, rows}`.

    A row is `{id, page, anchor, title, en, ja, from, to, sourceParties, targetParties, protocols,
    sourcePorts, ports, spans, sources, service, features, editions, changed, errata, words}`;
    `spans` and `sources` are `[first, last, editions]`, where editions are places in the list.
    """
    names = list(
        dict.fromkeys(
            f"{page.document.product_name} {each.edition.name}"
            for page in pages
            for row in page.rows
            for each in row.editions
            if each.standing is not Standing.UNKNOWN
        )
    )
    catalog = load()
    records = [_record(page, row, names, catalog) for page in pages for row in page.rows]
    used = {party for each in records for party in (*each["sourceParties"], *each["targetParties"])}
    named = {feature for each in records for feature in each["features"]}
    return {
        "editions": names,
        "parties": {name: catalog.parties[name].en for name in sorted(used)},
        "services": sorted({each["service"] for each in records if each["service"]}),
        "features": sorted(named),
        "rows": records,
    }


def _record(page: TablePage, row: RowPage, names: list[str], catalog: Catalog) -> dict[str, Any]:
    product = page.document.product_name
    at = {
        each.edition.name: names.index(f"{product} {each.edition.name}")
        for each in row.editions
        if each.standing is not Standing.UNKNOWN
    }
    printings = [(at.get(name, -1), printed) for name, printed in row.printings]
    changed = [change.after for change in row.changes]
    return {
        "id": row.id,
        "page": page.name,
        "anchor": row.anchor,
        "title": page.table.title.en,
        "en": row.row.purpose.en,
        "ja": row.row.purpose.ja,
        "from": row.source,
        "to": row.destination,
        "sourceParties": _names(row.row.source),
        "targetParties": _names(row.row.destination),
        "protocols": [each.label for each in row.row.protocol.l4],
        "sourcePorts": row.source_ports,
        "ports": row.destination_ports,
        "spans": _spans(printings, "destination_ports"),
        "sources": _spans(printings, "source_ports"),
        "service": page.table.service or "",
        "features": [name for name, _ in row.features],
        "editions": sorted(place for place, _ in printings if place >= 0),
        "changed": changed,
        "errata": [each["id"] for each in row.errata],
        "words": _words(page, row, catalog),
    }


def _names(cell: PartyCell) -> list[str]:
    return list(dict.fromkeys(part.party for part in cell.parties))


def _spans(printings: list[tuple[int, Row]], cell: str) -> list[list[Any]]:
    found: dict[tuple[int, int], list[int]] = {}
    for place, printed in printings:
        for row in (printed, printed.corrected()):
            if not any(protocol.has_ports for protocol in row.protocol.l4):
                continue
            for part in getattr(row, cell).alternatives:
                for span in part.ports:
                    known = found.setdefault((span.first, span.last), [])
                    if place not in known:
                        known.append(place)
    return [[first, last, places] for (first, last), places in sorted(found.items())]


def _words(page: TablePage, row: RowPage, catalog: Catalog) -> str:
    """Everything that a search for words looks at, folded as the script folds what is asked."""
    said: list[str | None] = [row.id, page.table.service, page.table.title.en, page.table.title.ja]
    said += [page.document.title.en, page.document.product_name]
    for name, title in row.features:
        said += [name, title]
    for _, printed in row.printings:
        said += [printed.purpose.en, printed.purpose.ja, printed.protocol.printed]
        for cell in (printed.source, printed.destination):
            said.append(cell.printed)
            for party in _names(cell):
                known = catalog.parties[party]
                said += [party, known.en, *known.ja]
    for note in row.row.notes:
        said += [note.en, note.ja]
    said += [each["id"] for each in row.errata]
    return folded("\n".join(dict.fromkeys(filter(None, said))))


def folded(text: str) -> str:
    """Full and half width the same, no capitals."""
    return unicodedata.normalize("NFKC", text).lower()
