"""What a deployer must see to because AWS filters cannot, from one sourced table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from catalog.located_yaml import read_yaml
from catalog.protocol import Protocol
from deployment.finding import Finding, Severity
from deployment.site import Site
from policy.compiled import Policy

_TABLE: Final = Path(__file__).with_name("obligations.yaml")


@cache
def _table() -> tuple[dict[str, Any], ...]:
    return tuple(cast("list[dict[str, Any]]", read_yaml(_TABLE).data))


def facts(policy: Policy, site: Site) -> Mapping[str, str]:
    """The facts of the table that hold, each with the names for which it holds."""
    tiers = {interface.tier: site.network.tiers[interface.tier] for interface in policy.interfaces}
    flows = [demand.flow for demands in policy.demands.values() for demand in demands]
    ends = [demand.peer for demands in policy.demands.values() for demand in demands]
    open_to_errors = site.options.platform.path_mtu
    found = {
        "signalling": [
            end.key
            for flow in flows
            if flow.signalling and flow.protocol is Protocol.TCP
            for end in (flow.source, flow.destination)
            if end.interface
        ],
        "udp": [end.key for end, flow in zip(ends, flows, strict=True) if flow.protocol == 17],
        "nat": [name for name, tier in tiers.items() if tier.nat],
        "ipv4-closed-to-errors": [] if open_to_errors else _using(policy, 4),
        "ipv6-closed-to-errors": [] if open_to_errors else _using(policy, 6),
        "no-path-router": [site.name]
        if open_to_errors and "path-router" not in site.systems
        else [],
        "eni": [m.attachment for i in policy.interfaces for m in i.members if m.attachment],
        "unattached": [
            i.key for i in policy.interfaces if any(not m.attachment for m in i.members)
        ],
        "acl": [name for name, tier in tiers.items() if tier.subnets],
        "no-subnets": [name for name, tier in tiers.items() if not tier.subnets],
        "translated": [end.key for end in ends if end.translated and end.interface],
    }
    return {fact: ", ".join(sorted(set(names))) for fact, names in found.items() if names}


def _using(policy: Policy, version: int) -> list[str]:
    return [i.key for i in policy.interfaces if version in i.families]


def obligations(policy: Policy, site: Site) -> tuple[Finding, ...]:
    """The entries of the table that concern `policy`, in the order of the table."""
    known = facts(policy, site)
    return tuple(
        Finding(
            id=entry["id"],
            severity=Severity(entry["severity"]),
            message=entry["message"].format_map(known),
            source=entry["source"],
        )
        for entry in _table()
        if all(fact in known for fact in entry["when"])
    )
