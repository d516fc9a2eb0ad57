"""What a plain deployment on AWS does not show: lists, other accounts, fleets, ICMP, roles."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from click.testing import CliRunner
from moto.ec2.models import ec2_backends

from flowbridge.cli import flowbridge
from flowbridge.policy.audit.audit import Verdict
from flowbridge.policy.audit.estate import Cause, Departure
from flowbridge.policy.packets.packet_set import PacketSet
from tests.live import documented, faults
from tests.live.aws.created import associate
from tests.live.aws.estates import LiveSite
from tests.live.faults import faulty

pytestmark = pytest.mark.slow

MANY = [f"10.9.{2 * number}.0/24" for number in range(12)]


@pytest.fixture
def listed(make: Callable[..., LiveSite]) -> LiveSite:
    """So many administrators' networks that they are written as a prefix list."""
    site = make(
        systems={
            "cucm": {"tier": "internal", "addresses": ["10.0.10.21", "10.0.10.22"]},
            "imp": {"addresses": ["10.20.0.31"]},
            "admin-pc": {"addresses": MANY},
            "dns": {"addresses": ["10.0.10.2"]},
            "ntp": {"addresses": ["10.0.10.3"]},
        }
    )
    assert "aws_ec2_managed_prefix_list" in site.built.document["resource"]
    return site


def test_every_call_is_in_the_documented_policy_and_asks_for_pages(listed: LiveSite) -> None:
    """All three commands, on a site that gives cause for every call."""
    with faulty(listed.url) as between:
        for words in (["audit"], ["adopt"], ["check", "--live"]):
            asked = [*words, str(listed.file), "--endpoint-url", between.url]
            result = CliRunner().invoke(flowbridge, asked)
            assert result.exit_code == 0, result.output
    services = {"GetServiceQuota": "servicequotas"}
    made = {f"{services.get(call, 'ec2')}:{call}" for call in between.seen}
    # Asked only where public access is blocked, which no emulator knows.
    made |= {"ec2:DescribeVpcBlockPublicAccessExclusions"}
    assert made == documented.aws_actions()
    whole = {"DescribeAddresses", "DescribeVpcBlockPublicAccessOptions", "GetServiceQuota"}
    paged = {call for call, form in between.asked.items() if "MaxResults" in form}
    assert paged == between.seen.keys() - whole


def _list(site: LiveSite) -> str:
    return next(live for name, live in site.ids.items() if "managed_prefix_list" in name)


def test_an_entry_added_to_a_prefix_list_opens_its_addresses(listed: LiveSite) -> None:
    assert listed.audit().verdict is Verdict.CLEAN
    (row,) = listed.client.describe_managed_prefix_lists(PrefixListIds=[_list(listed)])[
        "PrefixLists"
    ]
    listed.client.modify_managed_prefix_list(
        PrefixListId=_list(listed),
        CurrentVersion=row["Version"],
        AddEntries=[{"Cidr": "192.0.2.0/24"}],
    )
    found = listed.audit()
    assert found.verdict is Verdict.DRIFT
    assert found.opened
    theirs = PacketSet.of([ip_network("192.0.2.0/24")], None)
    assert all(each.packets <= theirs for each in found.opened)
    assert not found.unmanaged


def test_another_list_of_the_same_name_is_not_ours(listed: LiveSite) -> None:
    """Names of prefix lists are not unique."""
    own = _list(listed)
    (row,) = listed.client.describe_managed_prefix_lists(PrefixListIds=[own])["PrefixLists"]
    for _ in range(3):
        listed.client.create_managed_prefix_list(
            PrefixListName=row["PrefixListName"], AddressFamily="IPv4", MaxEntries=1, Entries=[]
        )
    found = listed.audit()
    assert (found.verdict, found.changed, found.unmanaged) == (Verdict.CLEAN, (), ())


