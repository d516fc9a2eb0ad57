"""Tables and colour on a terminal; plain, unwrapped text in a pipe or a log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby

import click
from rich.console import Console

from flowbridge.table import fits, folded, text


@cache
def console(*, stderr: bool = False) -> Console:
    """The console of stdout or stderr."""
    return Console(stderr=stderr, highlight=False)


@cache
def prose() -> Console:
    """The console for headings and sentences; in a pipe as wide as a page."""
    from flowbridge.summary import plain_console

    return plain_console()


def print_line(
    sentence: str, indent: int = 0, colour: str | None = None, *, bold: bool | None = None
) -> None:
    """A sentence that folds between its words on a terminal, further in; one line in a pipe."""
    click.secho(folded(sentence, indent, indent + 2, _width()), fg=colour, bold=bold)


def print_table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Cells in columns, without blanks at the end of a line.

    On a terminal that is too narrow a cell folds in its own column; in a pipe columns are as wide
    as they need to be.
    """
    rows = (tuple(columns), *map(tuple, lines))
    for number, line in enumerate(text(rows, _width())):
        click.echo(click.style(line, bold=True) if number == 0 else line)


def print_by_group(columns: Sequence[str], lines: Iterable[Sequence[str]], shared: int) -> None:
    """A table whose first `shared` cells are the same in neighbouring lines.

    Where it does not fit, those cells are said once above their lines.
    """
    body = [tuple(line) for line in lines]
    if fits((tuple(columns), *body), _width()):
        print_table(columns, body)
        return
    for group, own in groupby(body, key=lambda line: line[:shared]):
        click.secho(" ".join(group), bold=True)
        rows = [tuple(columns[shared:]), *(line[shared:] for line in own)]
        for number, line in enumerate(text(rows, _width(indent=2))):
            told = click.style(line, dim=True) if number == 0 else line
            click.echo("\n".join(f"  {part}" for part in told.split("\n")))


def _width(indent: int = 0) -> int | None:
    out = console()
    return out.width - indent if out.is_terminal else None
