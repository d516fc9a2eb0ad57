"""The example of Google Cloud in a stand-in cloud, and its audit through the real client."""

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
from tests.live.gcp.server import GoogleCloud, apply_terraform

EXAMPLE = Path(__file__).parents[3] / "examples" / "gcp-edge.yaml"
POLICIES = (("options.gcp.rules", "network-policy"),)

Changes = tuple[tuple[str, str], ...]


@cache
def example(changes: Changes = ()) -> Built:
    return build(load(EXAMPLE, dict(changes)))


@cache
def planned(changes: Changes = ()) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(example(changes).document))
    return found


@cache
def plan(changes: Changes = ()) -> Any:
    built = example(changes)
    return built.provider.enforcement(planned(changes), built.policy, built.resolution.site)


def empty() -> GoogleCloud:
    """The networks and the tagged machines, before anything is deployed."""
    cloud = GoogleCloud()
    for network in ("dmz-net", "inside-net", "default"):
        cloud.add_network(network)
    edge = [("dmz-net", "10.0.1.11", "203.0.113.11"), ("inside-net", "10.0.2.11", None)]
    cloud.add_instance(
        "edge-1",
        *edge,
        tags=["fb-gcp-edge-expressway-e-external", "fb-gcp-edge-expressway-e-internal"],
    )
    inside = "inside-net"
    tag = "fb-gcp-edge-expressway-c-single"
    cloud.add_instance("core-1", (inside, "10.0.10.11", None), tags=[tag])
    for number in (1, 2):
        address = f"10.0.10.2{number}"
        cloud.add_instance(
            f"cucm-{number}", (inside, address, None), tags=["fb-gcp-edge-cucm-single"]
        )
    cloud.add_instance("printer", (inside, "10.0.10.99", None), tags=["printer"])
    cloud.add_instance("web", ("default", "10.0.1.11", None), tags=["web"])
    return cloud


def deployed(changes: Changes = ()) -> GoogleCloud:
    cloud = empty()
    apply_terraform(cloud, planned(changes))
    return cloud


@dataclass(frozen=True)
class Read:
    estate: Estate
    audit: Audit


def read(url: str, changes: Changes = (), **access: Any) -> Read:
    built = example(changes)
    reader = reader_for("gcp")
    site = built.resolution.site
    reach = Access(endpoint_url=url, **{"attempts": 4, "deadline": 120.0, **access})
    answers = reader.fetch(site, reach)
    estate = reader.estate(answers, built.policy, site, planned(changes), reach)
    return Read(estate, audit(built.policy, plan(changes), estate, built.provider.expressible))
