"""What an NSG rule can say: port lists of both ends, no ICMP types, every second port only by list.

A rule takes lists of ports and contiguous ranges. Every second port of a range is therefore a
list of single ports, and that is exact as long as the list is not too long for one rule. A
longer row of every second port (RTP on 12000 even ports) becomes the contiguous range.

`filled_ports` says that for one list and `expressible` for a whole packet set. Both only ever
add, and what they add for a part they add for the whole (they are monotone): so a rule that is
made for one flow alone never allows more than what is expressible around all flows together.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from flowbridge.catalog.port_set import EVEN_PORTS, port_mask, port_runs
from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.packets.packet_set import EVERY_ADDRESS, PacketSet
from flowbridge.providers.azure.quotas import default_quotas

_EVERYTHING: Final = {
    protocol: PacketSet.of(EVERY_ADDRESS, protocol)
    for protocol in (Protocol.TCP, Protocol.UDP, Protocol.ICMP)
}


@lru_cache(maxsize=4096)
def filled_ports(mask: int) -> int:
    """`mask` with each too long row of every second port filled up to the contiguous range."""
    longest = default_quotas().port_ranges_per_rule.value
    filled = mask
    for half in (mask & EVEN_PORTS, mask & ~EVEN_PORTS):
        # Each port and the one above it: what was every second port is now without gaps.
        for row in port_runs(half | half << 1 & ~(1 << 65536)):
            if (row.last - row.first) // 2 + 1 > longest:
                last = row.last if half >> row.last & 1 else row.last - 1
                filled |= ((1 << (last - row.first + 1)) - 1) << row.first
    return filled


def expressible(intended: PacketSet) -> PacketSet:
    """The tightest set that rules can say around `intended`, flow by flow."""
    out = intended
    icmp = intended & _EVERYTHING[Protocol.ICMP]
    if icmp:
        peers = (peer for box in icmp.boxes() for peer in box.peers)
        out = out | PacketSet.of(peers, Protocol.ICMP)
    for protocol in (Protocol.TCP, Protocol.UDP):
        part = intended & _EVERYTHING[protocol]
        # Source ports at each destination port, then destination ports at each source port: for
        # these protocols the reply is the same packet with its ports exchanged.
        widened = _fill_sources(_fill_sources(part).replies()).replies()
        if widened != part:
            out = out | widened
    return out


def _fill_sources(packets: PacketSet) -> PacketSet:
    wider = [
        PacketSet.of(box.peers, box.protocol, tuple(port_runs(filled)), box.destination_ports)
        for box in packets.boxes()
        if (filled := filled_ports(mask := port_mask(box.source_ports))) != mask
    ]
    return packets | PacketSet.union(wider) if wider else packets
