"""Rules about Expressway-E's cards and addresses."""

from __future__ import annotations

from collections.abc import Iterator

from flowbridge.catalog.row import Side
from flowbridge.deployment.addresses import is_private, shown
from flowbridge.deployment.guide.situation import Case, Situation, rows_in_words
from flowbridge.deployment.interfaces import EDGE
from flowbridge.deployment.selection.reflection import relays_need_it
from flowbridge.deployment.selection.resolution import Outcome


def peers_without_public_address(situation: Situation) -> Iterator[Case]:
    """A cluster of which nothing public is known (one in part is refused while it is read)."""
    edge = situation.site.expressway_e
    if edge is None or len(edge.peers) < 2 or any(peer.public for peer in edge.peers):
        return
    outer = [network for peer in edge.peers for network in peer.external or peer.address]
    if all(is_private(network) for network in outer):
        yield Case({"count": str(len(edge.peers))})


def returning_media(situation: Situation) -> Iterator[Case]:
    """Packets from Expressway-E to itself that cross a network."""
    rows = {
        row
        for flow in situation.flows
        if flow.source.party == flow.destination.party == EDGE
        for row in flow.rows
    }
    if rows:
        yield Case({"rows": rows_in_words(rows)})


def clustered_turn_servers(situation: Situation) -> Iterator[Case]:
    """The peers of an Expressway-E cluster, at the private addresses of their outer cards."""
    edge = situation.site.expressway_e
    if edge is not None and len(edge.peers) > 1:
        outer = sorted(
            shown(network) for peer in edge.peers for network in peer.external or peer.address
        )
        yield Case({"count": str(len(edge.peers)), "addresses": ", ".join(outer)})


def unreflected_rows(situation: Situation) -> Iterator[Case]:
    """Rows from inside to Expressway-E's public address, which nobody may use."""
    rows = [
        selected.id
        for selected in situation.selected
        if selected.outcome is Outcome.OFF
        and not selected.row.when.unmet(situation.facts)
        and any(
            part.party == EDGE and part.side is Side.PUBLIC
            for part in selected.row.destination.parties
        )
    ]
    yield Case({"closed": f" ({rows_in_words(rows)})" if rows else ""})


def unreached_relays(situation: Situation) -> Iterator[Case]:
    """By the switch of their own; or where nobody inside may use the public address."""
    switched_off = not situation.site.options.cms.relay_ports
    yield Case(key="" if switched_off else "options.nat_reflection")


def relays_not_reflected(situation: Situation) -> Iterator[Case]:
    """A release whose relays send to their own public address, where nothing is reflected."""
    edge = situation.site.expressway_e
    if edge is not None and relays_need_it(situation.site.release.expressway, edge):
        yield Case({"release": situation.site.release.expressway})
