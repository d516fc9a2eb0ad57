"""The guide rules that a resolved deployment breaks or has to see to, as findings.

The rules are data (`catalog/guide.yaml`). A rule applies where its condition holds; one that
needs to see more than facts has a check here, which names the cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from flowbridge.catalog.guide_rule import guide
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.guide.choices import several_ways
from flowbridge.deployment.guide.edge import (
    clustered_turn_servers,
    peers_without_public_address,
    relays_not_reflected,
    returning_media,
    unreached_relays,
    unreflected_rows,
)
from flowbridge.deployment.guide.management import public_sources
from flowbridge.deployment.guide.situation import Case, Check, Situation
from flowbridge.deployment.guide.unified_cm import (
    narrowed_ephemeral_ports,
    several_presence_nodes,
    trunks_elsewhere,
    trunks_on_line_ports,
)

CHECKS: Final[Mapping[str, Check]] = {
    "guide/close-unused-ports": several_ways,
    "guide/every-peer-is-opened": peers_without_public_address,
    "guide/federation-by-the-publisher": several_presence_nodes,
    "guide/hairpinning": returning_media,
    "guide/line-side-and-trunk-ports": trunks_elsewhere,
    "guide/line-side-and-trunk-rows": trunks_on_line_ports,
    "guide/management-from-public-addresses": public_sources,
    "guide/phones-need-ephemeral-ports": narrowed_ephemeral_ports,
    "guide/relay-ports-closed": unreached_relays,
    "guide/relays-without-reflection": relays_not_reflected,
    "guide/single-card-without-reflection": unreflected_rows,
    "guide/turn-peers-by-private-address": clustered_turn_servers,
}


def guide_findings(situation: Situation) -> Iterator[Finding]:
    """A finding for each case of each rule that is looked after when a site is resolved."""
    for name, rule in guide().enforced("resolving"):
        if rule.when.unmet(situation.facts):
            continue
        check = CHECKS.get(name)
        for case in check(situation) if check is not None else (Case(),):
            yield Finding(
                id=name,
                severity=Severity(rule.kind.value),
                message=rule.message.format_map(case.words),
                source=f"{name}, {rule.cited}",
                key=case.key or rule.key,
            )
