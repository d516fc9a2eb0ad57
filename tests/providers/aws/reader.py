"""A slow, small reading of emitted Terraform JSON, for the tests of the emitter alone.

It shares nothing with the emitter or with `providers.aws.meaning.filters`: it takes one packet and
walks through the JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.interface import Interface
from flowbridge.policy.packets.packet import Packet
from flowbridge.policy.packets.packet_set import PacketSet

_NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}


def rules_of(
    terraform: Mapping[str, Any], interface: Interface, direction: str
) -> dict[str, dict[str, Any]]:
    """The rules of all groups that carry the tags of `interface`, by name."""
    resources = terraform["resource"]
    mine = {
        f"${{aws_security_group.{name}.id}}"
        for name, body in resources["aws_security_group"].items()
        if body["tags"]["flowbridge:workload"] == interface.workload
        and body["tags"]["flowbridge:interface"] == interface.name
    }
    every = resources.get(f"aws_vpc_security_group_{direction}_rule", {})
    return {name: body for name, body in every.items() if body["security_group_id"] in mine}


def rule_packets(
    terraform: Mapping[str, Any], rule: Mapping[str, Any], interfaces: tuple[Interface, ...]
) -> PacketSet:
    """Everything one rule lets through."""
    protocol = int(_NUMBERS.get(rule["ip_protocol"], rule["ip_protocol"]))
    peers: list[Any] = [ip_network(rule[key]) for key in ("cidr_ipv4", "cidr_ipv6") if key in rule]
    if "prefix_list_id" in rule:
        name = rule["prefix_list_id"].split(".")[1]
        listed = terraform["resource"]["aws_ec2_managed_prefix_list"][name]
        assert listed["max_entries"] == len(listed["entry"])
        peers += [ip_network(entry["cidr"]) for entry in listed["entry"]]
    if "referenced_security_group_id" in rule:
        name = rule["referenced_security_group_id"].split(".")[1]
        tags = terraform["resource"]["aws_security_group"][name]["tags"]
        for interface in interfaces:
            if (interface.workload, interface.name) == (
                tags["flowbridge:workload"],
                tags["flowbridge:interface"],
            ):
                peers += interface.private
    span = None
    if protocol in (6, 17):
        span = [PortRange(rule["from_port"], rule["to_port"])]
    elif protocol in (1, 58):
        kind, code = rule["from_port"], rule["to_port"]
        first = 0 if kind == -1 else kind * 256 + max(code, 0)
        last = 65535 if kind == -1 else kind * 256 + (255 if code == -1 else code)
        span = [PortRange(first, last)]
    else:
        assert (rule["from_port"], rule["to_port"]) == (-1, -1)
    return PacketSet.of(peers, protocol, None, span)


def group_packets(
    terraform: Mapping[str, Any],
    interface: Interface,
    direction: str,
    interfaces: tuple[Interface, ...],
) -> PacketSet:
    """Everything the groups of `interface` let through."""
    return PacketSet.union(
        rule_packets(terraform, rule, interfaces)
        for rule in rules_of(terraform, interface, direction).values()
    )


def acl_of(terraform: Mapping[str, Any], tier: str) -> dict[str, list[dict[str, Any]]]:
    """The entries of the one network ACL of `tier`, by direction."""
    resources = terraform["resource"]
    (name,) = (
        name
        for name, body in resources["aws_network_acl"].items()
        if body["tags"]["flowbridge:tier"] == tier
    )
    acl: dict[str, list[dict[str, Any]]] = {"ingress": [], "egress": []}
    for entry in resources.get("aws_network_acl_rule", {}).values():
        if entry["network_acl_id"] == f"${{aws_network_acl.{name}.id}}":
            acl["egress" if entry["egress"] else "ingress"].append(entry)
    return acl


def acl_lets_through(
    acl: Mapping[str, list[dict[str, Any]]], direction: str, packet: Packet
) -> bool:
    """Whether the first entry that matches `packet`, by number, allows it."""
    for entry in sorted(acl[direction], key=lambda entry: entry["rule_number"]):
        cidr = ip_network(entry.get("cidr_block") or entry["ipv6_cidr_block"])
        if cidr.version != packet.peer.version or packet.peer not in cidr:
            continue
        protocol = int(entry["protocol"])
        if protocol not in (-1, packet.protocol):
            continue
        if protocol in (6, 17) and not (
            entry["from_port"] <= packet.destination_port <= entry["to_port"]
        ):
            continue
        kind, code = divmod(packet.destination_port, 256)
        if protocol in (1, 58) and not (
            entry["icmp_type"] in (-1, kind) and entry["icmp_code"] in (-1, code)
        ):
            continue
        return bool(entry["rule_action"] == "allow")
    return False
