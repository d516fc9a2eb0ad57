"""The tutorials hold: what they say is done, from an empty folder to an audit that finds drift."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.documented_pages import Reader
from tests.live.aws.created import create
from tests.live.azure import server as azure_server
from tests.live.gcp import server as gcp_server
from tests.terraform.emulated_ec2 import CREDENTIALS, EmulatedEc2, emulated_ec2

STACK = Path("cdktf.out/stacks/my-edge")
MACHINES = {
    "10.0.1.11": "expressway-e/external",
    "10.0.2.11": "expressway-e/internal",
    "10.0.10.11": "expressway-c/single",
    "10.0.10.21": "cucm/single",
    "10.0.10.22": "cucm/single",
}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def document(words: list[str]) -> Any | None:
    """The Terraform JSON that is applied; None where Terraform is asked for something else."""
    assert words[0] == f"-chdir={STACK}", "Terraform is run where the file lies"
    assert words[1] in {"init", "plan", "apply"}
    found = json.loads((STACK / "cdk.tf.json").read_text("utf-8"))
    return found if words[1] == "apply" else None


def of_pip(words: list[str]) -> None:
    assert words[0] == "install"


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedEc2]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with emulated_ec2() as running:
        yield running


def test_aws(ec2: EmulatedEc2) -> None:
    client = ec2.client
    vpc, subnets = ec2.network("10.0.1.0/24", "10.0.2.0/24", "10.0.10.0/24")
    cards = {
        address: client.create_network_interface(SubnetId=subnet, PrivateIpAddress=address)[
            "NetworkInterface"
        ]["NetworkInterfaceId"]
        for subnet, prefix in zip(subnets, ("10.0.1.", "10.0.2.", "10.0.10."), strict=True)
        for address in MACHINES
        if address.startswith(prefix)
    }
    groups: dict[str, str] = {}

    def terraform(words: list[str]) -> None:
        made = document(words)
        if made is None:
            return
        groups.update(create(client, made))
        worn = made["output"]["security_group_ids"]["value"]
        for address, interface in MACHINES.items():
            own = [groups[text[2:-4]] for text in worn[interface]]
            client.modify_network_interface_attribute(NetworkInterfaceId=cards[address], Groups=own)

    def aws(words: list[str]) -> None:
        told = dict(zip(words[2::2], words[3::2], strict=True))
        port = int(told["--port"])
        client.authorize_security_group_ingress(
            GroupId=groups["aws_security_group.expressway-e_external"],
            IpPermissions=[
                {
                    "IpProtocol": told["--protocol"],
                    "FromPort": port,
                    "ToPort": port,
                    "IpRanges": [{"CidrIp": told["--cidr"]}],
                }
            ],
        )

    reader = Reader(
        {"pip": of_pip, "terraform": terraform, "aws": aws},
        {"audit": ("--endpoint-url", ec2.url)},
        dict(
            zip(
                (
                    "vpc-0a1b2c3d4e5f60718",
                    "subnet-0aaaaaaaaaaaaaaa1",
                    "subnet-0aaaaaaaaaaaaaaa2",
                    "subnet-0bbbbbbbbbbbbbbb1",
                ),
                (vpc, *subnets),
                strict=True,
            )
        ),
    )
    assert reader.follow("docs/tutorials/aws.md")[-1].startswith("flowbridge audit")


def test_azure() -> None:
    cloud = azure_server.AzureCloud()
    subnets = {"dmz-outer": "10.0.1.0/24", "dmz-inner": "10.0.2.0/24", "internal": "10.0.10.0/24"}
    azure_server.add_network(cloud, "uc-vnet", subnets)
    for number, address in enumerate(MACHINES):
        subnet = list(subnets)[min(number, 2)]
        public = "203.0.113.11" if number == 0 else None
        azure_server.add_card(cloud, f"card-{number}", subnet, address, public=public)

    def terraform(words: list[str]) -> None:
        made = document(words)
        if made is not None:
            azure_server.apply_terraform(cloud, made)

    def az(words: list[str]) -> None:
        assert words[:4] == ["network", "nsg", "rule", "create"]
        told = dict(zip(words[4::2], words[5::2], strict=True))
        cloud.add_rule(
            told["--nsg-name"],
            told["--name"],
            priority=int(told["--priority"]),
            protocol=told["--protocol"],
            destinationPortRange=told["--destination-port-ranges"],
            sourceAddressPrefix=told["--source-address-prefixes"],
        )

    with azure_server.serving(cloud) as url:
        extra = {"audit": ("--endpoint-url", url)}
        reader = Reader({"pip": of_pip, "terraform": terraform, "az": az}, extra, {})
        assert reader.follow("docs/tutorials/azure.md")[-1].startswith("flowbridge audit")


def test_google_cloud() -> None:
    cloud = gcp_server.GoogleCloud()
    for network in ("uc-outside", "uc-network"):
        cloud.add_network(network)
    tags = [f"fb-my-edge-expressway-e-{card}" for card in ("external", "internal")]
    cards = [("uc-outside", "10.0.1.11", "203.0.113.11"), ("uc-network", "10.0.2.11", None)]
    cloud.add_instance("edge-1", *cards, tags=tags)
    for address, interface in list(MACHINES.items())[2:]:
        own = [f"fb-my-edge-{interface.replace('/', '-')}"]
        name = f"machine-{address.rpartition('.')[2]}"
        cloud.add_instance(name, ("uc-network", address, None), tags=own)

    def terraform(words: list[str]) -> None:
        made = document(words)
        if made is not None:
            gcp_server.apply_terraform(cloud, made)

    def gcloud(words: list[str]) -> None:
        assert words[:3] == ["compute", "firewall-rules", "create"]
        told = dict(zip(words[4::2], words[5::2], strict=True))
        protocol, port = told["--allow"].split(":")
        cloud.add_firewall(
            words[3],
            told["--network"],
            priority=int(told["--priority"]),
            allowed=[{"IPProtocol": protocol, "ports": [port]}],
            sourceRanges=[told["--source-ranges"]],
        )

    with gcp_server.serving(cloud) as url:
        extra = {"audit": ("--endpoint-url", url)}
        reader = Reader({"pip": of_pip, "terraform": terraform, "gcloud": gcloud}, extra, {})
        assert reader.follow("docs/tutorials/gcp.md")[-1].startswith("flowbridge audit")
