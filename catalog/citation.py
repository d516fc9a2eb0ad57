"""How a place in a document is cited, so that a reader can open it.

`Cisco Expressway IP Port Usage Configuration Guide, X14.3/X15.0, table 11, row 5`, with the public
address beside it. No file name of ours is ever part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flowbridge.catalog.document import documents
from flowbridge.catalog.load import Catalog, Entry
from flowbridge.catalog.row import Erratum, Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A place in an edition. `table` is a number or the title under which the edition prints it."""

    title: str
    edition: str
    date: str | None
    table: str | None
    row: int | None
    section: str | None
    address: str | None

    def __str__(self) -> str:
        parts = [self.title, self.edition]
        if self.table is not None:
            parts.append(f"table {self.table}" if self.table.isdecimal() else f"“{self.table}”")
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.section is not None:
            parts.append(self.section)
        return ", ".join(parts)

    def as_plain(self) -> dict[str, Any]:
        """Keys: `text, title, edition, date, table, row, section, address`."""
        names = ("title", "edition", "date", "table", "row", "section", "address")
        return {"text": str(self), **{name: getattr(self, name) for name in names}}


def cited(
    document: str,
    edition: str,
    *,
    table: int | None = None,
    row: int | None = None,
    section: str | None = None,
) -> Citation:
    """A place as the catalog's data names it. KeyError for an unknown document or edition."""
    known = documents()[document]
    used = known.edition(edition)
    number = None if table is None else table - (used.part.first - 1 if used.part else 0)
    return Citation(
        title=known.title.en,
        edition=used.name,
        date=used.date,
        table=None if number is None else str(number),
        row=row,
        section=section,
        address=used.address_of(table),
    )


def citation_of(catalog: Catalog, entry: Entry) -> Citation:
    """Where the edition in use prints a row; of a row that no table has, its table.

    A row of another edition is cited by the first edition that prints it, one of an overlay by the
    overlay's document.
    """
    table = entry.table
    choice = catalog.editions.get(table.document)
    if choice is None:
        return Citation(
            title=table.document,
            edition="overlay",
            date=None,
            table=str(table.table),
            row=entry.row.row,
            section=None,
            address=None,
        )
    document = choice.document
    place = catalog.printed_in(entry)
    if place is None:
        edition, title, row = choice.edition, None, None
    else:
        edition, title, row = place
    section = table.title.en if document.cited_as == "section" else None
    label = None if section else (title or str(table.table))
    return Citation(
        title=document.title.en,
        edition=edition.name,
        date=edition.date,
        table=label,
        row=row,
        section=section,
        address=edition.address_of(table.table),
    )


def citation_of_evidence(proof: Evidence) -> Citation:
    """Where a piece of evidence is printed."""
    return cited(
        proof.document, proof.edition, table=proof.table, row=proof.row, section=proof.section
    )


def plain_erratum(erratum: Erratum) -> dict[str, Any]:
    """An erratum as plain data; each piece of evidence with its citation and public address."""
    record = erratum.model_dump(mode="json")
    for proof, plain in zip(erratum.evidence, record["evidence"], strict=True):
        place = citation_of_evidence(proof)
        plain |= {"cited": str(place), "address": place.address}
    return record
