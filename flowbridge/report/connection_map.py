"""The connection map: who talks to whom, as boxes in columns and one line for each pair.

Columns go from the outside in: parties on the internet, the tiers from the outermost, then the
addresses that are not managed here. Positions depend on names alone, so two reports of one
deployment are the same page. They are those of a reader without scripts; with them the page lays
the same boxes and lines out anew, by a layered-graph library (docs/decisions/0019-map.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
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
_SWEEPS: Final = 6
_BESIDE: Final = 7  # lines in one way before they lie upon each other
_CLEAR: Final = 8  # pixels that a line keeps from a box that it passes
_WIDEST: Final = 8  # a public prefix this short is no longer one organisation's


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One party or interface. `zone`: the title of its column. `x`, `y`: its upper left corner, in
    pixels."""

    key: str
    label: str
    detail: str
    zone: str
    managed: bool
    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
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
    pairs: dict[tuple[str, str], list[Flow]] = {}
    for flow in flows:
        pairs.setdefault((flow.source.key, flow.destination.key), []).append(flow)
    zones = _uncrossed(_zones(interfaces, ends, flows), sorted(pairs))
    boxes: dict[str, Box] = {}
    columns: list[Column] = []
    rows = max((len(keys) for _, keys in zones), default=0)
    for number, (title, keys) in enumerate(zones):
        x = LEFT + number * COLUMN_STEP
        columns.append(Column(title, x))
        centred = TOP + (rows - len(keys)) * ROW_STEP // 2
        for place, key in enumerate(keys):
            y = centred + place * ROW_STEP
            boxes[key] = _box(key, interfaces, ends, title, x, y)
    lanes = _Lanes(boxes.values())
    lines = []
    for number, ((source, destination), found) in enumerate(sorted(pairs.items())):
        path, x, y = _path(boxes[source], boxes[destination], lanes)
        lines.append(
            Line(
                id=f"line-{number}",
                source=source,
                destination=destination,
                flows=len(found),
                ports=_ports(found),
                path=path,
                x=x,
                y=y,
            )
        )
    width = LEFT * 2 + (len(zones) - 1) * COLUMN_STEP + BOX_WIDTH
    return ConnectionMap(
        tuple(columns), tuple(boxes.values()), tuple(lines), width, TOP + rows * ROW_STEP + 10
    )


def _uncrossed(
    zones: list[tuple[str, list[str]]], pairs: list[tuple[str, str]]
) -> list[tuple[str, list[str]]]:
    """The boxes of each column by the middle of what they are joined to in the others (the
    barycentre of Sugiyama's method): fewer lines cross. Equal ones stay by name."""
    joined: dict[str, list[str]] = {}
    for one, other in pairs:
        joined.setdefault(one, []).append(other)
        joined.setdefault(other, []).append(one)
    columns = [list(keys) for _, keys in zones]
    for _ in range(_SWEEPS):
        for number, keys in enumerate(columns):
            place = {
                key: (at + 0.5) / len(others)
                for column, others in enumerate(columns)
                if column != number
                for at, key in enumerate(others)
            }

            def middle(key: str, place: dict[str, float] = place) -> tuple[float, str]:
                met = [place[other] for other in joined.get(key, ()) if other in place]
                return (sum(met) / len(met) if met else 0.5), key

            columns[number] = sorted(keys, key=middle)
    return [(title, column) for (title, _), column in zip(zones, columns, strict=True)]


class _Lanes:
    """The ways between the boxes of a column, for lines that go on to another one."""

    def __init__(self, boxes: Iterable[Box]) -> None:
        self._columns: dict[int, list[int]] = {}
        for box in boxes:
            self._columns.setdefault(box.x, []).append(box.y)
        self._used: Counter[tuple[int, int]] = Counter()

    def between(self, x1: int, x2: int, y1: int, y2: int) -> list[tuple[int, int]]:
        """Column and height of each way from x1 to x2, next to the straight line."""
        found: list[tuple[int, int]] = []
        inner = sorted(x for x in self._columns if min(x1, x2) < x < max(x1, x2))
        for x in inner if x1 < x2 else reversed(inner):
            straight = y1 + (y2 - y1) * (x - x1) // (x2 - x1)
            ways = [y - (ROW_STEP - BOX_HEIGHT) // 2 for y in self._columns[x]]
            ways.append(max(self._columns[x]) + BOX_HEIGHT + (ROW_STEP - BOX_HEIGHT) // 2)
            way = min(ways, key=lambda y: (abs(y - straight), y))
            number = self._used[x, way]
            self._used[x, way] += 1
            # Lines of one way lie beside each other, as far as there is room.
            found.append((x, way + (number % _BESIDE - _BESIDE // 2) * 3))
        return found


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


def _box(
    key: str, interfaces: tuple[Interface, ...], ends: dict[str, End], zone: str, x: int, y: int
) -> Box:
    card = next((card for card in interfaces if card.key == key), None)
    addresses = card.private if card else ends[key].addresses
    more = f", +{len(addresses) - 2}" if len(addresses) > 2 else ""
    detail = ", ".join(map(shown, addresses[:2])) + more
    return Box(
        key=key,
        label=key.removesuffix("/single"),
        detail=detail,
        zone=zone,
        managed=card is not None,
        x=x,
        y=y,
    )


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


def _path(source: Box, destination: Box, lanes: _Lanes) -> tuple[str, int, int]:
    """A curve from box to box, and its middle; within a column it bows out to the right, and past
    another column it goes between the boxes of that."""
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
    ways = lanes.between(source.x, destination.x, y1, y2)
    curve, here, height = f"M{x1},{y1}", x1, y1
    for x, y in ways:
        begin, end = (x - _CLEAR, x + BOX_WIDTH + _CLEAR)[:: 1 if forward else -1]
        middle = (here + begin) // 2
        curve += f" C{middle},{height} {middle},{y} {begin},{y} L{end},{y}"
        here, height = end, y
    middle = (here + x2) // 2
    curve += f" C{middle},{height} {middle},{y2} {x2},{y2}"
    if ways:
        return curve, ways[0][0] + BOX_WIDTH // 2, ways[0][1]
    return curve, middle, (y1 + y2) // 2
