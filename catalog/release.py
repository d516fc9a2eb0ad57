"""Expressway releases (`X8.7`, `X12.5.3`, `X15.0`) and ranges of them (`>=X12.5.3`, `<X8.8`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import Final

_RELEASE: Final = re.compile(r"^X(\d+)\.(\d+)(?:\.(\d+))?$")
_RANGE: Final = re.compile(r"^(>=|<=|<|>|=)?\s*(X\d+\.\d+(?:\.\d+)?)$")


# The newest release that the port guide is for (its title: X14.3 and X15.0).
NEWEST_DOCUMENTED: Final = "X15.0"


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
