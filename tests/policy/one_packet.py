"""One packet, and what a filter says of it by its definition: rule by rule, without an index."""

from __future__ import annotations

from ipaddress import ip_address

from flowbridge.policy.filter import Filter, FilterRule, Order
from flowbridge.policy.packets.packet import Packet


def packet(peer: str, protocol: int, source_port: int = 0, destination_port: int = 0) -> Packet:
    """A packet from plain values; ValueError for a bad address."""
    return Packet(ip_address(peer), protocol, source_port, destination_port)


def verdict(stage: Filter, met: Packet) -> tuple[bool, FilterRule | None]:
    """Whether `met` passes, and the rule that decided (None: no rule matched)."""
    if met in stage.bypassed_by:
        return True, None
    for rule in stage.rules:
        if met in rule.packets and (rule.allow or stage.order is Order.FIRST_MATCH):
            return rule.allow, rule
    return stage.default_allow, None
