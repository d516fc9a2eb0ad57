"""Planted live situations in AWS: odd rules, cards that are gone, peers that were not read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from flowbridge.policy.audit.audit import Audit, Verdict
from flowbridge.policy.audit.untold import Standing
from flowbridge.providers.live.contract import Access, Preflight, reader_for
from tests.live import faults
from tests.live.aws.estates import ACCESS, LiveSite
from tests.live.faults import Faults, faulty
from tests.live.planted import Situation, check, parameters, told

pytestmark = pytest.mark.slow

EVERYONE = "0.0.0.0/0"


def allow(site: LiveSite, group: str, permission: dict[str, Any], *, egress: bool = False) -> str:
    """Add a rule by hand; its id."""
    way = "egress" if egress else "ingress"
    made = getattr(site.client, f"authorize_security_group_{way}")(
        GroupId=site.group(group), IpPermissions=[permission]
    )
    return str(made["SecurityGroupRules"][0]["SecurityGroupRuleId"])


def ssh(site: LiveSite) -> str:
    """The hole beside it, which nothing may hide."""
    peer = {"IpRanges": [{"CidrIp": EVERYONE}]}
    own = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    return allow(site, "expressway-e_external", {**own, **peer})


# What an answer says of one rule: the emulator takes no such rule, so it is changed on the way.
ODD_RULES: dict[str, tuple[str, str]] = {
    "a protocol that is none": (r"<ipProtocol>tcp<", "<ipProtocol>frob<"),
    "a protocol beyond 255": (r"<ipProtocol>tcp<", "<ipProtocol>300<"),
    "a negative protocol": (r"<ipProtocol>tcp<", "<ipProtocol>-7<"),
    "no protocol": (r"<ipProtocol>tcp</ipProtocol>", ""),
    "ports of -1": (r"<fromPort>4711<(.*?)<toPort>4711<", r"<fromPort>-1<\1<toPort>-1<"),
    "ports backwards": (r"<toPort>4711<", "<toPort>1<"),
    "a port beyond 65535": (r"<toPort>4711<", "<toPort>70000<"),
    "no ports": (r"<fromPort>4711</fromPort>(.*?)<toPort>4711</toPort>", r"\1"),
    "ICMP without a type": (
        r"<ipProtocol>tcp<(.*?)<fromPort>4711<(.*?)<toPort>4711<",
        r"<ipProtocol>icmp<\1<fromPort>-1<\2<toPort>3<",
    ),
    "an ICMP type beyond 255": (
        r"<ipProtocol>tcp<(.*?)<fromPort>4711<(.*?)<toPort>4711<",
        r"<ipProtocol>icmp<\1<fromPort>300<\2<toPort>-1<",
    ),
    "a peer that is no range": (r"<cidrIpv4>198.51.100.0/24<", "<cidrIpv4>198.51.100.0/99<"),
    "a peer of another IP version": (r"<cidrIpv4>198.51.100.0/24<", "<cidrIpv4>2001:db8::/32<"),
}
# EC2 then counts the rule in one answer and no peer in the other.
NO_PEER = (r"<cidrIpv4>198.51.100.0/24</cidrIpv4>", "")


def plant_rule(site: LiveSite, group: str, *, egress: bool) -> str:
    own = {"IpProtocol": "tcp", "FromPort": 4711, "ToPort": 4711}
    peer = {"IpRanges": [{"CidrIp": "198.51.100.0/24"}]}
    return allow(site, group, {**own, **peer}, egress=egress)


def within(rule: str, change: tuple[str, str]) -> Callable[[bytes], bytes]:
    """`change` inside the item of one rule."""
    pattern, text = change

    def changed(body: bytes) -> bytes:
        items = re.split(r"(?=<item>)", body.decode())
        return "".join(
            re.sub(pattern, text, item, flags=re.DOTALL) if rule in item else item
            for item in _joined(items, rule)
        ).encode()

    return changed


def _joined(items: list[str], rule: str) -> list[str]:
    """Items with what is nested in them."""
    return ["".join(items)] if sum(rule in each for each in items) != 1 else items


def between(site: LiveSite, call: str, change: Callable[[bytes], bytes]) -> Audit:
    with faulty(site.url) as server:
        server.set(call, faults.changed(change))
        return site.audit(through=server.url)


@pytest.mark.parametrize("egress", [False, True], ids=["ingress", "egress"])
@pytest.mark.parametrize("name", ODD_RULES)
def test_planted_odd_rule_does_not_blind(edge: LiveSite, name: str, egress: bool) -> None:
    odd, hole = plant_rule(edge, "cucm_single", egress=egress), ssh(edge)
    found = between(edge, "DescribeSecurityGroupRules", within(odd, ODD_RULES[name]))
    _finding(found, odd, hole)


def test_planted_rule_without_a_peer_does_not_blind(edge: LiveSite) -> None:
    odd, hole = plant_rule(edge, "cucm_single", egress=False), ssh(edge)
    with faulty(edge.url) as server:
        change = faults.changed(within(odd, NO_PEER))
        server.set("DescribeSecurityGroupRules", change)
        server.set("DescribeSecurityGroups", faults.changed(_without_range))
        found = edge.audit(through=server.url)
    _finding(found, odd, hole)


def _without_range(body: bytes) -> bytes:
    text = rb"<item>\s*<cidrIp>198.51.100.0/24</cidrIp>.*?</item>"
    return re.sub(text, b"", body, flags=re.DOTALL)


def _finding(found: Audit, odd: str, hole: str) -> None:
    assert (found.verdict, found.unread) == (Verdict.DRIFT, ())
    assert hole in {each.rule.id for each in found.opened if each.rule}
    assert {each.rule.id for each in found.untold if each.rule} == {odd}, told(found)
    assert all(each.standing is Standing.FINDING for each in found.untold)
    assert "cannot be told" in told(found)
    assert any(state.rule.id == odd and state.drift for state in found.unmanaged)


ODD_ENTRIES: dict[str, tuple[str, str]] = {
    "a protocol that is none": (r"<protocol>47<", "<protocol>frob<"),
    "a protocol beyond 255": (r"<protocol>47<", "<protocol>300<"),
    "no protocol": (r"<protocol>47</protocol>", ""),
    "another action": (r"<ruleAction>allow<", "<ruleAction>perhaps<"),
    "no action": (r"<ruleAction>allow</ruleAction>", ""),
    "a peer that is no range": (r"<cidrBlock>203.0.113.0/24<", "<cidrBlock>203.0.113.0/99<"),
    "no peer": (r"<cidrBlock>203.0.113.0/24</cidrBlock>", ""),
    "TCP without ports": (r"<protocol>47<", "<protocol>6<"),
    "ICMPv6 for IPv4 without a type": (r"<protocol>47<", "<protocol>1<"),
}


@pytest.mark.parametrize("name", ODD_ENTRIES)
def test_planted_odd_entry_does_not_blind(edge: LiveSite, name: str) -> None:
    acl = edge.acl("internal")
    edge.client.create_network_acl_entry(
        NetworkAclId=acl,
        RuleNumber=30000,
        Egress=False,
        CidrBlock="203.0.113.0/24",
        Protocol="47",
        RuleAction="allow",
    )
    hole = ssh(edge)
    found = between(edge, "DescribeNetworkAcls", within("<ruleNumber>30000<", ODD_ENTRIES[name]))
    assert (found.verdict, found.unread) == (Verdict.DRIFT, ())
    assert hole in {each.rule.id for each in found.opened if each.rule}
    if name == "ICMPv6 for IPv4 without a type":
        return  # the emulator tells no type of any, and then it may be every one
    assert {each.rule.id for each in found.untold if each.rule} == {f"{acl} ingress 30000"}


@pytest.mark.parametrize("protocol", ["4", "0", "47", "58", "132", "255", "icmpv6"])
def test_planted_protocol_without_ports_is_a_protocol(edge: LiveSite, protocol: str) -> None:
    peer = {"IpRanges": [{"CidrIp": "198.51.100.0/24"}]}
    own = {"IpProtocol": protocol, "FromPort": -1, "ToPort": -1}
    rule = allow(edge, "cucm_single", {**own, **peer})
    found = edge.audit()
    assert (found.verdict, found.unread, found.untold) == (Verdict.DRIFT, (), ())
    assert {each.rule.id for each in found.opened if each.rule} == {rule}


# Cards that are not there, and what stands in their place.


def delete(site: LiveSite, address: str) -> None:
    site.client.delete_network_interface(NetworkInterfaceId=site.cards[address])


def card(site: LiveSite, address: str, *groups: str) -> str:
    subnet = next(s for cidr, s in site.subnets.items() if address[:7] == cidr[:7])
    made = site.client.create_network_interface(
        SubnetId=subnet, PrivateIpAddress=address, Groups=list(groups)
    )
    return str(made["NetworkInterface"]["NetworkInterfaceId"])


def rebuilt(site: LiveSite) -> None:
    """Expressway-E elsewhere, with our group and one that lets everybody in."""
    delete(site, "10.0.1.11")
    made = site.client.create_security_group(
        GroupName="open", Description="by hand", VpcId=site.vpc
    )["GroupId"]
    site.client.authorize_security_group_ingress(
        GroupId=made,
        IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": EVERYONE}]}],
    )
    card(site, "10.0.1.50", site.group("expressway-e_external"), made)


def rebuilt_without_ours(site: LiveSite) -> None:
    delete(site, "10.0.1.11")
    card(site, "10.0.1.50")


def everything_gone(site: LiveSite) -> None:
    for address in site.cards:
        delete(site, address)


MEMBERS: tuple[Situation[LiveSite], ...] = (
    Situation(
        name="a node of Unified CM is gone",
        plant=lambda site: delete(site, "10.0.10.22"),
        verdict=Verdict.INCOMPLETE,
        says="10.0.10.22",
    ),
    Situation(
        name="all cards are gone",
        plant=everything_gone,
        verdict=Verdict.INCOMPLETE,
        says="10.0.1.11",
    ),
    Situation(
        name="Expressway-E was built anew elsewhere, with an open group",
        plant=rebuilt,
        says="10.0.1.50",
    ),
    Situation(
        name="Expressway-E was built anew elsewhere, without our groups",
        plant=rebuilt_without_ours,
        verdict=Verdict.INCOMPLETE,
        says="10.0.1.11",
    ),
    Situation(
        name="a stranger wears the group that the world gets in by",
        plant=lambda site: card(site, "10.0.1.66", site.group("expressway-e_external")),
        says="lets the whole internet in",
    ),
)


# Peers that no list which was read has.


def reference(site: LiveSite, group: str) -> None:
    own = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    allow(site, "cucm_single", {**own, "UserIdGroupPairs": [{"GroupId": group}]})


def from_another_vpc(site: LiveSite) -> None:
    vpc = site.client.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    made = site.client.create_security_group(GroupName="peer", Description="x", VpcId=vpc)
    reference(site, made["GroupId"])


def from_a_list_of_others(site: LiveSite) -> None:
    made = site.client.create_managed_prefix_list(
        PrefixListName="office", AddressFamily="IPv4", MaxEntries=2, Entries=[{"Cidr": EVERYONE}]
    )["PrefixList"]["PrefixListId"]
    own = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    allow(site, "cucm_single", {**own, "PrefixListIds": [{"PrefixListId": made}]})


def kept_by_firewall_manager(site: LiveSite) -> None:
    made = site.client.create_security_group(
        GroupName="FMManagedSecurityGroup1234", Description="FMS", VpcId=site.vpc
    )["GroupId"]
    site.client.authorize_security_group_ingress(
        GroupId=made,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": EVERYONE}],
            }
        ],
    )
    groups = [site.group("expressway-e_external"), made]
    site.client.modify_network_interface_attribute(
        NetworkInterfaceId=site.cards["10.0.1.11"], Groups=groups
    )


PEERS: tuple[Situation[LiveSite], ...] = (
    Situation(name="a group of another VPC", plant=from_another_vpc, says="cannot be told"),
    Situation(name="a list of others", plant=from_a_list_of_others),
    Situation(
        name="a group that Firewall Manager keeps",
        plant=kept_by_firewall_manager,
        says="AWS Firewall Manager owns it",
    ),
)


@pytest.mark.parametrize("situation", parameters((*MEMBERS, *PEERS)))
def test_planted_harm_is_no_clean_word(edge: LiveSite, situation: Situation[LiveSite]) -> None:
    situation.plant(edge)
    check(edge.audit(), situation)


def test_planted_group_of_another_account_cannot_be_told(edge: LiveSite) -> None:
    """In a VPC that another account shares, its own machines are in no list of ours."""
    made = edge.client.create_security_group(GroupName="theirs", Description="x", VpcId=edge.vpc)
    reference(edge, made["GroupId"])

    def owned(body: bytes) -> bytes:
        """The owner stands in the item that has the group's own name."""
        name = body.index(b"<groupName>theirs<")
        owner = b"<ownerId>123456789012<"
        near = min(
            (found.start() for found in re.finditer(owner, body)), key=lambda at: abs(at - name)
        )
        return body[:near] + b"<ownerId>999999999999<" + body[near + len(owner) :]

    with faulty(edge.url) as server:
        server.set("DescribeSecurityGroups", faults.changed(owned))
        server.set("DescribeVpcs", faults.changed(_other_owner))
        found = edge.audit(through=server.url)
    assert found.verdict is Verdict.DRIFT
    assert f"the members of group {made['GroupId']} cannot be told" in told(found)


