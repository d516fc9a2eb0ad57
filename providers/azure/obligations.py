"""What a deployer must see to because Azure's filters cannot (`obligations.yaml`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.addresses import is_public
from flowbridge.deployment.file.site import AzureSite, Site
from flowbridge.deployment.finding import Finding
from flowbridge.policy.compiled import Policy
from flowbridge.providers.azure.emit.security_rules import is_grouped
from flowbridge.providers.limits.obligations import reported

_TABLE: Final = Path(__file__).with_name("obligations.yaml")


def obligations(policy: Policy, site: Site) -> tuple[Finding, ...]:
    """The entries of the table that concern `policy`, in the order of the table."""
    return reported(_TABLE, facts(policy, site))


def facts(policy: Policy, site: Site) -> Mapping[str, Iterable[str]]:
    """The facts that the table asks for, each with the names for which it holds."""
    tiers = {interface.tier: site.network.tiers[interface.tier] for interface in policy.interfaces}
    asked = [(point, demand) for point, listed in policy.demands.items() for demand in listed]
    signalling = [
        (point.interface, any(map(is_public, demand.peer.addresses)))
        for point, demand in asked
        if demand.flow.signalling and demand.flow.protocol is Protocol.TCP
    ]
    on_cards = AzureSite.of(site).options.azure.nsg == "card"
    return {
        "public-signalling": [key for key, public in signalling if public],
        "inside-signalling": [key for key, public in signalling if not public],
        "udp": [p.interface for p, demand in asked if demand.flow.protocol is Protocol.UDP],
        "media": [p.interface for p, demand in asked if demand.flow.is_media],
        "icmp": [p.interface for p, demand in asked if demand.flow.protocol is Protocol.ICMP],
        "nat": [name for name, tier in tiers.items() if tier.nat],
        "ipv6": [i.key for i in policy.interfaces if 6 in i.families],
        "cards": [m.attachment for i in policy.interfaces for m in i.members if m.attachment],
        "ungrouped": [i.key for i in policy.interfaces if not is_grouped(i)],
        "subnets": [name for name, tier in tiers.items() if tier.subnets and not on_cards],
        "no-subnets": [name for name, t in tiers.items() if not t.subnets and not on_cards],
        "cards-to-attach": [
            i.key
            for i in policy.interfaces
            if on_cards and not all(m.attachment for m in i.members)
        ],
        "translated": [
            demand.peer.key
            for _, demand in asked
            if demand.peer.translated and demand.peer.interface
        ],
        "site": [site.name],
    }
