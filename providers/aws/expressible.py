"""What security groups can say: peers, protocols and ranges of destination ports."""

from __future__ import annotations

from flowbridge.catalog.port_set import port_mask, port_runs
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.providers.aws.emit.port_spans import filled


def expressible(intended: PacketSet) -> PacketSet:
    """The tightest set that rules can say around `intended`.

    Every source port, and both halves of a range of which only the even or the odd ports are
    asked for, where single ports would be too many rules.
    """
    free = intended.without_source_ports()
    halves = [
        PacketSet.of(box.peers, box.protocol, None, tuple(port_runs(whole)))
        for box in free.boxes()
        if box.protocol in (6, 17)
        and (whole := filled(mask := port_mask(box.destination_ports))) != mask
    ]
    return free | PacketSet.union(halves) if halves else free