def _other_owner(body: bytes) -> bytes:
    return body.replace(b"<ownerId>123456789012<", b"<ownerId>999999999999<")


# VPC Block Public Access; the emulator knows none, so a server in between answers.

OPTIONS = "DescribeVpcBlockPublicAccessOptions"
EXCLUSIONS = "DescribeVpcBlockPublicAccessExclusions"


def blocking(server: Faults, mode: str, *excluded: tuple[str, str]) -> None:
    options = (
        f"<{OPTIONS}Response><vpcBlockPublicAccessOptions>"
        f"<internetGatewayBlockMode>{mode}</internetGatewayBlockMode><state>update-complete</state>"
        f"</vpcBlockPublicAccessOptions></{OPTIONS}Response>"
    )
    server.set(OPTIONS, faults.answering(options.encode()))

    def page(*_: object) -> faults.Answer:
        """One exclusion a page."""
        at = int(server.asked[EXCLUSIONS].get("NextToken", ["0"])[0])
        items = "".join(
            f"<item><internetGatewayExclusionMode>{way}</internetGatewayExclusionMode>"
            f"<resourceArn>arn:aws:ec2:eu-west-1:1:{arn}</resourceArn>"
            "<state>create-complete</state></item>"
            for arn, way in excluded[at : at + 1]
        )
        more = f"<nextToken>{at + 1}</nextToken>" if excluded[at + 1 :] else ""
        body = (
            f"<{EXCLUSIONS}Response><vpcBlockPublicAccessExclusionSet>{items}"
            f"</vpcBlockPublicAccessExclusionSet>{more}</{EXCLUSIONS}Response>"
        )
        return 200, {"Content-Type": "text/xml"}, body.encode()

    server.set(EXCLUSIONS, page)


