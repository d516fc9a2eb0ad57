"""Jabber Guest with a load balancer that translates its ports, written for each cloud."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from flowbridge.stacks.pipeline import Built, build, load

Json = dict[str, Any]

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = {"aws": "emea-edge", "azure": "azure-edge", "gcp": "gcp-edge"}
PLACES: dict[str, dict[str, Any]] = {
    "aws": {"subnets": ["subnet-0cb", "subnet-0ca"]},
    "azure": {},
    "gcp": {"instance_groups": ["projects/uc-edge-prod/zones/europe-west1-b/instanceGroups/edge"]},
}


def deployment(cloud: str, **jabber_guest: Any) -> Json:
    data: Json = yaml.safe_load((EXAMPLES / f"{FILES[cloud]}.yaml").read_text("utf-8"))
    data["services"] = ["traversal-pair", "jabber-guest"]
    data["systems"]["jabber-guest"] = {"addresses": ["10.0.10.31"]}
    data["systems"]["load-balancer"] = {"addresses": ["10.0.3.0/28"]}
    wanted = {"translator": "load-balancer", "load_balancer": PLACES[cloud]} | jabber_guest
    data["options"] = {"jabber_guest": wanted}
    data.pop("tests", None)
    return data


def built(folder: Path, data: Json) -> Built:
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(data), "utf-8")
    return build(load(path))
