"""Who else stands in the subnets: told before the apply, with what would keep them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowbridge.policy.audit.bystanders import Affected
from flowbridge.providers.aws.live.answers import Part
from flowbridge.providers.live.contract import Access, reader_for
from flowbridge.stacks.live import Live
from flowbridge.stacks.pipeline import build, load
from tests.live.aws.estates import ACCESS, LiveSite

pytestmark = pytest.mark.slow


@pytest.fixture
def before(edge: LiveSite) -> LiveSite:
    """The subnets with the VPC's own ACL, a NAT gateway and a server of others in the DMZ."""
    ec2 = edge.client
    acls = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [edge.vpc]}])
    (default,) = [row["NetworkAclId"] for row in acls["NetworkAcls"] if row["IsDefault"]]
    for row in acls["NetworkAcls"]:
        for placed in row["Associations"] if not row["IsDefault"] else ():
            ec2.replace_network_acl_association(
                AssociationId=placed["NetworkAclAssociationId"], NetworkAclId=default
            )
    outer, inner, _ = edge.subnets.values()
    group = ec2.create_security_group(GroupName="build", Description="build", VpcId=edge.vpc)
    anyone = {"IpRanges": [{"CidrIp": "10.50.0.0/16"}]}
    ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"],
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 9999, "ToPort": 9999, **anyone}],
    )
    ec2.create_network_interface(
        SubnetId=outer,
        PrivateIpAddress="10.0.1.200",
        Description="Interface for NAT Gateway nat-0a1b",
    )
    ec2.create_network_interface(
        SubnetId=inner,
        PrivateIpAddress="10.0.2.99",
        Groups=[group["GroupId"]],
        Description="build server",
    )
    return edge


def live(site: LiveSite, file: Path | None = None) -> Live:
    reach = Access(endpoint_url=site.url, **ACCESS)  # type: ignore[arg-type]
    built = site.built if file is None else build(load(file))
    assert not built.refusals, built.refusals
    reader = reader_for("aws")
    answers = reader.fetch(built.resolution.site, reach, asides=True)
    return Live(built, reader, answers, reach)


def by_kind(found: tuple[Affected, ...]) -> dict[str, Affected]:
    return {each.bystander.kind: each for each in found}


def test_what_an_apply_takes_from_others_and_what_keeps_it(
    before: LiveSite, tmp_path: Path
) -> None:
    preflight = live(before).preflight()
    found = by_kind(preflight.beside)
    assert found.keys() == {"NAT gateway", "network interface"}
    gateway, server = found["NAT gateway"], found["network interface"]
    assert gateway.tier == server.tier == "dmz"
    assert [str(each) for each in gateway.cut] == [
        "tcp 443 (or whatever it uses) from 10.0.0.0/16",
        "tcp 443 (or whatever it uses) to the internet",
    ]
    # By its own group, and no more: it lets out everything, which says nothing of what it needs.
    assert [str(each) for each in server.cut] == ["tcp 9999 from 10.50.0.0/16"]
    told = [each.message for each in preflight.findings if each.id == "live/bystander"]
    assert any("10.0.1.200" in text and "NAT gateway" in text for text in told)

    kept = tmp_path / "kept.yaml"
    kept.write_text(yaml.safe_dump(_with_overlays(before.file, found, tmp_path)), "utf-8")
    after = by_kind(live(before, kept).beside())
    assert not any(each.cut for each in after.values())


def _with_overlays(file: Path, found: dict[str, Affected], folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    data["overlays"] = []
    for each in found.values():
        plain = each.as_plain()
        name = f"{plain['overlay']['document']}.yaml"
        (folder / name).write_text(yaml.safe_dump(plain["overlay"]), "utf-8")
        data["overlays"].append(name)
        data["systems"] |= plain["systems"]
        data["services"].append(plain["overlay"]["tables"][0]["service"])
    return data


def test_an_audit_names_those_that_our_network_acl_cuts_off(edge: LiveSite) -> None:
    edge.client.create_network_interface(
        SubnetId=next(iter(edge.subnets.values())),
        PrivateIpAddress="10.0.1.200",
        Description="Interface for NAT Gateway nat-0a1b",
    )
    (gateway,) = live(edge).audit().beside
    assert gateway.bystander.kind == "NAT gateway"
    assert gateway.loses
    assert gateway.cut


def test_interfaces_of_other_accounts_are_not_taken_for_nobody(edge: LiveSite) -> None:
    owned = live(edge)
    assert not any(each.bystander.unseen for each in owned.beside())
    parts = dict(owned.answers.parts)
    parts[Part.VPCS] = tuple({**row, "OwnerId": "210987654321"} for row in parts[Part.VPCS])
    guest = replace(owned, answers=replace(owned.answers, parts=parts))
    (unseen,) = [each for each in guest.beside() if each.bystander.unseen]
    assert "account 210987654321" in str(unseen)
    assert not unseen.compared
    told = [each for each in guest.preflight().findings if each.id == "live/bystander"]
    assert any("cannot be told" in each.message for each in told)
    assert unseen.as_plain()["unseen"] == unseen.bystander.unseen
