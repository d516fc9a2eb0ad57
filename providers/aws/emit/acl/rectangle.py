"""What an entry of a network ACL can hold: a rectangle of addresses and ports of one protocol.

Addresses are integers of one IP version.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import Final, NamedTuple

from flowbridge.catalog.ports import HIGHEST_PORT
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.addresses import PRIVATE
from flowbridge.deployment.interface import Network

ANY_PROTOCOL: Final = -1
ICMP: Final = (Protocol.ICMP, Protocol.ICMPV6)
_PRIVATE: Final = {
    version: tuple(
        (int(block.network_address), int(block.broadcast_address))
        for block in PRIVATE
        if block.version == version
    )
    for version in (4, 6)
}


class Rectangle(NamedTuple):
    """Addresses `low` to `high` (a CIDR) and ports `first` to `last` of `protocol`.

    Ports are `type * 256 + code` for ICMP, and 0 to 65535 where a protocol has none.
    """

    protocol: int
    low: int
    high: int
    first: int
    last: int

    @classmethod
    def of(cls, protocol: int, network: Network, first: int, last: int) -> Rectangle:
        """The smallest rectangle that an entry can say and that holds these packets."""
        low, high = int(network.network_address), int(network.broadcast_address)
        return cls(protocol, low, high, *sayable(protocol, first, last))

    def network(self, version: int) -> Network:
        """The CIDR of this rectangle."""
        size = (self.high - self.low).bit_length()
        if version == 4:
            return IPv4Network((self.low, 32 - size))
        return IPv6Network((self.low, 128 - size))

    def holds(self, other: Rectangle) -> bool:
        """Whether every packet of `other` is in this one."""
        return (
            self.protocol in (other.protocol, ANY_PROTOCOL)
            and self.low <= other.low
            and other.high <= self.high
            and self.first <= other.first
            and other.last <= self.last
        )

    def meets(self, other: Rectangle) -> bool:
        """Whether some packet is in both."""
        return (
            (self.protocol == other.protocol or ANY_PROTOCOL in (self.protocol, other.protocol))
            and self.low <= other.high
            and other.low <= self.high
            and self.first <= other.last
            and other.first <= self.last
        )


def sayable(protocol: int, first: int, last: int) -> tuple[int, int]:
    if protocol in ICMP:
        if first == last:
            return first, last
        if first // 256 == last // 256:
            return type_block(first)
        return 0, HIGHEST_PORT
    if protocol in (Protocol.TCP, Protocol.UDP):
        return first, last
    return 0, HIGHEST_PORT


def type_block(number: int) -> tuple[int, int]:
    """All codes of the ICMP type of `number`."""
    return number - number % 256, number - number % 256 + 255


def supernet(low: int, high: int) -> tuple[int, int]:
    """The smallest CIDR that holds both addresses."""
    size = (low ^ high).bit_length()
    start = low >> size << size
    return start, start + (1 << size) - 1


@lru_cache(maxsize=65536)
def public_addresses(low: int, high: int, version: int) -> int:
    """How many of the addresses from `low` to `high` are public."""
    count = high - low + 1
    for first, last in _PRIVATE[version]:
        count -= max(0, min(high, last) - max(low, first) + 1)
    return count


def common_rectangle(members: Collection[Rectangle]) -> Rectangle:
    """The smallest rectangle that holds all of `members`; of all protocols where theirs differ.

    ValueError where there are no members.
    """
    low, high = supernet(min(m.low for m in members), max(m.high for m in members))
    if len({m.protocol for m in members}) > 1:
        return Rectangle(ANY_PROTOCOL, low, high, 0, HIGHEST_PORT)
    protocol = next(iter(members)).protocol
    first, last = min(m.first for m in members), max(m.last for m in members)
    return Rectangle(protocol, low, high, *sayable(protocol, first, last))


def common_of_two(one: Rectangle, other: Rectangle) -> Rectangle:
    """`common_rectangle` of two, which is asked most."""
    protocol, low, high, first, last = one
    protocol_too, low_too, high_too, first_too, last_too = other
    low, high = min(low, low_too), max(high, high_too)
    size = (low ^ high).bit_length()
    low = low >> size << size
    high = low + (1 << size) - 1
    if protocol != protocol_too:
        return Rectangle(ANY_PROTOCOL, low, high, 0, HIGHEST_PORT)
    ports = sayable(protocol, min(first, first_too), max(last, last_too))
    return Rectangle(protocol, low, high, *ports)


def is_private(rectangle: Rectangle, version: int) -> bool:
    """Whether the internet routes none of its addresses."""
    return not public_addresses(rectangle.low, rectangle.high, version)
