"""Version constraints as Terraform reads them: whether they leave any version from a first one.

`~> 5.3` allows the last part that is written to rise: 5.3 up to, not including, 6.0. A prerelease
is only ever met by naming it, so it is left out of what a range allows (Terraform, version
constraints).
"""

from __future__ import annotations

import re
from typing import Final

Version = tuple[int, int, int]

_PART: Final = re.compile(r"\s*(=|!=|>=?|<=?|~>)?\s*(\d+(?:\.\d+){0,2})(-[0-9A-Za-z.-]+)?\s*")
_HIGHEST: Final[Version] = (10**9, 0, 0)


def allows_from(constraint: str, first: str) -> bool:
    """Whether `constraint` allows any version that is `first` or later.

    ValueError for what is no constraint.
    """
    low, high = _version(first), _HIGHEST  # low <= version < high
    excluded: set[Version] = set()
    for text in constraint.split(","):
        found = _PART.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no version constraint")
        operator, written = found[1] or "=", found[2]
        version = _version(written)
        if operator == "!=":
            excluded.add(version)
            continue
        above, below = _range(operator, version, written.count("."))
        low, high = max(low, above), min(high, below)
    while low in excluded:
        low = _next(low)
    return low < high


def _range(operator: str, version: Version, dots: int) -> tuple[Version, Version]:
    """From the first version to the one behind the last."""
    match operator:
        case "=":
            return version, _next(version)
        case ">=":
            return version, _HIGHEST
        case ">":
            return _next(version), _HIGHEST
        case "<=":
            return (0, 0, 0), _next(version)
        case "<":
            return (0, 0, 0), version
    major, minor, _ = version
    return version, (major, minor + 1, 0) if dots > 1 else (major + 1, 0, 0)


def _next(version: Version) -> Version:
    return version[0], version[1], version[2] + 1


def _version(text: str) -> Version:
    major, minor, patch, *_ = (*map(int, text.split(".")), 0, 0)
    return major, minor, patch
