"""A change of rules has no moment without the old and the new, and fails without cutting off.

Each fixture is one stage and stands on the one before it; the tests look at what it left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.terraform.conftest import App
from tests.terraform.deployment import deployment
from tests.terraform.emulated_ec2 import EmulatedEc2
from tests.terraform.run import Terraform

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Home:
    """Where the deployment lives, and the card that it names."""

    app: App
    ec2: EmulatedEc2
    vpc: str
    subnets: list[str]
    card: str

    def synthesize(self, admin: str, *, named: bool = True) -> Terraform:
        services = ["traversal-pair"]
        data: Any = yaml.safe_load(
            deployment(self.ec2.url, self.vpc, self.subnets, services=services, network_acls=False)
        )
        data["systems"]["admin-pc"]["addresses"] = [admin]
        for tier in data["network"]["tiers"].values():
            del tier["subnets"]
        if named:
            data["expressway_c"]["peers"][0]["eni"] = self.card
        return self.app.synthesize(yaml.safe_dump(data), "edge")

    def groups(self) -> list[str]:
        """The groups on the card."""
        [found] = self.ec2.client.describe_network_interfaces(NetworkInterfaceIds=[self.card])[
            "NetworkInterfaces"
        ]
        return [group["GroupId"] for group in found["Groups"]]


@pytest.fixture(scope="module")
def home(app: App, ec2: EmulatedEc2) -> Home:
    vpc, subnets = ec2.network("10.0.1.0/24", "10.0.2.0/24", "10.0.10.0/24")
    made = ec2.client.create_network_interface(SubnetId=subnets[2], PrivateIpAddress="10.0.10.11")
    return Home(app, ec2, vpc, subnets, made["NetworkInterface"]["NetworkInterfaceId"])


@pytest.fixture(scope="module")
def applied(home: Home) -> Terraform:
    terraform = home.synthesize("10.9.0.0/24")
    terraform.init()
    terraform.apply()
    return terraform


@pytest.fixture(scope="module")
def changed(home: Home, applied: Terraform) -> list[str]:
    """The calls of a change of the address that administers."""
    before = len(home.ec2.calls)
    home.synthesize("10.9.8.0/24")
    applied.apply()
    return home.ec2.calls[before:]


@pytest.fixture(scope="module")
def refused(home: Home, applied: Terraform, changed: list[str]) -> tuple[str, list[str]]:
    """What Terraform says, and which calls it made, when the card's only group is to go."""
    [ours, *others] = [g for g in home.groups() if g not in _default(home)]
    assert not others
    home.ec2.client.modify_network_interface_attribute(NetworkInterfaceId=home.card, Groups=[ours])
    before = len(home.ec2.calls)
    said = applied.run("destroy", "-auto-approve", "-input=false", "-no-color", "-json", codes=(1,))
    return said, home.ec2.calls[before:]


def _default(home: Home) -> list[str]:
    mine = [{"Name": "vpc-id", "Values": [home.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    return [
        group["GroupId"]
        for group in home.ec2.client.describe_security_groups(Filters=mine)["SecurityGroups"]
    ]


def test_everything_new_is_open_before_anything_old_closes(changed: list[str]) -> None:
    assert changed.count("open") >= 2
    assert changed.count("close") == changed.count("open")
    assert changed == sorted(changed, reverse=True), changed


def test_the_group_that_cannot_be_taken_off_keeps_its_rules(
    home: Home, refused: tuple[str, list[str]]
) -> None:
    said, calls = refused
    assert "No attributes specified" in said
    [worn] = home.groups()
    rules = home.ec2.client.describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [worn]}]
    )["SecurityGroupRules"]
    assert len(rules) > 4
    assert calls == [], "no rule of any group is closed"


def test_with_a_group_of_ones_own_on_the_card_everything_goes(
    home: Home, applied: Terraform, refused: object
) -> None:
    home.ec2.client.modify_network_interface_attribute(
        NetworkInterfaceId=home.card, Groups=[*home.groups(), *_default(home)]
    )
    applied.destroy()
    assert home.groups() == _default(home)
