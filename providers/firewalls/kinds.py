"""Each kind of firewall: what it can say (`kinds.yaml`), who writes it, who reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.file.firewalls import FirewallKind, FirewallOnTheWay
from flowbridge.deployment.zones import INTERNET
from flowbridge.policy.crossing.plan import Term
from flowbridge.policy.packets.relation import ICMP
from flowbridge.providers.firewalls.emit import (
    aws_network_firewall,
    azure_firewall,
    by_aerleon,
    fortigate,
    gcp_hierarchy,
    nftables,
)
from flowbridge.providers.firewalls.meaning import asa as read_asa
from flowbridge.providers.firewalls.meaning import fortigate as read_fortigate
from flowbridge.providers.firewalls.meaning import hub_clouds
from flowbridge.providers.firewalls.meaning import nftables as read_nftables
from flowbridge.providers.firewalls.meaning import palo_alto as read_palo_alto
from flowbridge.providers.firewalls.meaning import srx as read_srx
from flowbridge.providers.firewalls.meaning.rule import Place, Read

Emit = Callable[[str, FirewallOnTheWay, Iterable[Term]], str]
Reader = Callable[[str, FirewallOnTheWay], Read]

_HOW: Final[Mapping[FirewallKind, tuple[Emit, Reader]]] = {
    FirewallKind.ASA: (by_aerleon.emit_asa, read_asa.read),
    FirewallKind.PALO_ALTO: (by_aerleon.emit_palo_alto, read_palo_alto.read),
    FirewallKind.FORTIGATE: (fortigate.emit, read_fortigate.read),
    FirewallKind.SRX: (by_aerleon.emit_srx, read_srx.read),
    FirewallKind.NFTABLES: (nftables.emit, read_nftables.read),
    FirewallKind.AWS: (aws_network_firewall.emit, hub_clouds.read_aws),
    FirewallKind.AZURE: (azure_firewall.emit, hub_clouds.read_azure),
    FirewallKind.GCP: (gcp_hierarchy.emit, hub_clouds.read_google),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """See `kinds.yaml`; `protocols` None: every one."""

    name: FirewallKind
    suffix: str
    places: str
    source_ports: bool
    icmp: str
    ip_versions: frozenset[int]
    met: bool
    beside: tuple[str, ...]
    protocols: frozenset[int] | None = None

    @property
    def emit(self) -> Emit:
        return _HOW[self.name][0]

    @property
    def read(self) -> Reader:
        return _HOW[self.name][1]

    def places_of(self, firewall: FirewallOnTheWay, source: str, to: str) -> tuple[Place, ...]:
        """Where a rule between two zones is met."""
        match self.places:
            case "pair":
                return ((source, to),)
            case "from":
                return ((source, "*"),)
            case "none":
                return (("*", "*"),)
            case _:
                outward = {n for n, zone in firewall.zones.items() if INTERNET in zone.behind}
                ways = (("*", "egress"), source), (("*", "ingress"), to)
                return tuple(place for place, zone in ways if zone not in outward)

    def cannot(self, term: Term) -> str | None:
        """Why a rule here cannot be for `term`, in words; None where it can."""
        if term.version not in self.ip_versions:
            return f"{self.name} has no rules for IPv{term.version} here"
        if term.protocol is None or self.protocols is None or term.protocol in self.protocols:
            return None
        return f"{self.name} has no rules for IP protocol {int(term.protocol)}"

    def widened(self, term: Term) -> Term:
        """The tightest term that this kind can say around `term`. Refusals stay as they are."""
        if not term.allow:
            return term
        ports = term.destination_ports
        if term.protocol in ICMP and ports is not None and self.icmp != "codes":
            whole = sorted({k for p in ports for k in range(p.first // 256, p.last // 256 + 1)})
            ports = tuple(PortRange(kind * 256, kind * 256 + 255) for kind in whole)
            if self.icmp == "protocol":
                ports = None
        return replace(
            term,
            source_ports=term.source_ports if self.source_ports else None,
            destination_ports=ports,
        )


@cache
def kinds() -> Mapping[FirewallKind, Kind]:
    """Every kind by its name in the deployment file."""
    data: dict[str, dict[str, Any]] = yaml.safe_load(
        Path(__file__).with_name("kinds.yaml").read_text("utf-8")
    )
    return {FirewallKind(name): _kind(FirewallKind(name), each) for name, each in data.items()}


def _kind(name: FirewallKind, data: Mapping[str, Any]) -> Kind:
    protocols = data.get("protocols")
    return Kind(
        name=name,
        suffix=data["suffix"],
        places=data["places"],
        source_ports=data["source_ports"],
        icmp=data["icmp"],
        ip_versions=frozenset(data["ip_versions"]),
        met=data["met"],
        beside=tuple(data["beside"]),
        protocols=None if protocols is None else frozenset(protocols),
    )
