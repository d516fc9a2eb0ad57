"""What both kinds of rules have in common once they are Terraform JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flowbridge.catalog.protocol import Protocol
from flowbridge.providers.gcp.emit.rule import Rule
from flowbridge.providers.gcp.markers import Marker, described
from flowbridge.providers.provider import LoweredRule, TerraformJson


@dataclass(frozen=True, slots=True)
class Emitted:
    """`resources` by type and name; `rules` as a person reads them."""

    resources: TerraformJson
    rules: tuple[LoweredRule, ...]


def description(rule: Rule) -> str:
    """The rows, what the rule is for, and the marker by which it is known from outside."""
    marker = Marker.of(rule.site, rule.interface)
    return described(rule.rows, rule.subject, marker)


def lowered(rule: Rule, address: str, priority: int, text: str) -> tuple[LoweredRule, ...]:
    """The rule as it is printed: a line for each protocol, since ports belong to one. `text` is
    its `description`."""
    peer = ", ".join(rule.peer.range_texts)
    return tuple(
        LoweredRule(
            address=address,
            stage="vpc-firewall",
            scope=rule.interface.key,
            direction=rule.direction.value,
            action=rule.action.value,
            priority=priority,
            peer=peer,
            protocol="any" if layer.protocol is None else layer.protocol.label,
            source_ports="any" if layer.protocol is None or layer.protocol.has_ports else "",
            destination_ports=_ports(layer.port_texts, layer.protocol),
            rows=layer.rows,
            description=text,
        )
        for layer in rule.layers
    )


def _ports(texts: Sequence[str], protocol: Protocol | None) -> str:
    if texts:
        return ", ".join(texts)
    return "any" if protocol is None or protocol.has_ports else ""


def reading_order(rule: Rule) -> tuple[str, str, int, str]:
    """A sort key: by interface and direction, then as the rules are tried."""
    return rule.interface.key, rule.direction, rule.rank, rule.terraform_name
