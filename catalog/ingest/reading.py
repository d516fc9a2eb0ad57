"""The reading of a printed row: parties, ports and protocols, and what of it is not known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from flowbridge.catalog import printed
from flowbridge.catalog.party import Party

_PORT_PROTOCOL: Final = re.compile(r"(?:/\s*|\d )(TCP[^\d]*UDP|TCP|UDP|TLS|HTTPS)", re.IGNORECASE)
_NEAR: Final = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """The cells of a row as the catalog's files have them, and what a person has to look at."""

    cells: dict[str, Any]
    doubts: tuple[str, ...]


def read_row(cells: Mapping[str, str], parties: Mapping[str, Party]) -> Reading:
    """Read the printed cells of one row; every cell that cannot be read is a doubt."""
    doubts: list[str] = []
    found: dict[str, Any] = {"purpose": {"en": cells.get("purpose", "")}}
    for name in ("source", "destination"):
        found[name] = _party(name, cells.get(name, ""), parties, doubts)
    for name in ("source_ports", "destination_ports"):
        found[name] = _ports(name, cells, doubts)
    found["protocol"] = _protocol(cells, doubts)
    return Reading(found, tuple(doubts))


def _party(name: str, text: str, parties: Mapping[str, Party], doubts: list[str]) -> dict[str, Any]:
    spelled = {_folded(word): key for key, party in parties.items() for word in _words(party)}
    party = spelled.get(_folded(text))
    if party is not None:
        return {"printed": text, "parties": [{"party": party}]}
    near = dict.fromkeys(
        spelled[word] for word in get_close_matches(_folded(text), spelled, n=_NEAR, cutoff=0.5)
    )
    hint = f"; near: {', '.join(near)}" if near else ""
    doubts.append(f"{name}: no party is spelled {text!r}{hint}")
    return {"printed": text or None, "parties": []}


def _words(party: Party) -> tuple[str, ...]:
    return (party.en, *party.ja)


def _folded(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()


def _ports(name: str, cells: Mapping[str, str], doubts: list[str]) -> dict[str, Any]:
    if name not in cells:
        return {"printed": None, "alternatives": [{"ports": "any"}]}
    text = cells[name]
    spans = sorted(printed.spans(text))
    if not spans:
        doubts.append(f"{name}: no port is read from {text!r}")
        return {"printed": text, "alternatives": []}
    if printed.ephemeral(text):
        doubts.append(f"{name}: {text!r} speaks of ephemeral ports too")
    return {"printed": text, "alternatives": [{"ports": [str(span) for span in spans]}]}


def _protocol(cells: Mapping[str, str], doubts: list[str]) -> dict[str, Any]:
    text = cells.get("protocol")
    if text is None:
        match = _PORT_PROTOCOL.search(cells.get("destination_ports", ""))
        text = match[1] if match else ""
    protocols = printed.protocols(text)
    if not protocols:
        doubts.append("protocol: none is printed")
    return {"printed": text or None, "l4": sorted(protocol.label for protocol in protocols)}
