"""The example of Azure in a stand-in cloud, and its audit through the real client."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flowbridge.policy.audit.audit import Audit, audit
from flowbridge.policy.audit.estate import Estate
from flowbridge.providers.live.contract import Access, reader_for
from flowbridge.stacks.pipeline import Built, build, load
from tests.live.azure.server import AzureCloud, add_card, add_network, apply_terraform

EXAMPLE = Path(__file__).parents[3] / "examples" / "azure-edge.yaml"
DMZ = "flowbridge-azure-edge-dmz"
INTERNAL = "flowbridge-azure-edge-internal"


@cache
def example() -> Built:
    return build(load(EXAMPLE))


@cache
def planned() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(example().document))
    return found


@cache
def plan() -> Any:
    built = example()
    return built.provider.enforcement(planned(), built.policy, built.resolution.site)


def empty() -> AzureCloud:
    """The network and its machines, before anything is deployed."""
    cloud = AzureCloud()
    subnets = {"dmz-outer": "10.0.1.0/24", "dmz-inner": "10.0.2.0/24", "internal": "10.0.10.0/24"}
    add_network(cloud, "uc-vnet", subnets)
    add_card(cloud, "edge-1-outer", "dmz-outer", "10.0.1.11", public="203.0.113.11")
    add_card(cloud, "edge-1-inner", "dmz-inner", "10.0.2.11")
    add_card(cloud, "core-1-nic", "internal", "10.0.10.11")
    add_card(cloud, "cucm-1", "internal", "10.0.10.21")
    add_card(cloud, "cucm-2", "internal", "10.0.10.22")
    add_card(cloud, "printer", "internal", "10.0.10.99")
    return cloud


def deployed() -> AzureCloud:
    cloud = empty()
    apply_terraform(cloud, planned())
    return cloud


@dataclass(frozen=True)
class Read:
    estate: Estate
    audit: Audit


def read(url: str, **access: Any) -> Read:
    built = example()
    reader = reader_for("azure")
    site = built.resolution.site
    reach = Access(endpoint_url=url, **{"attempts": 4, "deadline": 120.0, **access})
    answers = reader.fetch(site, reach)
    estate = reader.estate(answers, built.policy, site, planned(), reach)
    return Read(estate, audit(built.policy, plan(), estate, built.provider.expressible))
