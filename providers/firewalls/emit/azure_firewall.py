"""Azure Firewall: a rule collection group with network rules, as Terraform JSON.

Collections are judged by rising priority; the rules of one have one action, so each change of the
action begins a collection. A network rule knows no source ports and no ICMP types.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from typing import Any, Final

from flowbridge.deployment.file.firewalls import FirewallOnTheWay
from flowbridge.policy.crossing.plan import Term

_PROTOCOLS: Final = {None: "Any", 1: "ICMP", 6: "TCP", 17: "UDP"}
_STEP: Final = 100
_GROUP_PRIORITY: Final = 1000


def emit(name: str, firewall: FirewallOnTheWay, terms: Iterable[Term]) -> str:
    """One `azurerm_firewall_policy_rule_collection_group` in the policy `id` of the file."""
    collections: list[dict[str, Any]] = []
    for number, (allow, mine) in enumerate(itertools.groupby(terms, key=lambda t: t.allow), 1):
        action = "Allow" if allow else "Deny"
        collections.append(
            {
                "name": f"flowbridge-{number}-{action.lower()}",
                "priority": number * _STEP,
                "action": action,
                "rule": [_rule(term) for term in mine],
            }
        )
    group = {
        "name": f"flowbridge-{name}",
        "firewall_policy_id": firewall.id,
        "priority": _GROUP_PRIORITY,
        "network_rule_collection": collections,
    }
    resource = {"azurerm_firewall_policy_rule_collection_group": {name.replace("-", "_"): group}}
    return json.dumps({"resource": resource}, indent=2, ensure_ascii=False) + "\n"


def _rule(term: Term) -> dict[str, Any]:
    ports = term.destination_ports
    return {
        "name": term.name,
        "description": " ".join(term.rows),
        "protocols": [_PROTOCOLS[term.protocol]],
        "source_addresses": [str(network) for network in term.sources],
        "destination_addresses": [str(network) for network in term.destinations],
        "destination_ports": ["*"]
        if ports is None
        else [str(p.first) if p.first == p.last else f"{p.first}-{p.last}" for p in ports],
    }
