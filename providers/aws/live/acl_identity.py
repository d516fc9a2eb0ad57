"""Which live network ACL is which planned one, and which entry of it is which.

ACLs have no name. One of ours is known by its tags, or, without them, by having the planned
entries in the planned order. Entries have nothing of their own but a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowbridge.policy.point import Direction
from flowbridge.providers.aws.emit.terraform import ACL_ENTRY, NETWORK_ACL
from flowbridge.providers.aws.live.answers import Answers, Part, marks, tags_of
from flowbridge.providers.aws.live.as_terraform import acl_entries, entry_name
from flowbridge.providers.aws.live.placement import planned_subnets
from flowbridge.providers.aws.meaning.protocol import has_ports, protocol_number
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.reading import ODD_SHAPE
from flowbridge.providers.terraform.blocks import Block, Reference, network, resources

# What decides what an entry matches, and whether it allows; comparable between plan and cloud.
Content = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """`address` is the name that the plan's filters give it."""

    address: str
    direction: Direction
    number: int
    content: Content
    icmp: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class AclIdentity:
    """`acls`: live ids by planned address. `entries`: the planned entry of the same content by
    live name (`acl-0a1b ingress 100`); `numbered`: the one with the same number. `icmp`: type and
    code of entries whose own the endpoint does not tell.
    """

    acls: Mapping[str, str]
    entries: Mapping[str, str]
    numbered: Mapping[str, str]
    icmp: Mapping[str, tuple[int, int]]


def identify_acls(answers: Answers, planned: Mapping[str, Any]) -> AclIdentity:
    """Everything empty where the ACLs were not read."""
    wanted = planned_entries(planned)
    acls = _acls(answers, planned, wanted)
    rows = {row["NetworkAclId"]: row for row in answers.parts.get(Part.ACLS, ())}
    entries: dict[str, str] = {}
    numbered: dict[str, str] = {}
    icmp: dict[str, tuple[int, int]] = {}
    for address, live in acls.items():
        by_number = {(e.direction, e.number): e for e in wanted[address]}
        by_content = {e.content: e.address for e in wanted[address]}
        for direction in Direction:
            for entry in acl_entries(rows[live], direction):
                name = entry_name(live, direction, entry)
                same = by_number.get((direction, int(entry["rule_no"])))
                content = live_content(entry, direction)
                if content is None:
                    if same is not None:
                        numbered[name] = same.address
                    continue
                if same is not None:
                    numbered[name] = same.address
                    if (
                        entry["icmp_type"] is None
                        and same.icmp
                        and same.content[:-1] == content[:-1]
                    ):
                        icmp[name] = same.icmp
                        content = same.content
                if content in by_content:
                    entries[name] = by_content[content]
    return AclIdentity(acls, entries, numbered, icmp)


def planned_entries(planned: Mapping[str, Any]) -> dict[str, tuple[PlannedEntry, ...]]:
    """The entries of every planned ACL, by its address, in the order in which they are tried."""
    found: dict[str, list[PlannedEntry]] = {
        address: [] for address in resources(planned, NETWORK_ACL)
    }
    for address, block in resources(planned, ACL_ENTRY).items():
        acl = Reference.parse(block.get("network_acl_id"))
        if acl is None or acl.address not in found:
            continue
        direction = Direction.EGRESS if block.flag("egress") else Direction.INGRESS
        content = entry_content(block.attributes, direction, "rule_action")
        kind, code = block.number("icmp_type"), block.number("icmp_code")
        icmp = None if kind is None else (kind, -1 if code is None else code)
        number = block.required_number("rule_number")
        found[acl.address].append(PlannedEntry(address, direction, number, content, icmp))
    return {
        acl: tuple(sorted(entries, key=lambda entry: (entry.direction, entry.number)))
        for acl, entries in found.items()
    }


def entry_content(body: Mapping[str, Any], direction: Direction, action: str) -> Content:
    """`body` as Terraform writes an entry; `action` is its key for allow or deny.

    The last element holds ports, or ICMP type and code.
    """
    block = Block("entry", body)
    protocol = protocol_number(block, "protocol")
    peer = network(str(body.get("cidr_block") or body.get("ipv6_cidr_block")), block)
    ports: object = None
    if protocol is not None and has_ports(protocol):
        ports = (block.number("from_port"), block.number("to_port"))
    elif protocol == 1 or (protocol == 58 and peer.version == 6):
        ports = (block.number("icmp_type"), block.number("icmp_code"))
    return (direction, str(body.get(action)).lower(), protocol, str(peer), ports)


def _acls(
    answers: Answers, planned: Mapping[str, Any], wanted: Mapping[str, tuple[PlannedEntry, ...]]
) -> dict[str, str]:
    subnets = planned_subnets(planned)
    found: dict[str, str] = {}
    for address, block in resources(planned, NETWORK_ACL).items():
        tags = marks(block.get("tags"))
        content = [entry.content for entry in wanted[address]]
        ranked: list[tuple[tuple[bool, ...], str]] = []
        for row in answers.parts.get(Part.ACLS, ()):
            tagged = tags.items() <= tags_of(row).items()
            same = bool(content) and _contents(row) == content
            if (tagged or same) and not row.get("IsDefault"):
                mine = {a["SubnetId"] for a in row["Associations"]} & {*subnets.get(address, ())}
                ranked.append(((bool(mine), tagged, same), str(row["NetworkAclId"])))
        ranked = [each for each in ranked if each[1] not in found.values()]
        if ranked:
            found[address] = max(ranked)[1]
    return found


def live_content(entry: Mapping[str, Any], direction: Direction) -> Content | None:
    """What a live entry matches; None for one without a meaning."""
    try:
        return entry_content(entry, direction, "action")
    except ODD_SHAPE:
        return None


def _contents(row: Row) -> list[Content | None]:
    """All entries of a live ACL in the order in which they are tried."""
    return [
        live_content(entry, direction)
        for direction in sorted(Direction)
        for entry in sorted(acl_entries(row, direction), key=lambda e: int(e["rule_no"]))
    ]
