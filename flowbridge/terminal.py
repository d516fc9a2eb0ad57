"""Tables and colour on a terminal; plain, unwrapped text in a pipe or a log."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from functools import cache

import click
from rich.cells import cell_len
from rich.console import Console

_GAP = "  "


@cache
def console(*, stderr: bool = False) -> Console:
    """The console of stdout or stderr."""
    return Console(stderr=stderr, highlight=False)


@cache
def prose() -> Console:
    """The console for headings and sentences; in a pipe as wide as a page."""
    from flowbridge.summary import plain_console

    return plain_console()


def print_table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Cells in columns as wide as they need to be, without blanks at the end of a line.

    On a terminal that is too narrow each line of the table is folded between its words instead.
    """
    out = console()
    body = [tuple(line) for line in lines]
    widths = [max(map(cell_len, cells)) for cells in zip(columns, *body, strict=True)]
    fits = not out.is_terminal or sum(widths) + len(_GAP) * (len(widths) - 1) <= out.width
    for number, cells in enumerate((tuple(columns), *body)):
        padded = (_padded(cell, width) for cell, width in zip(cells, widths, strict=True))
        text = (_GAP.join(padded) if fits else _folded(cells, out.width)).rstrip()
        click.echo(click.style(text, bold=True) if number == 0 else text)


def _padded(cell: str, width: int) -> str:
    """`cell` in `width` columns of a terminal; a Japanese letter takes two of them."""
    return cell + " " * (width - cell_len(cell))


def _folded(cells: Sequence[str], width: int) -> str:
    return textwrap.fill(
        _GAP.join(cell for cell in cells if cell),
        width,
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
