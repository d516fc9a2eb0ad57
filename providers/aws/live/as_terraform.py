"""Live groups and network ACLs in the shape of Terraform JSON, so that they have one meaning.

What a rule lets through is decided in `semantics_group` and `semantics_acl` alone. Here the EC2
API's fields get the names that Terraform gives them, and nothing is interpreted. A resource's
name is its live id: `aws_vpc_security_group_ingress_rule.sgr-0a1b`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from flowbridge.policy.point import Direction
from flowbridge.providers.aws.emit.terraform import (
    ASSOCIATION,
    ATTACHMENT,
    GROUP,
    NETWORK_ACL,
    PREFIX_LIST,
    RULE,
)
from flowbridge.providers.aws.live.answers import Answers, Part, tags_of
from flowbridge.providers.aws.meaning.network_acls import HIGHEST_RULE_NUMBER
from flowbridge.providers.live.answered import Row
from flowbridge.providers.provider import TerraformJson
from flowbridge.providers.terraform.address import TerraformAddress

Body = dict[str, Any]

_PEERS: Final = {"CidrIpv4": "cidr_ipv4", "CidrIpv6": "cidr_ipv6"}


def live_terraform(
    answers: Answers,
    identified: Mapping[str, Mapping[str, str]],
    icmp: Mapping[str, tuple[int, int]],
    elsewhere: frozenset[str] = frozenset(),
) -> TerraformJson:
    """Every group, rule, prefix list and ACL that was read, and what each is attached to.

    `identified`: tags by live id, for groups and ACLs that are ours whatever tags they have now.
    `icmp`: type and code by entry, where the endpoint does not tell them. `elsewhere`: groups whose
    members are not all known, which a rule names by their id alone.
    """
    resources: defaultdict[str, Body] = defaultdict(dict)
    groups = {row["GroupId"] for row in answers.rows(Part.GROUPS)}
    for row in answers.rows(Part.GROUPS):
        resources[GROUP][row["GroupId"]] = {
            "name": row["GroupName"],
            "vpc_id": row.get("VpcId"),
            "tags": {**tags_of(row), **identified.get(row["GroupId"], {})},
        }
    for row in answers.rows(Part.RULES):
        resources[RULE[rule_direction(row)]][row["SecurityGroupRuleId"]] = rule_body(
            row, groups, answers.entries, elsewhere
        )
    for name, rows in answers.entries.items():
        entries = [{"cidr": entry["Cidr"]} for entry in rows]
        resources[PREFIX_LIST][name] = {"name": name, "entry": entries}
    for card in answers.parts.get(Part.CARDS, ()):
        for group in groups_of(card):
            resources[ATTACHMENT][f"{card['NetworkInterfaceId']}_{group}"] = {
                "network_interface_id": card["NetworkInterfaceId"],
                "security_group_id": _reference(GROUP, group, groups),
            }
    for row in answers.parts.get(Part.ACLS, ()):
        resources[NETWORK_ACL][row["NetworkAclId"]] = {
            "tags": {**tags_of(row), **identified.get(row["NetworkAclId"], {})},
            **{
                str(direction): [
                    _with_icmp(entry, icmp.get(entry_name(row["NetworkAclId"], direction, entry)))
                    for entry in acl_entries(row, direction)
                ]
                for direction in Direction
            },
        }
        for association in row["Associations"]:
            resources[ASSOCIATION][association["SubnetId"]] = {
                "subnet_id": association["SubnetId"],
                "network_acl_id": f"${{{NETWORK_ACL}.{row['NetworkAclId']}.id}}",
            }
    return {"resource": dict(resources)}


def live_id(name: str) -> str:
    """The live id in a name that the semantics made: `acl-0a1b ingress 100`, `sgr-0a1b`."""
    address = TerraformAddress(name)
    return address.name if address.kind.startswith("aws_") else name


def rule_direction(row: Row) -> Direction:
    return Direction.EGRESS if row["IsEgress"] else Direction.INGRESS


def rule_body(
    row: Row, groups: Iterable[str], lists: Iterable[str], elsewhere: frozenset[str] = frozenset()
) -> Body:
    """A row of DescribeSecurityGroupRules; what `groups` and `lists` do not have keeps its id."""
    known = frozenset(groups)
    body: Body = {
        "security_group_id": _reference(GROUP, row["GroupId"], known),
        "ip_protocol": row.get("IpProtocol"),
        "description": row.get("Description") or "",
        "tags": tags_of(row),
    }
    if body["ip_protocol"] != "-1":
        body |= {"from_port": row.get("FromPort"), "to_port": row.get("ToPort")}
    body |= {key: row[field] for field, key in _PEERS.items() if row.get(field)}
    if name := row.get("PrefixListId"):
        body["prefix_list_id"] = _reference(PREFIX_LIST, name, lists)
    if group := (row.get("ReferencedGroupInfo") or {}).get("GroupId"):
        body["referenced_security_group_id"] = _reference(GROUP, group, known - elsewhere)
    return body


def groups_of(card: Row) -> tuple[str, ...]:
    """The ids of the groups on a network interface."""
    return tuple(group["GroupId"] for group in card.get("Groups") or ())


def acl_entries(row: Row, direction: Direction) -> list[Body]:
    """The numbered entries of one direction; the fixed last one, which denies, is left out."""
    return [
        _entry(entry)
        for entry in row["Entries"]
        if entry["Egress"] == (direction is Direction.EGRESS)
        and int(entry["RuleNumber"]) <= HIGHEST_RULE_NUMBER
    ]


def entry_name(acl: str, direction: Direction, entry: Mapping[str, Any]) -> str:
    """`acl-0a1b ingress 100`, as the semantics call an entry."""
    return f"{acl} {direction} {entry['rule_no']}"


def _with_icmp(entry: Body, known: tuple[int, int] | None) -> Body:
    """AWS tells type and code wherever they matter; what is not told may be every type."""
    if entry["icmp_type"] is not None:
        return entry
    kind, code = known or (-1, -1)
    return {**entry, "icmp_type": kind, "icmp_code": code}


def _entry(entry: Row) -> Body:
    ports = entry.get("PortRange") or {}
    icmp = entry.get("IcmpTypeCode") or {}
    return {
        "rule_no": entry["RuleNumber"],
        "action": entry.get("RuleAction"),
        "protocol": entry.get("Protocol"),
        "cidr_block": entry.get("CidrBlock") or None,
        "ipv6_cidr_block": entry.get("Ipv6CidrBlock") or None,
        "from_port": ports.get("From"),
        "to_port": ports.get("To"),
        "icmp_type": icmp.get("Type"),
        "icmp_code": icmp.get("Code"),
    }


def _reference(kind: str, name: str, known: Iterable[str]) -> str:
    return f"${{{kind}.{name}.id}}" if name in known else name
