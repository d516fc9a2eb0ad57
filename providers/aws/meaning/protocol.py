"""How AWS names protocols, ports and ICMP types, for groups and network ACLs alike.

EC2 API: a protocol is `tcp`, `udp`, `icmp`, `icmpv6`, an IANA number, or -1 for all. The two
port numbers of a rule are ports for TCP and UDP, and type and code for ICMP (-1: all of them);
for every other protocol they mean nothing, all of it matches.
"""

from __future__ import annotations

from typing import Final

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.packets.packet import icmp_code
from flowbridge.providers.terraform.blocks import Block

_NAMES: Final = {
    "tcp": 6,
    "udp": 17,
    "icmp": 1,
    "icmpv6": 58,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "sctp": 132,
}


def protocol_number(block: Block, key: str) -> int | None:
    """The IANA number of the protocol at `key`; None for all protocols."""
    text = block.literal(key)
    if text is None:
        raise block.refusal(f"`{key}` is missing")
    name = text.lower()
    if name in ("-1", "all"):
        return None
    number = _NAMES.get(name)
    if number is None and name.isdecimal() and int(name) <= 255:
        number = int(name)
    if number is None:
        raise block.refusal(f"`{key}` is {text!r}, which is no protocol of AWS")
    return number


def ports_between(block: Block, first: int | None, last: int | None) -> PortRange:
    """The ports `first` to `last` of a TCP or UDP rule."""
    if first is None or last is None:
        raise block.refusal("a TCP or UDP rule needs `from_port` and `to_port`")
    try:
        return PortRange(first, last)
    except ValueError as error:
        raise block.refusal(str(error)) from None


def icmp_types(block: Block, kind: int | None, code: int | None) -> PortRange | None:
    """The "destination ports" of an ICMP rule; None where it matches every type."""
    if kind is None or kind == -1:
        if code not in (None, -1):
            raise block.refusal(f"ICMP code {code} is given without a type")
        return None
    for value, what in ((kind, "type"), (code, "code")):
        if value is not None and not -1 <= value <= 255:
            raise block.refusal(f"{value} is no ICMP {what}")
    return icmp_code(kind, None if code in (None, -1) else code)


def has_ports(number: int) -> bool:
    return number in (Protocol.TCP, Protocol.UDP)
