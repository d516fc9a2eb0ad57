"""Which representation of packet sets is fastest on the work that a proof does.

    python bench/packets.py [DEPLOYMENT.yaml ...]

Side by side in one run, on the demands and the enforced rules of real deployments, for every
point: the union of the intended, the union of the enforced, and both differences.

* line: `policy.packets.packet_set`: sorted address pieces, port relations as bit masks.
* intervals: the same address pieces, but ports as sorted intervals nested in each other (source
  inside destination), parity as a dimension of its own.
* boxes: lists of disjoint boxes over the same six dimensions; a difference splits boxes.

All three must find the same: as many packets missing and in excess at every point. A second table
multiplies the flows of the largest deployment, each copy with its own peers and ports.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import itertools

from flowbridge.catalog.ports import Parity, PortRange
from flowbridge.policy.filter import Order
from flowbridge.policy.packets import packet_set, relation
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.stacks.pipeline import build, load

EXAMPLES = Path(__file__).parent.parent / "examples"
GIVE_UP = 20.0  # seconds for one deployment in one representation


@dataclass(frozen=True)
class Block:
    """One rule in words, from which each representation makes its own set."""

    peers: tuple[Network, ...]
    protocol: int
    source_ports: tuple[PortRange, ...]
    destination_ports: tuple[PortRange, ...]


# ---- boxes ----------------------------------------------------------------------------------
# (first, last) for: address, protocol, and of source and destination port parity and half.
Interval = tuple[int, int]
SixBox = tuple[Interval, Interval, Interval, Interval, Interval, Interval]


class OutOfTimeError(Exception):
    pass


class Clock:
    deadline = 0.0

    @classmethod
    def check(cls) -> None:
        if time.perf_counter() > cls.deadline:
            raise OutOfTimeError


def address_span(network: Network) -> Interval:
    base = 1 << 128 if network.version == 6 else 0
    return base + int(network.network_address), base + int(network.broadcast_address)


def port_spans(span: PortRange) -> Iterable[tuple[Interval, Interval]]:
    """Parity and half: ports 36000-36003 are even 18000-18001 and odd 18000-18001."""
    for bit, parity in ((0, Parity.EVEN), (1, Parity.ODD)):
        if span.parity in (None, parity):
            first = (span.first - bit + 1) // 2
            last = (span.last - bit) // 2
            if first <= last:
                yield (bit, bit), (first, last)


def halves(spans: Iterable[PortRange]) -> list[tuple[Interval, Interval]]:
    return [half for span in spans for half in port_spans(span)]


def six_boxes(blocks: Iterable[Block]) -> list[SixBox]:
    out: list[SixBox] = []
    for block in blocks:
        fresh = [
            (address_span(peer), (block.protocol,) * 2, *source, *destination)
            for peer in block.peers
            for source in halves(block.source_ports)
            for destination in halves(block.destination_ports)
        ]
        out += boxes_minus(fresh, out)
    return out


def boxes_minus(left: list[SixBox], right: list[SixBox]) -> list[SixBox]:
    for cut in right:
        Clock.check()
        kept: list[SixBox] = []
        for box in left:
            kept.extend(split(box, cut))
        left = kept
    return left


def split(box: SixBox, cut: SixBox) -> Iterable[SixBox]:
    if any(b[1] < c[0] or c[1] < b[0] for b, c in zip(box, cut, strict=True)):
        yield box
        return
    rest = list(box)
    for i, ((first, last), (cut_first, cut_last)) in enumerate(zip(box, cut, strict=True)):
        if first < cut_first:
            yield (*rest[:i], (first, cut_first - 1), *rest[i + 1 :])  # type: ignore[misc]
        if cut_last < last:
            yield (*rest[:i], (cut_last + 1, last), *rest[i + 1 :])  # type: ignore[misc]
        rest[i] = max(first, cut_first), min(last, cut_last)


def boxes_count(boxes: list[SixBox]) -> int:
    total = 0
    for box in boxes:
        size = 1
        for first, last in box:
            size *= last - first + 1
        total += size
    return total


# ---- nested intervals ---------------------------------------------------------------------------
# A function along one dimension: sorted disjoint (first, last, inner), inner nested until True.
Nested = tuple[tuple[int, int, object], ...]


def nested(spans: Sequence[Interval]) -> object:
    inner: object = True
    for first, last in reversed(spans):
        inner = ((first, last, inner),)
    return inner


def sweep(left: object, right: object, keep: Callable[[bool, bool], bool]) -> object:
    if left is True or right is True or not left or not right:
        if not left and not right:
            return ()
        if left is True or right is True or left == () or right == ():
            deep_left, deep_right = left is True, right is True
            if deep_left or deep_right:
                return True if keep(deep_left, deep_right) else ()
            if not left:
                return right if keep(False, True) else ()
            return left if keep(True, False) else ()
    Clock.check()
    edges = sorted(
        {edge for first, last, _ in (*left, *right) for edge in (first, last + 1)}  # type: ignore[misc]
    )
    out: list[tuple[int, int, object]] = []
    i = j = 0
    for start, end in itertools.pairwise(edges):
        while i < len(left) and left[i][1] < start:  # type: ignore[arg-type,index]
            i += 1
        while j < len(right) and right[j][1] < start:  # type: ignore[arg-type,index]
            j += 1
        here = left[i][2] if i < len(left) and left[i][0] <= start else ()  # type: ignore[arg-type,index]
        there = right[j][2] if j < len(right) and right[j][0] <= start else ()  # type: ignore[arg-type,index]
        inner = sweep(here, there, keep)
        if inner == ():
            continue
        if out and out[-1][1] == start - 1 and out[-1][2] == inner:
            out[-1] = out[-1][0], end - 1, inner
        else:
            out.append((start, end - 1, inner))
    return tuple(out)


def nested_union(sets: list[object]) -> object:
    while len(sets) > 1:
        sets = [
            sweep(sets[i], sets[i + 1], lambda a, b: a or b) if i + 1 < len(sets) else sets[i]
            for i in range(0, len(sets), 2)
        ]
    return sets[0] if sets else ()


def nested_of(block: Block) -> object:
    return nested_union(
        [
            nested([(block.protocol,) * 2, address_span(peer), *destination, *source])
            for peer in block.peers
            for source in halves(block.source_ports)
            for destination in halves(block.destination_ports)
        ]
    )


def nested_count(part: object) -> int:
    if part is True:
        return 1
    return sum((last - first + 1) * nested_count(inner) for first, last, inner in part)  # type: ignore[attr-defined]


# ---- the work -------------------------------------------------------------------------------


def line_of(block: Block) -> PacketSet:
    return PacketSet.of(block.peers, block.protocol, block.source_ports, block.destination_ports)


def by_line(intended: list[Block], enforced: list[Block]) -> tuple[int, int]:
    a, b = (PacketSet.union(map(line_of, blocks)) for blocks in (intended, enforced))
    return (a - b).count(), (b - a).count()


def by_intervals(intended: list[Block], enforced: list[Block]) -> tuple[int, int]:
    a, b = (nested_union([nested_of(block) for block in blocks]) for blocks in (intended, enforced))
    missing = sweep(a, b, lambda x, y: x and not y)
    return nested_count(missing), nested_count(sweep(b, a, lambda x, y: x and not y))


def by_boxes(intended: list[Block], enforced: list[Block]) -> tuple[int, int]:
    a, b = six_boxes(intended), six_boxes(enforced)
    return boxes_count(boxes_minus(a, b)), boxes_count(boxes_minus(b, a))


WAYS = {"line": by_line, "intervals": by_intervals, "boxes": by_boxes}
Case = list[tuple[list[Block], list[Block]]]


def blocks_of(packets: PacketSet) -> list[Block]:
    return [
        Block(box.peers, box.protocol, box.source_ports, box.destination_ports)
        for box in packets.boxes()
        if box.protocol in (6, 17)
    ]


def case_of(file: Path) -> Case:
    """Per point the TCP and UDP blocks of each demand, and of each enforced stateful rule."""
    built = build(load(file))
    document = json.loads(json.dumps(built.document))
    enforcement = built.provider.enforcement(document, built.policy, built.resolution.site)
    case: Case = []
    for point, demands in built.policy.demands.items():
        intended = [block for demand in demands for block in blocks_of(demand.packets)]
        enforced = [
            block
            for stage in enforcement[point]
            if stage.order is Order.UNION
            for rule in stage.rules
            for block in blocks_of(rule.packets)
        ]
        case.append((intended, enforced or list(intended)))
    return case


def larger(case: Case, times: int) -> Case:
    """Every flow `times` times, each copy with other peers and ports moved up a little."""

    def moved(block: Block, copy: int) -> Block:
        if copy == 0:
            return block
        peers = tuple(
            ip_network(f"10.{100 + copy}.{i % 256}.0/28") for i in range(len(block.peers))
        )
        ports = tuple(
            PortRange(min(span.first + copy, span.last), span.last, span.parity)
            for span in block.destination_ports
        )
        return Block(peers, block.protocol, block.source_ports, ports)

    return [
        (
            [moved(block, copy) for copy in range(times) for block in intended],
            [moved(block, copy) for copy in range(times) for block in enforced],
        )
        for intended, enforced in case
    ]


def forget() -> None:
    """Nobody starts with a full cache."""
    for module in (packet_set, relation):
        for function in vars(module).values():
            if hasattr(function, "cache_clear"):
                function.cache_clear()


def measure(case: Case) -> dict[str, str]:
    cells: dict[str, str] = {}
    answers: dict[str, list[tuple[int, int]]] = {}
    for name, way in WAYS.items():
        Clock.deadline = time.perf_counter() + GIVE_UP
        forget()
        start = time.process_time()
        try:
            answers[name] = [way(intended, enforced) for intended, enforced in case]
        except OutOfTimeError:
            cells[name] = f"> {GIVE_UP:.0f} s"
            continue
        cells[name] = f"{(time.process_time() - start) * 1000:.1f} ms"
        assert answers[name] == answers["line"], f"{name} disagrees"
    return cells


def show(name: str, case: Case, cells: dict[str, str]) -> None:
    blocks = sum(len(intended) + len(enforced) for intended, enforced in case)
    print(f"| {name} | {blocks} | " + " | ".join(cells[way] for way in WAYS) + " |")


def main(files: list[Path]) -> None:
    header = "| blocks | " + " | ".join(WAYS) + " |"
    print(f"| deployment {header}\n|---|---|" + "---|" * len(WAYS))
    cases = {file.stem: case_of(file) for file in files}
    for name, case in cases.items():
        show(name, case, measure(case))
    name, largest = max(cases.items(), key=lambda item: sum(len(a) for a, _ in item[1]))
    print(f"\n| {name}, flows {header}\n|---|---|" + "---|" * len(WAYS))
    for times in (1, 2, 5, 10):
        case = larger(largest, times)
        show(f"times {times}", case, measure(case))


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or sorted(EXAMPLES.glob("*.yaml")))
