"""AWS Network Firewall: a stateful rule group of Suricata rules, as Terraform JSON.

"For all actions, Network Firewall performs the specified action and discontinues stateful
inspection of the traffic flow" (AWS, API reference of Network Firewall, StatefulRule): replies
belong to the flow that a rule passes. What no rule passes is up to the firewall policy, whose
stateful default action has to be a drop.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.file.firewalls import FirewallOnTheWay
from flowbridge.deployment.interface import Network
from flowbridge.policy.crossing.plan import Term
from flowbridge.policy.packets.relation import ICMP, WITH_PORTS

_NAMES: Final = {1: "icmp", 6: "tcp", 17: "udp", 132: "sctp", 58: "ipv6-icmp"}
_LOWEST_SID: Final = 1_000_000
# The capacity of a group cannot be changed: there is room for as many rules again.
_STEP: Final = 100


def emit(name: str, _firewall: FirewallOnTheWay, terms: Iterable[Term]) -> str:
    """One `aws_networkfirewall_rule_group`; it is attached by whoever owns the policy."""
    rules = [rule for term in terms for rule in _rules(term)]
    group: dict[str, Any] = {
        "name": f"flowbridge-{name}",
        "description": "What the documented flows need; the policy's default action has to drop",
        "type": "STATEFUL",
        "capacity": (2 * len(rules) // _STEP + 1) * _STEP,
        "rule_group": {
            "rules_source": {"rules_string": "\n".join(rules)},
            "stateful_rule_options": {"rule_order": "STRICT_ORDER"},
        },
        "tags": {"flowbridge:firewall": name},
    }
    resource = {"aws_networkfirewall_rule_group": {name.replace("-", "_"): group}}
    return json.dumps({"resource": resource}, indent=2, ensure_ascii=False) + "\n"


def _rules(term: Term) -> Iterator[str]:
    action = "pass" if term.allow else "drop"
    for number, (protocol, options) in enumerate(_matches(term)):
        sid = _LOWEST_SID + (int(term.name.removeprefix("fb-"), 16) + number) % 3_000_000_000
        said = [f'msg:"{" ".join((term.name, *term.rows))}"', *options, f"sid:{sid}", "rev:1"]
        ends = (
            f"{_addresses(term.sources)} {_ports(term.source_ports)} -> "
            f"{_addresses(term.destinations)} "
            f"{_ports(None if term.protocol in ICMP else term.destination_ports)}"
        )
        yield f"{action} {protocol} {ends} ({'; '.join(said)};)"


def _matches(term: Term) -> Iterator[tuple[str, list[str]]]:
    """Protocol and options of each rule that the term takes."""
    protocol, spans = term.protocol, term.destination_ports
    if protocol is None:
        yield "ip", []
    elif protocol in WITH_PORTS or (protocol in ICMP and spans is None):
        yield _NAMES[protocol], []
    elif protocol not in ICMP:
        yield "ip", [f"ip_proto:{int(protocol)}"]
    else:
        for span in spans or ():
            for kind in range(span.first // 256, span.last // 256 + 1):
                low = span.first % 256 if kind == span.first // 256 else 0
                high = span.last % 256 if kind == span.last // 256 else 255
                if (low, high) == (0, 255):
                    yield _NAMES[protocol], [f"itype:{kind}"]
                else:
                    for code in range(low, high + 1):
                        yield _NAMES[protocol], [f"itype:{kind}", f"icode:{code}"]


def _addresses(networks: tuple[Network, ...]) -> str:
    texts = [str(n.network_address) if n.prefixlen == n.max_prefixlen else str(n) for n in networks]
    return texts[0] if len(texts) == 1 else f"[{','.join(texts)}]"


def _ports(ports: tuple[PortRange, ...] | None) -> str:
    if ports is None:
        return "any"
    texts = [str(p.first) if p.first == p.last else f"{p.first}:{p.last}" for p in ports]
    return texts[0] if len(texts) == 1 else f"[{','.join(texts)}]"
