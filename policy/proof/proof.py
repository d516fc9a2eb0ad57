"""The proof: what a cloud enforces is what the flows ask for, point by point and end to end.

The judgement rests on two things only: the policy (what is intended) and an enforcement (what a
Terraform document or a live cloud was read to mean). For each point:

* missing = intended - enforced. Must be empty: a packet in it is a call that fails.
* excess = enforced - intended. Packets that nobody asked for.
* unexplained = the part of the excess beyond the tightest set that the cloud can say around what
  is intended. Must be empty: a packet in it is a hole.

A stateless filter must also pass the replies of what the opposite direction intends; its excess is
listed per filter, with the part that the filters behind it still refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import AllowedPackets, Enforcement, Filter
from flowbridge.policy.packets.as_json import plain_packet, plain_packets
from flowbridge.policy.packets.packet import Packet
from flowbridge.policy.packets.packet_set import ALL, EMPTY, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.proof.decision import Decision, Judge
from flowbridge.policy.proof.route_proof import PassageProof, prove_passages

# The tightest set around the intended packets that the cloud's rules can say at a point.
Expressible = Callable[[PacketSet, Point], PacketSet]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """One packet that shows a failure, and what each filter says of it.

    Of a missing packet `rows` are those not served; of an excess packet, those that the rules
    letting it in claim to serve.
    """

    packet: Packet
    decisions: tuple[Decision, ...]
    rows: tuple[str, ...]

    def __str__(self) -> str:
        said = "; ".join(f"{d.filter.name}: {d.why}" for d in self.decisions) or "no filter at all"
        return f"{self.packet} ({said})"

    def as_plain(self) -> dict[str, Any]:
        return {
            "packet": plain_packet(self.packet),
            "rows": list(self.rows),
            "decisions": [
                {
                    "filter": decision.filter.name,
                    "allowed": decision.allowed,
                    "rule": decision.rule.name if decision.rule else None,
                    "why": decision.why,
                }
                for decision in self.decisions
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProof:
    """One filter by itself. `needed` is intended, and for a stateless filter the replies too.

    `missing` and `unplanned` must be empty. `excess` is what it allows beyond its need; of that,
    `refused_behind` is stopped by the point's other filters. `unplanned` is what it allows beyond
    the same filter of the plan (`prove(..., plan=...)`).
    """

    filter: Filter
    missing: PacketSet
    missing_replies: PacketSet
    excess: PacketSet
    refused_behind: PacketSet
    unplanned: PacketSet

    def as_plain(self) -> dict[str, Any]:
        return {
            "filter": self.filter.name,
            "kind": self.filter.kind,
            "stateful": self.filter.stateful,
            "missing": plain_packets(self.missing),
            "missing_replies": plain_packets(self.missing_replies),
            "excess": plain_packets(self.excess),
            "refused_behind": plain_packets(self.refused_behind),
            "unplanned": plain_packets(self.unplanned),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PointProof:
    """One interface and direction (see the module's opening)."""

    point: Point
    intended: PacketSet
    enforced: PacketSet
    missing: PacketSet
    missing_replies: PacketSet
    excess: PacketSet
    unexplained: PacketSet
    stages: tuple[StageProof, ...]
    counterexamples: tuple[Counterexample, ...]

    @property
    def holds(self) -> bool:
        return not (
            self.missing
            or self.missing_replies
            or self.unexplained
            or any(stage.unplanned for stage in self.stages)
        )

    def failures(self) -> tuple[str, ...]:
        """One sentence for each way in which this point fails; empty where it holds."""
        shown = iter(self.counterexamples)
        out: list[str] = []
        if self.missing:
            found = next(shown)
            out.append(
                f"{self.point}: missing: {found}; not served: {', '.join(found.rows) or 'no row'}"
            )
        if self.missing_replies:
            found = next(shown)
            out.append(f"{self.point}: reply refused: {found}; not served: {', '.join(found.rows)}")
        if self.unexplained:
            out.append(f"{self.point}: allowed, and no flow asks for it: {next(shown)}")
        out.extend(
            f"{self.point}: {stage.filter.name} allows more than planned: {next(shown)}"
            for stage in self.stages
            if stage.unplanned
        )
        return tuple(out)

    def as_plain(self) -> dict[str, Any]:
        return {
            "interface": self.point.interface,
            "direction": str(self.point.direction),
            "holds": self.holds,
            "intended": self.intended.count(),
            "enforced": self.enforced.count(),
            "missing": plain_packets(self.missing),
            "missing_replies": plain_packets(self.missing_replies),
            "excess": plain_packets(self.excess),
            "unexplained": plain_packets(self.unexplained),
            "filters": [stage.as_plain() for stage in self.stages],
            "counterexamples": [found.as_plain() for found in self.counterexamples],
        }


@dataclass(frozen=True, slots=True)
class Proof:
    """The whole judgement: every point, and every passage between managed interfaces."""

    points: tuple[PointProof, ...]
    passages: tuple[PassageProof, ...]

    @property
    def holds(self) -> bool:
        return all(p.holds for p in self.points) and all(p.holds for p in self.passages)

    def failures(self) -> tuple[str, ...]:
        """One sentence a failure, each with a packet and the rule or the rows."""
        return tuple(
            [text for point in self.points for text in point.failures()]
            + [text for passage in self.passages for text in passage.failures()]
        )

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "holds": self.holds,
            "failures": list(self.failures()),
            "points": [point.as_plain() for point in self.points],
            "passages": [passage.as_plain() for passage in self.passages],
        }


