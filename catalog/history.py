"""The history of a row: what each edition of its document prints of it, and what each release of
its product changes about what it opens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from flowbridge.catalog.condition import Condition
from flowbridge.catalog.diff import difference
from flowbridge.catalog.document import Document, Edition, documents
from flowbridge.catalog.edition import Printed, printed_table
from flowbridge.catalog.load import Catalog
from flowbridge.catalog.release import release_order
from flowbridge.catalog.release_default import release_defaults
from flowbridge.catalog.row import Row, Table

_CELLS: Final = (
    "purpose",
    "source",
    "source_ports",
    "protocol",
    "destination",
    "destination_ports",
    "when",
    "enabled_by_default",
)
_RELEASE: Final = re.compile(r"X\d+\.\d+(?:\.\d+)?")


class Standing(StrEnum):
    """What an edition does to a row, against the edition before it whose rows are known."""

    FIRST = "printed"  # in the oldest edition whose rows are known
    SAME = "unchanged"
    CHANGED = "changed"
    NEW = "new"
    GONE = "gone"
    ABSENT = "not printed"
    UNKNOWN = "cannot be told"  # the edition's text could not be had


@dataclass(frozen=True, slots=True, kw_only=True)
class InEdition:
    """A row in one edition. `place` is its number as printed, `row` what is printed: None for both
    where the edition does not print it, or nobody knows. `cells` are the names of those that
    changed, `title` the edition's own title of the table where it numbers tables otherwise."""

    edition: Edition
    standing: Standing
    place: int | None = None
    row: Row | None = None
    cells: tuple[str, ...] = ()
    title: str | None = None


def history(table: Table) -> dict[int, tuple[InEdition, ...]]:
    """For each row that any edition prints, by number: the row in every edition, oldest first.

    `table` is that of the table's file (`Catalog.table_of_file`). KeyError for the table of an
    overlay, whose document has no editions.
    """
    document = documents()[table.document]
    printed = dict(_printed(document, table))
    numbers = dict.fromkeys(number for each in printed.values() for number in each.order)
    return {number: tuple(_over(document, printed, number)) for number in numbers}


def _printed(document: Document, table: Table) -> Iterator[tuple[str, Printed]]:
    for edition in document.with_rows():
        yield edition.id, printed_table(document, edition, table)


def _over(document: Document, printed: Mapping[str, Printed], number: int) -> Iterator[InEdition]:
    before: Row | None = None
    is_first = True
    for edition in document.editions:
        if edition.part is not None:
            continue
        here = printed.get(edition.id)
        if here is None:
            yield InEdition(edition=edition, standing=Standing.UNKNOWN)
            continue
        row = here.rows[number] if number in here.order else None
        cells = changed_cells(before, row) if before is not None and row is not None else ()
        standing = Standing.FIRST if is_first and row is not None else _standing(before, row, cells)
        yield InEdition(
            edition=edition,
            standing=standing,
            place=here.place(number),
            row=row,
            cells=cells,
            title=here.title,
        )
        before, is_first = row, False


def _standing(before: Row | None, row: Row | None, cells: tuple[str, ...]) -> Standing:
    if row is None:
        return Standing.ABSENT if before is None else Standing.GONE
    if before is None:
        return Standing.NEW
    return Standing.CHANGED if cells else Standing.SAME


def changed_cells(before: Row, after: Row) -> tuple[str, ...]:
    """The names of the cells in which two printings of a row differ."""
    return tuple(name for name in _CELLS if getattr(before, name) != getattr(after, name))


@dataclass(frozen=True, slots=True)
class ReleaseChange:
    """What release `after` changes about what a row opens, against `before`.

    `change` is `opens`, `closes` or `changes`; the openings are `{ports, when}` as in `catalog
    diff`.
    """

    before: str
    after: str
    change: str
    old: tuple[dict[str, Any], ...]
    new: tuple[dict[str, Any], ...]


def changes_by_release(catalog: Catalog, product: str) -> dict[str, tuple[ReleaseChange, ...]]:
    """For each row the changes that releases of `product` make, oldest first. Errata are applied.

    A release that no edition is for is read by the nearest one, as everywhere; before the oldest
    edition only what its rows say about releases differs.
    """
    found: dict[str, list[ReleaseChange]] = {}
    for before, after in pairwise(releases_that_differ(catalog, product)):
        for each in difference(catalog, before, after, product):
            change = ReleaseChange(
                before, after, each["change"], tuple(each["before"]), tuple(each["after"])
            )
            found.setdefault(each["id"], []).append(change)
    return {row: tuple(changes) for row, changes in found.items()}


def releases_that_differ(catalog: Catalog, product: str) -> tuple[str, ...]:
    """The releases at which something may change: the first of each edition, and of Expressway
    those that a condition names."""
    names = {
        edition.releases.first
        for document in documents().values()
        if document.product == product
        for edition in document.editions
        if edition.releases is not None
    }
    if product == "expressway":
        names |= set(_named(_conditions(catalog)))
    return tuple(sorted(names, key=lambda name: release_order(product, name)))


def _conditions(catalog: Catalog) -> Iterator[Condition]:
    for default in release_defaults().values():
        yield default.true_when
    for entry in (*catalog.entries(), *catalog.closed_entries()):
        row = entry.row
        yield from (entry.table.when, row.when, *row.protocol.when.values())
        for cell in (row.source_ports, row.destination_ports):
            yield from (part.when for part in cell.alternatives)


def _named(conditions: Iterable[Condition]) -> Iterator[str]:
    for condition in conditions:
        yield from _RELEASE.findall(condition.model_dump_json())
