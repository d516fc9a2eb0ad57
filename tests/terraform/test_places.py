"""One file in two regions and two accounts: two stacks, applied with the real AWS provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import pytest
import yaml

from flowbridge.policy.audit.audit import Verdict
from flowbridge.providers.live.contract import Access
from flowbridge.stacks.live import fetched
from flowbridge.stacks.pipeline import build_all
from tests.terraform.conftest import App
from tests.terraform.emulated_ec2 import CREDENTIALS, EmulatedEc2

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

pytestmark = pytest.mark.slow

FAR = "us-east-1"
ROLE = "arn:aws:iam::210987654321:role/flowbridge"


@dataclass(frozen=True)
class Estate:
    """What was planned for each stack, and a client of the far account in its region."""

    planned: dict[str, dict[str, str]]
    far: EC2Client


def _far_client(url: str) -> EC2Client:
    sts = boto3.client(
        "sts",
        region_name=FAR,
        endpoint_url=url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106
    )
    lent = sts.assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    client: EC2Client = boto3.client(
        "ec2",
        region_name=FAR,
        endpoint_url=url,
        aws_access_key_id=lent["AccessKeyId"],
        aws_secret_access_key=lent["SecretAccessKey"],
        aws_session_token=lent["SessionToken"],
    )
    return client


@pytest.fixture(scope="module")
def estate(app: App, ec2: EmulatedEc2) -> Estate:
    vpc, subnets = ec2.network("10.41.10.0/24", vpc="10.41.0.0/16")
    far = _far_client(ec2.url)
    far_vpc = far.create_vpc(CidrBlock="10.42.0.0/16")["Vpc"]["VpcId"]
    far_subnet = far.create_subnet(VpcId=far_vpc, CidrBlock="10.42.10.0/24")["Subnet"]["SubnetId"]
    data = {
        "name": "cluster",
        "cloud": "aws",
        "region": "eu-west-1",
        "network": {
            "id": vpc,
            "tiers": {
                "voice": {"cidrs": ["10.41.10.0/24"], "subnets": subnets},
            },
        },
        "places": {
            "far": {
                "region": FAR,
                "provider": {"assume_role": ROLE},
                "network": {
                    "id": far_vpc,
                    "tiers": {"voice-far": {"cidrs": ["10.42.10.0/24"], "subnets": [far_subnet]}},
                },
            }
        },
        "links": [{"between": ["home", "far"], "meet": "transit"}],
        "expressway_c": {
            "tier": "voice",
            "further_tiers": ["voice-far"],
            "peers": [{"address": f"10.{n}"} for n in ("41.10.11", "42.10.11", "42.10.12")],
        },
        "services": ["cluster"],
        # A handful of rules is enough to see where they are made.
        "options": {"aws": {"network_acl": "none"}},
        "accept": [{"id": "deployment/cut-off", "reason": "only the peers are looked at here"}],
        "provider": {"endpoints": {"ec2": ec2.url, "sts": ec2.url}},
    }
    app.synthesize(yaml.safe_dump(data, sort_keys=False), "cluster")
    stacks = {name: app.stack(name) for name in ("cluster", "cluster-far")}
    planned = {}
    for name, terraform in stacks.items():
        terraform.init()
        planned[name] = terraform.apply()
    return Estate(planned, far)


def test_each_stack_is_made_in_its_account_and_region(estate: Estate, ec2: EmulatedEc2) -> None:
    def groups(client: EC2Client) -> set[str]:
        found = client.describe_security_groups(
            Filters=[{"Name": "tag:flowbridge:workload", "Values": ["expressway-c"]}]
        )["SecurityGroups"]
        return {
            tag["Value"]
            for each in found
            for tag in each["Tags"]
            if tag["Key"] == "flowbridge:site"
        }

    here = groups(ec2.client)  # with those of the other tests that share the emulator
    assert "cluster" in here
    assert "cluster-far" not in here
    assert groups(estate.far) == {"cluster-far"}
    assert all(set(actions.values()) == {"create"} for actions in estate.planned.values())


def test_the_stacks_name_each_other_by_address(estate: Estate) -> None:
    rules = estate.far.describe_security_group_rules()["SecurityGroupRules"]
    peers = {rule.get("CidrIpv4") for rule in rules}
    assert "10.41.10.11/32" in peers
    own = {
        rule["ReferencedGroupInfo"]["GroupId"] for rule in rules if "ReferencedGroupInfo" in rule
    }
    known = {g["GroupId"] for g in estate.far.describe_security_groups()["SecurityGroups"]}
    assert own <= known


def test_the_audit_reads_each_stack_in_its_account(
    estate: Estate, ec2: EmulatedEc2, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    access = Access(endpoint_url=ec2.url, attempts=1, before_machines=True)
    audits = {
        live.built.resolution.site.name: live.audit()
        for place in fetched(build_all([app.folder / "cluster.yaml"]), access)
        for live in place
    }
    assert estate.planned.keys() == audits.keys()
    assert {each.verdict for each in audits.values()} == {Verdict.CLEAN}
