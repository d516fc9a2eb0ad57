"""Which live group is which planned one, by name, and which live rule, by content.

A group's name cannot be changed and is unique in its VPC, so it identifies a group whose tags
were taken off. Rules are known by what they let through in their group: AWS refuses a second rule
with the same protocol, ports and peer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flowbridge.policy.point import Direction
from flowbridge.providers.aws.emit.terraform import GROUP, NETWORK_ACL, PREFIX_LIST, RULE
from flowbridge.providers.aws.live.acl_identity import AclIdentity, identify_acls
from flowbridge.providers.aws.live.answers import Answers, Part, marks, tags_of
from flowbridge.providers.aws.live.as_terraform import rule_body, rule_direction
from flowbridge.providers.aws.meaning.protocol import has_ports, protocol_number
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.reading import ODD_SHAPE
from flowbridge.providers.terraform.blocks import Block, Reference, network, resources

# What decides what a rule matches, comparable between plan and cloud.
Content = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Live ids by planned address, and the planned rule of each live rule.

    `rules` maps a live rule (`sgr-0a1b`) to the address of the planned one of the same content,
    `moved` to that of the same content in another group of the same interface.
    """

    groups: Mapping[str, str]
    lists: Mapping[str, str]
    rules: Mapping[str, str]
    moved: Mapping[str, str]
    network_acls: AclIdentity
    tags: Mapping[str, Mapping[str, str]]  # the planned tags, by live id

    @property
    def managed(self) -> bool:
        """Whether anything of ours exists."""
        return bool(self.groups or self.network_acls.acls)

    def planned(self, live: str) -> str | None:
        """The planned address of a live group or ACL."""
        found = {**_turned(self.groups), **_turned(self.network_acls.acls)}
        return found.get(live)


def identify(answers: Answers, planned: Mapping[str, Any]) -> Identity:
    """Needs the groups and their rules; ACLs where they were read."""
    wanted_groups = resources(planned, GROUP)
    names = {row["GroupName"].lower(): row["GroupId"] for row in answers.rows(Part.GROUPS)}
    groups = {
        address: names[str(block.get("name")).lower()]
        for address, block in wanted_groups.items()
        if str(block.get("name")).lower() in names
    }
    lists = _lists(answers, planned, groups.values())
    acls = identify_acls(answers, planned)
    blocks = {**wanted_groups, **resources(planned, NETWORK_ACL)}
    found = {**groups, **acls.acls}
    rules, moved = _rules(answers, planned, groups, lists)
    return Identity(
        groups=groups,
        lists=lists,
        rules=rules,
        moved=moved,
        network_acls=acls,
        tags={live: marks(blocks[address].get("tags")) for address, live in found.items()},
    )


def rule_content(body: Mapping[str, Any], direction: Direction, group: str, peer: str) -> Content:
    """What a group rule matches. ValueError for a rule that is not understood."""
    block = Block("rule", body)
    protocol = protocol_number(block, "ip_protocol")
    first, last = block.number("from_port"), block.number("to_port")
    if protocol is None or not (has_ports(protocol) or protocol in (1, 58)):
        ports: tuple[int | None, int | None] = (None, None)
    elif has_ports(protocol):
        ports = (first, last)
    else:
        ports = (-1, -1) if first in (None, -1) else (first, -1 if last is None else last)
    return (group, direction, protocol, ports, peer)


def _live_content(row: Row) -> Content | None:
    """What a live rule matches; None for one without a meaning, which is no planned one."""
    try:
        body = rule_body(row, (), ())
        return rule_content(body, rule_direction(row), row["GroupId"], live_peer(row))
    except ODD_SHAPE:
        return None


def planned_rules(planned: Mapping[str, Any]) -> Iterator[tuple[str, Direction, Block]]:
    """Address, direction and block of every planned group rule."""
    for direction, kind in RULE.items():
        for address, block in resources(planned, kind).items():
            yield address, direction, block


def live_peer(row: Row) -> str:
    """The peer of a live rule: a CIDR, a prefix list or a group."""
    cidr = row.get("CidrIpv4") or row.get("CidrIpv6")
    if cidr:
        try:
            return str(network(cidr, Block(row["SecurityGroupRuleId"], {})))
        except ValueError:
            return str(cidr)
    group = (row.get("ReferencedGroupInfo") or {}).get("GroupId")
    return str(row.get("PrefixListId") or group or "")


def _turned(mapping: Mapping[str, str]) -> dict[str, str]:
    return {value: key for key, value in mapping.items()}


def _address(value: object) -> str | None:
    reference = Reference.parse(value)
    return reference.address if reference else None


def _lists(answers: Answers, planned: Mapping[str, Any], groups: Iterable[str]) -> dict[str, str]:
    """By name; of several lists of one name, which AWS allows, that with our tags that our groups
    use."""
    ours = frozenset(groups)
    used = {row.get("PrefixListId") for row in answers.rows(Part.RULES) if row["GroupId"] in ours}
    found: dict[str, str] = {}
    for address, block in resources(planned, PREFIX_LIST).items():
        tags = marks(block.get("tags"))
        ranked = [
            (tags.items() <= tags_of(row).items(), row["PrefixListId"] in used, row["PrefixListId"])
            for row in answers.parts.get(Part.LISTS, ())
            if row.get("PrefixListName") == block.get("name")
        ]
        if ranked:
            found[address] = max(ranked)[2]
    return found


def _rules(
    answers: Answers,
    planned: Mapping[str, Any],
    groups: Mapping[str, str],
    lists: Mapping[str, str],
) -> tuple[dict[str, str], dict[str, str]]:
    """`Identity.rules` and `Identity.moved`."""
    cards = {
        groups[address]: (block.tag("flowbridge:workload"), block.tag("flowbridge:interface"))
        for address, block in resources(planned, GROUP).items()
        if address in groups
    }
    by_content: dict[Content, str] = {}
    by_card: dict[Content, str] = {}
    for address, direction, block in planned_rules(planned):
        group = groups.get(_address(block.get("security_group_id")) or "")
        cidr = block.get("cidr_ipv4") or block.get("cidr_ipv6")
        peer = (
            str(network(cidr, block))
            if cidr
            else lists.get(_address(block.get("prefix_list_id")) or "")
            or groups.get(_address(block.get("referenced_security_group_id")) or "")
        )
        if group and peer:
            content = rule_content(block.attributes, direction, group, peer)
            by_content[content] = address
            by_card[cards[group], *content[1:]] = address
    found: dict[str, str] = {}
    moved: dict[str, str] = {}
    for row in answers.rows(Part.RULES):
        if (group := row["GroupId"]) in cards:
            matched = _live_content(row)
            if matched is None:
                continue
            content = matched
            name, elsewhere = row["SecurityGroupRuleId"], (cards[group], *content[1:])
            if content in by_content:
                found[name] = by_content[content]
            elif elsewhere in by_card:
                moved[name] = by_card[elsewhere]
    return found, moved
