"""What an overlay does to a row of ours: it closes it, or gives some of its cells anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from flowbridge.catalog.row import ClosedRow, Replacement, Row, Table
from flowbridge.catalog.row_id import read_row_id

CELLS = (
    "purpose",
    "source",
    "source_ports",
    "protocol",
    "destination",
    "destination_ports",
    "when",
    "enabled_by_default",
    "management",
    "signalling",
)
"""The cells of a row that an overlay may give."""


NO_REASON = "no reason is given"


@dataclass(frozen=True, slots=True)
class RowChange:
    """One change: `row_id` is closed where there are no `cells`, else they replace its own."""

    table: tuple[str, int]
    row_id: str
    reason: str
    overlay: str
    cells: dict[str, Any] = field(default_factory=dict)

    def applied(self, row: Row) -> Row:
        """The row with these cells, its errata of the same cells ended. ValueError says why not."""
        errata = [
            {
                **erratum.model_dump(mode="json"),
                "correction": {
                    name: cell
                    for name, cell in erratum.correction.items()
                    if name not in self.cells
                },
            }
            for erratum in row.errata
        ]
        given = {
            name: {"printed": None, **cell} if name in _PRINTED and isinstance(cell, dict) else cell
            for name, cell in self.cells.items()
        }
        try:
            return Row.model_validate({**row.model_dump(mode="json"), **given, "errata": errata})
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise ValueError(f"{place}: {first['msg']}") from None


_PRINTED = {"source", "source_ports", "protocol", "destination", "destination_ports"}


def with_changes(table: Table, changes: Iterable[RowChange]) -> Table:
    """The table after the changes of overlays, in their order."""
    for change in changes:
        table = _changed(table, change)
    return table


def _changed(table: Table, change: RowChange) -> Table:
    if read_row_id(change.row_id).added:
        return _changed_added(table, change)
    row = next((row for row in table.rows if table.id_of(row) == change.row_id), None)
    if row is None:
        return table
    if not change.cells:
        closed = ClosedRow(row=row, reason=_closing(change), overlay=change.overlay)
        rows = tuple(each for each in table.rows if each is not row)
        return table.model_copy(update={"rows": rows, "closed": (*table.closed, closed)})
    new = change.applied(row)
    rows = tuple(new if each is row else each for each in table.rows)
    told = Replacement(reason=change.reason, overlay=change.overlay, cells=tuple(change.cells))
    return table.model_copy(update={"rows": rows, "replaced": {**table.replaced, row.row: told}})


def _changed_added(table: Table, change: RowChange) -> Table:
    """The same for a row that an erratum adds (`expressway/11/+1`)."""
    extra = next((e for e in table.added if table.id_of_added(e) == change.row_id), None)
    if extra is None:
        return table
    rest = tuple(each for each in table.added if each is not extra)
    if not change.cells:
        return table.model_copy(update={"added": rest})
    new = extra.model_copy(update={"row": change.applied(extra.row)})
    return table.model_copy(
        update={"added": tuple(new if each is extra else each for each in table.added)}
    )


def _closing(change: RowChange) -> str:
    return f"closed by the overlay {change.overlay}: {change.reason}"
