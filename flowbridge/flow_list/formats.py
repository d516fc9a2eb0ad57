"""Records as CSV, Markdown and XLSX: one line a record, a cell for each column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_BETWEEN: Final = ", "
# A spreadsheet takes what starts like this for a formula and would run it.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_WIDEST: Final = 60

Records = Sequence[Mapping[str, Any]]


def as_csv(columns: Sequence[str], records: Records) -> str:
    """RFC 4180: CRLF, quotes where needed, a heading."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_plain(cell) for cell in _cells(columns, each)] for each in records)
    return out.getvalue()


def as_markdown(columns: Sequence[str], records: Records) -> str:
    """A table of GitHub's Markdown."""
    rows = [columns, ["---"] * len(columns), *(_cells(columns, each) for each in records)]
    return "".join(f"| {' | '.join(map(_escaped, row))} |\n" for row in rows)


def as_xlsx(sheets: Mapping[str, tuple[Sequence[str], Records]]) -> bytes:
    """A workbook with a sheet for each name: heading frozen, filter on, columns wide enough."""
    try:
        from xlsxwriter import Workbook
    except ModuleNotFoundError:
        raise ValueError(
            "XlsxWriter is not installed: add flowbridge[xlsx], or write CSV"
        ) from None

    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(buffer, options) as book:
        heading = book.add_format({"bold": True, "bottom": 1})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        for name, (columns, records) in sheets.items():
            sheet = book.add_worksheet(name[:31])
            lines = [_cells(columns, each) for each in records]
            sheet.write_row(0, 0, columns, heading)
            for number, line in enumerate(lines, 1):
                for place, cell in enumerate(line):
                    sheet.write_string(number, place, cell, wrapped)
            for place, cells in enumerate(zip(columns, *lines, strict=True)):
                sheet.set_column(place, place, min(max(map(len, cells)) + 2, _WIDEST))
            sheet.freeze_panes(1, 0)
            sheet.autofilter(0, 0, len(lines), len(columns) - 1)
    return buffer.getvalue()


def _cells(columns: Iterable[str], record: Mapping[str, Any]) -> list[str]:
    return [_text(record[column]) for column in columns]


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return _BETWEEN.join(map(str, value))
    return "" if value is None else str(value)


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _escaped(cell: str) -> str:
    return " ".join(cell.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
