"""Management from inside only: sources that come by public addresses."""

from __future__ import annotations

from collections.abc import Iterator

from flowbridge.deployment.addresses import in_order, is_public, shown
from flowbridge.deployment.guide.situation import Case, Situation
from flowbridge.deployment.interface import Network
from flowbridge.deployment.management_sources import opens_to_many


def public_sources(situation: Situation) -> Iterator[Case]:
    """Few public addresses that administer; very many are refused elsewhere."""
    found: dict[str, set[Network]] = {}
    for flow in situation.flows:
        if flow.management and flow.source.interface is None:
            public = {network for network in flow.source.addresses if is_public(network)}
            if public and not opens_to_many(public):
                found.setdefault(flow.source.party, set()).update(public)
    for party, networks in sorted(found.items()):
        addresses = ", ".join(map(shown, in_order(networks)))
        yield Case({"party": party, "addresses": addresses}, f"systems.{party}.addresses")
