"""Packets as plain data (dicts, lists, texts, numbers), the one spelling of every JSON answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.packets.packet import Box, Packet, icmp_span, protocol_label
from flowbridge.policy.packets.packet_set import PacketSet

Plain = dict[str, Any]

_ICMP = (Protocol.ICMP, Protocol.ICMPV6)


def plain_ports(ports: Iterable[PortRange]) -> list[str]:
    """`["22", "36000-36010 even"]`, as the deployment file spells them."""
    return [str(span) for span in ports]


def plain_packet(packet: Packet) -> Plain:
    """One packet; ICMP has `type` and `code` in place of ports."""
    plain: Plain = {"peer": str(packet.peer), "protocol": protocol_label(packet.protocol)}
    if packet.protocol in _ICMP:
        plain["type"], plain["code"] = divmod(packet.destination_port, 256)
    elif packet.protocol in (Protocol.TCP, Protocol.UDP):
        plain["source_port"] = packet.source_port
        plain["port"] = packet.destination_port
    return plain


def plain_box(box: Box) -> Plain:
    """One block of packets; `any protocol` is every one that is not under `except`."""
    plain: Plain = {
        "peers": [str(network) for network in box.peers],
        "protocol": protocol_label(box.protocol),
    }
    if box.but:
        plain["except"] = [protocol_label(number) for number in box.but]
    if box.protocol in _ICMP:
        plain["types"] = [icmp_span(span) for span in box.destination_ports]
    else:
        plain["source_ports"] = plain_ports(box.source_ports)
        plain["ports"] = plain_ports(box.destination_ports)
    return plain


def plain_packets(packets: PacketSet) -> Plain:
    """A set: how many packets, as disjoint blocks, and one of them."""
    example = packets.example()
    return {
        "count": packets.count(),
        "blocks": [plain_box(box) for box in packets.boxes()],
        "example": plain_packet(example) if example else None,
    }
