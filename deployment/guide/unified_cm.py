"""Rules about Unified CM: ports of trunks and lines, and its ephemeral ports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.guide.situation import Case, Situation, rows_in_words

LINE_SIDE: Final = (PortRange(5060, 5060), PortRange(5061, 5061))
MRA: Final = "mra"
FEDERATION: Final = "imp-federation-microsoft"
PRESENCE: Final = "imp"
EPHEMERAL_PARAMETER: Final = "cucm-ephemeral"
EPHEMERAL: Final = PortRange(32768, 61000)


def trunks_on_line_ports(situation: Situation) -> Iterator[Case]:
    """Rows of other services that reach Unified CM where MRA's line side listens."""
    if rows := _trunk_rows(situation):
        yield Case({"rows": rows_in_words(rows)})


def trunks_elsewhere(situation: Situation) -> Iterator[Case]:
    """No such row: trunks that this deployment does not know can clash all the same."""
    if not _trunk_rows(situation):
        yield Case()


def _trunk_rows(situation: Situation) -> list[str]:
    return sorted(
        selected.id
        for selected in situation.carried
        if selected.table.document == "expressway" and selected.table.service != MRA
        if any(
            flow.destination.party == "cucm" and set(flow.destination_ports) & set(LINE_SIDE)
            for flow in selected.flows
        )
    )


def narrowed_ephemeral_ports(situation: Situation) -> Iterator[Case]:
    """An ephemeral range of the deployment's own that leaves out some of Unified CM's."""
    given = situation.site.options.ports.get(EPHEMERAL_PARAMETER)
    if given is None:
        return
    reached = EPHEMERAL.first
    for span in sorted(span for span in given if span.parity is None):
        if span.first <= reached:
            reached = max(reached, span.last + 1)
    if reached <= EPHEMERAL.last:
        yield Case({"ports": ", ".join(map(str, given))})


def several_presence_nodes(situation: Situation) -> Iterator[Case]:
    """More addresses than the one publisher that the rows of the federation print."""
    rows = [
        selected.id
        for selected in situation.carried
        if selected.table.service == FEDERATION
        and any(
            part.party == PRESENCE
            for cell in (selected.row.source, selected.row.destination)
            for part in cell.parties
        )
    ]
    nodes = situation.site.systems[PRESENCE].addresses
    if rows and sum(network.num_addresses for network in nodes) > 1:
        yield Case({"rows": rows_in_words(rows), "count": str(len(nodes))})
