"""How much of what a question asks about gets through: all, none, or all but what, in words.

`all but source ports 0-1023`: only what differs from the question is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from flowbridge.catalog.ports import PortRange
from flowbridge.policy.packets.packet import Box, Network, icmp_span
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.questions.reach import Part

# More blocks, and more addresses of one, are in the JSON answers.
_BLOCKS = 6
_ADDRESSES = 6


def covered(parts: Iterable[Part], *, icmp: bool = False) -> str:
    """What gets through of all `parts` together; each of them is named where they differ."""
    by_words: dict[str, list[Network]] = {}
    senders = True
    for part in parts:
        by_words.setdefault(of_set(part.asked, part.passing, icmp=icmp), []).extend(part.fixed)
        senders = part.source_varies
    if len(by_words) == 1:
        return next(iter(by_words))
    end = "to" if senders else "from"
    return "; ".join(f"{end} {_few(where)}: {words}" for words, where in by_words.items())


def of_set(asked: PacketSet, passing: PacketSet, *, icmp: bool = False) -> str:
    """`all`, `none`, `all but ports 5063-5070`, or `only ports 5060-5062`."""
    refused = asked - passing
    if not refused:
        return "all"
    if not passing:
        return "none"
    whole = list(asked.boxes())
    said = [
        f"{word} {_blocks(list(packets.boxes()), whole, icmp=icmp)}"
        for word, packets in (("all but", refused), ("only", passing))
    ]
    return min(said, key=len)


def _blocks(boxes: Sequence[Box], whole: Sequence[Box], *, icmp: bool) -> str:
    told = [_block(box, whole, icmp=icmp) for box in boxes[:_BLOCKS]]
    more = len(boxes) - _BLOCKS
    return "; ".join([*told, f"{more} more blocks"] if more > 0 else told)


def served(parts: Iterable[Part], *, any_source_port: bool) -> bool:
    """Whether every address and port is reached, and all that rows ask for; `any_source_port`:
    from whichever source port."""
    for part in parts:
        through = part.passing.without_source_ports() if any_source_port else part.passing
        if (part.asked - through) or (part.intended - part.passing):
            return False
    return True


def _block(box: Box, whole: Sequence[Box], *, icmp: bool) -> str:
    """What sets `box` apart from all that is asked about."""
    every = PacketSet.of([peer for each in whole for peer in each.peers], None)
    return " with ".join(_differing(box, whole[0], every, icmp=icmp)) or "some"


def _differing(box: Box, asked: Box, every: PacketSet, *, icmp: bool) -> Iterator[str]:
    if PacketSet.of(box.peers, None) != every:
        yield f"addresses {_few(box.peers)}"
    if box.destination_ports != asked.destination_ports:
        yield f"{'types' if icmp else 'ports'} {_spans(box.destination_ports, icmp=icmp)}"
    if box.source_ports != asked.source_ports:
        yield f"source ports {_spans(box.source_ports, icmp=False)}"


def _spans(spans: Iterable[PortRange], *, icmp: bool) -> str:
    return ", ".join(icmp_span(span) if icmp else str(span) for span in spans)


def _few(networks: Iterable[Network]) -> str:
    every = list(dict.fromkeys(map(_shown, networks)))
    more = f" and {len(every) - _ADDRESSES} more" if len(every) > _ADDRESSES else ""
    return f"{', '.join(every[:_ADDRESSES])}{more}"


def _shown(network: Network) -> str:
    return str(network.network_address if network.num_addresses == 1 else network)
