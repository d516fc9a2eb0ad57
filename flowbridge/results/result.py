"""One thing that a command found, with the place in the file that it is about."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """`error`: exit code 1 or 2 because of it."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`rule` is the id of the finding's kind; `line` counts from 1, None where no line is meant.

    `subject` is what it is about where the file has no line for it: a live id, an interface, a row.
    `accepted` are the words in which it is accepted, or the baseline that has it. `deployment` is
    its name, where an answer is about several.
    """

    rule: str
    level: Level
    text: str
    file: str
    line: int | None = None
    key: str = ""
    subject: str = ""
    source: str = ""
    accepted: str | None = None
    deployment: str = ""

    @property
    def fingerprint(self) -> str:
        """The same for the same finding, wherever its line moved to and however it is worded."""
        about = self.subject or self.key or self.text
        return hashlib.sha256(f"{self.file}\x1f{self.rule}\x1f{about}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one run of a command found.

    `examined` are the files that were judged; `rules` say in a sentence what each kind of finding
    means; `incomplete` are sentences on what could not be told, where silence proves nothing.
    """

    command: str
    examined: Sequence[str]
    results: Sequence[Result]
    rules: Mapping[str, str] = field(default_factory=dict)
    incomplete: Sequence[str] = ()

    def of(self, file: str) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.file == file)