def prove(
    policy: Policy,
    enforcement: Enforcement,
    expressible: Expressible,
    plan: Enforcement | None = None,
) -> Proof:
    """Judge `enforcement` against `policy`.

    With `plan` (the enforcement of our own output) each filter is also held against the same
    filter of the plan, so that a filter that was widened is found although others still refuse
    what it lets in. A point without filters enforces nothing: everything passes.
    """
    judge = Judge()
    allowed = AllowedPackets()
    points = sorted(
        {
            Point(interface.key, direction)
            for interface in policy.interfaces
            for direction in Direction
        }
        | enforcement.keys()
        | policy.demands.keys()
    )
    proofs = tuple(
        _prove_point(point, policy, enforcement, expressible, plan, judge, allowed)
        for point in points
    )
    intended = {proof.point: proof.intended for proof in proofs}
    enforced = {proof.point: proof.enforced for proof in proofs}
    stateless = {
        point: _through(_stateless(enforcement.get(point, ())), allowed) for point in points
    }
    return Proof(proofs, prove_passages(policy, intended, enforced, stateless))


def _through(stages: tuple[Filter, ...], allowed: AllowedPackets) -> PacketSet:
    passing = ALL
    for stage in stages:
        passing = passing & allowed.by(stage)
    return passing


def _stateless(stages: tuple[Filter, ...]) -> tuple[Filter, ...]:
    return tuple(stage for stage in stages if not stage.stateful)


def _prove_point(
    point: Point,
    policy: Policy,
    enforcement: Enforcement,
    expressible: Expressible,
    plan: Enforcement | None,
    judge: Judge,
    allowed: AllowedPackets,
) -> PointProof:
    filters = enforcement.get(point, ())
    opposite = Point(point.interface, point.direction.opposite)
    intended = policy.intended(point)
    replies = policy.intended(opposite).replies() if _stateless(filters) else EMPTY
    enforced = _through(filters, allowed)
    planned = _pair(filters, plan.get(point, ()) if plan else None, allowed)
    stages = tuple(
        _prove_stage(stage, intended, replies, enforced, planned.get(id(stage)), allowed)
        for stage in filters
    )
    missing = intended - enforced
    missing_replies = PacketSet.union(stage.missing_replies for stage in stages)
    unexplained = enforced - expressible(intended, point)
    counterexamples: list[Counterexample] = []
    if lost := missing.example():
        counterexamples.append(
            Counterexample(lost, judge.path(filters, lost), policy.rows_for(point, missing))
        )
    if lost := missing_replies.example():
        rows = _rows_answered_by(missing_replies, policy, opposite)
        counterexamples.append(Counterexample(lost, judge.path(_stateless(filters), lost), rows))
    for surplus, path in (
        (unexplained, filters),
        *((stage.unplanned, (stage.filter,)) for stage in stages),
    ):
        if found := surplus.example():
            decisions = judge.path(path, found)
            claimed = {row for d in decisions if d.rule for row in d.rule.rows}
            counterexamples.append(Counterexample(found, decisions, tuple(sorted(claimed))))
    return PointProof(
        point=point,
        intended=intended,
        enforced=enforced,
        missing=missing,
        missing_replies=missing_replies,
        excess=enforced - intended,
        unexplained=unexplained,
        stages=stages,
        counterexamples=tuple(counterexamples),
    )


def _prove_stage(
    stage: Filter,
    intended: PacketSet,
    replies: PacketSet,
    enforced: PacketSet,
    planned: PacketSet | None,
    allowed: AllowedPackets,
) -> StageProof:
    mine = allowed.by(stage)
    needed = intended if stage.stateful else intended | replies
    excess = mine - needed
    return StageProof(
        filter=stage,
        missing=intended - mine,
        missing_replies=EMPTY if stage.stateful else replies - mine,
        excess=excess,
        refused_behind=excess - enforced,
        unplanned=EMPTY if planned is None else mine - planned,
    )


def _pair(
    filters: tuple[Filter, ...], plan: tuple[Filter, ...] | None, allowed: AllowedPackets
) -> Mapping[int, PacketSet]:
    """For each filter what its counterpart in the plan allows: the n-th of its kind.

    A filter without a counterpart is held against nothing: it can only refuse more.
    """
    if plan is None:
        return {}
    pairs: dict[int, PacketSet] = {}
    for stage in filters:
        alike = [other for other in filters if other.kind == stage.kind]
        index = next(i for i, other in enumerate(alike) if other is stage)
        counterparts = [other for other in plan if other.kind == stage.kind]
        if index < len(counterparts):
            pairs[id(stage)] = allowed.by(counterparts[index])
    return pairs


def _rows_answered_by(replies: PacketSet, policy: Policy, point: Point) -> tuple[str, ...]:
    """The rows that ask at `point` for packets whose replies are among `replies`."""
    return tuple(
        sorted(
            {
                row
                for demand in policy.demands.get(point, ())
                if demand.packets.replies() & replies
                for row in demand.flow.rows
            }
        )
    )
