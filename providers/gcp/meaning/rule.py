"""One Google Cloud firewall rule as it is enforced, whatever kind of resource it came from.

Every rule has a network, a direction and a priority; a remote side (peers), a local side (which
addresses of a machine), and targets (which machines). Protocols are names, numbers or `all`;
ports exist for TCP, UDP and SCTP only, and source ports nowhere (compute API, Firewall).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from flowbridge.catalog.ports import PortRange
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.packets.packet_set import EMPTY, EVERY_ADDRESS, PacketSet
from flowbridge.policy.point import Direction
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.policy.unknown import address as unknown_address
from flowbridge.providers.gcp.meaning.networks import NetworkName
from flowbridge.providers.meaning.rule_side import RuleSide
from flowbridge.providers.terraform.blocks import Block, is_expression, network

# compute API, Firewall.allowed[].IPProtocol
_PROTOCOLS: Final = {
    "all": None,
    "icmp": 1,
    "ipip": 4,
    "tcp": 6,
    "udp": 17,
    "esp": 50,
    "ah": 51,
    "sctp": 132,
}
_WITH_PORTS: Final = (6, 17, 132)
_PORTS: Final = re.compile(r"^(\d{1,5})(?:-(\d{1,5}))?$")


class Action(StrEnum):
    ALLOW = "allow"
    DENY = "deny"
    GOTO_NEXT = "goto_next"  # leave this policy; the next stage decides


EVERYTHING: Final = RuleSide(everything=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallRule:
    """`targets` None: every machine of the network. `packets` is over the remote side."""

    block: Block
    direction: Direction
    priority: int
    action: Action
    local: RuleSide
    targets: frozenset[str] | None
    packets: PacketSet
    unknown: tuple[Unknown, ...] = ()


def without_meaning(block: Block, unknown: Unknown) -> tuple[FirewallRule, ...]:
    """A rule that matches nothing for sure, for every machine and in the directions that it may
    be for."""
    said = str(block.get("direction") or "INGRESS").upper()
    directions = [way for way in Direction if way.name == said]
    priority = block.get("priority")
    return tuple(
        FirewallRule(
            block=block,
            direction=direction,
            priority=priority if isinstance(priority, int) else 0,
            action=Action.DENY,
            local=EVERYTHING,
            targets=None,
            packets=EMPTY,
            unknown=(unknown,),
        )
        for direction in directions or Direction
    )


def direction_of(block: Block, default: str | None = None) -> Direction:
    text = (block.literal("direction") or default or "").upper()
    if text not in ("INGRESS", "EGRESS"):
        raise block.refusal(f"`direction` is {text!r}, not INGRESS or EGRESS")
    return Direction.INGRESS if text == "INGRESS" else Direction.EGRESS


def ranges(block: Block, key: str) -> RuleSide:
    """The address ranges at `key`; an address known only after apply is noted."""
    networks: list[Network] = []
    unknown: list[Unknown] = []
    for text in block.texts(key):
        if is_expression(text):
            unknown.append(unknown_address(text))
        else:
            networks.append(network(text, block))
    return RuleSide(tuple(networks), unknown=tuple(unknown))


def joined(sides: Iterable[RuleSide]) -> RuleSide:
    """Ranges and tags of one side count together: any of them matches."""
    listed = tuple(sides)
    return RuleSide(
        tuple(address for side in listed for address in side.networks),
        everything=any(side.everything for side in listed),
        unknown=tuple(what for side in listed for what in side.unknown),
    )


def matched(remote: RuleSide, layers: Iterable[Block], protocol_key: str) -> PacketSet:
    """The packets of `remote` that any of `layers` (protocol and ports) matches."""
    peers = EVERY_ADDRESS if remote.everything else remote.networks
    sets = [_layer(peers, block, protocol_key) for block in layers]
    return PacketSet.union(sets) if peers else EMPTY


def _layer(peers: tuple[Network, ...], block: Block, key: str) -> PacketSet:
    text = (block.literal(key) or "").lower()
    if text in _PROTOCOLS:
        protocol = _PROTOCOLS[text]
    elif text.isdecimal() and int(text) <= 255:
        protocol = int(text)
    else:
        raise block.refusal(f"`{key}` is {text!r}, no protocol name or number that is judged")
    ports = tuple(_port_range(block, item) for item in block.texts("ports"))
    if not ports:
        return PacketSet.of(peers, protocol)
    if protocol not in _WITH_PORTS:
        raise block.refusal(f"`ports` are given for protocol {text}, which has none")
    return PacketSet.of(peers, protocol, None, ports)


def _port_range(block: Block, text: str) -> PortRange:
    found = _PORTS.match(text)
    try:
        if found is None:
            raise ValueError(f"{text!r} is not a port or a range FIRST-LAST")
        return PortRange(int(found[1]), int(found[2] or found[1]))
    except ValueError as error:
        raise block.refusal(f"`ports`: {error}") from None


def left_open(block: Block, *sides: RuleSide) -> tuple[Unknown, ...]:
    return tuple(each.of(block.address) for side in sides for each in side.unknown)


def untargeted(
    block: Block, targets: frozenset[str] | None, here: NetworkName
) -> tuple[Unknown, ...]:
    """A rule without targets is for machines, too, that no deployment file speaks of."""
    if targets is not None:
        return ()
    return (Unknown(block.address, f"network {here.name}", Why.EVERY_MACHINE),)
