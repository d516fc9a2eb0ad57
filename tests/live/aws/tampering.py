"""Changes made behind Terraform's back, each through the SDK.

A harmful one changes what passes, or takes away what tells ours from theirs; a harmless one
changes rules and nothing that they do.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from tests.live.aws.created import associate
from tests.live.aws.estates import LiveSite

Tamper = Callable[[LiveSite], object]


def _rule(site: LiveSite, *, cidr: bool = True, wide: bool = False, way: str = "ingress") -> Any:
    """A live rule of the outer Expressway-E group: TCP or UDP, by CIDR."""
    group = site.group("expressway-e_external")
    rows = site.client.describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [group]}]
    )["SecurityGroupRules"]
    return next(
        row
        for row in sorted(rows, key=lambda row: row["SecurityGroupRuleId"])
        if row["IsEgress"] == (way == "egress")
        and row["IpProtocol"] in ("tcp", "udp")
        and bool(row.get("CidrIpv4")) == cidr
        and (not wide or row["ToPort"] - row["FromPort"] > 10)
    )


def _permission(rule: Any, **changed: Any) -> dict[str, Any]:
    cidr = changed.pop("cidr", rule.get("CidrIpv4"))
    made = {
        "IpProtocol": rule["IpProtocol"],
        "FromPort": rule["FromPort"],
        "ToPort": rule["ToPort"],
        "IpRanges": [{"CidrIp": cidr}],
    }
    return {**made, **changed}


def _revoke(site: LiveSite, rule: Any) -> None:
    way = "egress" if rule["IsEgress"] else "ingress"
    getattr(site.client, f"revoke_security_group_{way}")(
        GroupId=rule["GroupId"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]]
    )


def _allow(site: LiveSite, rule: Any, *permissions: dict[str, Any]) -> None:
    way = "egress" if rule["IsEgress"] else "ingress"
    getattr(site.client, f"authorize_security_group_{way}")(
        GroupId=rule["GroupId"], IpPermissions=list(permissions)
    )


def add_rule(site: LiveSite) -> None:
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    site.client.authorize_security_group_ingress(
        GroupId=site.group("expressway-e_external"),
        IpPermissions=[{**ssh, "IpRanges": [{"CidrIp": "198.51.100.7/32"}]}],
    )


def add_rule_for_everything(site: LiveSite) -> None:
    site.client.authorize_security_group_egress(
        GroupId=site.group("expressway-c_single"),
        IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    )


def remove_rule(site: LiveSite) -> None:
    _revoke(site, _rule(site))


def widen_by_a_port(site: LiveSite) -> None:
    rule = _rule(site, wide=True)
    site.client.modify_security_group_rules(
        GroupId=rule["GroupId"],
        SecurityGroupRules=[
            {
                "SecurityGroupRuleId": rule["SecurityGroupRuleId"],
                "SecurityGroupRule": {
                    "IpProtocol": rule["IpProtocol"],
                    "FromPort": rule["FromPort"] - 1,
                    "ToPort": rule["ToPort"],
                    "CidrIpv4": rule["CidrIpv4"],
                    "Description": rule["Description"],
                },
            }
        ],
    )


def narrow_by_a_port(site: LiveSite) -> None:
    rule = _rule(site, wide=True)
    _revoke(site, rule)
    _allow(site, rule, _permission(rule, FromPort=rule["FromPort"] + 1))


def change_source(site: LiveSite) -> None:
    rule = _rule(site, way="egress")
    _revoke(site, rule)
    _allow(site, rule, _permission(rule, cidr="192.0.2.0/24"))


def swap_group(site: LiveSite) -> None:
    """One card of two gets the VPC's default group in place of ours."""
    rows = site.client.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [site.vpc]}])[
        "SecurityGroups"
    ]
    (default,) = [row["GroupId"] for row in rows if row["GroupName"] == "default"]
    site.client.modify_network_interface_attribute(
        NetworkInterfaceId=site.cards["10.0.1.12"], Groups=[default]
    )


def put_our_group_on_a_stranger(site: LiveSite) -> None:
    """Rules that name a group now let in a host that is not the deployment's."""
    card = site.client.create_network_interface(
        SubnetId=site.subnets["10.0.10.0/24"],
        PrivateIpAddress="10.0.10.99",
        Groups=[site.group("expressway-c_single")],
    )
    assert card["NetworkInterface"]["NetworkInterfaceId"]


def delete_group(site: LiveSite) -> None:
    group = site.group("cucm_single")
    for address in ("10.0.10.21", "10.0.10.22"):
        site.client.modify_network_interface_attribute(
            NetworkInterfaceId=site.cards[address], Groups=[site.group("expressway-c_single")]
        )
    rows = site.client.describe_security_group_rules()["SecurityGroupRules"]
    for row in rows:
        if (row.get("ReferencedGroupInfo") or {}).get("GroupId") == group:
            _revoke(site, row)
    site.client.delete_security_group(GroupId=group)


def entry(site: LiveSite, number: int, **more: Any) -> None:
    """An entry in the ACL of the DMZ."""
    site.client.create_network_acl_entry(
        NetworkAclId=site.acl("dmz"),
        RuleNumber=number,
        **{"CidrBlock": "0.0.0.0/0", "Protocol": "-1", "Egress": False, **more},
    )


