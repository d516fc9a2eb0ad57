"""Cells of rows as text for readers: ports, parties, conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flowbridge.catalog.condition import Condition
from flowbridge.catalog.protocol import Protocol
from flowbridge.catalog.row import PartyCell, PortCell, ProtocolCell, Row

CELL_NAMES = {
    "purpose": "purpose",
    "source": "from",
    "source_ports": "source ports",
    "protocol": "protocol",
    "destination": "to",
    "destination_ports": "ports",
    "when": "condition",
    "enabled_by_default": "on by default",
}


def condition_text(*conditions: Condition) -> str:
    """All of them have to hold; empty where there is none."""
    return "; ".join(str(each) for each in conditions if each.root)


def ports_text(cell: PortCell, protocols: Iterable[Protocol]) -> str:
    """`3478 (size small or medium); 3478-3483 (size large)`, or the dash of a row without ports."""
    known = tuple(protocols)
    if known and not any(each.has_ports for each in known):
        return _without_ports(cell, known)
    parts = []
    for part in cell.alternatives:
        ports = ", ".join(map(str, part.ports)) or "as the deployment says"
        told = [condition_text(part.when)] if part.when.root else []
        if part.bracketed:
            told.append("off by default")
        if part.example:
            told.append("an example")
        parts.append(f"{ports} ({'; '.join(told)})" if told else ports)
    return "; ".join(parts) or "–"


def _without_ports(cell: PortCell, protocols: Sequence[Protocol]) -> str:
    if not {Protocol.ICMP, Protocol.ICMPV6} & set(protocols):
        return "–"
    spans = [span for part in cell.alternatives for span in part.ports]
    kinds = sorted({kind for s in spans for kind in range(s.first // 256, s.last // 256 + 1)})
    return f"type {', '.join(map(str, kinds))}" if kinds else "–"


def parties_text(cell: PartyCell) -> str:
    """The names of the catalog, with the side that is meant."""
    names = (f"{part.party} ({part.side})" if part.side else part.party for part in cell.parties)
    return ", ".join(names) or "–"


def protocols_text(cell: ProtocolCell) -> str:
    return "/".join(each.label for each in cell.l4) or "–"


def cell_text(row: Row, name: str) -> str:
    """A cell by its name, as read; with what is printed where that is not the same."""
    value: Any = getattr(row, name)
    match value:
        case PartyCell():
            return _with_printed(parties_text(value), value.printed)
        case PortCell():
            return _with_printed(ports_text(value, row.protocol.l4), value.printed)
        case ProtocolCell():
            return _with_printed(protocols_text(value), value.printed)
        case Condition():
            return condition_text(value) or "none"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(getattr(value, "en", value))


def _with_printed(text: str, printed: str | None) -> str:
    return text if printed is None or printed.lower() == text.lower() else f"{text} [{printed}]"


def openings_text(openings: Iterable[dict[str, Any]]) -> str:
    """What a row opens on one release, as `catalog diff` has it."""
    return "; ".join(_openings(openings)) or "nothing"


def _openings(openings: Iterable[dict[str, Any]]) -> Iterator[str]:
    for each in openings:
        when = "; ".join(str(Condition.model_validate(one)) for one in each["when"])
        yield f"{each['ports']} (if {when})" if when else str(each["ports"])
