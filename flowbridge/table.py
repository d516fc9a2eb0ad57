"""Tables that fit: a cell that is too wide folds in its own column, and nothing is left out.

Widths are columns of a terminal, in which a Japanese letter takes two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from rich.cells import cell_len, chop_cells

_GAP: Final = 2
_INDENT: Final = 4  # of the bands below the first
Row = tuple[str, ...]


def layout(rows: Iterable[Sequence[str]], available: int | None) -> Iterator[tuple[Row, ...]]:
    """The lines of each row, their cells padded to equal widths; of the last cell nothing is.

    `available` None: as wide as it needs to be. A column first folds between its words (an
    address is one word); only where even the longest words do not fit are words folded, too.
    """
    body = [tuple(row) for row in rows]
    if not body:
        return
    columns = list(zip(*body, strict=True))
    widths = [max(map(cell_len, cells)) for cells in columns]
    if available is not None:
        room = available - _GAP * (len(columns) - 1)
        words = [
            max(cell_len(word) for cell in cells for word in _words(cell)) for cells in columns
        ]
        widths = _narrowed(widths, words, room)
    for row in body:
        yield tuple(_lines(row, widths))


def longest_words(rows: Sequence[Row]) -> list[int]:
    """The least width of each column in which no word is folded."""
    columns = zip(*rows, strict=True)
    return [max(cell_len(word) for cell in cells for word in _words(cell)) for cells in columns]


def fits(rows: Iterable[Sequence[str]], available: int | None) -> bool:
    """Whether a table needs to fold no word (between words it may)."""
    body = [tuple(row) for row in rows]
    if available is None or not body:
        return True
    least = longest_words(body)
    return sum(least) + _GAP * (len(least) - 1) <= available


def banded(
    rows: Iterable[Sequence[str]], available: int | None
) -> Iterator[tuple[tuple[int, Row], ...]]:
    """The lines of each row, each with the number of its first column.

    Where not even the longest words fit beside each other, no word is folded: the columns stand
    in bands below each other, aligned over all rows. The first column leads each band's line.
    """
    body = [tuple(row) for row in rows]
    if not body:
        return
    spans = _bands(longest_words(body), available)
    rooms = [available if available is None or not at else available - _INDENT for at, _ in spans]
    laid = [
        list(layout([row[first:end] for row in body], room))
        for (first, end), room in zip(spans, rooms, strict=True)
    ]
    for parts in zip(*laid, strict=True):
        yield tuple(
            (first, line)
            for (first, _), lines in zip(spans, parts, strict=True)
            for line in lines
            if not first or any(cell.strip() for cell in line)
        )


def _bands(words: Sequence[int], available: int | None) -> list[tuple[int, int]]:
    """The columns of each band, as many as fit with their longest words."""
    spans: list[tuple[int, int]] = []
    first = 0
    for at in range(1, len(words) + 1):
        room = None if available is None else available - (_INDENT if first else 0)
        ends = at == len(words)
        wider = not ends and room is not None and _needed(words[first : at + 1]) > room
        if ends or wider:
            spans.append((first, at))
            first = at
    return spans


def _needed(words: Sequence[int]) -> int:
    return sum(words) + _GAP * (len(words) - 1)


def text(rows: Iterable[Sequence[str]], available: int | None) -> Iterator[str]:
    """The lines of a table, without blanks at their ends. The first row is the heading."""
    for lines in banded(rows, available):
        yield "\n".join(
            (" " * (_INDENT if first else 0) + (" " * _GAP).join(line)).rstrip()
            for first, line in lines
        )


def folded(sentence: str, indent: int, hanging: int, available: int | None) -> str:
    """A sentence `indent` columns in, its further lines `hanging` columns in.

    `available` None: one line.
    """
    if available is None:
        return " " * indent + sentence
    first, *more = _folded(sentence, max(1, available - max(indent, hanging)))
    return "\n".join((" " * indent + first, *(" " * hanging + line for line in more)))


def _narrowed(widths: list[int], words: list[int], room: int) -> list[int]:
    """Widths that fit `room`: the widest column gives first, down to its longest word; then all
    give, so that none is below a few letters."""
    found = list(widths)
    for least in (words, [min(8, width) for width in widths]):
        while sum(found) > room:
            spare = [(found[at], at) for at in range(len(found)) if found[at] > least[at]]
            if not spare:
                break
            found[max(spare)[1]] -= 1
    return found


def _lines(row: Row, widths: Sequence[int]) -> Iterator[Row]:
    folded = [list(_folded(cell, width)) for cell, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, folded))):
        cells = [lines[number] if number < len(lines) else "" for lines in folded]
        yield tuple(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)
        )


def _words(cell: str) -> list[str]:
    return cell.split() or [""]


def _folded(cell: str, width: int) -> Iterator[str]:
    line = ""
    for word in _pieces(cell, width):
        wider = f"{line} {word}" if line else word
        if cell_len(wider) <= width:
            line = wider
            continue
        if line:
            yield line
        line = word
    yield line


def _pieces(cell: str, width: int) -> Iterator[str]:
    """The words of a cell; one that is wider than the column in parts."""
    if cell_len(cell) <= width:
        yield cell
        return
    for word in cell.split():
        if cell_len(word) <= width:
            yield word
        else:
            yield from chop_cells(word, max(1, width))


def coloured(lines: tuple[tuple[int, Row], ...], paint: Callable[[int, str], str]) -> Iterator[str]:
    """The lines of one row (`banded`), each cell painted by its column."""
    for first, line in lines:
        told = [at for at, cell in enumerate(line) if cell.strip()]
        shown = [*line[: told[-1]], line[told[-1]].rstrip()] if told else []
        indent = " " * (_INDENT if first else 0)
        yield indent + (" " * _GAP).join(paint(first + at, cell) for at, cell in enumerate(shown))
