"""Where workloads stand and what that costs them: legal, and seldom what was meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from flowbridge.catalog.load import Catalog
from flowbridge.catalog.reading.located_yaml import dotted
from flowbridge.deployment.addresses import is_public, order, shown, within
from flowbridge.deployment.clouds.aws import ids_of_aws
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.interface import Network
from flowbridge.deployment.interfaces import CORE

_NAMED: Final = 3  # services before the rest is counted
CUT_OFF: Final = "deployment/cut-off"
_LEAVE_OUT: Final = "or leave its `tier` out and keep it in a subnet that no tier names"


def standing_findings(site: Site, catalog: Catalog, flows: Iterable[Flow]) -> Iterator[Finding]:
    """Expressway-E among the inside, systems cut off from their own, another cloud's ids."""
    yield from _edge_inside(site)
    yield from _cards_mixed_up(site)
    yield from _over_the_internet(site)
    yield from _cut_off(site, catalog, flows)
    for location, text in ids_of_aws(site):
        yield Finding(
            id="deployment/id-of-another-cloud",
            severity=Severity.WARNING,
            message=f"{text!r} has the form of an AWS id, and this deployment is for "
            f"{site.cloud}: write "
            "what it is called there",
            source="form of AWS resource ids",
            key=dotted(location),
        )


def _edge_inside(site: Site) -> Iterator[Finding]:
    edge, core = site.expressway_e, site.expressway_c
    if edge is None:
        return
    inside = [CORE] if core is not None and core.tier == edge.tier else []
    inside += sorted(name for name, system in site.systems.items() if system.tier == edge.tier)
    if inside:
        yield Finding(
            id="deployment/edge-inside",
            severity=Severity.WARNING,
            message=f"Expressway-E faces the internet from the tier {edge.tier!r}, where "
            f"{_and(inside)} "
            f"{'stand' if len(inside) > 1 else 'stands'} too: give it a tier and subnets of its "
            "own, such as dmz",
            source="port guide, note with table 22: the TURN servers are in the DMZ",
            key="expressway_e.tier",
        )


def _over_the_internet(site: Site) -> Iterator[Finding]:
    """A traversal client whose packets arrive at the outer card, whatever the rows print."""
    edge, core = site.expressway_e, site.systems.get(CORE)
    if edge is None or core is None or edge.nics != "dual" or core.tier is not None:
        return
    if all(map(is_public, core.addresses)):
        addresses = ", ".join(map(shown, core.addresses))
        yield Finding(
            id="deployment/core-over-the-internet",
            severity=Severity.NOTE,
            message=f"Expressway-C ({addresses}) has public addresses only, so it comes over the "
            f"internet "
            "and all its rows are opened at the outer card of Expressway-E, also those that print "
            "the inner one. Where it comes over a VPN, write the addresses it has there",
            source="port guide, tables 5, 6 and 17: the traversal client starts every connection",
            key=f"systems.{CORE}.addresses",
        )


def _cards_mixed_up(site: Site) -> Iterator[Finding]:
    """One peer's outer card in the subnet of another's inner one.

    Where both cards of one peer are in one range, ranges say nothing about subnets.
    """
    edge = site.expressway_e
    if edge is None or edge.nics != "dual":
        return
    ranges = [network for tier in site.network.tiers.values() for network in tier.cidrs]

    def places(cards: tuple[Network, ...]) -> set[Network]:
        return {one for one in ranges for card in cards if within(card, (one,))}

    outer = [places(peer.external) for peer in edge.peers]
    inner = [places(peer.internal) for peer in edge.peers]
    if any(out & ins for out, ins in zip(outer, inner, strict=True)):
        return
    all_outer = {one for out in outer for one in out}
    for index, ins in enumerate(inner):
        if shared := ins & all_outer:
            yield Finding(
                id="deployment/cards-mixed-up",
                severity=Severity.WARNING,
                message=f"the inner card of this peer is in {shown(min(shared, key=order))}, "
                f"where another "
                "peer has its outer card: look whether `external` and `internal` are mixed up",
                source="one subnet for the outer cards, another for the inner ones",
                key=f"expressway_e.peers[{index}].internal",
            )


def _cut_off(site: Site, catalog: Catalog, flows: Iterable[Flow]) -> Iterator[Finding]:
    """Workloads without any flow, and systems that have none of those on which they live."""
    flows = tuple(flows)
    met = {
        end.interface.workload
        for flow in flows
        for end in (flow.source, flow.destination)
        if end.interface is not None
    }
    senders = {
        flow.source.interface.workload for flow in flows if flow.source.interface is not None
    }
    for name, system in sorted(site.systems.items()):
        if system.tier is None:
            continue
        services = tuple(
            dict.fromkeys(
                service for part in (name, *system.roles) for service in catalog.services_of(part)
            )
        )
        if name not in met and system.eni:
            yield _no_rule(name, services)
            continue
        if services and not set(services) & set(site.services):
            rest = len(services) - _NAMED
            more = f" and {rest} more" if rest > 0 else ""
            message = (
                f"{name} runs here, so it gets the flows of the services listed and no others, and "
                f"none of its own is listed ({', '.join(services[:_NAMED])}{more}): between its "
                "nodes, with phones, DNS and NTP nothing passes. List those it uses, " + _LEAVE_OUT
            )
        elif not services and name not in senders:
            message = (
                f"{name} runs here, and no row of the services listed is sent by it: it can answer "
                "and start nothing, neither DNS nor NTP nor what its own nodes say to each other. "
                "Add rows of your own in an overlay (catalog/README.md), " + _LEAVE_OUT
            )
        else:
            continue
        yield Finding(
            id=CUT_OFF,
            severity=Severity.OBLIGATION,
            message=message,
            source="the rules of a workload let through its documented flows only",
            key=f"systems.{name}.tier",
        )


def _no_rule(name: str, services: Sequence[str]) -> Finding:
    """A system whose running cards the apply itself would take from everybody.

    Without `eni` nothing is attached to them, and the finding is an obligation like any other.
    """
    mine = f" ({', '.join(services[:_NAMED])})" if services else ""
    return Finding(
        id=CUT_OFF,
        severity=Severity.REFUSAL,
        message=f"no row of the services listed is for {name}, and `eni` names its cards: they "
        f"would be "
        "put behind filters that have no rule for them, and nothing would reach them or leave "
        f"them. List the services that it uses{mine}, leave its `tier` and `eni` out and keep it "
        f"in a subnet that no tier names, or accept it in words: `accept: {{{CUT_OFF}: why nothing "
        "may reach it}`",
        source="the rules of a workload let through its documented flows only",
        key=f"systems.{name}.tier",
    )


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
