"""The connection map: who talks to whom, as boxes in columns and one line for each pair.

Columns go from the outside in: parties on the internet, the tiers from the outermost, then the
addresses that are not managed here. Positions depend on names alone, so two reports of one
deployment are the same page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.addresses import shown
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.interface import Interface

BOX_WIDTH: Final = 190
BOX_HEIGHT: Final = 46
COLUMN_STEP: Final = 310
ROW_STEP: Final = 74
TOP: Final = 64
LEFT: Final = 20
_WIDEST: Final = 8  # a public prefix this short is no longer one organisation's


@dataclass(frozen=True, slots=True)
class Box:
    """One party or interface. `x`, `y`: its upper left corner, in pixels."""

    key: str
    label: str
    detail: str
    managed: bool
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Line:
    """All flows from one box to another, in this direction; `x`, `y`: its middle, in pixels."""

    id: str
    source: str
    destination: str
    flows: int
    ports: str
    path: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    x: int


@dataclass(frozen=True, slots=True)
class ConnectionMap:
    columns: tuple[Column, ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: int
    height: int


def connection_map(interfaces: tuple[Interface, ...], flows: tuple[Flow, ...]) -> ConnectionMap:
    """Lay out the flows of a deployment. A deployment without flows has boxes only."""
    ends = {end.key: end for flow in flows for end in (flow.source, flow.destination)}
    zones = _zones(interfaces, ends, flows)
    boxes: dict[str, Box] = {}
    columns: list[Column] = []
    rows = max((len(keys) for _, keys in zones), default=0)
    for number, (title, keys) in enumerate(zones):
        x = LEFT + number * COLUMN_STEP
        columns.append(Column(title, x))
        centred = TOP + (rows - len(keys)) * ROW_STEP // 2
        for place, key in enumerate(keys):
            boxes[key] = _box(key, interfaces, ends, x, centred + place * ROW_STEP)
    pairs: dict[tuple[str, str], list[Flow]] = {}
    for flow in flows:
        pairs.setdefault((flow.source.key, flow.destination.key), []).append(flow)
    lines = tuple(
        Line(
            f"line-{number}",
            source,
            destination,
            len(found),
            _ports(found),
            *_path(boxes[source], boxes[destination]),
        )
        for number, ((source, destination), found) in enumerate(sorted(pairs.items()))
    )
    width = LEFT * 2 + (len(zones) - 1) * COLUMN_STEP + BOX_WIDTH
    return ConnectionMap(
        tuple(columns), tuple(boxes.values()), lines, width, TOP + rows * ROW_STEP + 10
    )


def _zones(
    interfaces: tuple[Interface, ...], ends: dict[str, End], flows: tuple[Flow, ...]
) -> list[tuple[str, list[str]]]:
    outside = sorted(
        key
        for key, end in ends.items()
        if end.interface is None and any(n.prefixlen < _WIDEST for n in end.addresses)
    )
    facing = {
        end.interface.tier
        for flow in flows
        for end, other in ((flow.source, flow.destination), (flow.destination, flow.source))
        if end.interface is not None and other.key in outside
    }
    tiers = sorted({card.tier for card in interfaces}, key=lambda tier: (tier not in facing, tier))
    zones = [("Internet", outside)] if outside else []
    zones += [(tier, sorted(c.key for c in interfaces if c.tier == tier)) for tier in tiers]
    others = sorted(
        key for key, end in ends.items() if end.interface is None and key not in outside
    )
    return zones + ([("Not managed here", others)] if others else [])


def _box(key: str, interfaces: tuple[Interface, ...], ends: dict[str, End], x: int, y: int) -> Box:
    card = next((card for card in interfaces if card.key == key), None)
    addresses = card.private if card else ends[key].addresses
    more = f", +{len(addresses) - 2}" if len(addresses) > 2 else ""
    detail = ", ".join(map(shown, addresses[:2])) + more
    return Box(key, key.removesuffix("/single"), detail, card is not None, x, y)


def _ports(flows: list[Flow]) -> str:
    """`tcp 5061, 8443; udp 36000-59999`."""
    by_protocol: dict[str, dict[PortRange, None]] = {}
    for flow in flows:
        ports = by_protocol.setdefault(flow.protocol.label, {})
        if flow.protocol.has_ports:
            ports.update(dict.fromkeys(flow.destination_ports))
    return "; ".join(
        f"{name} {', '.join(map(str, sorted(ports, key=_place)))}".strip()
        for name, ports in sorted(by_protocol.items())
    )


def _place(ports: PortRange) -> tuple[int, int, str]:
    return ports.first, ports.last, ports.parity or ""


def _path(source: Box, destination: Box) -> tuple[str, int, int]:
    """A curve from box to box, and its middle; within a column it bows out to the right."""
    shift = 7 if source.x <= destination.x else -7  # the two directions lie beside each other
    y1 = source.y + BOX_HEIGHT // 2 + shift
    y2 = destination.y + BOX_HEIGHT // 2 + shift
    if source.x == destination.x:
        x = source.x + BOX_WIDTH
        bow = x + 60 + abs(y2 - y1) // 5
        if source.y == destination.y:
            y1, y2 = source.y + 12, source.y + BOX_HEIGHT - 12
        curve = f"M{x},{y1} C{bow},{y1} {bow},{y2} {x},{y2}"
        return curve, x + 3 * (bow - x) // 4, (y1 + y2) // 2
    forward = source.x < destination.x
    x1 = source.x + (BOX_WIDTH if forward else 0)
    x2 = destination.x + (0 if forward else BOX_WIDTH)
    middle = (x1 + x2) // 2
    return f"M{x1},{y1} C{middle},{y1} {middle},{y2} {x2},{y2}", middle, (y1 + y2) // 2