@pytest.mark.parametrize("mode", ["block-bidirectional", "block-ingress"])
@pytest.mark.parametrize("excluded", ["nothing", "a subnet", "what leaves", "the VPC"])
def test_planted_block_of_public_access_is_part_of_the_verdict(
    edge: LiveSite, mode: str, excluded: str
) -> None:
    inner = f"subnet/{edge.subnets['10.0.10.0/24']}"
    exclusions = {
        "nothing": (),
        "a subnet": ((inner, "allow-bidirectional"),),
        "what leaves": ((f"vpc/{edge.vpc}", "allow-egress"),),
        "the VPC": (
            (inner, "allow-bidirectional"),
            (f"vpc/{edge.vpc}", "allow-bidirectional"),
        ),
    }[excluded]
    with faulty(edge.url) as server:
        blocking(server, mode, *exclusions)
        found = edge.audit(through=server.url)
    assert found.unread == ()
    if excluded == "the VPC":
        assert found.verdict is Verdict.CLEAN, told(found)
        return
    assert found.verdict is Verdict.DRIFT
    ways = {str(each.point.direction) for each in found.refused if "Block Public" in each.why}
    both = mode == "block-bidirectional" and excluded != "what leaves"
    assert ways == ({"ingress", "egress"} if both else {"ingress"})


