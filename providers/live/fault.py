"""What a cloud's SDK raised, as a named cause with something to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flowbridge.policy.audit.estate import Cause

# A message longer than this is cut: the cause is what counts.
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """`remedies` are the cloud's own: what to do, by cause, without a full stop."""

    cause: Cause
    message: str
    remedies: Mapping[Cause, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def remedy(self) -> str:
        """A sentence; empty where nothing can be done."""
        remedy = self.remedies.get(self.cause)
        return f"{remedy}." if remedy else ""


def one_line(text: str) -> str:
    """`text` on one line, without its full stop, and cut where it is long."""
    line = " ".join(text.split())
    cut = line[: _LONGEST - 3] + "..." if len(line) > _LONGEST else line
    return cut.rstrip(". ")
