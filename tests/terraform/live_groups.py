"""Security groups as the EC2 API shows them, as packet sets: a reading of its own.

Written apart from the emitter and from the semantics of Terraform JSON, so that a mistake in
either shows here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from flowbridge.catalog.ports import ANY_PORT, PortRange
from flowbridge.deployment.interface import Interface
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.packets.packet_set import EMPTY, PacketSet
from flowbridge.policy.point import Direction, Point

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}


def live_packets(
    client: EC2Client, vpc: str, interfaces: Iterable[Interface]
) -> dict[Point, PacketSet]:
    """What the live groups of each interface let through, by the groups' tags."""
    mine = [{"Name": "vpc-id", "Values": [vpc]}]
    members: dict[str, tuple[Network, ...]] = {}
    keys: dict[str, str] = {}
    by_key = {interface.key: interface for interface in interfaces}
    for group in client.describe_security_groups(Filters=mine)["SecurityGroups"]:
        tags = {tag["Key"]: tag["Value"] for tag in group.get("Tags", [])}
        if "flowbridge:interface" in tags:
            key = f"{tags['flowbridge:workload']}/{tags['flowbridge:interface']}"
            keys[group["GroupId"]] = key
            members[group["GroupId"]] = by_key[key].private
    lists = _prefix_lists(client)
    found = {Point(key, direction): EMPTY for key in by_key for direction in Direction}
    for rule in client.describe_security_group_rules()["SecurityGroupRules"]:
        if rule["GroupId"] not in keys:
            continue
        direction = Direction.EGRESS if rule["IsEgress"] else Direction.INGRESS
        point = Point(keys[rule["GroupId"]], direction)
        found[point] = found[point] | _packets(dict(rule), members, lists)
    return found


def _packets(
    rule: Mapping[str, Any],
    members: Mapping[str, tuple[Network, ...]],
    lists: Mapping[str, tuple[Network, ...]],
) -> PacketSet:
    if cidr := rule.get("CidrIpv4") or rule.get("CidrIpv6"):
        peers: tuple[Network, ...] = (ip_network(cidr),)
    elif "PrefixListId" in rule:
        peers = lists[rule["PrefixListId"]]
    else:
        peers = members[rule["ReferencedGroupInfo"]["GroupId"]]
    name = rule["IpProtocol"]
    number = _NUMBERS.get(name) or int(name)
    ports: tuple[PortRange, ...] = (ANY_PORT,)
    if number in (6, 17):
        ports = (PortRange(rule["FromPort"], rule["ToPort"]),)
    elif number in (1, 58) and rule["FromPort"] != -1:
        first = rule["FromPort"] * 256
        code = rule["ToPort"]
        ports = (
            PortRange(first, first + 255) if code == -1 else PortRange(first + code, first + code),
        )
    return PacketSet.of(peers, number, (ANY_PORT,), ports)


def _prefix_lists(client: EC2Client) -> dict[str, tuple[Network, ...]]:
    found: dict[str, tuple[Network, ...]] = {}
    for each in client.describe_managed_prefix_lists()["PrefixLists"]:
        name = each["PrefixListId"]
        entries = client.get_managed_prefix_list_entries(PrefixListId=name)["Entries"]
        found[name] = tuple(ip_network(entry["Cidr"]) for entry in entries)
    return found
