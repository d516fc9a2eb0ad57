"""The sections of CHANGELOG.md, newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from packaging.version import Version

_SECTION: Final = re.compile(r"^## \[(?P<name>[^\]]+)\](?: - (?P<date>\S+))?[ ]*$", re.MULTILINE)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Section:
    """`version` is None for `[Unreleased]`."""

    version: Version | None
    date: str | None
    text: str

    @property
    def is_dated(self) -> bool:
        return self.date is not None and bool(_DATE.fullmatch(self.date))

    @property
    def changes(self) -> str:
        """What stands under `### Changed`, `### Removed` and `### Fixed`."""
        parts = re.split(r"^### ", self.text, flags=re.MULTILINE)[1:]
        told = [
            part.partition("\n")[2].strip()
            for part in parts
            if part.split()[:1] in (["Changed"], ["Removed"], ["Fixed"])
        ]
        return "\n".join(filter(None, told))


def sections(text: str) -> list[Section]:
    """ValueError (packaging's InvalidVersion) for a heading that is no version."""
    found = list(_SECTION.finditer(text))
    ends = [*(match.start() for match in found), len(text)][1:]
    return [
        Section(
            None if match["name"] == "Unreleased" else Version(match["name"]),
            match["date"],
            text[match.end() : end].strip(),
        )
        for match, end in zip(found, ends, strict=True)
    ]
