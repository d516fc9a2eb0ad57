"""Reach: of the packets that a question asks about, which get through, replies included.

The whole set is judged at once, so "all", "some" and "none" are exact, not sampled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, Filter, passes
from flowbridge.policy.packets.packet import Address, Network, Packet
from flowbridge.policy.packets.packet_set import ALL, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.questions.question import Meeting, Question, host


@dataclass(frozen=True, slots=True)
class Part:
    """Packets of one question whose far ends are alike.

    The sets are over the `varying` end: the source's addresses, or the destination's where the
    source is managed here and the destination is not. Any address of `fixed` is the other end.
    `asked` contains `passing` (through every filter, and so are the replies) and `intended`
    (some flow asks for it).
    """

    fixed: tuple[Network, ...]
    source_varies: bool
    asked: PacketSet
    passing: PacketSet
    intended: PacketSet

    def ends(self, packet: Packet) -> tuple[Address, Address]:
        """Source and destination address of a packet of this part."""
        other = host(self.fixed[0]).network_address
        return (packet.peer, other) if self.source_varies else (other, packet.peer)


class Reach:
    """See the module's opening. What passes a point is computed once."""

    def __init__(self, policy: Policy, enforcement: Enforcement) -> None:
        self._policy = policy
        self._enforcement = enforcement
        self._known: dict[tuple[str, Point], PacketSet] = {}

    def passing(self, point: Point) -> PacketSet:
        """What gets through all filters of `point` by itself."""
        return self._once("passing", point, self._enforcement.get(point, ()))

    def replying(self, point: Point) -> PacketSet:
        """What gets through the stateless filters of `point`, as replies have to."""
        stages = self._enforcement.get(point, ())
        return self._once("replying", point, (stage for stage in stages if not stage.stateful))

    def intended(self, point: Point) -> PacketSet:
        key = "intended", point
        if key not in self._known:
            self._known[key] = self._policy.intended(point)
        return self._known[key]

    def parts(self, meeting: Meeting, question: Question) -> Iterator[Part]:
        """The packets of `question` in one meeting; together the parts are all of them."""
        if meeting.source is None:
            yield self._one_ended(meeting, question, Direction.INGRESS)
        elif meeting.destination is None:
            yield self._one_ended(meeting, question, Direction.EGRESS)
        else:
            yield from self._two_ended(meeting, question)

    def _one_ended(self, meeting: Meeting, question: Question, direction: Direction) -> Part:
        arriving = direction is Direction.INGRESS
        card = meeting.destination if arriving else meeting.source
        if card is None:
            raise ValueError("a meeting has a managed end")
        here, back = Point(card.key, direction), Point(card.key, direction.opposite)
        asked = question.packets(meeting.sources if arriving else meeting.destinations)
        through = asked & self.passing(here)
        return Part(
            meeting.destinations if arriving else meeting.sources,
            arriving,
            asked,
            answered(through, self.replying(back)),
            asked & self.intended(here),
        )

    def _two_ended(self, meeting: Meeting, question: Question) -> Iterator[Part]:
        if meeting.source is None or meeting.destination is None:
            raise ValueError("both ends are managed")
        source, destination = meeting.source.key, meeting.destination.key
        leaving = Point(source, Direction.EGRESS)
        arriving = Point(destination, Direction.INGRESS)
        asked = question.packets(meeting.sources)
        arrives = asked & self.passing(arriving)
        wanted = asked & self.intended(arriving)
        back_out = self.replying(Point(destination, Direction.EGRESS))
        back_in = self.replying(Point(source, Direction.INGRESS))
        for group, leaves in self.passing(leaving).by_peer(meeting.destinations):
            for alike, wanted_there in self.intended(leaving).by_peer(group):
                for fixed, returning in back_in.by_peer(alike):
                    through = arrives & leaves
                    yield Part(
                        fixed,
                        True,
                        asked,
                        answered(through, back_out & returning),
                        wanted & wanted_there,
                    )

    def _once(self, what: str, point: Point, stages: Iterable[Filter]) -> PacketSet:
        key = what, point
        if key not in self._known:
            self._known[key] = passes(stages)
        return self._known[key]


def answered(through: PacketSet, back: PacketSet) -> PacketSet:
    """The part of `through` whose replies are all in `back`."""
    if back == ALL:
        return through
    return through - (through.replies() - back).requests()
