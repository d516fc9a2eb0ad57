"""What is ours in Azure: the cards, and the names of the groups."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.policy.compiled import Policy
from flowbridge.providers.meaning import world as ours
from flowbridge.providers.terraform.world import World

_TABLE: Final = Path(__file__).with_name("attributes.yaml")
_NAMED: Final = ("azurerm_network_security_group", "azurerm_application_security_group")


def world(plan: Mapping[str, Any], policy: Policy, site: Site) -> World:
    """`plan`: the document that Flowbridge writes for this deployment."""
    return ours.world(_TABLE, policy, site, ours.planned_names(plan, _NAMED), {})
