"""The identity of a row: `expressway/11/5`, read once and written in one way."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

_SPELLED: Final = re.compile(r"([a-z][a-z0-9-]*)/([0-9]+)/(\+?)([0-9]+)")


class RowId(NamedTuple):
    """`added`: a row that no document prints and an erratum adds: `expressway/11/+1`."""

    document: str
    table: int
    number: int
    added: bool = False

    def __str__(self) -> str:
        return f"{self.document}/{self.table}/{self.spelled}"

    @property
    def spelled(self) -> str:
        """Its number within its table: `5`, or `+1` where an erratum adds it."""
        return f"+{self.number}" if self.added else str(self.number)

    @property
    def printed_in(self) -> tuple[str, int]:
        """Document and number of its table."""
        return self.document, self.table


@lru_cache(maxsize=4096)
def read_row_id(text: str) -> RowId:
    """The row of this id. ValueError where it is none."""
    spelled = _SPELLED.fullmatch(text)
    if spelled is None:
        raise ValueError(f"{text!r} is no row; ids look like expressway/11/5")
    document, table, added, number = spelled.groups()
    return RowId(document, int(table), int(number), bool(added))
