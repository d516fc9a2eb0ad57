"""What is ours in Google Cloud: network tags, service accounts and firewall policies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flowbridge.deployment.file.site import GcpSite, Site
from flowbridge.policy.compiled import Policy
from flowbridge.providers.gcp.markers import target_tag
from flowbridge.providers.meaning import world as ours
from flowbridge.providers.terraform.world import World

_TABLE: Final = Path(__file__).with_name("attributes.yaml")
_NAMED: Final = ("google_compute_network_firewall_policy_with_rules",)


def world(plan: Mapping[str, Any], policy: Policy, site: Site) -> World:
    """`plan`: the document that Flowbridge writes for this deployment.

    A tag and an account belong to the whole machine, and so to all its addresses.
    """
    accounts = GcpSite.of(site).options.gcp.service_accounts
    worn_at: dict[str, frozenset[str]] = {}
    for interface in policy.interfaces:
        machine = frozenset[str]().union(
            *(
                ours.private_addresses(card)
                for card in policy.interfaces
                if card.workload == interface.workload
            )
        )
        account = accounts.get(interface.workload)
        worn_at[account or target_tag(site.name, interface.workload, interface.name)] = machine
    return ours.world(_TABLE, policy, site, ours.planned_names(plan, _NAMED), worn_at)
