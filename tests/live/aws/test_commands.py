"""`audit`, `adopt` and `check --live` as they are called: answers, exit codes, no traceback."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from click.testing import CliRunner, Result

from flowbridge.cli import flowbridge
from tests.live import faults
from tests.live.aws.created import associate
from tests.live.aws.estates import SUBNETS, LiveSite, description
from tests.live.aws.tampering import add_rule, back_to_default_acl, entry, split_rule, swap_group
from tests.live.faults import Fault, faulty, without

pytestmark = pytest.mark.slow


def run(site: LiveSite, name: str, *arguments: str | Path, url: str | None = None) -> Result:
    words = (name, str(site.file), "--endpoint-url", url or site.url, "--attempts", "2")
    result = CliRunner().invoke(flowbridge, [*words, *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def answer(result: Result) -> Any:
    return json.loads(result.stdout)


def test_clean_and_drift_have_their_exit_codes(edge: LiveSite) -> None:
    clean = run(edge, "audit")
    assert clean.exit_code == 0, clean.output
    assert "edge: clean" in clean.stdout
    assert "asked 1 of 1: account 123456789012 eu-west-1 (edge)" in clean.stderr
    add_rule(edge)
    drift = run(edge, "audit")
    assert drift.exit_code == 1
    assert "tcp 22 from 198.51.100.7/32" in drift.stdout
    assert "(not ours)" in drift.stdout


def test_json_has_the_packets_and_the_rule_that_lets_them_in(edge: LiveSite) -> None:
    add_rule(edge)
    (found,) = answer(run(edge, "audit", "--format", "json"))["deployments"]
    assert (found["verdict"], found["holds"]) == ("drift", False)
    (opened,) = found["unintended"]
    assert opened["interface"] == "expressway-e/external"
    assert opened["rule"].startswith("sgr-")
    assert opened["ours"] is False
    assert opened["packets"]["blocks"] == [
        {
            "peers": ["198.51.100.7/32"],
            "protocol": "tcp",
            "source_ports": ["any"],
            "ports": ["22"],
        }
    ]
    assert [rule["rule"] for rule in found["unmanaged"]] == [opened["rule"]]
    assert found["summary"]["unmanaged"] == 1
    assert found["missing"] == []


def test_sarif_is_valid_and_keeps_its_fingerprints(edge: LiveSite) -> None:
    swap_group(edge)
    first, second = (answer(run(edge, "audit", "--format", "sarif")) for _ in range(2))
    (one,) = first["runs"]
    results = one["results"]
    assert {"missing", "unintended", "detached"} <= {result["ruleId"] for result in results}
    [where] = {
        each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in results
    }
    assert where == edge.file.as_uri()
    declared = {rule["id"] for rule in one["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in results} <= declared
    prints = [result["partialFingerprints"] for result in results]
    assert prints == [result["partialFingerprints"] for result in second["runs"][0]["results"]]


def test_what_could_not_be_read_is_exit_two_or_one_with_findings(edge: LiveSite) -> None:
    with faulty(edge.url) as between:
        between.set("DescribeNetworkAcls", faults.refusing(403, "UnauthorizedOperation"))
        silent = run(edge, "audit", url=between.url)
        assert silent.exit_code == 2
        assert "ec2:DescribeNetworkAcls: permission-missing" in silent.stdout
        assert "edge: incomplete" in silent.stdout
        add_rule(edge)
        assert run(edge, "audit", url=between.url).exit_code == 1
        assert run(edge, "adopt", url=between.url).exit_code == 2


def test_a_permission_missing_in_one_region_leaves_the_other_judged(
    edge: LiveSite, tmp_path: Path
) -> None:
    """Two regions of one account; only one lets its network ACLs be read."""
    there = boto3.client("ec2", region_name="eu-central-1", endpoint_url=edge.url)
    vpc = there.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = {
        cidr: there.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"]
        for cidr in SUBNETS
    }
    second = tmp_path / "second.yaml"
    data = description(vpc, subnets, {}) | {"name": "second", "region": "eu-central-1"}
    second.write_text(yaml.safe_dump(data), "utf-8")
    with faulty(edge.url) as between:
        between.set(
            "DescribeSecurityGroups@eu-central-1", faults.refusing(403, "UnauthorizedOperation")
        )
        result = run(edge, "audit", second, "--format", "json", url=between.url)
    first, other = answer(result)["deployments"]
    assert (first["verdict"], other["verdict"]) == ("clean", "incomplete")
    assert other["unread"][0]["scope"] == "account 123456789012 eu-central-1"
    assert result.exit_code == 2


@pytest.mark.parametrize("code", ["ExpiredToken", "AuthFailure", "RequestLimitExceeded"])
def test_no_fault_ends_in_a_traceback(edge: LiveSite, code: str) -> None:
    with faulty(edge.url) as between:
        between.set("*", faults.refusing(400, code, "Say no more."))
        for name in (("audit",), ("adopt",), ("check", "--live")):
            result = run(edge, *name, url=between.url)
            assert result.exit_code == 2, result.output
            assert "Traceback" not in result.output
            assert code in result.output


@pytest.mark.parametrize(
    ("what", "instead"), [(b">tcp<", b">frob<"), (b"<cidrIpv4>", b"<cidrIpv4>300.")]
)
def test_rules_without_a_meaning_are_findings(edge: LiveSite, what: bytes, instead: bytes) -> None:
    with faulty(edge.url) as between:
        odd = faults.changed(lambda body: body.replace(what, instead))
        between.set("DescribeSecurityGroupRules", odd)
        result = run(edge, "audit", url=between.url)
        assert result.exit_code == 1, result.output
        assert "cannot be told:" in result.stdout
        for command in (("check", "--live"), ("adopt",)):
            asked = run(edge, *command, url=between.url)
            assert asked.exit_code == 0, asked.output


ODD: dict[str, tuple[str, Fault]] = {
    "an ACL without entries": ("DescribeNetworkAcls", without(rb"(<entrySet>.*?</entrySet>)")),
    "an entry without protocol": ("DescribeNetworkAcls", without(rb"(<protocol>.*?</protocol>)")),
    "a subnet without range": ("DescribeSubnets", without(rb"(<cidrBlock>.*?</cidrBlock>)")),
    "an address that is none": (
        "DescribeNetworkInterfaces",
        faults.changed(lambda body: body.replace(b"<privateIpAddress>", b"<privateIpAddress>x")),
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_an_answer_without_meaning_is_not_understood(edge: LiveSite, name: str) -> None:
    call, fault = ODD[name]
    with faulty(edge.url) as between:
        between.set(call, fault)
        for command in (("audit",), ("check", "--live")):
            result = run(edge, *command, url=between.url)
            assert result.exit_code == 2, (command, result.output)
            assert "answer-not-understood" in result.output
        adopted = run(edge, "adopt", url=between.url)
    # Adopting does not ask for the ranges of subnets.
    assert adopted.exit_code == (0 if call == "DescribeSubnets" else 2), adopted.output


def test_watching_tells_only_what_changed(edge: LiveSite) -> None:
    result = run(edge, "audit", "--watch", "1", "--rounds", "2")
    assert result.exit_code == 0
    assert result.stdout.count("edge: clean") == 1
    assert result.stdout.count("1 audited: 1 clean") == 2
    for form, key in (("json", "holds"), ("sarif", "version")):
        told = run(edge, "audit", "--watch", "1", "--rounds", "2", "--format", form).stdout
        lines = [json.loads(line) for line in told.splitlines()]
        assert [line[key] for line in lines] == [lines[0][key]] * 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--endpoint-url", "localhost"), "--endpoint-url 'localhost'"),
        (("--interface", "nothing"), "write KEY=ID"),
        (("--interface", "cms/single=eni-1"), "the interfaces are"),
        (("--rounds", "2"), "--watch"),
    ],
)
def test_bad_options_are_refused(edge: LiveSite, arguments: tuple[str, ...], said: str) -> None:
    result = run(edge, "audit", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_an_estate_made_by_hand_is_measured_against_the_documents(edge: LiveSite) -> None:
    """Cards with groups of other names, rules without tags: named on the command line."""
    client = edge.client
    vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = {
        cidr: client.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"]
        for cidr in SUBNETS
    }
    group = client.create_security_group(GroupName="by-hand", Description="x", VpcId=vpc)["GroupId"]
    client.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 3389,
                "ToPort": 3389,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            }
        ],
    )
    card = client.create_network_interface(
        SubnetId=subnets["10.0.1.0/24"], PrivateIpAddress="10.0.1.50", Groups=[group]
    )["NetworkInterface"]["NetworkInterfaceId"]
    data = description(vpc, subnets, {})
    edge = LiveSite(**{**vars(edge), "file": edge.file.with_name("by-hand.yaml")})
    edge.file.write_text(yaml.safe_dump(data), "utf-8")
    placed = run(edge, "audit", "--format", "json", "--interface", f"expressway-e/external={card}")
    assert placed.exit_code == 1
    (found,) = answer(placed)["deployments"]
    mine = [each for each in found["unintended"] if each["interface"] == "expressway-e/external"]
    wide = next(each for each in mine if each["direction"] == "ingress")
    assert [block["ports"] for block in wide["packets"]["blocks"]] == [["3389"]]
    assert any(
        "not made by Flowbridge" in note or "documents alone" in note for note in found["notes"]
    )
    assert found["deviations"] == [] or all(not each["drift"] for each in found["deviations"])
    by_group = run(
        edge, "audit", "--format", "json", "--interface", f"expressway-e/external={group}"
    )
    again = answer(by_group)["deployments"][0]["unintended"]
    assert wide["packets"] in [each["packets"] for each in again]


def test_adopting_writes_blocks_for_all_that_exists(edge: LiveSite, tmp_path: Path) -> None:
    split_rule(edge)
    back_to_default_acl(edge)
    output = tmp_path / "imports.tf"
    result = run(edge, "adopt", "-o", output)
    assert result.exit_code == 0, result.output
    text = output.read_text("utf-8")
    group = edge.group("expressway-e_external")
    assert f'  to = aws_security_group.expressway-e_external\n  id = "{group}"' in text
    plan = answer(run(edge, "adopt", "--format", "json"))
    assert plan["destroys"] == []
    assert plan["state_only"] == ["terraform_data.flowbridge_rules_in_place"]
    # The split rule has no counterpart and is made again; its halves are left.
    (made,) = [a for a in plan["creates"] if "_rule" in a]
    assert made.startswith("aws_vpc_security_group_ingress_rule.expressway-e_external")
    assert len(plan["left"]) == 2
    assert any("moves" in change["change"] for change in plan["changes"])
    assert text.count("import {") == len(plan["imports"])


def test_what_adopting_leaves_is_told_as_the_rules_that_they_are(edge: LiveSite) -> None:
    add_rule(edge)
    entry(edge, 1, RuleAction="deny", Protocol="6", PortRange={"From": 5061, "To": 5061})
    left = " ".join(answer(run(edge, "adopt", "--format", "json"))["left"])
    assert "ingress tcp 22 from 198.51.100.7/32 in" in left
    assert "ingress 1 deny tcp 5061 from 0.0.0.0/0 in" in left


def test_what_sole_ownership_removes_is_told(edge: LiveSite, tmp_path: Path) -> None:
    add_rule(edge)
    data = yaml.safe_load(edge.file.read_text("utf-8"))
    data["options"] = {"aws": {"exclusive": True}}
    owning = LiveSite(**{**vars(edge), "file": tmp_path / "owning.yaml"})
    owning.file.write_text(yaml.safe_dump(data), "utf-8")
    plan = answer(run(owning, "adopt", "--format", "json"))
    [removed] = plan["destroys"]
    assert "ingress tcp 22 from 198.51.100.7/32 in" in removed
    assert plan["left"] == []
    said = run(owning, "adopt").output
    assert "1 removed" in said
    assert "nothing destroyed" not in said


def test_check_live_says_what_would_fail(edge: LiveSite, tmp_path: Path) -> None:
    fine = run(edge, "check", "--live", "--format", "json")
    assert fine.exit_code == 0, fine.output
    (found,) = answer(fine)["deployments"]
    limits = {usage["limit"] for usage in found["live"]["usage"]}
    assert "network ACLs" in limits
    assert any("rules per security group" in limit for limit in limits)
    data = yaml.safe_load(edge.file.read_text("utf-8"))
    data["network"]["tiers"]["dmz"]["subnets"][0] = "subnet-00000000000000bad"
    data["systems"]["cucm"]["eni"] = ["eni-00000000000000bad", "eni-00000000000000bae"]
    wrong = LiveSite(**{**vars(edge), "file": tmp_path / "wrong.yaml"})
    wrong.file.write_text(yaml.safe_dump(data), "utf-8")
    result = run(wrong, "check", "--live")
    assert result.exit_code == 1, result.output
    assert "subnet-00000000000000bad is not in" in result.stdout
    assert "eni-00000000000000bad of cucm/single is not in" in result.stdout
    assert "Everything holds" not in result.stdout


def test_check_live_says_nothing_good_of_an_account_that_was_not_read(edge: LiveSite) -> None:
    with faulty(edge.url) as between:
        between.set("*", faults.refusing(403, "UnauthorizedOperation"))
        result = run(edge, "check", "--live", url=between.url)
    assert result.exit_code == 2
    assert "in the account: not everything could be read" in result.stdout
    assert "nothing found" not in result.stdout
    assert "Everything holds" not in result.output


def test_check_live_knows_a_name_that_is_taken(edge: LiveSite) -> None:
    group = edge.group("cucm_single")
    state = edge.client.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    from moto.ec2.models import ec2_backends

    taken = ec2_backends[state["OwnerId"]]["eu-west-1"].groups[edge.vpc][group]
    taken.description = "made by someone else"
    result = run(edge, "check", "--live")
    assert result.exit_code == 1
    assert f"{group} has the name flowbridge/edge/cucm/single already" in result.stdout
    assert run(edge, "adopt").exit_code == 1


def test_a_subnet_of_ipv6_alone_is_compared_by_its_range(edge: LiveSite) -> None:
    def six(body: bytes) -> bytes:
        body = body.replace(b"<ipv6CidrBlockAssociationSet/>", b"")
        block = b"<item><ipv6CidrBlock>2001:db8::/64</ipv6CidrBlock></item>"
        wrapped = b"<ipv6CidrBlockAssociationSet>" + block + b"</ipv6CidrBlockAssociationSet>"
        return re.sub(rb"<cidrBlock>.*?</cidrBlock>", wrapped, body)

    with faulty(edge.url) as between:
        between.set("DescribeSubnets", faults.changed(six))
        result = run(edge, "check", "--live", url=between.url)
    assert result.exit_code == 0, result.output
    assert "is 2001:db8::/64, and tier dmz names no such range" in result.stdout


def _fullest(result: Result) -> dict[str, tuple[int, int]]:
    (found,) = answer(result)["deployments"]
    return {each["scope"]: (each["used"], each["allowed"]) for each in found["live"]["usage"]}


def test_check_live_counts_what_terraform_will_leave(edge: LiveSite) -> None:
    before = _fullest(run(edge, "check", "--live", "--format", "json"))
    acl = next(scope for scope in before if "dmz" in scope and "egress IPv4" in scope)
    denied = {"RuleAction": "deny", "Egress": True}
    for number in (19000, 19001):
        entry(edge, number, CidrBlock=f"192.0.2.{number - 19000}/32", **denied)
    group = edge.client.create_security_group(GroupName="x", Description="x", VpcId=edge.vpc)
    lists = edge.client.create_managed_prefix_list(
        PrefixListName="x", AddressFamily="IPv4", MaxEntries=7, Entries=[]
    )
    peers = {
        "UserIdGroupPairs": [{"GroupId": group["GroupId"]}],
        "PrefixListIds": [{"PrefixListId": lists["PrefixList"]["PrefixListId"]}],
    }
    edge.client.authorize_security_group_ingress(
        GroupId=edge.group("cucm_single"),
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, **peers}],
    )
    result = run(edge, "check", "--live", "--format", "json")
    after = _fullest(result)
    assert after[acl][0] == before[acl][0] + 2
    name = "flowbridge/edge/cucm/single ingress"
    assert after[f"{name} IPv4"][0] == before[f"{name} IPv4"][0] + 8
    assert after[f"{name} IPv6"][0] == before[f"{name} IPv6"][0] + 1
    assert result.exit_code == 0
    used, allowed = after[acl]
    for number in range(19002, 19003 + allowed - used):
        entry(edge, number, CidrBlock=f"192.0.2.{number - 19000}/32", **denied)
    full = run(edge, "check", "--live")
    assert full.exit_code == 1
    assert "raise the quota first" in full.stdout


def test_check_live_believes_a_stated_quota_where_it_cannot_ask(
    edge: LiveSite, tmp_path: Path
) -> None:
    data = yaml.safe_load(edge.file.read_text("utf-8")) | {"quotas": {"network_acl_entries": 40}}
    stated = LiveSite(**{**vars(edge), "file": tmp_path / "stated.yaml"})
    stated.file.write_text(yaml.safe_dump(data), "utf-8")
    with faulty(edge.url) as between:
        between.set("GetServiceQuota", faults.refusing(403, "AccessDeniedException"))
        found = _fullest(run(stated, "check", "--live", "--format", "json", url=between.url))
    assert {allowed for scope, (_, allowed) in found.items() if "acl" in scope} == {40}


def test_check_live_says_whose_network_acl_it_would_take_off(edge: LiveSite) -> None:
    tag = {"Key": "flowbridge:site", "Value": "other"}
    made = edge.client.create_network_acl(
        VpcId=edge.vpc,
        TagSpecifications=[{"ResourceType": "network-acl", "Tags": [tag]}],
    )
    acl, subnet = made["NetworkAcl"]["NetworkAclId"], edge.subnets["10.0.10.0/24"]
    associate(edge.client, acl, subnet)
    result = run(edge, "check", "--live")
    assert result.exit_code == 0
    assert f"subnet {subnet} has the network ACL {acl} of deployment other now" in result.stdout


def test_a_baseline_lets_only_what_is_new_fail(edge: LiveSite, tmp_path: Path) -> None:
    add_rule(edge)
    known = tmp_path / "known.json"
    assert run(edge, "audit", "--write-baseline", known).exit_code == 0
    again = run(edge, "audit", "--baseline", known)
    assert again.exit_code == 0, again.output
    assert "edge: 0 new" in again.stdout
    assert "known or accepted: 1 unintended, 1 unmanaged" in again.stdout
    swap_group(edge)
    new = run(edge, "audit", "--baseline", known, "--format", "json")
    assert new.exit_code == 1
    found = answer(new)
    assert {each["finding"] for each in found["new"]} >= {"audit/detached"}
    assert [each["accepted"] for each in found["known"]][:1] == ["in the baseline"]
    without = known.read_text("utf-8").replace("flowbridge_baseline", "other")
    known.write_text(without, "utf-8")
    assert run(edge, "audit", "--baseline", known).exit_code == 2


def test_a_rule_that_is_accepted_is_no_drift(edge: LiveSite) -> None:
    add_rule(edge)
    found = answer(run(edge, "audit", "--format", "json"))["deployments"][0]
    live = found["unmanaged"][0]["rule"]
    site = yaml.safe_load(edge.file.read_text("utf-8"))
    kept = edge.file.read_text("utf-8")
    site["accept"] = [
        {"id": f"audit/{kind}", "where": live, "reason": "the vendor's access"}
        for kind in ("unintended", "unmanaged")
    ]
    edge.file.write_text(yaml.safe_dump(site), "utf-8")
    result = run(edge, "audit", "--format", "sarif")
    edge.file.write_text(kept, "utf-8")
    assert result.exit_code == 0, result.output
    (one,) = answer(result)["runs"]
    suppressed = [each for each in one["results"] if "suppressions" in each]
    assert {each["ruleId"] for each in suppressed} == {"unintended", "unmanaged"}
    assert all(
        each["locations"][0]["physicalLocation"]["region"]["startLine"] > 1 for each in suppressed
    )


def test_what_the_account_says_may_be_accepted_unless_it_would_fail(edge: LiveSite) -> None:
    found = answer(run(edge, "check", "--live", "--format", "json"))["deployments"][0]["live"]
    warned = next(each for each in found["findings"] if each["severity"] != "refusal")
    kept = edge.file.read_text("utf-8")
    site = yaml.safe_load(kept)
    edge.file.write_text(yaml.safe_dump({**site, "accept": {warned["id"]: "known"}}), "utf-8")
    try:
        again = answer(run(edge, "check", "--live", "--format", "json"))["deployments"][0]["live"]
        said = run(edge, "check", "--live").stdout
    finally:
        edge.file.write_text(kept, "utf-8")
    accepted = {each["id"] for each in again["findings"] if each.get("accepted") == "known"}
    assert accepted == {warned["id"]}
    assert f"accepted: {sum(e['id'] == warned['id'] for e in again['findings'])}: " in said
