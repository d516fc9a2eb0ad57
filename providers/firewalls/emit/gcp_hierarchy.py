"""Google Cloud: a hierarchical firewall policy, as Terraform JSON.

A rule here is met by machines, not by what passes between them: a flow has a rule for those that
send it and one for those that get it. What is not meant goes on to the rules below (`goto_next`),
and so does what no rule names. There are no source ports and no ICMP types.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.firewalls import FirewallOnTheWay
from flowbridge.policy.crossing.plan import Term

_BLOCK: Final = 100_000_000  # priorities of one run of rules with one action; 0 to 2147483647


def emit(name: str, firewall: FirewallOnTheWay, terms: Iterable[Term]) -> str:
    """A policy under the organization or folder `id` of the file, and its rules."""
    place = name.replace("-", "_")
    rules = dict(_rules(place, terms))
    resource = {
        "google_compute_firewall_policy": {
            place: {
                "parent": firewall.id,
                "short_name": f"flowbridge-{name}",
                "description": "What the documented flows need",
            }
        },
        "google_compute_firewall_policy_rule": rules,
    }
    return json.dumps({"resource": resource}, indent=2, ensure_ascii=False) + "\n"


def _rules(place: str, terms: Iterable[Term]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Priorities come from the content, within the block of its run."""
    by_way = itertools.groupby(terms, key=lambda term: (term.to_zone, term.allow))
    for block, ((way, allow), mine) in enumerate(by_way):
        taken: set[int] = set()
        for term in mine:
            priority = int(term.name.removeprefix("fb-"), 16) % (_BLOCK - 1) + 1
            while priority in taken:
                priority += 1
            taken.add(priority)
            yield (
                f"{place}_{term.name.replace('-', '_')}",
                {
                    "firewall_policy": f"${{google_compute_firewall_policy.{place}.id}}",
                    "priority": block * _BLOCK + priority,
                    "direction": way.upper(),
                    "action": "allow" if allow else "goto_next",
                    "description": " ".join((*term.rows, term.name)),
                    "match": _match(term),
                },
            )


def _match(term: Term) -> dict[str, Any]:
    layer: dict[str, Any] = {
        "ip_protocol": "all" if term.protocol is None else _protocol(term.protocol)
    }
    if term.destination_ports is not None:
        layer["ports"] = [
            str(p.first) if p.first == p.last else f"{p.first}-{p.last}"
            for p in term.destination_ports
        ]
    return {
        "src_ip_ranges": [str(network) for network in term.sources],
        "dest_ip_ranges": [str(network) for network in term.destinations],
        "layer4_configs": [layer],
    }


def _protocol(number: int) -> str:
    """The API has names for few; ICMPv6, GRE and the others are numbers."""
    named = (Protocol.TCP, Protocol.UDP, Protocol.ICMP, Protocol.ESP, Protocol.AH)
    return Protocol(number).label if number in named else str(int(number))
