"""Live rules as the console shows them, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flowbridge.policy.point import Direction
from flowbridge.providers.aws.live.answers import Row
from flowbridge.providers.aws.live.as_terraform import rule_direction
from flowbridge.providers.aws.live.identity import live_peer

# Group rules spell the common protocols, entries of network ACLs number all of them.
_PROTOCOLS: Final = {"-1": "all protocols", "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}


def rule_text(row: Row, group: Row) -> str:
    """A row of DescribeSecurityGroupRules."""
    arrow = "to" if row["IsEgress"] else "from"
    what = _matched(str(row["IpProtocol"]), row.get("FromPort"), row.get("ToPort"))
    where = f"{row['GroupId']} ({group['GroupName']})"
    return f"{rule_direction(row)} {what} {arrow} {live_peer(row)} in {where}"


def entry_text(acl: str, direction: Direction, entry: Mapping[str, Any]) -> str:
    """An entry of a network ACL, as `live_terraform.acl_entries` gives it."""
    arrow = "to" if direction is Direction.EGRESS else "from"
    ends = (entry["from_port"], entry["to_port"])
    if entry["icmp_type"] is not None:
        ends = (entry["icmp_type"], entry["icmp_code"])
    peer = entry["cidr_block"] or entry["ipv6_cidr_block"]
    said = f"{entry['rule_no']} {entry['action']} {_matched(entry['protocol'], *ends)}"
    return f"{direction} {said} {arrow} {peer} in {acl}"


def _matched(protocol: str, first: int | None, last: int | None) -> str:
    name = _PROTOCOLS.get(protocol, f"protocol {protocol}" if protocol.isdecimal() else protocol)
    if first is None or first == -1 or name == "all protocols":
        return name
    if name in ("icmp", "icmpv6"):
        code = "" if last is None or last == -1 else f" code {last}"
        return f"{name} type {first}{code}"
    return f"{name} {first}" if first == last else f"{name} {first}-{last}"
