"""A flow line as plain data: what a row of the list says, whatever its format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from flowbridge.catalog.load import Catalog, Entry
from flowbridge.catalog.ports import ANY_PORT, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.addresses import shown
from flowbridge.policy.packets.packet import icmp_span
from flowbridge.policy.questions.flow_list import FlowLine

COLUMNS: Final = (
    "direction",
    "source",
    "source_addresses",
    "source_but",
    "source_ports",
    "destination",
    "destination_addresses",
    "destination_but",
    "destination_ports",
    "protocol",
    "replies",
    "translated",
    "rows",
    "citations",
    "purpose_en",
    "purpose_ja",
)


def record(
    line: FlowLine, catalog: Catalog, ports: Sequence[PortRange] | None = None
) -> dict[str, Any]:
    """`line` with keys `COLUMNS`; lists of texts where there may be several.

    `ports` replaces its destination ports. `replies` says what a firewall without state has to let
    back.
    """
    entries = [catalog.entry(row) for row in line.rows]
    to = line.destination_ports if ports is None else tuple(ports)
    return {
        "direction": str(line.side),
        "source": line.source,
        "source_addresses": [shown(network) for network in line.source_addresses],
        "source_but": [shown(network) for network in line.source_but],
        "source_ports": _ports(line.protocol, line.source_ports, source=True),
        "destination": line.destination,
        "destination_addresses": [shown(network) for network in line.destination_addresses],
        "destination_but": [shown(network) for network in line.destination_but],
        "destination_ports": _ports(line.protocol, to, source=False),
        "protocol": line.protocol.label,
        "replies": _replies(line),
        "translated": list(line.translated),
        "rows": list(line.rows),
        "citations": [_citation(entry) for entry in entries],
        "purpose_en": _each(entry.row.purpose.en for entry in entries),
        "purpose_ja": _each(entry.row.purpose.ja or "" for entry in entries),
    }


def _each(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]


def _citation(entry: Entry) -> str:
    table = entry.table
    return f"{table.document}, table {table.table} ({table.title.en}), {entry.id}"


def _ports(protocol: Protocol, ports: Iterable[PortRange], *, source: bool) -> list[str]:
    """Ranges as texts; for ICMP its types on the destination's side; `any` where all are free."""
    spans = tuple(ports)
    if not protocol.has_numbers or spans == (ANY_PORT,):
        return ["any"]
    if protocol.has_ports:
        return [str(span) for span in spans]
    return ["any"] if source else [icmp_span(span) for span in spans]


def _replies(line: FlowLine) -> str:
    if line.protocol.has_ports:
        return "with the ports exchanged"
    return "of the same protocol"
