"""Port ranges as the documents print them: `22`, `1024-65535`, `36000-36010 even`, `any`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

HIGHEST_PORT = 65535

_RANGE = re.compile(r"^(?P<first>\d{1,5})(?:-(?P<last>\d{1,5}))?(?: (?P<parity>even|odd))?$")


class Parity(StrEnum):
    """RTP goes to even ports and RTCP to odd ones (Expressway guide, tables 11 and 12)."""

    EVEN = "even"
    ODD = "odd"


@dataclass(frozen=True, order=True, slots=True)
class PortRange:
    """The ports `first` to `last`, both included; with a parity, only every second one."""

    first: int
    last: int
    parity: Parity | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last <= HIGHEST_PORT:
            raise ValueError(
                f"{self.first} is not a port: ports go from 0 to {HIGHEST_PORT}"
                if self.first == self.last
                else f"{self.first}-{self.last} is not a port range: write FIRST-LAST with "
                f"0 <= FIRST <= LAST <= {HIGHEST_PORT}"
            )

    @classmethod
    def parse(cls, text: str | int) -> PortRange:
        """Read `22`, `1024-65535`, `36000-36010 even` or `any`; ValueError says what to write."""
        words = str(text).strip()
        if words == "any":
            return ANY_PORT
        match = _RANGE.match(words)
        if match is None:
            raise ValueError(
                f"{words!r} is not a port or a port range: write 443 or 36000-59999, "
                "with ' even' or ' odd' behind it for every second port"
            )
        first = int(match["first"])
        last = int(match["last"]) if match["last"] else first
        parity = Parity(match["parity"]) if match["parity"] else None
        return cls(first, last, parity)

    def __hash__(self) -> int:
        # The same few ranges are looked up again and again; the one of a dataclass takes longer.
        return self.first << 16 | self.last

    def __str__(self) -> str:
        if self.first == 0 and self.last == HIGHEST_PORT and self.parity is None:
            return "any"
        span = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{span} {self.parity}" if self.parity else span

    def __contains__(self, port: int) -> bool:
        if not self.first <= port <= self.last:
            return False
        return self.parity is None or (port % 2 == 0) == (self.parity is Parity.EVEN)


ANY_PORT = PortRange(0, HIGHEST_PORT)
EPHEMERAL = PortRange(1024, HIGHEST_PORT)
