"""The audit: what a live estate lets through against what the flows ask for, in packets.

Three questions, kept apart:

* opened: packets that a live filter lets through and neither the flows nor the plan do, each with
  the live rule that lets them in. What the cloud cannot say tighter is in the plan, too, and so is
  no drift.
* refused: packets (or the replies of packets) that a flow asks for and that do not pass.
* rules and departures: rules of ours that were changed, rules that are not ours, and what the
  reader found otherwise (`policy.audit.estate.Departure`).

Rules are compared by what they do: one that was split, merged, renamed or reordered without
effect is told, and is no drift. What could not be read or told, and members that were not found,
are never taken for clean: without drift the verdict is then `INCOMPLETE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from flowbridge.policy.audit.bystanders import Affected
from flowbridge.policy.audit.estate import Deviation, Estate, LiveRule, Unread
from flowbridge.policy.audit.members import Absent, absent_members
from flowbridge.policy.audit.rules import RuleState, rule_states, uncarried, unrefused
from flowbridge.policy.audit.untold import Standing, Untold, untold
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, Filter, Order
from flowbridge.policy.packets.as_json import plain_packets
from flowbridge.policy.packets.packet_set import EMPTY, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.proof.decision import Judge
from flowbridge.policy.proof.proof import Expressible, PointProof, StageProof, prove
from flowbridge.policy.questions.difference import Side, difference, of_policy


class Verdict(StrEnum):
    CLEAN = "clean"
    DRIFT = "drift"
    INCOMPLETE = "incomplete"  # nothing found, and not everything could be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Packets that a live rule (None: the filter's default) allows and nobody asked for.

    `reaching` is the part that every other filter of the point lets through, too: it is open.
    """

    point: Point
    filter: str
    kind: str
    rule: LiveRule | None
    packets: PacketSet
    reaching: PacketSet

    def as_plain(self) -> dict[str, Any]:
        return {
            "interface": self.point.interface,
            "direction": str(self.point.direction),
            "filter": self.filter,
            "kind": self.kind,
            "rule": self.rule.id if self.rule else None,
            "text": self.rule.text if self.rule else "the filter's default",
            "holder": self.rule.holder if self.rule else None,
            "ours": self.rule.ours if self.rule else None,
            "made_for": self.rule.made_for if self.rule else None,
            "packets": plain_packets(self.packets),
            "reaching": plain_packets(self.reaching),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Packets that rows ask for and that do not pass, or whose `replies` do not."""

    point: Point
    peer: str
    rows: tuple[str, ...]
    packets: PacketSet
    why: str
    replies: bool = False

    def as_plain(self) -> dict[str, Any]:
        return {
            "interface": self.point.interface,
            "direction": str(self.point.direction),
            "peer": self.peer,
            "rows": list(self.rows),
            "replies": self.replies,
            "why": self.why,
            "packets": plain_packets(self.packets),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """In numbers. `planned` counts the plan's allow rules, `carried` those in full effect."""

    planned: int
    carried: int
    missing: int
    changed: int
    unmanaged: int
    packets_opened: int
    packets_refused: int

    @property
    def coverage(self) -> float | None:
        """The part of the planned rules that is in effect, 0 to 1; None where none was judged."""
        return self.carried / self.planned if self.planned else None

    def as_plain(self) -> dict[str, Any]:
        return {
            "planned": self.planned,
            "carried": self.carried,
            "missing": self.missing,
            "changed": self.changed,
            "unmanaged": self.unmanaged,
            "coverage": None if self.coverage is None else round(self.coverage, 4),
            "packets_opened": self.packets_opened,
            "packets_refused": self.packets_refused,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Everything found. `missing` are the planned rules that are in no or not in full effect."""

    scope: str
    opened: tuple[Opened, ...]
    refused: tuple[Refused, ...]
    missing: tuple[str, ...]
    changed: tuple[RuleState, ...]
    unmanaged: tuple[RuleState, ...]
    deviations: tuple[Deviation, ...]
    untold: tuple[Untold, ...]
    absent: tuple[Absent, ...]
    unread: tuple[Unread, ...]
    notes: tuple[str, ...]
    summary: Summary
    read: Mapping[str, int]
    before_machines: bool = False  # the caller says that no machine exists yet
    beside: tuple[Affected, ...] = ()  # others in subnets of ours, and what is taken from them

    @property
    def verdict(self) -> Verdict:
        drift = (
            self.opened
            or self.refused
            or any(state.drift for state in (*self.changed, *self.unmanaged))
            or any(deviation.drift for deviation in self.deviations)
        )
        if drift:
            return Verdict.DRIFT
        left_open = (
            self.unread
            or (self.absent and not self.before_machines)
            or any(each.standing is Standing.OPEN for each in self.untold)
        )
        return Verdict.INCOMPLETE if left_open else Verdict.CLEAN

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "scope": self.scope,
            "verdict": str(self.verdict),
            "holds": self.verdict is Verdict.CLEAN,
            "summary": self.summary.as_plain(),
            "unintended": [each.as_plain() for each in self.opened],
            "missing": [each.as_plain() for each in self.refused],
            "missing_rules": list(self.missing),
            "changed": [each.as_plain() for each in self.changed],
            "unmanaged": [each.as_plain() for each in self.unmanaged],
            "deviations": [each.as_plain() for each in self.deviations],
            "cannot_be_told": [each.as_plain() for each in self.untold],
            "not_found": [each.as_plain() for each in self.absent],
            "unread": [each.as_plain() for each in self.unread],
            "notes": list(self.notes),
            "read": dict(self.read),
            "beside": [each.as_plain() for each in self.beside],
        }


def audit(
    policy: Policy,
    plan: Enforcement,
    estate: Estate,
    expressible: Expressible,
    at_best: Expressible | None = None,
    *,
    before_machines: bool = False,
) -> Audit:
    """Judge `estate`. `plan` is the enforcement of our own Terraform JSON.

    `before_machines`: members that are not there are none that were lost.

    Points that the estate does not have were not read: they are left out, and named by its
    `unread`. An estate with nothing of ours is held against the flows alone. `at_best` is what a
    whole point can say where it is more than `expressible`, which holds for each filter.
    """
    left_open = untold(plan, estate)
    told = tuple(each.deviation() for each in left_open)
    estate = replace(estate, deviations=(*estate.deviations, *told))
    live = estate.enforcement
    judged = Policy(
        tuple(i for i in policy.interfaces if Point(i.key, Direction.INGRESS) in live),
        {point: demands for point, demands in policy.demands.items() if point in live},
    )
    proof = prove(judged, live, at_best or expressible, plan if estate.managed else None)
    judge = Judge()
    opened: list[Opened] = []
    refused: list[Refused] = []
    for point in proof.points:
        opened.extend(_opened(point, policy, estate, expressible))
        if point.point.interface not in estate.uncertain:
            refused.extend(_refused(point, policy, live[point.point], judge))
    certain = {p: filters for p, filters in live.items() if p.interface not in estate.uncertain}
    lost = uncarried(plan, certain)
    changed, unmanaged = (
        rule_states(
            plan,
            estate,
            lost,
            _opening(opened),
            _refusing(proof.points, estate),
            unrefused(plan, _by_default(opened)),
        )
        if estate.managed
        else ((), ())
    )
    planned = {
        rule.name
        for point, filters in plan.items()
        if point in live
        for stage in filters
        for rule in stage.rules
        if rule.allow
    }
    replaced = {state.was for state in changed if state.was}
    return Audit(
        scope=estate.scope,
        opened=tuple(opened),
        refused=tuple(refused),
        missing=tuple(sorted(lost)),
        changed=changed,
        unmanaged=unmanaged,
        deviations=estate.deviations,
        untold=left_open,
        absent=tuple(absent_members(policy, estate)),
        unread=estate.unread,
        notes=estate.notes,
        summary=Summary(
            planned=len(planned),
            carried=len(planned) - len(lost),
            missing=len(lost - replaced),
            changed=len(changed),
            unmanaged=len(unmanaged),
            packets_opened=sum(packets.count() for packets in _by_filter(opened)),
            packets_refused=sum(each.packets.count() for each in refused if not each.replies),
        ),
        read=estate.read,
        before_machines=before_machines,
    )


def _opened(
    proof: PointProof, policy: Policy, estate: Estate, expressible: Expressible
) -> Iterator[Opened]:
    point = proof.point
    replies = policy.intended(Point(point.interface, point.direction.opposite)).replies()
    for stage in proof.stages:
        needed = proof.intended if stage.filter.stateful else proof.intended | replies
        surplus = _surplus(stage, proof, estate) - expressible(needed, point)
        surplus = surplus - stage.filter.bypassed_by
        if not surplus:
            continue
        for rule, share in _by_rule(stage.filter, surplus):
            yield Opened(
                point=point,
                filter=stage.filter.name,
                kind=stage.filter.kind,
                rule=estate.rules.get(rule) if rule else None,
                packets=share,
                reaching=share & proof.unexplained,
            )


def _surplus(stage: StageProof, proof: PointProof, estate: Estate) -> PacketSet:
    """What a filter allows too much: beyond its plan, or, without one, what gets through."""
    if estate.managed:
        return stage.unplanned
    return proof.unexplained if stage.filter.stateful else EMPTY


def _by_rule(stage: Filter, surplus: PacketSet) -> Iterator[tuple[str | None, PacketSet]]:
    """`surplus` by the rules that let it in; of a union every rule, each with all it opens."""
    found: list[PacketSet] = []
    for rule, share in zip(stage.rules, stage.shares(), strict=True):
        mine = share & surplus
        if rule.allow and mine:
            yield rule.name, mine
            found.append(mine)
    # At once: taken away rule by rule, what is left of many rules would be copied for each.
    if left := surplus - PacketSet.union(found):
        yield None, left


def _refused(
    proof: PointProof, policy: Policy, filters: tuple[Filter, ...], judge: Judge
) -> Iterator[Refused]:
    point = proof.point
    opposite = Point(point.interface, point.direction.opposite)
    for lost in _by_demand(policy, point, proof.missing):
        example = lost.packets.example()
        if example is not None:
            last = judge.path(filters, example)[-1]
            yield replace(lost, why=f"{last.filter.name}: {last.why}")
    if not proof.missing_replies:
        return
    stateless = tuple(stage for stage in filters if not stage.stateful)
    for asked in _by_demand(policy, opposite, policy.intended(opposite)):
        gone = asked.packets.replies() & proof.missing_replies
        example = gone.example()
        if example is not None:
            last = judge.path(stateless, example)[-1]
            why = f"{last.filter.name}: {last.why}"
            yield Refused(
                point=point, peer=asked.peer, rows=asked.rows, packets=gone, why=why, replies=True
            )


def _by_demand(policy: Policy, point: Point, packets: PacketSet) -> Iterator[Refused]:
    """`packets` by the peer and the rows that ask for them."""
    if not packets:
        return
    before = Side({point: packets}, of_policy(policy).claims)
    for flow in difference(before, Side({}, lambda _: ())):
        yield Refused(point=point, peer=flow.peer, rows=flow.rows, packets=flow.packets, why="")


def _opening(opened: list[Opened]) -> Mapping[str, PacketSet]:
    """What each live rule opens, over all points."""
    found: dict[str, PacketSet] = {}
    for each in opened:
        if each.rule is not None:
            found[each.rule.id] = found.get(each.rule.id, EMPTY) | each.packets
    return found


def _by_default(opened: list[Opened]) -> Mapping[tuple[Point, str], PacketSet]:
    """What filters let through by their defaults, by point and kind of filter."""
    found: dict[tuple[Point, str], PacketSet] = {}
    for each in opened:
        if each.rule is None:
            key = (each.point, each.kind)
            found[key] = found.get(key, EMPTY) | each.packets
    return found


def _refusing(points: tuple[PointProof, ...], estate: Estate) -> frozenset[str]:
    """The live deny rules that take away what a flow, or a reply, needs."""
    found: set[str] = set()
    for proof in points:
        for stage in proof.stages:
            lost = stage.missing | stage.missing_replies
            if lost and stage.filter.order is Order.FIRST_MATCH:
                shares = stage.filter.shares()
                found.update(
                    rule.name
                    for rule, share in zip(stage.filter.rules, shares, strict=True)
                    if not rule.allow and share & lost
                )
    return frozenset(found & estate.rules.keys())


def _by_filter(opened: list[Opened]) -> Iterator[PacketSet]:
    """For each point and filter all that it opens, so that nothing counts twice."""
    found: dict[tuple[Point, str], list[PacketSet]] = {}
    for each in opened:
        found.setdefault((each.point, each.filter), []).append(each.packets)
    yield from map(PacketSet.union, found.values())
