"""Texts of others on a terminal: shown, never obeyed.

A tag, a description or a key of a file may hold what moves the cursor, sets the clipboard, hides
the rest of a line or turns its order round. Such characters are written as `\\u001b`, which JSON
and Terraform's language read back as what they were.
"""

from __future__ import annotations

import io
import re
from typing import Final

# Control characters but tab and line feed, the marks that turn the reading order round (Unicode
# annex 9), and the two line ends that no line-wise reader expects.
_OBEYED: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
_NOT_TEXT: Final = re.compile(f"{_OBEYED.pattern}|[\ud800-\udfff]")
_SECRET: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s\"'<>?#@]*(?:@[^/\s\"'<>?#@]*)*@")
# Our own weights and colours; among them is none that hides.
_OURS: Final = re.compile(r"\x1b\[(?:(?:[0-4]|22|3[1-79]|9[0-7])(?:;(?=\d)|(?=m)))*m")


def legible(text: str) -> str:
    """`text` with nothing in it that a terminal obeys, but for colours."""
    return _OBEYED.sub(_shown, text)


def escaped(text: str) -> str:
    """JSON text in which every such character, and every byte of a file name that is no UTF-8, is
    written as JSON escapes it: programs read back what it was."""
    return _NOT_TEXT.sub(_shown, text)


def without_passwords(text: str) -> str:
    """`text` with what stands before the `@` of a URL left out: a user's name and password."""
    return _SECRET.sub(r"\1***@", text)


def one_line(text: str) -> str:
    """`text` with its line ends as blanks, so that no second line passes for one of ours."""
    return " ".join(text.splitlines())


def _shown(found: re.Match[str]) -> str:
    if found[0] == "\x1b" and _OURS.match(found.string, found.start()):
        return found[0]
    return f"\\u{ord(found[0]):04x}"


class Legible(io.TextIOWrapper):
    """A stream to a person or a log."""

    def write(self, text: str, /) -> int:
        super().write(legible(without_passwords(text)))
        return len(text)
