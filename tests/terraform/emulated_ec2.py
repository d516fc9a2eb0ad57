"""An EC2 API on this machine's loopback (moto), made faithful where a rule of ours needs it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.network_acls import NetworkAclBackend
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

REGION = "eu-west-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    # The provider's own 25 attempts take most of an hour to say that the emulator has a fault.
    "AWS_MAX_ATTEMPTS": "4",
}


@dataclass(frozen=True)
class EmulatedEc2:
    """The endpoint, and a client of it."""

    url: str
    client: EC2Client
    # `open` and `close`, one for each change of a rule of a security group, in their order.
    calls: list[str]

    def network(self, *cidrs: str, vpc: str = "10.0.0.0/16") -> tuple[str, list[str]]:
        """A VPC with a subnet for each of `cidrs`: its id and theirs."""
        vpc_id = self.client.create_vpc(CidrBlock=vpc)["Vpc"]["VpcId"]
        subnets = [self.client.create_subnet(VpcId=vpc_id, CidrBlock=cidr) for cidr in cidrs]
        return vpc_id, [subnet["Subnet"]["SubnetId"] for subnet in subnets]


@contextmanager
def emulated_ec2() -> Iterator[EmulatedEc2]:
    """Serve until the block ends, on a free port of 127.0.0.1."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    calls: list[str] = []
    with ExitStack() as faithful:
        for direction in ("ingress", "egress"):
            for name, verb in (("authorize", "open"), ("revoke", "close")):
                method = f"{name}_security_group_{direction}"
                answer = _noted(verb, calls, getattr(SecurityGroupBackend, method))
                faithful.enter_context(patch.object(SecurityGroupBackend, method, answer))
        for owner, name, answer in (
            (SecurityGroupRule, "description", property(_description)),
            (NetworkAclBackend, "delete_network_acl_entry", _deletes_once),
            (
                NetworkInterfaceBackend,
                "modify_network_interface_attribute",
                _keeps_the_last_group,
            ),
            (DomainDispatcherApplication, "__call__", _one_at_a_time()),
        ):
            faithful.enter_context(patch.object(owner, name, answer))
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            url = f"http://{host}:{port}"
            client = boto3.client(
                "ec2",
                region_name=REGION,
                endpoint_url=url,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",  # noqa: S106
            )
            yield EmulatedEc2(url, client, calls)
        finally:
            server.stop()


def _description(rule: Any) -> str | None:
    """moto keeps the description of a rule between groups with the peer, and returns none.

    AWS returns it (EC2 API, SecurityGroupRule.Description).
    """
    found: str | None = rule.ip_range.get("Description") or rule.source_group.get("Description")
    return found


_delete_network_acl_entry = NetworkAclBackend.delete_network_acl_entry


def _deletes_once(backend: NetworkAclBackend, acl: str, number: int, egress: bool) -> Any:
    """moto fails with a server error where the entry is gone, for instance when a client asks again
    because it missed the first answer.

    AWS says that it is gone (EC2 API, error code InvalidNetworkAclEntry.NotFound), which the
    provider takes as deleted.
    """
    try:
        return _delete_network_acl_entry(backend, acl, number, egress)
    except StopIteration:
        raise EC2ClientError(
            "InvalidNetworkAclEntry.NotFound",
            f"The network acl entry '{number}' does not exist in '{acl}'",
        ) from None


_modify_card = NetworkInterfaceBackend.modify_network_interface_attribute


def _keeps_the_last_group(
    backend: NetworkInterfaceBackend,
    card: str,
    groups: list[str],
    source_dest_check: bool | None = None,
    description: str | None = None,
) -> None:
    """moto says yes to a request that takes the last security group off a card.

    Such a request names no attribute, and AWS refuses it (EC2 API, ModifyNetworkInterfaceAttribute:
    "You must specify at least one security group").
    """
    if not groups and source_dest_check is None and description is None:
        raise EC2ClientError("InvalidParameterCombination", "No attributes specified.")
    _modify_card(backend, card, groups, source_dest_check, description)


def _noted(verb: str, calls: list[str], answer: Any) -> Any:
    """`answer`, with `verb` written to `calls` when it has been given."""

    def call(*given: Any, **named: Any) -> Any:
        found = answer(*given, **named)
        calls.append(verb)
        return found

    return call


def _one_at_a_time() -> Any:
    """moto's lists are not made for several threads: each request waits for the one before."""
    turn, answer = Lock(), DomainDispatcherApplication.__call__

    def call(application: DomainDispatcherApplication, environ: Any, start_response: Any) -> Any:
        with turn:
            return answer(application, environ, start_response)

    return call
