"""VPC firewall rules: `google_compute_firewall`, one resource a rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from flowbridge.deployment.clouds.gcp import whole_name
from flowbridge.policy.point import Direction
from flowbridge.providers.gcp.emit.emitted import (
    Emitted,
    description,
    lowered,
    reading_order,
)
from flowbridge.providers.gcp.emit.rule import Rule
from flowbridge.providers.gcp.emit.targets import Target, TargetKind
from flowbridge.providers.provider import LoweredRule

FIREWALL: Final = "google_compute_firewall"
RANGES: Final = {Direction.INGRESS: "source_ranges", Direction.EGRESS: "destination_ranges"}
_TARGETS: Final = {
    TargetKind.NETWORK_TAG: "target_tags",
    TargetKind.SERVICE_ACCOUNT: "target_service_accounts",
}


def emit_vpc_rules(
    rules: Iterable[Rule], targets: Mapping[str, Target], first_priority: int
) -> Emitted:
    """The rules, by their rank at `first_priority` and the numbers behind it."""
    bodies: dict[str, dict[str, Any]] = {}
    read: list[LoweredRule] = []
    for rule in sorted(rules, key=reading_order):
        name = rule.terraform_name
        if name in bodies:
            raise AssertionError(f"two rules are called {name}")
        priority = first_priority + rule.rank
        text = description(rule)
        bodies[name] = _firewall(rule, targets[rule.interface.key], priority, text)
        read.extend(lowered(rule, f"{FIREWALL}.{name}", priority, text))
    ordered = dict(sorted(bodies.items()))
    return Emitted({FIREWALL: ordered} if ordered else {}, tuple(read))


def _firewall(rule: Rule, target: Target, priority: int, text: str) -> dict[str, Any]:
    project, _ = whole_name(rule.network, None)
    body: dict[str, Any] = {
        "name": rule.name,
        "network": rule.network,
        "description": text,
        "direction": rule.direction.upper(),
        "priority": priority,
        RANGES[rule.direction]: list(rule.peer.range_texts),
        _TARGETS[target.kind]: [target.value],
        rule.action.value: [
            {"protocol": layer.protocol_text, "ports": list(texts)}
            if (texts := layer.port_texts)
            else {"protocol": layer.protocol_text}
            for layer in rule.layers
        ],
    }
    if project is not None:
        body["project"] = project  # the rules of a shared network live in its own project
    return body