@pytest.mark.parametrize("call", ["DescribeManagedPrefixLists", "GetManagedPrefixListEntries"])
def test_a_prefix_list_that_cannot_be_read_is_not_an_empty_one(listed: LiveSite, call: str) -> None:
    with faulty(listed.url) as between:
        between.set(call, faults.refusing(403, "UnauthorizedOperation"))
        found = listed.audit(through=between.url)
    assert found.verdict is Verdict.INCOMPLETE, found.as_plain()
    assert {unread.cause for unread in found.unread} == {Cause.DENIED}
    assert found.refused == ()


def test_members_of_a_group_elsewhere_are_not_nobody(edge: LiveSite) -> None:
    """A rule for a group of a peered VPC: who is in it cannot be told, so it is said."""
    client = edge.client
    vpc = client.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    other = client.create_security_group(GroupName="peer", Description="x", VpcId=vpc)["GroupId"]
    client.authorize_security_group_ingress(
        GroupId=edge.group("cucm_single"),
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 443,
                "ToPort": 443,
                "UserIdGroupPairs": [{"GroupId": other}],
            }
        ],
    )
    found = edge.audit()
    assert found.verdict is Verdict.DRIFT
    [told] = [d for d in found.deviations if d.drift]
    assert told.departure is Departure.UNRESOLVED
    assert f"ingress tcp 443 from {other}" in told.message
    [state] = found.unmanaged
    assert (state.drift, state.effect) == (True, "what it does cannot be told")
    assert not any(other in note for note in found.notes)


def _tags(kind: str, site: str) -> Any:
    return [{"ResourceType": kind, "Tags": [{"Key": "flowbridge:site", "Value": site}]}]


def test_what_another_deployment_made_is_told_as_its(edge: LiveSite) -> None:
    """Its group beside ours on a card, its network ACL in place of ours on a subnet."""
    client = edge.client
    group = client.create_security_group(
        GroupName="flowbridge/other/cucm/single",
        Description="x",
        VpcId=edge.vpc,
        TagSpecifications=_tags("security-group", "other"),
    )["GroupId"]
    rdp = {"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389}
    client.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[{**rdp, "IpRanges": [{"CidrIp": "10.9.0.0/24"}]}],
        TagSpecifications=_tags("security-group-rule", "other"),
    )
    client.modify_network_interface_attribute(
        NetworkInterfaceId=edge.cards["10.0.10.21"], Groups=[edge.group("cucm_single"), group]
    )
    acl = client.create_network_acl(
        VpcId=edge.vpc, TagSpecifications=_tags("network-acl", "other")
    )["NetworkAcl"]["NetworkAclId"]
    associate(client, acl, edge.subnets["10.0.1.0/24"])
    client.create_network_acl_entry(
        NetworkAclId=acl,
        RuleNumber=100,
        Egress=False,
        RuleAction="allow",
        Protocol="1",
        CidrBlock="0.0.0.0/0",
        IcmpTypeCode={"Type": 8, "Code": -1},
    )
    found = edge.audit()
    theirs = [state for state in found.unmanaged if state.rule.made_for]
    assert {state.rule.whose for state in theirs} == {"of deployment other"}
    assert {state.rule.holder for state in theirs} == {group, acl}
    # What every new group lets out, without a tag.
    assert {s.rule.whose for s in found.unmanaged if s not in theirs} == {"not ours"}
    said = " ".join(each.message for each in found.deviations)
    assert f"the network ACL {acl} of deployment other, not that of the plan" in said
    assert f"security group {group} (flowbridge/other/cucm/single) of deployment other" in said


def test_a_card_in_another_tiers_subnet_is_said_to_be_there(
    make: Callable[..., LiveSite],
) -> None:
    """The subnet is not said to be of the card's tier."""
    site = make(eni=True)
    inner = site.subnets["10.0.2.0/24"]
    card = next(
        row
        for row in site.client.describe_network_interfaces()["NetworkInterfaces"]
        if row["NetworkInterfaceId"] == site.cards["10.0.10.11"]
    )
    backend = ec2_backends[card["OwnerId"]]["eu-west-1"]
    backend.enis[card["NetworkInterfaceId"]].subnet = backend.get_subnet(inner)
    [said] = [each.message for each in site.audit().deviations if each.subject == inner]
    assert said == (
        f"subnet {inner}, where {card['NetworkInterfaceId']} of expressway-c/single is, has the "
        f"network ACL {site.acl('dmz')} of tier dmz, not that of the plan for tier internal"
    )