def deny_before_ours(site: LiveSite) -> None:
    entry(site, 1, RuleAction="deny", Protocol="6", PortRange={"From": 5061, "To": 5061})


def allow_before_ours(site: LiveSite) -> None:
    entry(site, 1, RuleAction="allow")


def remove_entry(site: LiveSite) -> None:
    acl = site.acl("dmz")
    (row,) = site.client.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    first = min(e["RuleNumber"] for e in row["Entries"] if not e["Egress"])
    site.client.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=first, Egress=False)


def back_to_default_acl(site: LiveSite) -> None:
    rows = site.client.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [site.vpc]}])[
        "NetworkAcls"
    ]
    (default,) = [row["NetworkAclId"] for row in rows if row["IsDefault"]]
    associate(site.client, default, site.subnets["10.0.1.0/24"])


def another_tiers_acl(site: LiveSite) -> None:
    associate(site.client, site.acl("internal"), site.subnets["10.0.2.0/24"])


def strip_group_tags(site: LiveSite) -> None:
    site.client.delete_tags(
        Resources=[site.group("expressway-c_single")], Tags=[{"Key": "flowbridge:workload"}]
    )


def strip_acl_tags(site: LiveSite) -> None:
    site.client.delete_tags(Resources=[site.acl("dmz")], Tags=[{"Key": "flowbridge:tier"}])


def strip_rule_tags(site: LiveSite) -> None:
    rule = _rule(site)
    tags = [{"Key": tag["Key"]} for tag in rule["Tags"]]
    site.client.delete_tags(Resources=[rule["SecurityGroupRuleId"]], Tags=tags)


def split_rule(site: LiveSite) -> None:
    rule = _rule(site, wide=True)
    middle = (rule["FromPort"] + rule["ToPort"]) // 2
    _revoke(site, rule)
    _allow(
        site,
        rule,
        _permission(rule, ToPort=middle),
        _permission(rule, FromPort=middle + 1),
    )


def split_source(site: LiveSite) -> None:
    """One rule for the internet becomes two for its halves."""
    rule = next(
        row
        for row in site.client.describe_security_group_rules(
            Filters=[{"Name": "group-id", "Values": [site.group("expressway-e_external")]}]
        )["SecurityGroupRules"]
        if row.get("CidrIpv4") == "0.0.0.0/0" and row["IpProtocol"] in ("tcp", "udp")
    )
    _revoke(site, rule)
    _allow(
        site,
        rule,
        _permission(rule, cidr="0.0.0.0/1"),
        _permission(rule, cidr="128.0.0.0/1"),
    )


def repeat_within(site: LiveSite) -> None:
    """A further rule for what another one lets in already."""
    rule = _rule(site, wide=True)
    _allow(site, rule, _permission(rule, ToPort=rule["FromPort"] + 1))


def renumber_entries(site: LiveSite) -> None:
    """The ACL's entries in the reverse order as far as neighbours do the same: among those that all
    allow, or all deny, the order decides nothing."""
    acl = site.acl("dmz")
    (row,) = site.client.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    ours = [each for each in row["Entries"] if each["RuleNumber"] <= 32766]
    for entry in ours:
        site.client.delete_network_acl_entry(
            NetworkAclId=acl, RuleNumber=entry["RuleNumber"], Egress=entry["Egress"]
        )
    ours.sort(key=lambda each: (each["Egress"], each["RuleNumber"]))
    alike = groupby(ours, key=lambda each: (each["Egress"], each["RuleAction"]))
    for run in (list(group) for _, group in alike):
        numbers = [each["RuleNumber"] for each in reversed(run)]
        for entry, number in zip(run, numbers, strict=True):
            site.client.create_network_acl_entry(
                NetworkAclId=acl, **{**entry, "RuleNumber": number}
            )


def deny_behind_ours(site: LiveSite) -> None:
    """A deny for addresses that nothing before it let in."""
    entry(site, 30000, RuleAction="deny", Protocol="47", CidrBlock="203.0.113.0/24")


def tag_of_theirs(site: LiveSite) -> None:
    site.client.create_tags(
        Resources=[site.group("expressway-c_single"), site.acl("dmz")],
        Tags=[{"Key": "cost-centre", "Value": "4711"}],
    )


def unrelated_group(site: LiveSite) -> None:
    made = site.client.create_security_group(
        GroupName="other", Description="of someone else", VpcId=site.vpc
    )
    site.client.authorize_security_group_ingress(
        GroupId=made["GroupId"],
        IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    )


def made_anew(site: LiveSite) -> None:
    """A rule taken away and put back by hand, without its description and tags."""
    rule = _rule(site)
    _revoke(site, rule)
    _allow(site, rule, _permission(rule))


HARMFUL: tuple[Tamper, ...] = (
    add_rule,
    add_rule_for_everything,
    remove_rule,
    widen_by_a_port,
    narrow_by_a_port,
    change_source,
    swap_group,
    put_our_group_on_a_stranger,
    delete_group,
    deny_before_ours,
    allow_before_ours,
    remove_entry,
    back_to_default_acl,
    another_tiers_acl,
    strip_group_tags,
    strip_acl_tags,
    strip_rule_tags,
)
HARMLESS: tuple[Tamper, ...] = (
    split_rule,
    split_source,
    repeat_within,
    renumber_entries,
    deny_behind_ours,
    tag_of_theirs,
    unrelated_group,
    made_anew,
)
