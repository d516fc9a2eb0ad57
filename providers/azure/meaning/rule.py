"""One NSG rule as Azure matches it: priority, five-tuple, and which machines it is for.

A rule has two sides. The remote side becomes the peers of a packet set. The local side says
whether the rule is for a machine at all: by its private address (NSGs match after translation
inbound and before it outbound) or by its application security groups. Ports of both ends are
matched. What cannot be known from the file (a service tag, a group elsewhere) has no addresses
and is noted. Source: NSG overview, service tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final

from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.file.site import Site
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.packets.packet_set import ALL, EMPTY, EVERY_ADDRESS, PacketSet
from flowbridge.policy.point import Direction
from flowbridge.policy.unknown import Unknown
from flowbridge.policy.unknown import address as unknown_address
from flowbridge.policy.unknown import peers as unknown_peers
from flowbridge.providers.meaning.rule_side import RuleSide
from flowbridge.providers.terraform.blocks import Block, is_expression, network, refer, row_ids

LOWEST_PRIORITY: Final = 100
HIGHEST_PRIORITY: Final = 4096

# The API takes Icmpv6 since 2025, the provider does not yet (docs/clouds.md).
_PROTOCOLS: Final = {
    "*": None,
    "tcp": 6,
    "udp": 17,
    "icmp": 1,
    "icmpv6": 58,
    "esp": 50,
    "ah": 51,
}
_HIGHEST_PROTOCOL: Final = 255
_PORTS: Final = re.compile(r"^(\d{1,5})(?:-(\d{1,5}))?$")
_DIRECTIONS: Final = {"inbound": Direction.INGRESS, "outbound": Direction.EGRESS}
_PROBES: Final = ip_network("168.63.129.16/32")  # the source of every load balancer probe
# Not reachable over the internet (RFC 6890): never part of the tag `Internet`.
_NOT_PUBLIC: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "224.0.0.0/3",
            "::/3",
            "fc00::/7",
            "fe80::/10",
            "ff00::/8",
            "168.63.129.16/32",
        ),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NsgRule:
    """`packets` is over the remote side; `local` is the machine's side."""

    name: str
    priority: int
    direction: Direction
    allow: bool
    local: RuleSide
    packets: PacketSet
    rows: tuple[str, ...] = ()
    description: str = ""
    unknown: tuple[Unknown, ...] = ()


def virtual_network(site: Site) -> tuple[Network, ...]:
    """The tag `VirtualNetwork`, as far as the deployment knows it: the CIDRs of its tiers.

    In Azure it also holds peered networks, gateway-connected ranges and the prefixes of
    user-defined routes, which no Terraform file of this deployment tells.
    """
    return tuple(cidr for tier in site.network.tiers.values() for cidr in tier.cidrs)


def _service_tag(name: str, site: Site) -> tuple[Network, ...] | None:
    match name.lower():
        case "virtualnetwork":
            return virtual_network(site)
        case "azureloadbalancer":
            return (_PROBES,)
        case "internet":
            inside = PacketSet.of((*virtual_network(site), *_NOT_PUBLIC), None)
            return tuple(peer for box in (ALL - inside).boxes() for peer in box.peers)
    return None


def _side(block: Block, end: str, asgs: Mapping[str, Block], site: Site) -> RuleSide:
    single, several, groups = (
        f"{end}_address_prefix",
        f"{end}_address_prefixes",
        f"{end}_application_security_group_ids",
    )
    given = [key for key in (single, several, groups) if block.has(key)]
    if len(given) != 1:
        raise block.refusal(f"needs exactly one of {single}, {several} and {groups}")
    if given[0] == groups:
        known: list[str] = []
        unknown: list[Unknown] = []
        for value in block.texts(groups):
            found = refer(value, asgs, block, groups)
            if found is None:
                unknown.append(unknown_peers(f"the members of group {value}"))
            else:
                known.append(found)
        return RuleSide(groups=tuple(known), unknown=tuple(unknown))
    networks: list[Network] = []
    left_open: list[Unknown] = []
    for text in block.texts(given[0]):
        if text in ("*", "Any", "any"):
            return RuleSide(everything=True)
        if is_expression(text):
            left_open.append(unknown_address(text))
        elif text[0].isdigit() or ":" in text:
            networks.append(network(text, block))
        else:
            tagged = _service_tag(text, site)
            if tagged is None:
                # A network group is given by its id, where a service tag has a name.
                what = "network group" if text.startswith("/") else "service tag"
                left_open.append(unknown_peers(f"the addresses of the {what} {text}"))
            networks.extend(tagged or ())
    return RuleSide(tuple(networks), unknown=tuple(left_open))


def _ports(block: Block, end: str) -> tuple[PortRange, ...] | None:
    """The ports of one end; None for all of them."""
    single, several = f"{end}_port_range", f"{end}_port_ranges"
    given = [key for key in (single, several) if block.has(key)]
    if len(given) != 1:
        raise block.refusal(f"needs exactly one of {single} and {several}")
    ranges: list[PortRange] = []
    for text in block.texts(given[0]):
        if text in ("*", "0-65535"):
            return None
        match = _PORTS.match(text)
        try:
            if match is None:
                raise ValueError(f"{text!r} is not a port, a range FIRST-LAST or *")
            ranges.append(PortRange(int(match[1]), int(match[2] or match[1])))
        except ValueError as error:
            raise block.refusal(f"`{given[0]}`: {error}") from None
    return tuple(ranges)


