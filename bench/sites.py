"""Deployments for the measurements: three clouds, and every site has addresses of its own.

    python -m bench.sites FOLDER 100

writes 100 of them. Copies of one example would flatter whatever is kept of an earlier one, so
names, networks, peers and systems differ from site to site.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

CLOUDS: Final = ("aws", "azure", "gcp")
SERVICES: Final = (
    "traversal-pair",
    "cluster",
    "sip-calls",
    "h323-calls",
    "mra",
    "cms-sip-edge",
    "cms-web-proxy",
    "tms",
    "serviceability",
    "ldap",
    "xmpp-federation",
    "cucm-cluster",
    "cucm-common",
    "cucm-phones",
)
INSIDE: Final = ("cucm", "cms", "dns", "ntp")
OUTSIDE: Final = (
    "imp",
    "tms",
    "tms-external",
    "snmp-manager",
    "syslog",
    "ldap",
    "sip-endpoint",
    "media-destination",
    "unity",
    "phone",
    "dns-external",
    "ntp-external",
)


def mixed_site(number: int) -> dict[str, Any]:
    """The deployment with this number: 2 to 6 peers, the clouds in turns, all of the services."""
    cloud = CLOUDS[number % len(CLOUDS)]
    peers = 2 + number % 5
    second, third = 16 + number // 60 % 200, number % 60 * 4
    tier = f"10.{second}.{third}"
    inner, inside = f"10.{second}.{third + 1}", f"10.{second}.{third + 2}"
    public = f"{80 + number // 250 % 100}.{number % 250}.7"
    return {
        "name": f"site-{number:04d}",
        "cloud": cloud,
        "release": "X15.0",
        "size": ("medium", "large")[number % 2],
        **_network(cloud, number, tier, inner, inside),
        "expressway_e": {
            "tier": "dmz",
            "internal_tier": "edge",
            "nics": "dual",
            "peers": [
                {
                    "external": f"{tier}.{11 + peer}",
                    "internal": f"{inner}.{11 + peer}",
                    "public": f"{public}.{11 + peer}",
                }
                for peer in range(peers)
            ],
        },
        "expressway_c": {
            "tier": "internal",
            "peers": [{"address": f"{inside}.{11 + peer}"} for peer in range(peers)],
        },
        "systems": dict(_systems(number, inside)),
        "services": list(SERVICES),
        "options": {
            "traversal_zones": 1 + number % 3,
            "admin": {"https_port": 7443},
            "ports": {"endpoint-media": "16384-32767"},
        },
    }


def _network(cloud: str, number: int, dmz: str, edge: str, inside: str) -> dict[str, Any]:
    tiers: dict[str, dict[str, Any]] = {
        "dmz": {"cidrs": [f"{dmz}.0/24"]},
        "edge": {"cidrs": [f"{edge}.0/24"]},
        "internal": {"cidrs": [f"{inside}.0/24"]},
    }
    if cloud == "aws":
        for place, tier in enumerate(tiers.values()):
            tier["subnets"] = [f"subnet-{number * 4 + place:017x}"]
        return {
            "region": "eu-central-1",
            "network": {"id": f"vpc-{number:017x}", "tiers": tiers},
        }
    if cloud == "azure":
        for name, tier in tiers.items():
            tier["subnets"] = [name]
        return {
            "region": "westeurope",
            "network": {"resource_group": f"uc-{number}", "vnet": f"uc-{number}", "tiers": tiers},
            "provider": {"subscription": f"00000000-0000-0000-0000-{number:012d}"},
        }
    networks = {"external": f"dmz-{number}", "internal": f"inside-{number}"}
    return {
        "region": "europe-west1",
        "network": {
            "project": f"uc-edge-{number}",
            "networks": networks,
            "id": networks["internal"],
            "tiers": tiers,
        },
    }


def _systems(number: int, inside: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, name in enumerate(INSIDE):
        hosts = [f"{inside}.{40 + place * 10 + host}" for host in range(1 + (number + place) % 4)]
        yield name, {"tier": "internal", "addresses": hosts}
    for place, name in enumerate(OUTSIDE):
        net = f"10.{220 + place}.{number % 250}"
        if name in {"dns-external", "ntp-external"}:
            net = f"{181 + place}.{number % 250}.9"
        yield name, {"addresses": [f"{net}.{number // 250 * 8 + 1}"]}
    yield "admin-pc", {"addresses": [f"10.219.{number % 250}.0/27"]}


def write_sites(folder: Path, count: int) -> Sequence[Path]:
    """`count` files in `folder`, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number in range(count):
        path = folder / f"site-{number:04d}.yaml"
        path.write_text(yaml.safe_dump(mixed_site(number), sort_keys=False), "utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    write_sites(Path(sys.argv[1]), int(sys.argv[2]))
