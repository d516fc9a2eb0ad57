"""The smallest deployment that asks for something both ways, on each cloud: an Expressway-C that
administrators reach on TCP 22 and 443, and that asks a name server and a clock."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from flowbridge.stacks.pipeline import Built, build, load

C: Final = "expressway-c/single"
E: Final = "expressway-e/single"
ADMINS: Final = "10.9.0.0/24"
DNS: Final = "10.0.10.2/32"
NTP: Final = "10.0.10.3/32"
# What the documents ask for: direction, protocol, destination ports, peer.
ASKED: Final[tuple[tuple[str, str, int, str], ...]] = (
    ("ingress", "tcp", 22, ADMINS),
    ("ingress", "tcp", 443, ADMINS),
    ("egress", "tcp", 53, DNS),
    ("egress", "udp", 53, DNS),
    ("egress", "udp", 123, NTP),
)
_NETWORKS: Final = {
    "aws": "region: eu-west-1\nnetwork:\n  id: vpc-0a1b2c3d4e5f60718\n",
    "azure": "region: westeurope\nnetwork:\n  resource_group: uc\n  vnet: uc-vnet\n",
    "gcp": "region: europe-west1\nnetwork:\n  project: uc-edge-test\n  id: uc\n",
}
_REST: Final = """\
release: X15.0
size: small
platform: vm
expressway_e:
  tier: dmz
  nics: single
  peers: [{address: 10.0.1.11, public: 203.0.113.11}]
expressway_c:
  tier: internal
  peers: [{address: 10.0.10.11}]
systems:
  admin-pc: {addresses: [10.9.0.0/24]}
  dns: {addresses: [10.0.10.2]}
  ntp: {addresses: [10.0.10.3]}
services: [traversal-pair]
"""


def text_for(cloud: str) -> str:
    tiers = "  tiers:\n    dmz: {cidrs: [10.0.1.0/24]}\n    internal: {cidrs: [10.0.10.0/24]}\n"
    return f"name: tiny\ncloud: {cloud}\n{_NETWORKS[cloud]}{tiers}{_REST}"


@cache
def built(cloud: str) -> Built:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tiny.yaml"
        file.write_text(text_for(cloud), "utf-8")
        return build(load(file))
