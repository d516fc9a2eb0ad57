"""Releases of Expressway (`X8.7`, `X12.5.3`) with ranges of them, and those of other products."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import Final

_RELEASE: Final = re.compile(r"^X(\d+)\.(\d+)(?:\.(\d+))?$")
_RANGE: Final = re.compile(r"^(>=|<=|<|>|=)?\s*(X\d+\.\d+(?:\.\d+)?)$")
# 14, 12.5, 12.5(1), 12.5(1)SU3, 14SU2a
_UNIFIED: Final = re.compile(
    r"^(\d{1,3})(?:\.(\d+))?(?:\((\d+)\))? ?(?:SU(\d+)[a-z]?)?$", re.IGNORECASE
)
_DOTTED: Final = re.compile(r"^(\d{1,3})(?:\.(\d+))?(?:\.(\d+))?$")
_ANY: Final = "999999"
"""What `*` in the last release of an edition counts as."""

_EXAMPLES: Final = {
    "expressway": "X15.0 or X8.11.1",
    "cucm": '"14", "12.5(1)SU3" or "15SU2"',
    "imp": '"14", "12.5(1)SU3" or "15SU2"',
    "unity": '"14" or "15SU2"',
    "cms": '"3.9" or "3.9.1"',
}


@total_ordering
@dataclass(frozen=True, slots=True)
class Release:
    """A release in the order Cisco numbers them; `X8.8` equals `X8.8.0`."""

    numbers: tuple[int, int, int]

    @classmethod
    def parse(cls, text: str) -> Release:
        """Read `X15.0`; ValueError says how a release is written."""
        match = _RELEASE.match(text)
        if match is None:
            raise ValueError(
                f"{text!r} is not an Expressway release: write it like X15.0 or X8.11.1"
            )
        major, minor, patch = match.groups(default="0")
        return cls((int(major), int(minor), int(patch)))

    def __lt__(self, other: Release) -> bool:
        return self.numbers < other.numbers

    def __str__(self) -> str:
        major, minor, patch = self.numbers
        return f"X{major}.{minor}" + (f".{patch}" if patch else "")


@dataclass(frozen=True, slots=True)
class ReleaseRange:
    """`>=X8.8`: the releases that a row is for."""

    operator: str
    release: Release

    @classmethod
    def parse(cls, text: str) -> ReleaseRange:
        match = _RANGE.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not a release range: write it like >=X8.8 or <X12.5.3")
        return cls(match[1] or "=", Release.parse(match[2]))

    def __contains__(self, release: str) -> bool:
        here = Release.parse(release)
        match self.operator:
            case ">=":
                return here >= self.release
            case "<=":
                return here <= self.release
            case ">":
                return here > self.release
            case "<":
                return here < self.release
            case _:
                return here == self.release


def release_order(product: str, text: str) -> tuple[int, int, int]:
    """A release of any product as numbers that sort; ValueError says how one is written.

    The maintenance number in `12.5(1)` is always 1 and counts for nothing. `*` is higher than any
    number. Of a product that nobody knows every release is one.
    """
    written = text.strip().replace("*", _ANY)
    match product:
        case "expressway":
            found = _RELEASE.match(written)
            numbers = found and (found[1], found[2], found[3])
        case "cucm" | "imp" | "unity":
            found = _UNIFIED.match(written)
            numbers = found and (found[1], found[2], found[4])
        case _:
            found = _DOTTED.match(written)
            numbers = found and (found[1], found[2], found[3])
    if not numbers:
        raise ValueError(
            f"{text!r} is not a release of {product}: write one such as {_EXAMPLES[product]}"
        )
    first, second, third = (int(number or 0) for number in numbers)
    return first, second, third
