"""Records of flows as lines of a table for people, in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

COLUMNS: Final = ("from", "to", "protocol", "source ports", "ports", "rows")
# Of a longer list a line has this many, and says how many more there are: files have all.
_SHOWN: Final = 4


def table_line(record: Mapping[str, Any], *, whole: bool = False) -> list[str]:
    """A cell for each of `COLUMNS`. `whole`: every address, as what is to be changed needs."""
    return [
        _end(record, "source", whole),
        _end(record, "destination", whole),
        record["protocol"],
        ", ".join(record["source_ports"]),
        ", ".join(record["destination_ports"]),
        ", ".join(record["rows"]),
    ]


def _end(record: Mapping[str, Any], end: str, whole: bool) -> str:
    """`internet (0.0.0.0/0 but 14 networks)`."""
    addresses, but = record[f"{end}_addresses"], record[f"{end}_but"]
    shown = ", ".join(addresses if whole else addresses[:_SHOWN])
    more = len(addresses) - _SHOWN
    rest = f" and {more} more" if more > 0 and not whole else ""
    left_out = f" but {', '.join(but) if whole else f'{len(but)} networks'}" if but else ""
    return f"{record[end]} ({shown}{rest}{left_out})"
