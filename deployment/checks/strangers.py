"""No stranger reaches what is guarded: judged on flows, whoever asked for them.

A row, an overlay, a wide list of addresses, a NAT gateway that is said to be the whole internet and
a service that is moved onto another's port all end in a flow, and the flow is what opens a port.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from flowbridge.catalog.guarded import Guard, GuardedService, guarded
from flowbridge.catalog.port_set import port_mask, port_ranges
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.interface import Network
from flowbridge.deployment.management_sources import opens_to_many
from flowbridge.deployment.selection.parameters import Ranges

MANAGEMENT: Final = "guide/management-from-inside"
INSIDE: Final = "deployment/inside-open-to-anyone"
_WORDS_OF_MANAGEMENT: Final = "options.admin.allow_from_anywhere"
_NO_SERVICE: Final = (Protocol.ICMP, Protocol.ICMPV6)


def strangers_findings(
    site: Site, parameters: Mapping[str, Ranges], flows: Iterable[Flow]
) -> Iterator[Finding]:
    """A refusal for each guarded service that peers wider than an organisation would reach.

    `parameters` are the ports that the deployment configures. A sentence in the file for that
    very peer (`options.open_to_anyone`, for management `options.admin.allow_from_anywhere`) lets
    it pass.
    """
    known: dict[tuple[Network, ...], bool] = {}

    def wide(end: End) -> bool:
        if end.addresses not in known:
            known[end.addresses] = opens_to_many(end.addresses)
        return known[end.addresses]

    for flow in flows:
        peer = next((end for end in (flow.source, flow.destination) if wide(end)), None)
        if peer is None:
            continue
        for guard, what in _opened(flow, parameters):
            if not _said(site, guard, peer):
                yield _refusal(site, flow, peer, guard, what)


def _opened(flow: Flow, parameters: Mapping[str, Ranges]) -> Iterator[tuple[Guard, str]]:
    """What of the destination's guarded services lies in a flow, each with its ports in words."""
    card = flow.destination.interface
    party = card.workload if card is not None else flow.destination.party
    here = guarded().get(party)
    if flow.management:
        yield Guard.MANAGEMENT, f"management of {flow.destination.key}"
        return
    if here is None or flow.protocol in _NO_SERVICE:
        return
    ports = port_mask(flow.destination_ports)
    found = False
    for service in here.services:
        shared = ports & _mask(service, flow.protocol, parameters)
        if shared:
            found = True
            yield service.guard, f"{service.what} on {party} ({_shown(flow.protocol, shared)})"
    if here.rest is not None and not found:
        yield Guard.INSIDE, f"{here.rest} ({_shown(flow.protocol, ports)})"


def _mask(service: GuardedService, protocol: Protocol, parameters: Mapping[str, Ranges]) -> int:
    if protocol not in service.protocols:
        return 0
    if service.parameter is not None:
        return port_mask(parameters.get(service.parameter, ()))
    return port_mask(service.ports or (PortRange(0, 65535),))


def _shown(protocol: Protocol, ports: int) -> str:
    if not protocol.has_ports:
        return protocol.label
    return f"{protocol.label} {', '.join(map(str, port_ranges(ports)))}"


def _said(site: Site, guard: Guard, peer: End) -> bool:
    if guard is Guard.MANAGEMENT:
        return site.options.admin.allow_from_anywhere is not None
    return peer.party in site.options.open_to_anyone


def _refusal(site: Site, flow: Flow, peer: End, guard: Guard, what: str) -> Finding:
    key = _key(site, peer)
    words = (
        f"{_WORDS_OF_MANAGEMENT}, in a sentence, why anyone may administer"
        if guard is Guard.MANAGEMENT
        else f"options.open_to_anyone.{peer.party}, in a sentence, why anyone may"
    )
    if peer is flow.source:
        message = f"{what} would be open to {peer.party}, a large part of the internet"
    else:
        message = f"{flow.source.key} would be let out to {what} at a large part of the internet"
    return Finding(
        id=MANAGEMENT if guard is Guard.MANAGEMENT else INSIDE,
        severity=Severity.REFUSAL,
        message=f"{message}; {_instead(site, peer, key)}, or say in {words}",
        source=f"row {', '.join(flow.rows)}",
        key=key,
    )


def _key(site: Site, peer: End) -> str:
    if peer.interface is not None:
        nat = site.network.tiers[peer.interface.tier].nat
        if peer.translated and opens_to_many(nat):
            return f"network.tiers.{peer.interface.tier}.nat"
        return f"network.tiers.{peer.interface.tier}.cidrs"
    return f"systems.{peer.party}.addresses" if peer.party in site.systems else "services"


def _instead(site: Site, peer: End, key: str) -> str:
    if peer.interface is not None:
        return f"write the addresses of this deployment alone in {key}"
    if peer.party in site.systems:
        return f"list in {key} the addresses that need it"
    return (
        f"move one of the two, close the row, or list in systems.{peer.party}.addresses those that "
        "need it"
    )
