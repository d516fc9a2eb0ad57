"""Groups and network ACLs as Terraform JSON.

Rules are resources of their own (`aws_vpc_security_group_*_rule`) and change one by one. A network
ACL changes as a whole: its name comes from all its entries, so that another list of entries is
another ACL, made complete beside the old one and then attached in its place
(docs/decisions/0002-network-acl.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from flowbridge.catalog.ports import ANY_PORT, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.interface import Interface
from flowbridge.policy.point import Direction
from flowbridge.providers.aws.emit.acl.rectangle import ANY_PROTOCOL
from flowbridge.providers.aws.emit.naming import (
    SAFE_DESCRIPTION,
    group_name,
    rows_tag,
    rule_description,
)
from flowbridge.providers.aws.emit.network_acl import Entry, NetworkAcl
from flowbridge.providers.aws.emit.prefix_list import PrefixList
from flowbridge.providers.aws.emit.rule import PeerKind, Rule
from flowbridge.providers.aws.emit.security_groups import SecurityGroups
from flowbridge.providers.provider import LoweredRule, TerraformJson
from flowbridge.providers.terraform.content_names import content_hash, terraform_name
from flowbridge.providers.terraform.resource_set import ResourceSet

GROUP: Final = "aws_security_group"
RULE: Final = {
    Direction.INGRESS: "aws_vpc_security_group_ingress_rule",
    Direction.EGRESS: "aws_vpc_security_group_egress_rule",
}
ATTACHMENT: Final = "aws_network_interface_sg_attachment"
PREFIX_LIST: Final = "aws_ec2_managed_prefix_list"
NETWORK_ACL: Final = "aws_network_acl"
ACL_ENTRY: Final = "aws_network_acl_rule"
ASSOCIATION: Final = "aws_network_acl_association"
# Of Terraform itself (1.4 and later, OpenTofu too): it makes nothing in the cloud.
GATE: Final = "terraform_data"
GATE_NAME: Final = "flowbridge_rules_in_place"
EXCLUSIVE: Final = "aws_vpc_security_group_rules_exclusive"

# Names that the EC2 API takes; every other protocol goes by its number, and without ports.
_BY_NAME: Final = (Protocol.TCP, Protocol.UDP, Protocol.ICMP, Protocol.ICMPV6)
_GROUP_DESCRIPTION: Final = "Managed by Flowbridge"


def interface_tags(site: str, interface: Interface) -> dict[str, str]:
    """The tags by which everything emitted for one interface can be told apart from outside."""
    return {
        "flowbridge:site": site,
        "flowbridge:tier": interface.tier,
        "flowbridge:workload": interface.workload,
        "flowbridge:interface": interface.name,
    }


def group_resource(interface: str, number: int) -> str:
    """The Terraform name of a group."""
    return terraform_name(interface, number or "")


def emit_groups(
    emitted: SecurityGroups,
    site: str,
    network_id: str,
    resources: ResourceSet,
    *,
    exclusive: bool = False,
) -> tuple[tuple[LoweredRule, ...], dict[str, list[str]]]:
    """Add all groups; their rules as a person reads them, and their ids by interface.

    `exclusive`: Terraform removes every other rule from the groups.
    """
    for prefix_list in emitted.prefix_lists.values():
        resources.add(PREFIX_LIST, prefix_list.name, _prefix_list(prefix_list, site))
    lowered: list[LoweredRule] = []
    ids: dict[str, list[str]] = {}
    placed: dict[str, str] = {}  # rule -> its group
    any_rules = any(groups.rules for groups in emitted.interfaces)
    for groups in emitted.interfaces:
        interface = groups.interface
        tags = interface_tags(site, interface)
        for number, rules in (groups.groups or {0: groups.rules}).items():
            name = group_resource(interface.key, number)
            title = group_name(site, interface.key, number)
            group = {
                "name": title,
                "description": _GROUP_DESCRIPTION,
                "vpc_id": network_id,
                "tags": {"Name": title, **tags},
            }
            resources.add(GROUP, name, group)
            ids.setdefault(interface.key, []).append(_id(GROUP, name))
            # The cards take a group when everything is open, and lose it before any rule closes:
            # AWS does not take the last group off a card, and then no rule has gone.
            after = () if number or not any_rules else (f"{GATE}.{GATE_NAME}",)
            attachments = _attach(interface, name, after, resources)
            for rule in rules:
                body = _rule(rule, name, tags)
                if attachments and number:
                    # A rule that moves to a further group opens there only once that group is on
                    # the network interface, and closes in the old one after that: no gap.
                    body["depends_on"] = attachments
                address = resources.add(RULE[rule.direction], rule.name, body)
                placed[address] = name
                lowered.append(_lowered(rule, address, body["description"]))
            if exclusive:
                own = [address for address, group in placed.items() if group == name]
                resources.add(EXCLUSIVE, name, _exclusive(name, own, gated=any_rules))
    if placed:
        resources.add(GATE, GATE_NAME, _gate(placed))
    return tuple(lowered), ids


def _exclusive(group: str, rules: Sequence[str], *, gated: bool) -> dict[str, Any]:
    """All the rules that `group` may have. What else it has closes when all that is new is open."""
    body: dict[str, Any] = {"security_group_id": _id(GROUP, group)}
    for direction, key in (("ingress", "ingress_rule_ids"), ("egress", "egress_rule_ids")):
        kind = RULE[Direction(direction)]
        body[key] = [f"${{{each}.id}}" for each in sorted(rules) if each.startswith(f"{kind}.")]
    if gated:
        body["depends_on"] = [f"{GATE}.{GATE_NAME}"]
    return body


def _gate(placed: Mapping[str, str]) -> dict[str, Any]:
    """What comes between the rules of a change that open and those that close.

    A rule with another port or peer is another resource, and Terraform deletes one and makes the
    other in any order. This one depends on every rule and changes with each of them: it waits for
    all that are new, and what is gone, which is `create_before_destroy` and which it depended on
    before, waits for it.
    """
    return {
        "input": content_hash(*(f"{rule} {group}" for rule, group in sorted(placed.items()))),
        "depends_on": sorted(placed),
    }


def _id(kind: str, name: str) -> str:
    return f"${{{kind}.{name}.id}}"


def _attach(
    interface: Interface, group: str, after: Sequence[str], resources: ResourceSet
) -> list[str]:
    """Put `group` on every card that is named, once there is what it has to come `after`."""
    addresses: list[str] = []
    for member in interface.members:
        if member.attachment is None:
            continue
        body: dict[str, Any] = {
            "security_group_id": _id(GROUP, group),
            "network_interface_id": member.attachment,
        }
        if after:
            body["depends_on"] = list(after)
        name = terraform_name(group, member.attachment, content_hash(member.attachment))
        addresses.append(resources.add(ATTACHMENT, name, body))
    return addresses


def _rule(rule: Rule, group: str, tags: Mapping[str, str]) -> dict[str, Any]:
    description = rule_description(rule.rows, _subject(rule))
    if not SAFE_DESCRIPTION.fullmatch(description):
        raise AssertionError(f"{rule.name}: AWS does not take the description {description!r}")
    named = rule.protocol in _BY_NAME
    body: dict[str, Any] = {
        "security_group_id": _id(GROUP, group),
        "ip_protocol": rule.protocol.label if named else str(int(rule.protocol)),
        rule.peer.kind.value: _peer_value(rule),
        "description": description,
        "tags": dict(tags),
        # Only ever replaced by moving to another group: open there first.
        "lifecycle": {"create_before_destroy": True},
    }
    if rule.first is None:
        # What AWS itself shows for a protocol without ports; left out, some of its doubles fail.
        body |= {"from_port": -1, "to_port": -1}
    else:
        body |= {"from_port": rule.first, "to_port": rule.last}
    rows = rows_tag(rule.rows)
    if rows is not None:
        body["tags"]["flowbridge:rows"] = rows
    return body


def _peer_value(rule: Rule) -> str:
    if rule.peer.kind is PeerKind.GROUP:
        return _id(GROUP, group_resource(rule.peer.value, 0))
    if rule.peer.value.startswith("pl-"):  # of others, by its id
        return rule.peer.value
    if rule.peer.kind is PeerKind.PREFIX_LIST:
        return _id(PREFIX_LIST, rule.peer.value)
    return rule.peer.value


def _subject(rule: Rule) -> str:
    arrow = "from" if rule.direction is Direction.INGRESS else "to"
    return f"{arrow} {', '.join(rule.parties)}"


def _lowered(rule: Rule, address: str, description: str) -> LoweredRule:
    return LoweredRule(
        address=address,
        stage="security-group",
        scope=rule.interface,
        direction=rule.direction.value,
        action="allow",
        priority=None,
        peer=rule.peer.value,
        protocol=rule.protocol.label,
        source_ports="any" if rule.protocol.has_ports else "",
        destination_ports=rule.ports_label,
        rows=rule.rows,
        description=description,
    )


def _prefix_list(prefix_list: PrefixList, site: str) -> dict[str, Any]:
    return {
        "name": f"flowbridge/{site}/{prefix_list.name}",
        "address_family": f"IPv{prefix_list.family}",
        "max_entries": len(prefix_list.networks),
        "entry": [{"cidr": str(network)} for network in prefix_list.networks],
        "tags": {"flowbridge:site": site},
    }


def emit_network_acl(
    acl: NetworkAcl, site: str, network_id: str, resources: ResourceSet
) -> tuple[tuple[LoweredRule, ...], str]:
    """Add one ACL and its associations; its entries as a person reads them, and its id."""
    title = f"flowbridge/{site}/{acl.tier}"
    body: dict[str, Any] = {
        "vpc_id": network_id,
        "tags": {"Name": title, "flowbridge:site": site, "flowbridge:tier": acl.tier},
        "lifecycle": {"create_before_destroy": True},
    }
    resources.add(NETWORK_ACL, acl.name, body)
    lowered: list[LoweredRule] = []
    for entry in acl.entries:
        name = f"{acl.name}_{entry.direction}_{entry.number}"
        address = resources.add(ACL_ENTRY, name, _acl_entry(entry, acl.name))
        lowered.append(_lowered_entry(acl.tier, entry, address))
    for subnet in acl.subnets:
        association = {
            "network_acl_id": _id(NETWORK_ACL, acl.name),
            "subnet_id": subnet,
            # One call then moves the subnet from the old ACL to the new; without it the subnet
            # would be with the default ACL in between. And no subnet gets half an ACL.
            "lifecycle": {"create_before_destroy": True},
            "depends_on": [rule.address for rule in lowered],
        }
        name = terraform_name(acl.tier, subnet, content_hash(subnet))
        resources.add(ASSOCIATION, name, association)
    return tuple(lowered), _id(NETWORK_ACL, acl.name)


def _acl_entry(entry: Entry, acl: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "network_acl_id": _id(NETWORK_ACL, acl),
        "rule_number": entry.number,
        "egress": entry.direction is Direction.EGRESS,
        "rule_action": _action(entry),
        "protocol": str(int(entry.protocol)),
        "cidr_block" if entry.network.version == 4 else "ipv6_cidr_block": str(entry.network),
        # As with the ACL: all of the new before anything of the old goes.
        "lifecycle": {"create_before_destroy": True},
    }
    if entry.protocol in (Protocol.TCP, Protocol.UDP):
        body |= {"from_port": entry.ports.first, "to_port": entry.ports.last}
    elif entry.protocol in (Protocol.ICMP, Protocol.ICMPV6):
        kind, code = _type_and_code(entry.ports)
        body |= {"icmp_type": kind, "icmp_code": code}
    return body


def _action(entry: Entry) -> str:
    return "allow" if entry.allow else "deny"


def _type_and_code(ports: PortRange) -> tuple[int, int]:
    """ICMP type and code of `type * 256 + code`; -1 for all."""
    if ports == ANY_PORT:
        return -1, -1
    kind, code = divmod(ports.first, 256)
    return kind, code if ports.first == ports.last else -1


def _lowered_entry(tier: str, entry: Entry, address: str) -> LoweredRule:
    protocol = Protocol(entry.protocol) if entry.protocol != ANY_PROTOCOL else None
    ports = str(entry.ports) if protocol is not None and protocol.has_ports else ""
    if protocol in (Protocol.ICMP, Protocol.ICMPV6):
        fields = [str(part) for part in _type_and_code(entry.ports) if part != -1]
        ports = "/".join(fields) or "any"
    return LoweredRule(
        address=address,
        stage="network-acl",
        scope=tier,
        direction=entry.direction.value,
        action=_action(entry),
        priority=entry.number,
        peer=str(entry.network),
        protocol="any" if protocol is None else protocol.label,
        source_ports="any" if protocol is not None and protocol.has_ports else "",
        destination_ports=ports,
        rows=entry.rows,
        description=rule_description(entry.rows, "" if entry.allow else "the inside"),
    )


def outputs(groups: Mapping[str, Iterable[str]], acls: Mapping[str, str]) -> TerraformJson:
    """Ids that others need: groups by interface, network ACLs by tier."""
    out: TerraformJson = {
        "security_group_ids": {
            "description": "Security groups of each workload interface",
            "value": {interface: list(ids) for interface, ids in sorted(groups.items())},
        }
    }
    if acls:
        out["network_acl_ids"] = {
            "description": "Network ACL of each tier",
            "value": dict(sorted(acls.items())),
        }
    return out
