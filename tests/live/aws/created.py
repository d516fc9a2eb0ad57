"""A deployment made in an emulated EC2 through the SDK, from its own Terraform JSON.

Faster than Terraform, and a writer of its own: what it makes is what a reader must understand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowbridge.providers.terraform.blocks import Reference

Body = dict[str, Any]


def create(client: Any, document: Mapping[str, Any]) -> dict[str, str]:
    """Create every resource of `document`; live ids by Terraform address."""
    made = _Made(client)
    for kind in (
        "aws_ec2_managed_prefix_list",
        "aws_security_group",
        "aws_vpc_security_group_ingress_rule",
        "aws_vpc_security_group_egress_rule",
        "aws_network_acl",
        "aws_network_acl_rule",
        "aws_network_acl_association",
        "aws_network_interface_sg_attachment",
    ):
        for name, body in document["resource"].get(kind, {}).items():
            made.ids[f"{kind}.{name}"] = getattr(made, kind)(body)
    return made.ids


class _Made:
    def __init__(self, client: Any) -> None:
        self.client = client
        self.ids: dict[str, str] = {}

    def _live(self, value: str) -> str:
        reference = Reference.parse(value)
        return self.ids[reference.address] if reference else value

    def aws_ec2_managed_prefix_list(self, body: Body) -> str:
        made = self.client.create_managed_prefix_list(
            PrefixListName=body["name"],
            AddressFamily=body["address_family"],
            MaxEntries=body["max_entries"],
            Entries=[{"Cidr": entry["cidr"]} for entry in body["entry"]],
            TagSpecifications=_tags("prefix-list", body),
        )
        return str(made["PrefixList"]["PrefixListId"])

    def aws_security_group(self, body: Body) -> str:
        made = self.client.create_security_group(
            GroupName=body["name"],
            Description=body["description"],
            VpcId=body["vpc_id"],
            TagSpecifications=_tags("security-group", body),
        )
        group = made["GroupId"]
        # As Terraform does: a new group lets everything out.
        (own,) = self.client.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        if own["IpPermissionsEgress"]:
            self.client.revoke_security_group_egress(
                GroupId=group, IpPermissions=own["IpPermissionsEgress"]
            )
        return str(group)

    def aws_vpc_security_group_ingress_rule(self, body: Body) -> str:
        return self._rule(self.client.authorize_security_group_ingress, body)

    def aws_vpc_security_group_egress_rule(self, body: Body) -> str:
        return self._rule(self.client.authorize_security_group_egress, body)

    def _rule(self, authorize: Any, body: Body) -> str:
        answer = authorize(
            GroupId=self._live(body["security_group_id"]),
            IpPermissions=[self.permission(body)],
            TagSpecifications=_tags("security-group-rule", body),
        )
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def permission(self, body: Body) -> Body:
        said = {"Description": body["description"]}
        permission: Body = {"IpProtocol": body["ip_protocol"]}
        if "from_port" in body:
            permission |= {"FromPort": body["from_port"], "ToPort": body["to_port"]}
        if cidr := body.get("cidr_ipv4"):
            permission["IpRanges"] = [{"CidrIp": cidr, **said}]
        elif cidr := body.get("cidr_ipv6"):
            permission["Ipv6Ranges"] = [{"CidrIpv6": cidr, **said}]
        elif name := body.get("prefix_list_id"):
            permission["PrefixListIds"] = [{"PrefixListId": self._live(name), **said}]
        else:
            group = self._live(body["referenced_security_group_id"])
            permission["UserIdGroupPairs"] = [{"GroupId": group, **said}]
        return permission

    def aws_network_acl(self, body: Body) -> str:
        made = self.client.create_network_acl(
            VpcId=body["vpc_id"], TagSpecifications=_tags("network-acl", body)
        )
        return str(made["NetworkAcl"]["NetworkAclId"])

    def aws_network_acl_rule(self, body: Body) -> str:
        acl = self._live(body["network_acl_id"])
        self.client.create_network_acl_entry(NetworkAclId=acl, **_acl_entry(body))
        return f"{acl}:{body['rule_number']}"

    def aws_network_acl_association(self, body: Body) -> str:
        return associate(self.client, self._live(body["network_acl_id"]), body["subnet_id"])

    def aws_network_interface_sg_attachment(self, body: Body) -> str:
        card, group = body["network_interface_id"], self._live(body["security_group_id"])
        (row,) = self.client.describe_network_interfaces(NetworkInterfaceIds=[card])[
            "NetworkInterfaces"
        ]
        groups = [g["GroupId"] for g in row["Groups"] if g["GroupName"] != "default"]
        self.client.modify_network_interface_attribute(
            NetworkInterfaceId=card, Groups=[*groups, group]
        )
        return f"{group}_{card}"


def _acl_entry(body: Body) -> Body:
    made: Body = {
        "RuleNumber": body["rule_number"],
        "RuleAction": body["rule_action"],
        "Protocol": body["protocol"],
        "Egress": body["egress"],
    }
    if "cidr_block" in body:
        made["CidrBlock"] = body["cidr_block"]
    else:
        made["Ipv6CidrBlock"] = body["ipv6_cidr_block"]
    if "from_port" in body:
        made["PortRange"] = {"From": body["from_port"], "To": body["to_port"]}
    if "icmp_type" in body:
        made["IcmpTypeCode"] = {"Type": body["icmp_type"], "Code": body["icmp_code"]}
    return made


def associate(client: Any, acl: str, subnet: str) -> str:
    """Move `subnet` to `acl`."""
    acls = client.describe_network_acls(
        Filters=[{"Name": "association.subnet-id", "Values": [subnet]}]
    )["NetworkAcls"]
    (old,) = [a for row in acls for a in row["Associations"] if a["SubnetId"] == subnet]
    moved = client.replace_network_acl_association(
        AssociationId=old["NetworkAclAssociationId"], NetworkAclId=acl
    )
    return str(moved["NewAssociationId"])


def _tags(kind: str, body: Body) -> list[Body]:
    tags = [{"Key": key, "Value": value} for key, value in body["tags"].items()]
    return [{"ResourceType": kind, "Tags": tags}]