def _protocol(block: Block, text: str | None) -> int | None:
    """The number of a protocol that is written as a name or a number; None for all of them."""
    name = (text or "").lower()
    if name in _PROTOCOLS:
        return _PROTOCOLS[name]
    if name.isdecimal() and int(name) <= _HIGHEST_PROTOCOL:
        return int(name)
    raise block.refusal(
        f"`protocol` is {text!r}, not one of Tcp, Udp, Icmp, Icmpv6, Esp, Ah, *, or a number"
    )


def _matched(block: Block, peers: tuple[Network, ...]) -> PacketSet:
    """Packets of `peers` with the rule's protocol and ports."""
    text = block.literal("protocol")
    protocol = _protocol(block, text)
    sources, destinations = _ports(block, "source"), _ports(block, "destination")
    if sources is None and destinations is None:
        return PacketSet.of(peers, protocol)
    if protocol is None:  # a port is only ever matched by what has ports
        return PacketSet.of(peers, 6, sources, destinations) | PacketSet.of(
            peers, 17, sources, destinations
        )
    if protocol not in (6, 17):
        raise block.refusal(f"protocol {text} has no ports: write * for both port ranges")
    return PacketSet.of(peers, protocol, sources, destinations)


def read_rule(
    block: Block,
    asgs: Mapping[str, Block],
    members: Mapping[str, tuple[Network, ...]],
    site: Site,
) -> NsgRule:
    """A `security_rule` block or an `azurerm_network_security_rule`; ValueError names it.

    `members` are the private addresses behind each application security group.
    """
    words = {key: (block.literal(key) or "").lower() for key in ("direction", "access")}
    if words["direction"] not in _DIRECTIONS:
        raise block.refusal("`direction` is neither Inbound nor Outbound")
    if words["access"] not in ("allow", "deny"):
        raise block.refusal("`access` is neither Allow nor Deny")
    priority = block.required_number("priority")
    if not LOWEST_PRIORITY <= priority <= HIGHEST_PRIORITY:
        raise block.refusal(
            f"`priority` is {priority}, not {LOWEST_PRIORITY} to {HIGHEST_PRIORITY}"
        )
    direction = _DIRECTIONS[words["direction"]]
    ends = _side(block, "source", asgs, site), _side(block, "destination", asgs, site)
    local, remote = ends if direction is Direction.EGRESS else ends[::-1]
    peers = (
        EVERY_ADDRESS
        if remote.everything
        else (*remote.networks, *(a for group in remote.groups for a in members[group]))
    )
    matched = _matched(block, peers)
    description = block.text("description") or ""
    return NsgRule(
        name=block.address,
        priority=priority,
        direction=direction,
        allow=words["access"] == "allow",
        local=local,
        packets=matched if peers else EMPTY,
        rows=row_ids(description),
        description=description,
        unknown=tuple(each.of(block.address) for each in (*remote.unknown, *local.unknown)),
    )


def without_meaning(block: Block, unknown: Unknown) -> tuple[NsgRule, ...]:
    """A rule that matches nothing for sure, in the directions that it may be for."""
    said = str(block.get("direction")).lower()
    directions = [way for name, way in _DIRECTIONS.items() if name == said]
    priority = block.get("priority")
    return tuple(
        NsgRule(
            name=block.address,
            priority=priority if isinstance(priority, int) else LOWEST_PRIORITY,
            direction=direction,
            allow=str(block.get("access")).lower() == "allow",
            local=RuleSide(everything=True),
            packets=EMPTY,
            description=str(block.get("description") or ""),
            unknown=(unknown,),
        )
        for direction in directions or Direction
    )


def default_rules(nsg: str, site: Site) -> tuple[NsgRule, ...]:
    """The six rules that every NSG ends in and that cannot be removed (NSG overview)."""
    inside, anywhere = RuleSide(virtual_network(site)), RuleSide(everything=True)
    network, balancer, internet = (
        PacketSet.of(_service_tag(name, site) or (), None)
        for name in ("VirtualNetwork", "AzureLoadBalancer", "Internet")
    )
    ingress, egress = Direction.INGRESS, Direction.EGRESS

    def rule(
        name: str, priority: int, direction: Direction, local: RuleSide, packets: PacketSet
    ) -> NsgRule:
        allow = name.startswith("Allow")
        return NsgRule(
            name=f"{nsg} default rule {name}",
            priority=priority,
            direction=direction,
            allow=allow,
            local=local,
            packets=packets,
        )

    return (
        rule("AllowVnetInBound", 65000, ingress, inside, network),
        rule("AllowAzureLoadBalancerInBound", 65001, ingress, anywhere, balancer),
        rule("DenyAllInBound", 65500, ingress, anywhere, ALL),
        rule("AllowVnetOutBound", 65000, egress, inside, network),
        rule("AllowInternetOutBound", 65001, egress, anywhere, internet),
        rule("DenyAllOutBound", 65500, egress, anywhere, ALL),
    )
