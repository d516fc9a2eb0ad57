"""`rehearse --live` on an emulated EC2: features, exit codes, what cannot be told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from flowbridge.cli import flowbridge
from tests.live import faults
from tests.live.aws.created import associate
from tests.live.aws.estates import LiveSite
from tests.live.faults import faulty

pytestmark = pytest.mark.slow


def run(site: LiveSite, *arguments: str | Path, url: str | None = None) -> Result:
    words = ("rehearse", str(site.file), "--live", "--endpoint-url", url or site.url)
    result = CliRunner().invoke(flowbridge, [*words, "--attempts", "2", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def answers(result: Result) -> dict[str, Any]:
    (found,) = json.loads(result.stdout)["rehearsals"]
    return {each["id"]: each for each in found["features"]}


def test_features_on_the_estate_and_what_cuts_them(edge: LiveSite) -> None:
    whole = run(edge)
    assert whole.exit_code == 0, whole.output
    assert "+ mra/sign-in" in whole.stdout
    group = edge.group("expressway-e_external")
    rows = edge.client.describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [group]}]
    )["SecurityGroupRules"]
    gone = [r["SecurityGroupRuleId"] for r in rows if r["FromPort"] == 8443 and not r["IsEgress"]]
    edge.client.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=gone)
    cut = run(edge, "--format", "json")
    assert cut.exit_code == 1
    found = answers(cut)
    assert found["mra/sign-in"]["answer"] == "fails"
    (packet,) = [cut for step in found["mra/sign-in"]["steps"] for cut in step["cuts"]]
    assert packet["row"] == "expressway/16/1"
    assert packet["filter"].startswith("security groups")
    assert found["mra/im-and-presence"]["answer"] == "works"


def test_an_acl_of_a_subnet_that_is_back_on_nothing_cuts_what_passes_it(edge: LiveSite) -> None:
    """Groups keep state, an ACL does not: without its entries no answer gets back."""
    acl = edge.client.create_network_acl(VpcId=edge.vpc)["NetworkAcl"]["NetworkAclId"]
    associate(edge.client, acl, edge.subnets["10.0.10.0/24"])
    found = answers(run(edge, "--format", "json"))
    assert found["mra/sign-in"]["answer"] == "fails"
    assert found["sip-calls/call-in"]["answer"] == "fails"


def test_what_was_not_read_cannot_be_told(edge: LiveSite) -> None:
    with faulty(edge.url) as between:
        between.set("DescribeNetworkAcls", faults.refusing(403, "UnauthorizedOperation"))
        silent = run(edge, url=between.url)
        assert silent.exit_code == 2
        assert "! mra/sign-in" in silent.stdout
        assert "not read: " in silent.stdout
        assert "ec2:DescribeNetworkAcls: permission-missing" in silent.stdout
        between.set("DescribeSecurityGroups", faults.refusing(403, "UnauthorizedOperation"))
        blind = run(edge, "--format", "json", url=between.url)
    assert blind.exit_code == 2
    assert not {"works", "fails"} & {each["answer"] for each in answers(blind).values()}
