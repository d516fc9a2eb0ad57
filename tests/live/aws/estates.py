"""A site with cards of its own in an emulated EC2, and everything to tamper with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from flowbridge.policy.audit.audit import Audit, audit
from flowbridge.policy.filter import Enforcement
from flowbridge.providers.live.contract import Access, reader_for
from flowbridge.stacks.live import plan_of
from flowbridge.stacks.pipeline import Built, build, load
from tests.live.aws.created import create

ACCESS = {"connect_timeout": 2.0, "read_timeout": 5.0, "attempts": 2, "deadline": 20.0}

SUBNETS = {
    "10.0.1.0/24": ("10.0.1.11", "10.0.1.12"),
    "10.0.2.0/24": ("10.0.2.11", "10.0.2.12"),
    "10.0.10.0/24": ("10.0.10.11", "10.0.10.21", "10.0.10.22"),
}


@dataclass
class LiveSite:
    """A deployment that exists. `ids` are live ids by Terraform address, `cards` by address."""

    client: Any
    url: str
    file: Path
    built: Built
    ids: dict[str, str]
    cards: dict[str, str]
    subnets: dict[str, str]
    vpc: str

    @cached_property
    def plan(self) -> Enforcement:
        """What the deployment's own Terraform JSON enforces."""
        return plan_of(self.built)

    def audit(self, through: str | None = None, site: Any = None, **access: Any) -> Audit:
        """Read and judged as the command does it. `through` is a server in between."""
        reach = Access(endpoint_url=through or self.url, **{**ACCESS, **access})
        reader = reader_for("aws")
        built = self.built
        site = site or built.resolution.site
        answers = reader.fetch(site, reach)
        live = reader.estate(answers, built.policy, site, built.document, reach)
        return audit(
            built.policy,
            self.plan,
            live,
            built.provider.expressible,
            before_machines=reach.before_machines,
        )

    def group(self, name: str) -> str:
        """The live id of the group with this Terraform name."""
        return self.ids[f"aws_security_group.{name}"]

    def acl(self, tier: str) -> str:
        """The live id of a tier's network ACL."""
        acls = self.built.document["resource"]["aws_network_acl"]
        (name,) = [n for n, body in acls.items() if body["tags"]["flowbridge:tier"] == tier]
        return self.ids[f"aws_network_acl.{name}"]


def live_site(
    client: Any, url: str, folder: Path, *, cards: bool = True, eni: bool = False, **more: Any
) -> LiveSite:
    """Make a VPC, the cards and the deployment in it. `eni`: the file names the cards."""
    vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = {
        cidr: client.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"]
        for cidr in SUBNETS
    }
    made = {
        address: client.create_network_interface(SubnetId=subnets[cidr], PrivateIpAddress=address)[
            "NetworkInterface"
        ]["NetworkInterfaceId"]
        for cidr, addresses in SUBNETS.items()
        for address in addresses
        if cards
    }
    file = folder / "edge.yaml"
    data = description(vpc, subnets, made if eni else {}) | more
    file.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    built = build(load(file))
    assert not built.refusals, built.refusals
    ids = create(client, built.document)
    site = LiveSite(client, url, file, built, ids, made, subnets, vpc)
    if cards and not eni:
        _attach(site)
    return site


def _attach(site: LiveSite) -> None:
    """Put each interface's groups on its cards, as the deployer of unnamed cards does."""
    groups = site.built.document["output"]["security_group_ids"]["value"]
    for interface in site.built.policy.interfaces:
        own = [site.ids[text[2:-4]] for text in groups[interface.key]]
        for network in interface.private:
            if network.num_addresses > 1:
                continue  # a fleet: its cards are not named
            site.client.modify_network_interface_attribute(
                NetworkInterfaceId=site.cards[str(network.network_address)], Groups=own
            )


def description(vpc: str, subnets: dict[str, str], cards: dict[str, str]) -> dict[str, Any]:
    """The deployment file: a dual-NIC pair of two peers, with Unified CM inside."""

    def peer(number: int) -> dict[str, str]:
        outer, inner = f"10.0.1.{number}", f"10.0.2.{number}"
        known = {"external_eni": cards[outer], "internal_eni": cards[inner]} if cards else {}
        return {"external": outer, "internal": inner, "public": f"203.0.113.{number}", **known}

    core: dict[str, Any] = {"address": "10.0.10.11"}
    cucm: dict[str, Any] = {"tier": "internal", "addresses": ["10.0.10.21", "10.0.10.22"]}
    if cards:
        core["eni"] = cards["10.0.10.11"]
        cucm["eni"] = [cards["10.0.10.21"], cards["10.0.10.22"]]
    edge, inside, core_subnet = subnets.values()
    return {
        "name": "edge",
        "cloud": "aws",
        "region": "eu-west-1",
        "network": {
            "id": vpc,
            "tiers": {
                "dmz": {"cidrs": ["10.0.1.0/24", "10.0.2.0/24"], "subnets": [edge, inside]},
                "internal": {"cidrs": ["10.0.10.0/24"], "subnets": [core_subnet]},
            },
        },
        "expressway_e": {"tier": "dmz", "peers": [peer(11), peer(12)]},
        "expressway_c": {"tier": "internal", "peers": [core]},
        "systems": {
            "cucm": cucm,
            "imp": {"addresses": ["10.20.0.31"]},
            "admin-pc": {"addresses": ["10.9.0.0/24"]},
            "dns": {"addresses": ["10.0.10.2"]},
            "ntp": {"addresses": ["10.0.10.3"]},
        },
        "services": ["traversal-pair", "sip-calls", "mra"],
    }
