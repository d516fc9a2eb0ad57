"""Which rule decides a packet at each filter it meets, found fast for many packets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flowbridge.policy.filter import Filter, FilterRule, Order
from flowbridge.policy.packets.line import address_index
from flowbridge.policy.packets.packet import Packet
from flowbridge.policy.packets.relation import Relation


@dataclass(frozen=True, slots=True)
class Decision:
    """What one filter says of one packet.

    `rule` None: no rule matches, so the filter's default decided; or `bypassed`: the packet
    never meets the filter; or `reply`: a stateful filter lets the reply of an allowed packet by.
    """

    filter: Filter
    allowed: bool
    rule: FilterRule | None
    bypassed: bool = False
    reply: bool = False

    @property
    def why(self) -> str:
        """In words, for a person: `rule X allows`, `no rule matches, so it is refused`."""
        if self.bypassed:
            return "never meets this filter (same subnet)"
        if self.reply:
            return "stateful: replies to what it allowed pass"
        if self.rule is None:
            verdict = "passes" if self.allowed else "is refused"
            return f"no rule matches, so it {verdict} by default"
        return f"{self.rule.name} {'allows' if self.allowed else 'denies'}"


# Rules of one protocol that match somewhere between two neighbouring edges of the address line.
_Lane = tuple[list[int], list[tuple[tuple[FilterRule, Relation], ...]]]


class FilterIndex:
    """One filter's rules, arranged by address so that a packet meets few of them."""

    def __init__(self, stage: Filter) -> None:
        self._stage = stage
        self._lanes: dict[int, _Lane] = {}

    def decide(self, packet: Packet) -> Decision:
        """What the filter says of `packet`."""
        stage = self._stage
        if packet in stage.bypassed_by:
            return Decision(stage, True, None, bypassed=True)
        for rule in self._matching(packet):
            return Decision(stage, rule.allow, rule)
        return Decision(stage, stage.default_allow, None)

    def matching(self, packet: Packet) -> tuple[FilterRule, ...]:
        """Every rule that matches `packet`, in order (of a union those that allow)."""
        return tuple(self._matching(packet))

    def _matching(self, packet: Packet) -> Iterator[FilterRule]:
        if packet.protocol not in self._lanes:
            self._lanes[packet.protocol] = self._lane(packet.protocol)
        edges, candidates = self._lanes[packet.protocol]
        place = bisect_right(edges, address_index(packet.peer)) - 1
        if place >= 0:
            source, destination = 1 << packet.source_port, 1 << packet.destination_port
            for rule, relation in candidates[place]:
                if any(dst & destination and src & source for src, dst in relation):
                    yield rule

    def _lane(self, protocol: int) -> _Lane:
        rules = [
            (rule, rule.packets.line(protocol))
            for rule in self._stage.rules
            if rule.allow or self._stage.order is Order.FIRST_MATCH
        ]
        edges = sorted(
            {e for _, line in rules for first, last, _ in line for e in (first, last + 1)}
        )
        position = {edge: i for i, edge in enumerate(edges)}
        cells: list[list[tuple[FilterRule, Relation]]] = [[] for _ in edges]
        for rule, line in rules:
            for first, last, relation in line:
                for i in range(position[first], position[last + 1]):
                    cells[i].append((rule, relation))
        return edges, [tuple(cell) for cell in cells]


class Judge:
    """Filters by identity, each indexed the first time a packet meets it."""

    def __init__(self) -> None:
        self._indexes: dict[int, tuple[Filter, FilterIndex]] = {}

    def decide(self, stage: Filter, packet: Packet) -> Decision:
        found = self._indexes.get(id(stage))
        if found is None:
            found = self._indexes[id(stage)] = (stage, FilterIndex(stage))
        return found[1].decide(packet)

    def path(self, stages: Iterable[Filter], packet: Packet) -> tuple[Decision, ...]:
        """The decisions in order, up to and with the first refusal."""
        out: list[Decision] = []
        for stage in stages:
            out.append(self.decide(stage, packet))
            if not out[-1].allowed:
                break
        return tuple(out)