def test_an_address_that_the_deployment_does_not_name_is_told(edge: LiveSite) -> None:
    """Rules that name our group then stand for it, too, and this says why."""
    card = edge.cards["10.0.2.11"]
    edge.client.assign_private_ip_addresses(
        NetworkInterfaceId=card, PrivateIpAddresses=["10.0.2.77"]
    )
    found = edge.audit()
    assert found.opened
    said = [each for each in found.deviations if "10.0.2.77" in each.message]
    assert [(each.subject, each.drift) for each in said] == [(card, False)]


def test_rules_are_shown_as_the_console_shows_them(edge: LiveSite) -> None:
    everyone: dict[str, Any] = {"IpRanges": [{"CidrIp": "10.9.0.0/24"}]}
    client = edge.client
    client.authorize_security_group_ingress(
        GroupId=edge.group("cucm_single"),
        IpPermissions=[
            {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, **everyone},
            {"IpProtocol": "icmp", "FromPort": 3, "ToPort": 4, **everyone},
            {"IpProtocol": "50", "FromPort": -1, "ToPort": -1, **everyone},
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, **everyone},
        ],
    )
    found = edge.audit()
    shown = {state.rule.text.partition(" from ")[0] for state in found.unmanaged}
    assert shown == {
        "ingress icmp type 8",
        "ingress icmp type 3 code 4",
        "ingress protocol 50",
        "ingress tcp 1",
    }


def test_a_fleet_is_its_cards_and_the_rest_of_its_addresses(make: Callable[..., LiveSite]) -> None:
    """A workload named by a range: its cards are judged, addresses without one are not missing."""
    systems = {
        "cucm": {"tier": "internal", "addresses": ["10.0.10.16/28"]},
        "imp": {"addresses": ["10.20.0.31"]},
        "admin-pc": {"addresses": ["10.9.0.0/24"]},
        "dns": {"addresses": ["10.0.10.2"]},
        "ntp": {"addresses": ["10.0.10.3"]},
    }
    site = make(systems=systems)  # with cards at 10.0.10.21 and .22
    subnet = site.subnets["10.0.10.0/24"]
    for address in ("10.0.10.21", "10.0.10.22"):
        site.client.modify_network_interface_attribute(
            NetworkInterfaceId=site.cards[address], Groups=[site.group("cucm_single")]
        )
    assert site.audit().verdict is Verdict.CLEAN
    stray = site.client.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.10.23")
    found = site.audit()
    assert found.verdict is Verdict.DRIFT
    card = stray["NetworkInterface"]["NetworkInterfaceId"]
    assert any(d.drift and card in d.message for d in found.deviations)


def test_icmp_types_that_an_endpoint_does_not_tell_are_noted(
    make: Callable[..., LiveSite],
) -> None:
    """The emulator keeps no ICMP types of network ACL entries; AWS does."""
    systems = {
        "cucm": {"tier": "internal", "addresses": ["10.0.10.21", "10.0.10.22"]},
        "endpoint": {"addresses": ["10.30.0.0/16"]},
        "admin-pc": {"addresses": ["10.9.0.0/24"]},
        "dns": {"addresses": ["10.0.10.2"]},
        "ntp": {"addresses": ["10.0.10.3"]},
    }
    site = make(services=["cucm-common", "traversal-pair"], systems=systems)
    entries = site.built.document["resource"]["aws_network_acl_rule"].values()
    assert any(entry["protocol"] == "1" for entry in entries)
    found = site.audit()
    assert found.verdict is Verdict.CLEAN
    assert any("does not tell its ICMP type" in note for note in found.notes)


