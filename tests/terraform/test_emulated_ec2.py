"""The emulated EC2 answers as AWS does where its clients depend on it."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.terraform.emulated_ec2 import EmulatedEc2


def test_deleting_an_entry_twice_says_that_it_is_gone(ec2: EmulatedEc2) -> None:
    vpc, _ = ec2.network("10.0.1.0/24")
    acl = ec2.client.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.client.create_network_acl_entry(
        NetworkAclId=acl,
        RuleNumber=100,
        Protocol="6",
        RuleAction="allow",
        Egress=False,
        CidrBlock="192.0.2.0/24",
        PortRange={"From": 5061, "To": 5061},
    )
    ec2.client.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=False)
    with pytest.raises(ClientError, match=r"InvalidNetworkAclEntry\.NotFound"):
        ec2.client.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=False)
