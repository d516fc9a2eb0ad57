"""One deployment, written for each of the clouds: what differs is what has to differ.

Ids and names of networks, subnets and cards have each cloud's own form, and on Google Cloud the
two cards of an Expressway-E are in two VPC networks. Everything else is the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from flowbridge.stacks.pipeline import Built, build, load

Data = dict[str, Any]

CLOUDS: Final = ("aws", "azure", "gcp")

_REGIONS: Final = {"aws": "eu-west-1", "azure": "westeurope", "gcp": "europe-west1"}
_TIERS: Final = {"dmz": 1, "edge": 2, "internal": 10}
_NETWORKS: Final[dict[str, Data]] = {
    "aws": {"id": "vpc-0a1b2c3d4e5f60718"},
    "azure": {"resource_group": "uc-network", "vnet": "uc-vnet"},
    "gcp": {
        "project": "uc-edge-prod",
        "id": "inside-net",
        "networks": {"external": "dmz-net", "internal": "inside-net"},
    },
}
_QUOTAS: Final[dict[str, Data]] = {
    "aws": {"rules_per_security_group": 100, "network_acl_entries": 40},
    "azure": {},
    "gcp": {},
}


_CUT_OFF: Final[Data] = {"deployment/cut-off": "the edge is what is tested here"}


@dataclass(frozen=True)
class Deployment:
    """What is deployed. `cards`: every machine's network cards are named; `networks`: how many
    address ranges the administrators have."""

    nics: str = "dual"
    edge_peers: int = 1
    core_peers: int = 1
    ipv6: bool = False
    cards: bool = False
    networks: int = 1
    size: str = "medium"
    services: Sequence[str] = ("traversal-pair", "sip-calls")
    options: Data = field(default_factory=dict)

    def data(self, cloud: str) -> Data:
        """The content of the deployment file."""
        edge = [self._edge_peer(cloud, n) for n in range(self.edge_peers)]
        dual = self.nics == "dual"
        return {
            "name": "one",
            "cloud": cloud,
            "region": _REGIONS[cloud],
            "size": self.size,
            "network": {
                **_NETWORKS[cloud],
                "tiers": {name: self._tier(cloud, name, net) for name, net in _TIERS.items()},
            },
            "expressway_e": {
                "tier": "dmz",
                **({"internal_tier": "edge"} if dual else {}),
                "nics": self.nics,
                "peers": edge,
            },
            "expressway_c": {
                "tier": "internal",
                "peers": [
                    {"address": self._addresses(10, 11 + n), **self._card(cloud, "eni", 10, n)}
                    for n in range(self.core_peers)
                ],
            },
            "systems": self._systems(cloud),
            "services": list(self.services),
            # Each cloud takes its own options alone.
            "options": {k: v for k, v in self.options.items() if k not in CLOUDS or k == cloud},
            # Unified CM has cards here, and rows only where its own services are tested.
            **({"accept": _CUT_OFF} if self.cards else {}),
            # Enough room that no deployment is refused: limits are not what is tested with these.
            "quotas": _QUOTAS[cloud],
        }

    def built(self, cloud: str, folder: Path) -> Built:
        """The deployment for `cloud` up to its document; its file is written into `folder`."""
        file = folder / f"{cloud}.yaml"
        file.write_text(json.dumps(self.data(cloud), indent=1), "utf-8")  # JSON is YAML
        return build(load(file))

    def _addresses(self, network: int, host: int) -> list[str]:
        both = [f"10.0.{network}.{host}", f"2001:db8:0:{network:x}::{host:x}"]
        return both if self.ipv6 else both[:1]

    def _tier(self, cloud: str, name: str, network: int) -> Data:
        cidrs = [f"10.0.{network}.0/24", f"2001:db8:0:{network:x}::/64"]
        subnets = {
            "aws": [f"subnet-0a1b2c3d4e5f6{network:04x}"],
            "azure": [f"{name}-subnet"],
            "gcp": [],
        }
        tier: Data = {"cidrs": cidrs if self.ipv6 else cidrs[:1], "subnets": subnets[cloud]}
        return tier | ({"nat": ["198.51.100.7"]} if name == "internal" else {})

    def _card(self, cloud: str, key: str, network: int, n: int) -> Data:
        if not self.cards:
            return {}
        names = {
            "aws": f"eni-0a1b2c3d{network:04x}{n:04x}",
            "azure": f"card-{network}-{n}",
            "gcp": "//compute.googleapis.com/projects/123456789012/zones/europe-west1-b/"
            f"instances/{network:04d}{n:04d}",
        }
        return {key: names[cloud]}

    def _edge_peer(self, cloud: str, n: int) -> Data:
        public = {"public": [f"203.0.113.{11 + n}"]}
        if self.nics == "single":
            return {
                "address": self._addresses(1, 11 + n),
                **public,
                **self._card(cloud, "eni", 1, n),
            }
        return {
            "external": self._addresses(1, 11 + n),
            "internal": self._addresses(2, 11 + n),
            **public,
            **self._card(cloud, "external_eni", 1, n),
            **self._card(cloud, "internal_eni", 2, n),
        }

    def _systems(self, cloud: str) -> Data:
        cucm = [f"10.0.10.{n}" for n in (21, 22)]
        cards = [self._card(cloud, "eni", 10, n).get("eni") for n in (21, 22)]
        return {
            "cucm": {
                "tier": "internal",
                "addresses": cucm,
                **({"eni": cards} if self.cards else {}),
            },
            "imp": {"addresses": ["10.20.0.31"]},
            "admin-pc": {"addresses": [f"10.9.{2 * n}.0/24" for n in range(self.networks)]},
            "dns": {"addresses": ["10.0.10.2"]},
            "ntp": {"addresses": ["10.0.10.3"]},
            "tms": {"addresses": ["10.9.200.10"]},
            "snmp-manager": {"addresses": ["10.9.200.20"]},
            "syslog": {"addresses": ["10.9.200.30"]},
            "cms": {"tier": "internal", "addresses": ["10.0.10.41"]},
        }
