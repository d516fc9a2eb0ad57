"""`flowbridge explain`."""

from __future__ import annotations

from flowbridge.answers.packets import At, Packets
from flowbridge.answers.part import Answer, Part
from flowbridge.answers.trace import ClosedRow


class Opening(At):
    """Packets that are let through, for one reason."""

    peer: str
    rows: list[str]
    """The rows that ask for them; none: excess, which the cloud cannot say tighter."""
    rules: list[str]
    """Terraform addresses of the rules that let them through."""
    packets: Packets


class Replaced(Part):
    """What an overlay did to a row."""

    reason: str
    overlay: str
    """The overlay's file."""
    cells: list[str]
    """The cells that it gives."""


class Explain(Answer):
    """Why a port is open, or which row would open it."""

    to: str
    protocol: str
    ports: list[str]
    open: bool
    rows: list[str]
    """Every row that opens it."""
    openings: list[Opening]
    would_open: list[ClosedRow]
    replaced: dict[str, Replaced] | None = None
    """Rows that an overlay changes, by id; left out where there are none."""
