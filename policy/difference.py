"""A difference in packets: what becomes allowed and what becomes refused, as readable flows.

Rules that were reordered, split, merged or renamed are no difference. Both sides are read as sets
of packets per point, and the two differences of those sets are grouped by who asks for them: the
same peer and the same rows are one line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from policy.compiled import Policy
from policy.directory import Directory
from policy.filter import Enforcement, passes
from policy.packets import EMPTY, PacketSet
from policy.plain import plain_packets
from policy.point import Point

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
    """One of two states: what passes each point, and the claims that stand behind it."""

    passing: Mapping[Point, PacketSet]
    claims: Callable[[Point], Iterable[Claim]]


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

    def claims(point: Point) -> Iterator[Claim]:
        if policy is not None:
            yield from of_policy(policy).claims(point)
        for stage in enforcement.get(point, ()):
            for rule in stage.rules:
                if rule.allow and stage.stateful:
                    peers = [peer for box in rule.packets.boxes() for peer in box.peers]
                    called = directory.called(peers) if directory else ()
                    yield Claim(", ".join(called) or NO_NAME, rule.rows, rule.packets)

    return Side({point: passes(filters) for point, filters in enforcement.items()}, claims)


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
                for claim in _attributed(packets, side.claims(point))
            )
    return tuple(out)


def _attributed(packets: PacketSet, claims: Iterable[Claim]) -> Iterator[Claim]:
    """`packets` cut by who claims them; packets of several claims go to the first.

    Claims of one peer with the same rows are one, whatever their ports.
    """
    grouped: dict[tuple[str, tuple[str, ...]], PacketSet] = {}
    left = packets
    for claim in claims:
        if not left:
            break
        if mine := left & claim.packets:
            key = claim.peer, claim.rows
            grouped[key] = grouped.get(key, EMPTY) | mine
            left = left - mine
    for (peer, rows), share in grouped.items():
        yield Claim(peer, rows, share)
    if left:
        yield Claim(NO_NAME, (), left)
