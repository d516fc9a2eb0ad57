"""Rows that ask for a packet between other addresses of its two interfaces (NAT reflection)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flowbridge.policy.packets.packet import Address


@dataclass(frozen=True, order=True, slots=True)
class OtherAddresses:
    """`row` asks for the packet from `source` to `destination`, as the other end sees each."""

    row: str
    source: Address
    destination: Address

    def __str__(self) -> str:
        return f"{self.row} (from {self.source} to {self.destination})"

    def as_plain(self) -> dict[str, Any]:
        return {"row": self.row, "from": str(self.source), "to": str(self.destination)}