def test_a_changed_rule_of_ours_names_what_it_was(edge: LiveSite) -> None:
    """The description is ours and the ports are not."""
    rows = edge.client.describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [edge.group("expressway-e_external")]}]
    )["SecurityGroupRules"]
    rule: Any = next(
        row
        for row in rows
        if row.get("CidrIpv4") and row["ToPort"] - row["FromPort"] > 10 and row["ToPort"] < 65535
    )
    address = next(name for name, live in edge.ids.items() if live == rule["SecurityGroupRuleId"])
    edge.client.modify_security_group_rules(
        GroupId=rule["GroupId"],
        SecurityGroupRules=[
            {
                "SecurityGroupRuleId": rule["SecurityGroupRuleId"],
                "SecurityGroupRule": {
                    "IpProtocol": rule["IpProtocol"],
                    "FromPort": rule["FromPort"] + 2,
                    "ToPort": rule["ToPort"] + 1,
                    "CidrIpv4": rule["CidrIpv4"],
                    "Description": rule["Description"],
                },
            }
        ],
    )
    found = edge.audit()
    (changed,) = [state for state in found.changed if state.drift]
    assert (changed.rule.id, changed.was) == (rule["SecurityGroupRuleId"], address)
    assert found.missing == (address,)
    assert found.summary.missing == 0  # it is told as changed
    assert found.unmanaged == ()


def test_rules_moved_to_another_group_of_their_card_say_which_they_were(
    make: Callable[..., LiveSite],
) -> None:
    """The rules of a party with several networks are described alike; their content tells."""
    site = make(
        quotas={"rules_per_security_group": 12, "network_acl_entries": 40},
        systems={
            "cucm": {"tier": "internal", "addresses": ["10.0.10.21", "10.0.10.22"]},
            "admin-pc": {"addresses": MANY[:8]},
            "dns": {"addresses": ["10.0.10.2"]},
            "ntp": {"addresses": ["10.0.10.3"]},
        },
    )
    first, second = site.group("expressway-c_single"), site.group("expressway-c_single_1")
    rows = site.client.describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [first]}]
    )["SecurityGroupRules"]
    moved = [row for row in rows if row.get("CidrIpv4") in MANY]
    assert len(moved) > 2
    addresses = {live: address for address, live in site.ids.items()}
    were: dict[tuple[str, int], str] = {}
    for row in moved:
        ports = {"FromPort": row["FromPort"], "ToPort": row["ToPort"]}
        peer = {"CidrIp": row["CidrIpv4"], "Description": row["Description"]}
        site.client.authorize_security_group_ingress(
            GroupId=second, IpPermissions=[{"IpProtocol": "tcp", **ports, "IpRanges": [peer]}]
        )
        site.client.revoke_security_group_ingress(
            GroupId=first, SecurityGroupRuleIds=[row["SecurityGroupRuleId"]]
        )
        were[row["CidrIpv4"], row["FromPort"]] = addresses[row["SecurityGroupRuleId"]]
    found = site.audit()
    assert found.verdict is Verdict.CLEAN
    assert len(found.changed) == len(moved)
    for (cidr, port), address in were.items():
        (state,) = [s for s in found.changed if f"tcp {port} from {cidr} " in s.rule.text]
        assert (state.was, state.effect) == (address, "changes nothing that passes")


def test_a_role_of_another_account_is_assumed(
    edge: LiveSite, make: Callable[..., LiveSite]
) -> None:
    """Nothing of this deployment is in that account: not even the VPC."""
    site = edge.built.resolution.site
    settings = site.provider.model_copy(
        update={"assume_role": "arn:aws:iam::111122223333:role/audit"}
    )
    found = edge.audit(site=site.model_copy(update={"provider": settings}))
    assert [unread.cause for unread in found.unread] == [Cause.ABSENT]
    assert found.scope == "account 111122223333 eu-west-1"


def test_no_sdk_is_imported_before_a_cloud_is_talked_to() -> None:
    program = (
        "import sys, flowbridge.commands.audit, flowbridge.providers.aws.live.estate; "
        "import flowbridge.stacks.live, flowbridge.stacks.pipeline; "
        "bad = {m.split('.')[0] for m in sys.modules} & {'boto3', 'botocore', 'azure', 'google'}; "
        "sys.exit(', '.join(bad) or 0)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (finished.returncode, finished.stderr) == (0, "")
