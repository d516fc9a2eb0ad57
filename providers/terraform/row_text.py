"""Row ids as one short text: the beginning of every rule's description in its cloud."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from flowbridge.catalog.row_id import read_row_id


def in_reading_order(rows: Iterable[str]) -> list[str]:
    """Row ids with their numbers in the order of numbers: row 9 before row 10."""
    return sorted(
        set(rows),
        key=lambda row: [
            (0, int(part), "") if part.isdigit() else (1, 0, part)
            for part in re.split(r"(\d+)", row)
        ],
    )


def description(rows: Iterable[str], subject: str, limit: int) -> str:
    """The row ids, then `subject` where there is room; at most `limit` characters.

    Rows of one table share its name (`expressway/11/5,6`) where the list would be too long, and
    where not even so all fit, whole ids are left out and counted: `... (+7 rows)`.
    """
    ordered = in_reading_order(rows)
    text = ", ".join(ordered)
    if len(text) > limit:
        text = ", ".join(_compact(ordered))
    kept = len(ordered)
    while len(text) > limit and kept:
        kept -= 1
        text = ", ".join(_compact(ordered[:kept])) + f" (+{len(ordered) - kept} rows)"
    subject = subject.strip()
    full = f"{text}: {subject}" if text else subject
    return full if subject and len(full) <= limit else text[:limit].rstrip()


def _compact(rows: Sequence[str]) -> list[str]:
    """`expressway/11/5`, `expressway/11/6` as `expressway/11/5,6`."""
    tables = groupby(map(read_row_id, rows), key=lambda row: row.printed_in)
    return [",".join((str(next(group)), *(row.spelled for row in group))) for _, group in tables]
