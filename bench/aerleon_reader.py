"""aerleon's GCE output as filters, so that the packet sets of both sides can be compared.

Its JSON is that of the compute API (`Firewall`): rules of one network by rising priority, 1000
where none is given, deny first in a tie; what no rule decides is refused coming in and allowed
going out. Only what aerleon writes is read; anything else is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from typing import Any

from flowbridge.catalog.ports import PortRange
from flowbridge.policy.filter import Filter, FilterRule, Order
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction

_NUMBERS = {"tcp": 6, "udp": 17, "all": None}
_KEYS = {"name", "description", "network", "direction", "priority", "targetTags"}


def filter_of(rules: Iterable[Mapping[str, Any]], direction: Direction, tag: str) -> Filter:
    """What `rules` do with the packets of a machine that has `tag`."""
    ranges = "sourceRanges" if direction is Direction.INGRESS else "destinationRanges"
    mine: list[tuple[int, bool, FilterRule]] = []
    for rule in rules:
        if rule["direction"].lower() != direction or tag not in rule.get("targetTags", [tag]):
            continue
        unknown = rule.keys() - _KEYS - {ranges, "allowed", "denied"}
        assert not unknown, f"{rule['name']}: {unknown}"
        allow = "allowed" in rule
        packets = PacketSet.union(
            PacketSet.of(
                map(ip_network, rule[ranges]),
                _NUMBERS[part["IPProtocol"]],
                None,
                map(PortRange.parse, part["ports"]) if "ports" in part else None,
            )
            for part in rule["allowed" if allow else "denied"]
        )
        mine.append(
            (
                rule.get("priority", 1000),
                allow,
                FilterRule(name=rule["name"], allow=allow, packets=packets),
            )
        )
    ordered = tuple(rule for _, _, rule in sorted(mine, key=lambda each: each[:2]))
    leaving = direction is Direction.EGRESS
    return Filter(
        name="aerleon",
        kind="gce",
        order=Order.FIRST_MATCH,
        stateful=True,
        rules=ordered,
        default_allow=leaving,
    )
