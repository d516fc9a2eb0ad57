"""A deployment's whole life with the real AWS provider against an emulated EC2.

Each fixture is one stage and stands on the one before it; the tests look at what it left.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flowbridge.stacks.pipeline import Built, build, load
from tests.terraform.conftest import App
from tests.terraform.deployment import deployment
from tests.terraform.emulated_ec2 import EmulatedEc2
from tests.terraform.live_groups import live_packets
from tests.terraform.run import Terraform

pytestmark = pytest.mark.slow

RULES = ("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule")


@dataclass(frozen=True)
class Home:
    """Where the deployment lives."""

    app: App
    ec2: EmulatedEc2
    vpc: str
    subnets: list[str]

    def synthesize(self, **changes: Any) -> Terraform:
        text = deployment(self.ec2.url, self.vpc, self.subnets, **changes)
        return self.app.synthesize(text, "edge")


@pytest.fixture(scope="module")
def home(app: App, ec2: EmulatedEc2) -> Home:
    return Home(app, ec2, *ec2.network("10.0.1.0/24", "10.0.2.0/24", "10.0.10.0/24"))


@pytest.fixture(scope="module")
def medium(home: Home) -> Terraform:
    """Applied as a medium system."""
    terraform = home.synthesize()
    terraform.init()
    terraform.apply()
    return terraform


@dataclass(frozen=True)
class Grown:
    """The same as a large system: what the JSON had before and has after, what Terraform planned
    for the change, and what it would do once more, for the file written in another order."""

    before: dict[str, Any]
    after: dict[str, Any]
    planned: dict[str, str]
    again: dict[str, str]


@pytest.fixture(scope="module")
def large(home: Home, medium: Terraform) -> Grown:
    before = _resources(medium.folder)
    home.synthesize(size="large")
    after = _resources(medium.folder)
    planned = medium.apply()
    home.synthesize(size="large", shuffled=True)
    return Grown(before, after, planned, medium.plan())


@pytest.fixture(scope="module")
def built(home: Home, large: object) -> Built:
    """The intent of the deployment as it was last applied."""
    return build(load(home.app.folder / "edge.yaml"))


@pytest.fixture(scope="module")
def destroyed(built: Built, medium: Terraform) -> None:
    medium.destroy()


def test_medium_to_large_touches_the_rules_of_that_change_only(large: Grown) -> None:
    before, after, plan = large.before, large.after, large.planned
    gone, new = before.keys() - after.keys(), after.keys() - before.keys()
    changed = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    assert gone, "large closes the two media ports of medium"
    assert new, "large opens six TURN ports"
    touched = {address for address, action in plan.items() if action != "read"}
    assert touched == gone | new | changed
    assert not [address for address in touched if address.startswith("aws_security_group.")]
    kept = [address for address in before.keys() & after.keys() if address.startswith(RULES)]
    assert len(kept) > len([address for address in gone if address.startswith(RULES)])
    for address in gone:
        assert plan[address] == "delete"
    for address in new:
        assert plan[address] == "create"


def test_a_second_plan_is_empty_whatever_the_order_of_the_file(large: Grown) -> None:
    assert large.again == {}


def test_the_live_groups_let_through_what_was_intended(home: Home, built: Built) -> None:
    compared = 0
    for point, live in live_packets(home.ec2.client, home.vpc, built.policy.interfaces).items():
        # Groups cannot leave the inside out of the internet; the network ACL does.
        intended = built.policy.with_inside(point)
        assert live == built.provider.expressible(intended, point), str(point)
        compared += bool(intended)
    assert compared >= len(built.policy.interfaces), "something is intended at every interface"


def test_every_live_rule_says_which_rows_ask_for_it(home: Home, built: Built) -> None:
    rows = {row for flow in built.policy.demands.values() for d in flow for row in d.flow.rows}
    here = {"Name": "vpc-id", "Values": [home.vpc]}
    groups = home.ec2.client.describe_security_groups(Filters=[here])["SecurityGroups"]
    found = home.ec2.client.describe_security_group_rules()["SecurityGroupRules"]
    ours = [
        rule
        for rule in found
        if rule["GroupId"] in {group["GroupId"] for group in groups}
        and any(tag["Key"] == "flowbridge:site" for tag in rule["Tags"])
    ]
    assert len(ours) == len([a for a in _resources_of(built) if a.startswith(RULES)])
    for rule in ours:
        first = rule["Description"].split(":")[0].split(",")[0].strip()
        assert first in rows, rule["Description"]


def test_every_subnet_has_the_network_acl_of_its_tier(home: Home, built: Built) -> None:
    acls = home.ec2.client.describe_network_acls(
        Filters=[{"Name": "vpc-id", "Values": [home.vpc]}]
    )["NetworkAcls"]
    of_subnet = {
        association["SubnetId"]: acl for acl in acls for association in acl["Associations"]
    }
    site = built.resolution.site
    for name, tier in site.network.tiers.items():
        for subnet in tier.subnets:
            acl = of_subnet[subnet]
            assert not acl["IsDefault"]
            assert {"Key": "flowbridge:tier", "Value": name} in acl["Tags"]
            numbers = [(entry["Egress"], entry["RuleNumber"]) for entry in acl["Entries"]]
            assert {egress for egress, number in numbers if number < 32767} == {True, False}


def test_destroy_leaves_nothing_behind(home: Home, destroyed: None) -> None:
    client = home.ec2.client
    mine = [{"Name": "vpc-id", "Values": [home.vpc]}]
    groups = client.describe_security_groups(Filters=mine)["SecurityGroups"]
    assert [group["GroupName"] for group in groups] == ["default"]
    acls = client.describe_network_acls(Filters=mine)["NetworkAcls"]
    assert [acl["IsDefault"] for acl in acls] == [True]
    assert len(acls[0]["Associations"]) == len(home.subnets)


def _resources(folder: Path) -> dict[str, Any]:
    document = json.loads((folder / "cdk.tf.json").read_text("utf-8"))
    return _by_address(document["resource"])


def _resources_of(built: Built) -> dict[str, Any]:
    return _by_address(built.document["resource"])


def _by_address(resources: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{kind}.{name}": body
        for kind, by_name in resources.items()
        for name, body in by_name.items()
    }
