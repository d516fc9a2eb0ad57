"""What takes most of a limit: rows and their party, in words for a refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from flowbridge.providers.terraform.row_text import description

_TOLD: Final = 5
_ROWS_LENGTH: Final = 60  # of all rows that one rule serves; the rest is counted


class Share(NamedTuple):
    """What one rule takes of a limit."""

    rows: tuple[str, ...]
    party: str
    weight: int


def costly(shares: Iterable[Share]) -> str:
    """`expressway/5/1 (admin-pc, 19); cucm/6/7 (phone, 7)`: the five that take most."""
    totals: Counter[tuple[tuple[str, ...], str]] = Counter()
    for share in shares:
        totals[share.rows, share.party] += share.weight
    most = sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:_TOLD]
    return "; ".join(
        f"{description(rows, '', _ROWS_LENGTH)} ({party}, {weight})"
        for (rows, party), weight in most
    )
