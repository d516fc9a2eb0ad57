"""What is ours in AWS: the cards, and the groups that only they wear."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.policy.compiled import Policy
from flowbridge.providers.meaning import world as ours
from flowbridge.providers.terraform.world import World

_TABLE: Final = Path(__file__).with_name("attributes.yaml")


def world(plan: Mapping[str, Any], policy: Policy, site: Site) -> World:
    """`plan`: the document that Flowbridge writes for this deployment."""
    at = {interface.key: ours.private_addresses(interface) for interface in policy.interfaces}
    worn_at: dict[str, frozenset[str]] = {}
    for name, body in plan.get("resource", {}).get("aws_security_group", {}).items():
        tags = body["tags"]
        key = f"{tags['flowbridge:workload']}/{tags['flowbridge:interface']}"
        worn_at[f"aws_security_group.{name}"] = at.get(key, frozenset())
    return ours.world(_TABLE, policy, site, (), worn_at)
