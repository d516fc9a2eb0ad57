"""What a deployer must see to because Google Cloud cannot, from one sourced table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.addresses import is_public
from flowbridge.deployment.file.site import GcpSite, Site
from flowbridge.deployment.finding import Finding
from flowbridge.deployment.interface import Interface
from flowbridge.policy.compiled import Policy
from flowbridge.providers.gcp.emit.network_policy import TAG_BINDING
from flowbridge.providers.gcp.emit.targets import Target, TargetKind
from flowbridge.providers.limits.obligations import reported
from flowbridge.providers.provider import TerraformJson

_TABLE: Final = Path(__file__).with_name("obligations.yaml")
_SMTP: Final = 25


def facts(
    policy: Policy,
    site: Site,
    networks: Mapping[str, str],
    targets: Mapping[str, Target],
    resources: TerraformJson,
) -> Mapping[str, Iterable[str]]:
    """The facts that the table asks for, each with the names for which it holds.

    `networks` and `targets` are by interface key, `resources` what is emitted.
    """
    tiers = {interface.tier: site.network.tiers[interface.tier] for interface in policy.interfaces}
    demands = [demand for listed in policy.demands.values() for demand in listed]
    flows = [demand.flow for demand in demands]
    bound = {body["parent"] for body in resources.get(TAG_BINDING, {}).values()}
    options = GcpSite.of(site).options.gcp
    found: dict[str, list[str]] = {
        "managed": [interface.key for interface in policy.interfaces],
        "signalling": [
            end.key
            for flow in flows
            if flow.signalling and flow.protocol is Protocol.TCP
            for end in (flow.source, flow.destination)
            if end.interface
        ],
        "udp": [flow.source.key for flow in flows if flow.protocol is Protocol.UDP],
        "media": [
            end.interface.key
            for flow in flows
            if flow.is_media
            for end in (flow.source, flow.destination)
            if end.interface is not None
        ],
        "nat": [name for name, tier in tiers.items() if tier.nat],
        "ipv6-closed-to-errors": []
        if site.options.platform.path_mtu
        else [i.key for i in policy.interfaces if 6 in i.families],
        "attached": [m.attachment for i in policy.interfaces for m in i.members if m.attachment],
        "unbound": [
            i.key
            for i in policy.interfaces
            if targets[i.key].kind is TargetKind.SECURE_TAG
            and any(member.attachment not in bound for member in i.members)
        ],
        "two-networks": list(_two_networks(policy.interfaces, networks)),
        "networks": list(networks.values()),
        "first": [str(options.priority)],
        options.rules: [site.name],
        "host-names": [name for demand in demands for name in demand.peer.host_names],
        "smtp": [
            flow.source.key
            for flow in flows
            if flow.source.interface
            and flow.protocol is Protocol.TCP
            and any(_SMTP in ports for ports in flow.destination_ports)
            and any(map(is_public, flow.destination.addresses))
        ],
        "translated": [d.peer.key for d in demands if d.peer.translated and d.peer.interface],
    }
    for interface in policy.interfaces:
        found.setdefault(targets[interface.key].kind.replace(" ", "-"), []).append(interface.key)
    return found


def _two_networks(interfaces: Iterable[Interface], networks: Mapping[str, str]) -> Iterable[str]:
    cards: defaultdict[str, list[Interface]] = defaultdict(list)
    for interface in interfaces:
        cards[interface.workload].append(interface)
    for members in cards.values():
        if len(members) > 1:
            yield from (f"{card.key} in {networks[card.key]}" for card in members)


def obligations(known: Mapping[str, Iterable[str]]) -> tuple[Finding, ...]:
    """The entries of the table that hold, in the order of the table."""
    return reported(_TABLE, known)
