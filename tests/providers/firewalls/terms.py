"""Terms of every shape, and the deployment that firewalls stand around."""

from __future__ import annotations

import functools
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.file.firewalls import FirewallOnTheWay
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.selection.elsewhere import flows_elsewhere
from flowbridge.policy.crossing.plan import Term
from flowbridge.providers.firewalls.configuration import configure
from flowbridge.providers.firewalls.kinds import Kind
from flowbridge.stacks.pipeline import catalog_of, load

_EXAMPLES: Final = Path(__file__).parents[3] / "examples"
PARENT: Final = "organizations/123456789"
# Phones and a gateway, and a firewall between them, both halves of Expressway and Unified CM.
FIREWALLS: Final = """
  phone: {addresses: [10.46.0.0/16]}
  gateway: {addresses: [10.47.0.1]}
firewalls:
  premises:
    kind: nftables
    zones:
      outside: {behind: internet, interface: eth0}
      dmz: {behind: [dmz, cucm], interface: eth1}
      inside: {behind: [internal, 10.9.0.0/16, 10.20.0.0/16, phone, gateway], interface: eth2}
"""


@functools.cache
def deployment() -> tuple[Site, tuple[Flow, ...]]:
    """examples/emea-edge.yaml with phones and the firewall `premises`; its flows."""
    text = (_EXAMPLES / "emea-edge.yaml").read_text("utf-8")
    text = text.replace("cucm:       {tier: internal, addresses", "cucm:       {addresses")
    text = text.replace("services: [", f"{FIREWALLS.lstrip(chr(10))}services: [cucm-phones, ")
    text = text.replace("services:", "\nservices:")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "site.yaml"
        path.write_text(text, "utf-8")
        resolution = load(path)
    flows = (*resolution.flows, *flows_elsewhere(resolution.site, catalog_of(resolution)))
    return resolution.site, flows


def with_kind(kind: Kind) -> Site:
    """The deployment, with that kind of firewall."""
    site, _ = deployment()
    parent = PARENT if kind.name in ("azure-firewall", "gcp-hierarchy") else None
    changed = site.firewalls["premises"].model_copy(update={"kind": kind.name, "id": parent})
    return site.model_copy(update={"firewalls": {"premises": changed}})


def firewall(kind: Kind) -> FirewallOnTheWay:
    """Two zones, of which one has an interface by another name."""
    parent = {"id": PARENT} if kind.name in ("azure-firewall", "gcp-hierarchy") else {}
    zones = {"a": {"behind": "10.0.0.0/8", "interface": "eth0"}, "b": {"behind": "internet"}}
    return FirewallOnTheWay.model_validate({"kind": str(kind.name), "zones": zones, **parent})


def _term(
    sources: str, to: str, protocol: int | None, ports: str = "", source_ports: str = ""
) -> Term:
    def spans(text: str) -> tuple[PortRange, ...] | None:
        return tuple(map(PortRange.parse, text.split(","))) if text else None

    return Term(
        from_zone="a",
        to_zone="b",
        allow=True,
        sources=tuple(map(ip_network, sources.split())),
        destinations=tuple(map(ip_network, to.split())),
        protocol=protocol,
        source_ports=spans(source_ports),
        destination_ports=spans(ports),
        rows=("expressway/11/5", "ours/2/6"),
    )


_HOSTS: Final = "10.0.0.1/32 10.0.0.3/32"
_NET: Final = "192.0.2.0/24"
_SIX: Final = "2001:db8::1/128"
_NETS: Final = "2001:db8:1::/64 2001:db8:3::/64"
_REFUSAL: Final = replace(_term("10.0.0.1/32", "0.0.0.0/0", None), allow=False, rows=())
SHAPES: Final[dict[str, tuple[Term, ...]]] = {
    "ports": (_term(_HOSTS, _NET, 17, "5060-5061,80,443,69", "1-9,20-30"),),
    "names of ports": (
        _term(_HOSTS, _NET, 6, "21,22,80,389,443,636,1720,5060,750,1521"),
        _term(_HOSTS, _NET, 17, "53,67,68,69,123,161,162,500,514,1645,750"),
    ),
    "no ports": (_term(_HOSTS, _NET, 6), _term(_HOSTS, _NET, 17, "", "5-9")),
    "protocols without ports": tuple(_term(_HOSTS, _NET, number) for number in (47, 50, 51)),
    "ICMP": (
        _term(_HOSTS, _NET, 1, "772"),  # fragmentation needed: type 3, code 4
        _term(_HOSTS, _NET, 1, "2048-2303"),
        _term(_NET, _HOSTS, 1, "0-255"),
        _term(_NET, _NET, 1),
    ),
    "ICMPv6": (_term(_SIX, _NETS, 58, "512"), _term(_SIX, _NETS, 58, "32768-33279")),
    "IPv6": (_term(_SIX, _NETS, 6, "443"), _term(_SIX, _NETS, 17, "443", "1-2")),
    "refusals": (_REFUSAL, _term("10.0.0.0/24", "0.0.0.0/0", 6, "22")),
    "turned around": (
        replace(_term(_HOSTS, _NET, 6, "443"), to_zone="a"),
        replace(_term(_HOSTS, _NET, 6, "443"), from_zone="b", to_zone="a"),
    ),
}


def terms_for(kind: Kind, shape: str) -> tuple[Term, ...]:
    """The terms of a shape as this kind can say them, at its places."""
    placed = [
        replace(term, from_zone=place[0], to_zone=place[1])
        for term in SHAPES[shape]
        for place in kind.places_of(firewall(kind), term.from_zone, term.to_zone)
    ]
    said = (kind.widened(term) for term in placed if kind.cannot(term) is None)
    return tuple(dict.fromkeys(said))


@functools.cache
def configured(kind: Kind) -> str:
    """The text for `premises`; made once a kind."""
    return configure(with_kind(kind), "premises", deployment()[1]).text
