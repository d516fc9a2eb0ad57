"""Tables and colour on a terminal; plain, unwrapped text in a pipe or a log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from rich.console import Console
from rich.table import Table


@cache
def console(*, stderr: bool = False) -> Console:
    """The console of stdout or stderr. In a pipe lines are as long as they need to be."""
    found = Console(stderr=stderr, highlight=False)
    return found if found.is_terminal else Console(stderr=stderr, highlight=False, width=10_000)


@cache
def prose() -> Console:
    """The console for headings and sentences; in a pipe as wide as a page."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=130)


def table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> Table:
    """A plain table; cells are text, never markup."""
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for line in lines:
        made.add_row(*(Text(cell) for cell in line))
    return made
