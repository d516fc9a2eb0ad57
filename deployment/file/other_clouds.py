"""Keys of another cloud in a deployment file: whose they are, and what to write instead.

Each cloud has a model of its own (`deployment.file.site`), so such a key is an unknown one there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, assert_never

from flowbridge.catalog.reading.located_model import has_key
from flowbridge.catalog.reading.located_yaml import Problem
from flowbridge.deployment.file.site import Cloud, Site, site_type

_PART: Final = re.compile(r"[^.\[\]]+")
# Keys that put a tier into another network.
_OTHER_PLACES: Final = (
    "write each VPC, VNet or network as a place with its tiers, `places: {NAME: {network: {id: "
    "..., tiers: {...}}}}`, and how they meet, `links: [{between: [home, NAME], meet: peered}]`"
)
# The last key to what a cloud writes in its place. What is missing here is left out.
_INSTEAD: Final[dict[tuple[Cloud, str], str]] = {
    (Cloud.AWS, "resource_group"): "a VPC has none; its id stands in network.id (vpc-...)",
    (Cloud.AWS, "vnet"): "write the VPC's id as network.id (vpc-...)",
    (Cloud.AWS, "project"): "the account is that of provider.profile or provider.assume_role",
    (Cloud.AWS, "networks"): "a card is in the VPC of its tier; write its tier",
    (Cloud.AWS, "subscription"): "write provider.profile or provider.assume_role",
    (Cloud.AWS, "nsg_rules"): "write quotas.rules_per_security_group",
    (Cloud.AWS, "firewall_rules"): "write quotas.rules_per_security_group",
    (Cloud.AWS, "public_ip"): "write options.jabber_guest.load_balancer.subnets",
    (Cloud.AWS, "instance_groups"): "write options.jabber_guest.load_balancer.subnets",
    (Cloud.AZURE, "subnets"): "write options.jabber_guest.load_balancer.public_ip, or nothing",
    (Cloud.AZURE, "instance_groups"): "the load balancer finds the cards by itself",
    (Cloud.GCP, "subnets"): "write options.jabber_guest.load_balancer.instance_groups",
    (Cloud.GCP, "public_ip"): "an address is made; write "
    "options.jabber_guest.load_balancer.instance_groups",
    (Cloud.AZURE, "project"): "write network.resource_group, and provider.subscription",
    (Cloud.AZURE, "networks"): "a card is in the VNet of its tier; write its tier",
    (Cloud.AZURE, "profile"): "write provider.subscription",
    (Cloud.AZURE, "assume_role"): "write provider.subscription",
    (Cloud.AZURE, "rules_per_security_group"): "write quotas.nsg_rules",
    (Cloud.AZURE, "network_acl_entries"): "write quotas.nsg_rules",
    (Cloud.AZURE, "firewall_rules"): "write quotas.nsg_rules",
    (Cloud.GCP, "resource_group"): "write network.project",
    (Cloud.GCP, "vnet"): "write the VPC network's name as network.id",
    (Cloud.GCP, "subscription"): "write network.project",
    (Cloud.GCP, "nsg_rules"): "write quotas.firewall_rules",
    (Cloud.GCP, "rules_per_security_group"): "write quotas.firewall_rules",
}


def advice_on_keys(model: type[Site], problems: Iterable[Problem]) -> list[Problem]:
    """`problems` of a file read as `model`; those of a key that another cloud has say so.

    Where the file names no cloud, its cloud is the only problem of such keys.
    """
    out: list[Problem] = []
    for problem in problems:
        location = tuple(_PART.findall(problem.key))
        if location[:1] == ("places",) and len(location) > 2:
            location = location[2:]  # a place has the sections of the file
        others = [cloud for cloud in Cloud if has_key(site_type(cloud), location)]
        if location[:2] == ("network", "tiers") and location[3:] == ("place",):
            words = f"a tier belongs to the place in which it is written: {_OTHER_PLACES}"
            out.append(replace(problem, message=words))
        elif has_key(model, location) or not others:
            out.append(problem)
        elif (cloud := _cloud_of(model)) is not None:
            out.append(replace(problem, message=_message(cloud, str(location[-1]), others)))
    return out


def _cloud_of(model: type[Site]) -> Cloud | None:
    return next((cloud for cloud in Cloud if site_type(cloud) is model), None)


def _message(cloud: Cloud, key: str, others: list[Cloud]) -> str:
    if key == "network":
        return (
            f"this key is for Google Cloud, and the file is for {title(cloud)}, where it would be "
            f"another network: {_OTHER_PLACES}. The two cards of an Expressway-E are in one network"
        )
    whose = " and ".join(map(title, others))
    instead = _INSTEAD.get((cloud, key), "leave it out")
    return f"this key is for {whose}, and the file is for {title(cloud)}: {instead}"


def title(cloud: Cloud) -> str:
    """The cloud as people write it."""
    match cloud:
        case Cloud.AWS:
            return "AWS"
        case Cloud.AZURE:
            return "Azure"
        case Cloud.GCP:
            return "Google Cloud"
        case _:
            assert_never(cloud)