def test_the_block_is_told_before_an_apply(edge: LiveSite) -> None:
    said = {}
    with faulty(edge.url) as server:
        for mode in ("off", "block-ingress", "block-bidirectional", "?"):
            blocking(server, mode)
            if mode == "?":
                server.set(OPTIONS, faults.refusing(403, "UnauthorizedOperation"))
            found = preflight(edge, server.url)
            said[mode] = [f.message for f in found.findings if f.id == "aws/live/public-access"]
    assert said["off"] == []
    [arriving] = said["block-ingress"]
    assert "nothing passes from the internet into expressway-e/external," in arriving
    assert len(said["block-bidirectional"]) == 2
    [unread] = said["?"]
    assert "cannot be told" in unread


def preflight(site: LiveSite, url: str) -> Preflight:
    reader, reach = reader_for("aws"), Access(endpoint_url=url, **ACCESS)  # type: ignore[arg-type]
    built = site.built
    answers = reader.fetch(built.resolution.site, reach, asides=True)
    return reader.preflight(answers, built.policy, built.resolution.site, built.document)


@pytest.mark.parametrize("call", [OPTIONS, EXCLUSIONS])
def test_planted_refusal_to_tell_of_the_block_is_no_clean_word(edge: LiveSite, call: str) -> None:
    with faulty(edge.url) as server:
        blocking(server, "block-ingress", (f"vpc/{edge.vpc}", "allow-bidirectional"))
        server.set(call, faults.refusing(403, "UnauthorizedOperation"))
        found = edge.audit(through=server.url)
    assert found.verdict is not Verdict.CLEAN
    assert [each.call for each in found.unread] == [f"ec2:{call}"]


