"""Tables on terminals of every width: nothing is cut, and columns stay aligned."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flowbridge.table import fits, folded, layout, text

ROOT = Path(__file__).parents[2]
CELLS = st.text(alphabet="ab 1./あ", max_size=30)
ROWS = st.integers(1, 5).flatmap(
    lambda columns: st.lists(st.tuples(*[CELLS] * columns), min_size=1, max_size=6)
)


def letters(cell: str) -> str:
    return "".join(cell.split())


@given(ROWS, st.integers(60, 200))
def test_every_letter_is_there_and_no_line_is_too_wide(
    rows: list[tuple[str, ...]], available: int
) -> None:
    for row, lines in zip(rows, layout(rows, available), strict=True):
        widths = [[cell_len(cell) for cell in line] for line in lines]
        assert all(each == widths[0] for each in widths)
        assert sum(widths[0]) + 2 * (len(row) - 1) <= available
        for cell, parts in zip(row, zip(*lines, strict=True), strict=True):
            assert letters(cell) == letters("".join(parts))


@given(ROWS)
def test_without_a_width_each_row_is_one_line(rows: list[tuple[str, ...]]) -> None:
    assert all(len(lines) == 1 for lines in layout(rows, None))


@given(ROWS, st.integers(40, 200))
def test_where_it_fits_no_word_is_folded(rows: list[tuple[str, ...]], available: int) -> None:
    if fits(rows, available):
        words = {word for row in rows for cell in row for word in cell.split()}
        lines = [line for parts in layout(rows, available) for line in parts]
        shown = {word for line in lines for cell in line for word in cell.split()}
        assert words == shown
        assert len(list(text(rows, available))) == len(rows)


@given(CELLS, st.integers(0, 8), st.integers(20, 60))
def test_a_sentence_folds_further_in_and_keeps_its_letters(
    sentence: str, indent: int, available: int
) -> None:
    lines = folded(sentence, indent, indent + 2, available).split("\n")
    assert max(map(cell_len, lines)) <= available
    assert letters(sentence) == letters("".join(lines))
    assert all(line.startswith(" " * (indent + 2)) for line in lines[1:])
    assert folded(sentence, indent, indent + 2, None) == " " * indent + sentence


def on_a_terminal(columns: int, *words: str) -> list[str]:
    """The lines that the command prints on a terminal so wide."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.environ.pop("COLUMNS", None)
        os.environ.update(TERM="xterm", NO_COLOR="1")
        os.execv(sys.executable, [sys.executable, "-m", "flowbridge", *words])  # noqa: S606
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    raw = b""
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        raw += part
    os.waitpid(child, 0)
    os.close(terminal)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", raw.decode("utf-8"))
    return plain.replace("\r\n", "\n").splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 120, 200])
@pytest.mark.parametrize("command", ["check", "rules", "exposure"])
def test_no_address_is_cut_on_a_terminal(command: str, columns: int) -> None:
    lines = on_a_terminal(columns, command, "examples/edge-cluster.yaml")
    assert lines
    if command != "exposure":  # which names rules in full
        assert max(map(cell_len, lines)) <= columns
    assert "…" not in "\n".join(lines)
    if command == "check":
        file = (ROOT / "examples" / "edge-cluster.yaml").read_text("utf-8")
        for address in re.findall(r"external: ([\d.]+)", file):
            assert any(re.search(rf"(?<![\d.]){re.escape(address)}(?![\d.])", t) for t in lines)


def test_columns_stand_in_bands_before_an_address_is_folded() -> None:
    address = "2001:db8:1234:5678:9abc:def0:1234:5678/128"
    rows = [("rule", "peer", "ports", "rows"), ("allow", address, "443", "expressway/11/10")]
    for width in (50, 60, 80):
        lines = "\n".join(text(rows, width)).splitlines()
        assert any(address in line for line in lines)
        assert max(map(cell_len, lines)) <= width
