"""What a deployer must see to because AWS filters cannot, from one sourced table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.site import AwsSite, Site
from flowbridge.deployment.finding import Finding
from flowbridge.policy.compiled import Policy
from flowbridge.providers.limits.obligations import reported

_TABLE: Final = Path(__file__).with_name("obligations.yaml")


def obligations(policy: Policy, site: Site) -> tuple[Finding, ...]:
    """The entries of the table that concern `policy`, in the order of the table."""
    return reported(_TABLE, facts(policy, site))


def facts(policy: Policy, site: Site) -> Mapping[str, Iterable[str]]:
    """The facts that the table asks for, each with the names for which it holds."""
    tiers = {interface.tier: site.network.tiers[interface.tier] for interface in policy.interfaces}
    flows = [demand.flow for demands in policy.demands.values() for demand in demands]
    ends = [demand.peer for demands in policy.demands.values() for demand in demands]
    made = AwsSite.of(site).options.aws.network_acl == "make"
    open_to_errors = site.options.platform.path_mtu
    return {
        "signalling": [
            end.key
            for flow in flows
            if flow.signalling and flow.protocol is Protocol.TCP
            for end in (flow.source, flow.destination)
            if end.interface
        ],
        "udp": [end.key for end, flow in zip(ends, flows, strict=True) if flow.protocol == 17],
        "media": [
            end.interface.key
            for flow in flows
            if flow.is_media
            for end in (flow.source, flow.destination)
            if end.interface is not None
        ],
        "nat": [name for name, tier in tiers.items() if tier.nat],
        "ipv4-closed-to-errors": [] if open_to_errors else _using(policy, 4),
        "ipv6-closed-to-errors": [] if open_to_errors else _using(policy, 6),
        "no-path-router": [site.name]
        if open_to_errors and "path-router" not in site.systems
        else [],
        "eni": [m.attachment for i in policy.interfaces for m in i.members if m.attachment],
        "named-cards": [i.key for i in policy.interfaces if any(m.attachment for m in i.members)],
        "unattached": [
            i.key for i in policy.interfaces if any(not m.attachment for m in i.members)
        ],
        "acl": [name for name, tier in tiers.items() if made and tier.subnets],
        "no-subnets": [name for name, tier in tiers.items() if made and not tier.subnets],
        "set-of-unknown-size": [
            name for s in site.systems.values() if not s.set_entries for name in s.sets
        ],
        "set-in-acl": [name for s in site.systems.values() if made for name in s.sets],
        "no-acl": [] if made else list(tiers),
        "translated": [end.key for end in ends if end.translated and end.interface],
    }


def _using(policy: Policy, version: int) -> list[str]:
    return [i.key for i in policy.interfaces if version in i.families]
