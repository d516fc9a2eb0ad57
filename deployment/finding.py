"""What a check has to say beside allowed and denied, each with its source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`refusal`: cannot work or is unsafe, nothing is synthesized. `obligation`: something the
    firewall cannot do and the deployer must."""

    REFUSAL = "refusal"
    WARNING = "warning"
    OBLIGATION = "obligation"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`id` names the rule (`guide/media-range`), `source` where a document or cloud says so.

    `key` is the place in the deployment file (dotted), `line` its line, where there is one;
    `file` is the file of that line where it is not the deployment file itself. `accepted` are the
    words in which the deployment accepts it.
    """

    id: str
    severity: Severity
    message: str
    source: str
    key: str = ""
    line: int | None = None
    file: str = ""
    accepted: str | None = None
