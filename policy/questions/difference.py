"""A difference in packets: what becomes allowed and what becomes refused, as readable flows.

Rules that were reordered, split, merged or renamed are no difference. Both sides are read as sets
of packets per point, and the two differences of those sets are grouped by who asks for them: the
same peers and the same rows are one line, and a packet that several flows ask for has the rows of
all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, passes
from flowbridge.policy.packets.as_json import plain_packets
from flowbridge.policy.packets.packet_set import EMPTY, PacketSet
from flowbridge.policy.point import Point
from flowbridge.policy.questions.directory import Directory

NO_NAME = "addresses without a name here"


class Change(StrEnum):
    ALLOWED = "becomes allowed"
    REFUSED = "becomes refused"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who asks for some packets: the name of the peer, and the rows."""

    peer: str
    rows: tuple[str, ...]
    packets: PacketSet


@dataclass(frozen=True, slots=True)
class Side:
    """One of two states: what passes each point, and the claims that stand behind it.

    What no claim has is put down to `otherwise`.
    """

    passing: Mapping[Point, PacketSet]
    claims: Callable[[Point], Iterable[Claim]]
    otherwise: Callable[[Point], Iterable[Claim]] = lambda _: ()


@dataclass(frozen=True, slots=True)
class ChangedFlow:
    """Packets of one peer and the same rows that fare differently at one point.

    `rows` empty: packets that no row asks for (excess of a cloud).
    """

    point: Point
    change: Change
    peer: str
    rows: tuple[str, ...]
    packets: PacketSet

    def __str__(self) -> str:
        rows = ", ".join(self.rows) or "no row"
        blocks = "; ".join(map(str, self.packets.boxes()))
        return f"{self.point} {self.change}: {self.peer}: {blocks} ({rows})"

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "interface": self.point.interface,
            "direction": self.point.direction,
            "change": "allowed" if self.change is Change.ALLOWED else "refused",
            "peer": self.peer,
            "rows": list(self.rows),
            "packets": plain_packets(self.packets),
        }


def of_policy(policy: Policy) -> Side:
    """What the flows ask for."""

    def claims(point: Point) -> Iterator[Claim]:
        for demand in policy.demands.get(point, ()):
            yield Claim(demand.peer.key, demand.flow.rows, demand.packets)

    return Side({point: policy.intended(point) for point in policy.demands}, claims)


def of_enforcement(
    enforcement: Enforcement, policy: Policy | None = None, directory: Directory | None = None
) -> Side:
    """What is let through. With `policy` packets are put down to its flows first; the rest to
    the rules that allow them, with the rows those claim and the peers as `directory` calls them.
    """

    def of_rules(point: Point) -> Iterator[Claim]:
        for stage in enforcement.get(point, ()):
            for rule in stage.rules:
                if rule.allow and stage.stateful:
                    peers = [peer for box in rule.packets.boxes() for peer in box.peers]
                    called = directory.called(peers) if directory else ()
                    yield Claim(", ".join(called) or NO_NAME, rule.rows, rule.packets)

    passing = {point: passes(filters) for point, filters in enforcement.items()}
    if policy is None:
        return Side(passing, of_rules)
    return Side(passing, of_policy(policy).claims, of_rules)


def difference(before: Side, after: Side) -> tuple[ChangedFlow, ...]:
    """Every flow that fares differently, by point, what becomes allowed first.

    A point that only one side has passes nothing on the other.
    """
    out: list[ChangedFlow] = []
    for point in sorted(before.passing.keys() | after.passing.keys()):
        old = before.passing.get(point, EMPTY)
        new = after.passing.get(point, EMPTY)
        if old == new:
            continue
        for change, packets, side in (
            (Change.ALLOWED, new - old, after),
            (Change.REFUSED, old - new, before),
        ):
            out.extend(
                ChangedFlow(point, change, claim.peer, claim.rows, claim.packets)
                for claim in _attributed(packets, side, point)
            )
    return tuple(out)


def _attributed(packets: PacketSet, side: Side, point: Point) -> Iterator[Claim]:
    """`packets` cut by who claims them: each packet once, with every peer and row that does.

    Shares of the same peers with the same rows are one, whatever their ports.
    """
    left = packets
    for claims in (side.claims(point), side.otherwise(point)):
        shares, left = _shares(left, claims)
        grouped: dict[tuple[str, tuple[str, ...]], PacketSet] = {}
        for (peers, rows), share in shares.items():
            key = ", ".join(peers), rows
            grouped[key] = grouped.get(key, EMPTY) | share
        for (peer, rows), share in grouped.items():
            yield Claim(peer, rows, share)
    if left:
        yield Claim(NO_NAME, (), left)


def _shares(
    packets: PacketSet, claims: Iterable[Claim]
) -> tuple[dict[tuple[tuple[str, ...], tuple[str, ...]], PacketSet], PacketSet]:
    """The parts of `packets` by the peers and the rows of all claims on them, and what has none."""
    shares: dict[tuple[tuple[str, ...], tuple[str, ...]], PacketSet] = {}
    left = packets
    for claim in claims:
        if not claim.packets & packets:
            continue
        cut: dict[tuple[tuple[str, ...], tuple[str, ...]], PacketSet] = {}
        for (peers, rows), share in shares.items():
            both = tuple(dict.fromkeys((*peers, claim.peer))), _united(rows, claim.rows)
            for key, part in (
                ((peers, rows), share - claim.packets),
                (both, share & claim.packets),
            ):
                if part:
                    cut[key] = cut.get(key, EMPTY) | part
        if new := left & claim.packets:
            key = (claim.peer,), claim.rows
            cut[key] = cut.get(key, EMPTY) | new
            left = left - new
        shares = cut
    return shares, left


def _united(some: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return some if some == others else tuple(sorted({*some, *others}))