def test_planted_block_that_is_off_is_clean(edge: LiveSite) -> None:
    with faulty(edge.url) as server:
        blocking(server, "off")
        assert edge.audit(through=server.url).verdict is Verdict.CLEAN


# What is harmless stays clean.


def a_stranger_in_a_group_of_others(site: LiveSite) -> None:
    made = site.client.create_security_group(GroupName="w", Description="x", VpcId=site.vpc)
    card(site, "10.0.1.66", made["GroupId"])


HARMLESS: tuple[Situation[LiveSite], ...] = (
    Situation(name="a stranger in a group of others", plant=a_stranger_in_a_group_of_others),
)


@pytest.mark.parametrize("situation", parameters(HARMLESS))
def test_planted_no_harm_is_clean(edge: LiveSite, situation: Situation[LiveSite]) -> None:
    situation.plant(edge)
    found = edge.audit()
    assert (found.verdict, found.unread) == (Verdict.CLEAN, ()), told(found)


def test_before_machines_those_that_are_not_there_are_no_finding(
    make: Callable[..., LiveSite],
) -> None:
    site = make(cards=False)
    assert site.audit().verdict is Verdict.INCOMPLETE
    found = site.audit(before_machines=True)
    assert found.verdict is Verdict.CLEAN
    assert len(found.absent) == 7
    ssh(site)
    assert site.audit(before_machines=True).verdict is Verdict.DRIFT
