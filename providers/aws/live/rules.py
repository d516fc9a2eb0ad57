"""Who made each live rule, and how the console shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowbridge.policy.audit.estate import LiveRule
from flowbridge.policy.point import Direction
from flowbridge.providers.aws.live.answers import Part, tags_of
from flowbridge.providers.aws.live.as_terraform import (
    acl_entries,
    entry_name,
    rule_direction,
)
from flowbridge.providers.aws.live.identity import live_peer
from flowbridge.providers.aws.live.situation import Situation
from flowbridge.providers.live.answered import Row
from flowbridge.providers.terraform.blocks import row_ids

# Group rules spell the common protocols, entries of network ACLs number all of them.
_PROTOCOLS: Final = {"-1": "all protocols", "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}


def group_live_rules(here: Situation, groups: Mapping[str, Row]) -> Iterator[LiveRule]:
    for row in here.answers.rows(Part.RULES):
        if row["GroupId"] not in groups:
            continue
        name, tags = row["SecurityGroupRuleId"], tags_of(row)
        description = row.get("Description") or ""
        marked = tags.get("flowbridge:site") == here.site.name
        held = here.identity.planned(row["GroupId"]) is not None
        yield LiveRule(
            id=name,
            holder=row["GroupId"],
            ours=marked or (held and bool(row_ids(description))),
            planned=here.identity.rules.get(name),
            text=rule_text(row, groups[row["GroupId"]]),
            description=description,
            tags=tags,
            was=here.identity.moved.get(name),
            made_for=None if marked else tags.get("flowbridge:site"),
        )


def acl_live_rules(here: Situation) -> Iterator[LiveRule]:
    known = here.identity.network_acls
    for acl, row in here.relevant_acls().items():
        made_for = here.made_for(row)
        for direction in Direction:
            for entry in acl_entries(row, direction):
                name = entry_name(acl, direction, entry)
                yield LiveRule(
                    id=name,
                    holder=acl,
                    # Entries carry neither tags nor descriptions; our numbers tell ours.
                    ours=name in known.numbered,
                    planned=known.entries.get(name),
                    text=entry_text(acl, direction, entry),
                    was=known.numbered.get(name),
                    made_for=made_for,
                )


def rule_text(row: Row, group: Row) -> str:
    """A row of DescribeSecurityGroupRules."""
    arrow = "to" if row["IsEgress"] else "from"
    what = _matched(str(row.get("IpProtocol")), row.get("FromPort"), row.get("ToPort"))
    where = f"{row['GroupId']} ({group['GroupName']})"
    return f"{rule_direction(row)} {what} {arrow} {live_peer(row) or 'nobody'} in {where}"


def entry_text(acl: str, direction: Direction, entry: Mapping[str, Any]) -> str:
    """An entry of a network ACL, as `live_terraform.acl_entries` gives it."""
    arrow = "to" if direction is Direction.EGRESS else "from"
    ends = (entry["from_port"], entry["to_port"])
    if entry["icmp_type"] is not None:
        ends = (entry["icmp_type"], entry["icmp_code"])
    peer = entry["cidr_block"] or entry["ipv6_cidr_block"]
    said = f"{entry['rule_no']} {entry['action']} {_matched(str(entry['protocol']), *ends)}"
    return f"{direction} {said} {arrow} {peer} in {acl}"


def _matched(protocol: str, first: int | None, last: int | None) -> str:
    name = _PROTOCOLS.get(protocol, f"protocol {protocol}" if protocol.isdecimal() else protocol)
    if first is None or first == -1 or name == "all protocols":
        return name
    if name in ("icmp", "icmpv6"):
        code = "" if last is None or last == -1 else f" code {last}"
        return f"{name} type {first}{code}"
    return f"{name} {first}" if first == last else f"{name} {first}-{last}"
