"""The rehearsal: every feature of the requested services, packet by packet through the filters.

A feature works where every packet of each of its steps passes every filter on its way, and so do
its answers: a stateful filter lets the answers of what it allowed pass, a stateless one is asked
again. Whole packet sets are judged (`policy.questions.reach`), so "works" leaves no packet out; of
what is refused one packet is followed hop by hop (`policy.questions.trace`).

Deployments that hold each other's workloads are rehearsed together: a packet between two of them
has to pass the filters of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from flowbridge.catalog.feature import Idle
from flowbridge.catalog.protocol import Protocol
from flowbridge.catalog.row import Bilingual
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.interface import Interface, Network
from flowbridge.deployment.selection.conversations import Conversation, Line, PlayedStep
from flowbridge.policy.compiled import Policy, compile_policy
from flowbridge.policy.doubt import Bounds
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.packets.packet import Packet
from flowbridge.policy.packets.packet_set import ALL, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.questions.question import Meeting, Question, host
from flowbridge.policy.questions.reach import Reach
from flowbridge.policy.questions.trace import Sample, Trace, Tracer
from flowbridge.policy.surrounding import Surrounding, with_surroundings


class Answer(StrEnum):
    """What becomes of a feature, or of a step of it."""

    WORKS = "works"
    CONDITION = "works only if"
    FAILS = "fails"
    NOT_HERE = "not here"  # for another release, size or topology, or past every filter here
    UNTOLD = "cannot be told"  # of a live estate: it hangs on what was not read, told or found


@dataclass(frozen=True, slots=True)
class Cut:
    """A packet of a row that does not get through in one deployment, followed hop by hop."""

    deployment: str
    row: str
    trace: Trace
    live: bool = False

    def __str__(self) -> str:
        hop = self.trace.decided_by
        where = f" at {hop}" if hop is not None else ""
        return f"{self.row}: {self.trace.sample} is refused{where}{self._opening}"

    @property
    def opening(self) -> tuple[str, ...]:
        """What would open it, in words."""
        rows = [str(row) for row in self.trace.closed]
        near = [f"asked for from other source ports only: {row}" for row in self.trace.near]
        return (*rows, *near)

    @property
    def _opening(self) -> str:
        if self.opening:
            return f". What opens it: {self.opening[0]}"
        if self.trace.rows:
            if self.live:
                return ". Its row is in the deployment, and the live rules do not carry it"
            return ". The rules emitted do not carry their row: look for an overlay or an edit"
        return ""

    def as_plain(self) -> dict[str, Any]:
        hop = self.trace.decided_by
        return {
            "deployment": self.deployment,
            "row": self.row,
            "packet": str(self.trace.sample),
            "filter": hop.decision.filter.name if hop else None,
            "interface": hop.point.interface if hop else None,
            "direction": hop.point.direction if hop else None,
            "why": hop.decision.why if hop else "",
            "opens": list(self.opening),
            "hops": [hop.as_plain() for hop in self.trace.hops],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedLine:
    """A row of a step, judged in one deployment: what cuts it, or what it hangs on.

    `judged`: packets of it met filters of this deployment. `untold`: what of a live estate was not
    read, told or found, and decides whether its packets pass. `forgotten`: which keepalive it
    hangs on, where a filter forgets its connection.
    """

    row: str
    judged: bool = False
    conditions: tuple[str, ...] = ()
    cut: Cut | None = None
    untold: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()

    @property
    def answer(self) -> Answer:
        if self.cut is not None:
            return Answer.FAILS
        if self.untold:
            return Answer.UNTOLD
        if self.conditions or self.forgotten:
            return Answer.CONDITION
        return Answer.WORKS


@dataclass(frozen=True, slots=True, kw_only=True)
class StepAnswer:
    """A step of a feature. `rows` are those of the way that decided."""

    does: str
    media: bool
    answer: Answer
    rows: tuple[str, ...]
    conditions: tuple[str, ...] = ()
    cuts: tuple[Cut, ...] = ()

    def as_plain(self) -> dict[str, Any]:
        return {
            "does": self.does,
            "media": self.media,
            "answer": self.answer,
            "rows": list(self.rows),
            "conditions": list(self.conditions),
            "cuts": [cut.as_plain() for cut in self.cuts],
        }


@dataclass(frozen=True, slots=True)
class FeatureAnswer:
    """A feature of a requested service. `accepted`: the words in which a file accepts that it
    fails."""

    id: str
    service: str
    title: Bilingual
    steps: tuple[StepAnswer, ...]
    accepted: str | None = None

    @property
    def answer(self) -> Answer:
        found = {step.answer for step in self.steps}
        for answer in (Answer.FAILS, Answer.UNTOLD, Answer.CONDITION, Answer.WORKS):
            if answer in found:
                return answer
        return Answer.NOT_HERE

    @property
    def is_finding(self) -> bool:
        """Whether it fails and nobody accepts that."""
        return self.answer is Answer.FAILS and self.accepted is None

    @property
    def is_open(self) -> bool:
        """Whether it cannot be told and nobody accepts that it fails."""
        return self.answer is Answer.UNTOLD and self.accepted is None

    @property
    def conditions(self) -> tuple[str, ...]:
        """What it hangs on, or why it is not here; each once."""
        telling = [step for step in self.steps if step.answer is self.answer]
        return tuple(dict.fromkeys(each for step in telling for each in step.conditions))

    @property
    def cuts(self) -> tuple[tuple[StepAnswer, Cut], ...]:
        """Each packet that is cut, with its step."""
        return tuple((step, cut) for step in self.steps for cut in step.cuts)

    def __str__(self) -> str:
        text = f"{self.id} ({self.title.en}): {self.answer}"
        if self.answer is Answer.FAILS:
            text += "".join(f"; {step.does}: {cut}" for step, cut in self.cuts[:1])
        elif self.conditions:
            colon = ":" if self.answer is Answer.UNTOLD else ""
            text += f"{colon} {'; '.join(self.conditions)}"
        return f"{text}. Accepted: {self.accepted}" if self.accepted else text

    def as_plain(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "service": self.service,
            "title": self.title.model_dump(),
            "answer": self.answer,
            "conditions": list(self.conditions),
            "accepted": self.accepted,
            "steps": [step.as_plain() for step in self.steps],
        }


class Stage:
    """One deployment with its filters; every packet of a flow is judged once."""

    def __init__(
        self,
        name: str,
        policy: Policy,
        enforcement: Enforcement,
        tracer: Tracer,
        around: Iterable[Surrounding] = (),
        bounds: Bounds | None = None,
        remembered: Mapping[Protocol, int] | None = None,
    ) -> None:
        """`around` are the filters of our subnets, which other hosts there meet too. `bounds` are
        those of a live estate; `enforcement` is then what may pass. `remembered`: the seconds of
        silence after which the cloud's stateful filters forget a conversation, by protocol."""
        self.name = name
        self._cards = policy.interfaces
        self._tracer = tracer
        self._around = tuple(each.anyone for each in around)
        self._reach = Reach(policy, with_surroundings(enforcement, () if bounds else around))
        self._bounds = bounds
        self._remembered = remembered or {}
        self._surely = Reach(policy, bounds.least) if bounds else None
        self._known: dict[int, tuple[Flow, _Refused | None]] = {}
        self._mine: dict[int, tuple[Flow, tuple[Flow, ...]]] = {}

    def of_others(self, line: Line) -> PlayedLine | None:
        """What becomes here of the packets of a row as another deployment plays it, where its ends
        elsewhere are cards of ours; None where none of them is. Nobody has to ask for them here:
        they come all the same."""
        mine = tuple(each for flow in line.flows for each in self._at_our_cards(flow))
        refused = next(filter(None, map(self._refused, mine)), None)
        if refused is not None and line.conditions:
            return PlayedLine(row=line.row, judged=True, conditions=line.conditions)
        if refused is not None:
            return PlayedLine(
                row=line.row,
                judged=True,
                conditions=(),
                cut=self._followed(line.row, refused, known=False),
            )
        if untold := self._untold(mine):
            return PlayedLine(row=line.row, judged=True, untold=untold)
        return PlayedLine(row=line.row, judged=True) if mine else None

    def _at_our_cards(self, flow: Flow) -> tuple[Flow, ...]:
        """What of `flow` meets cards of ours; nothing where none of its ends is one."""
        if id(flow) not in self._mine:
            sources, destinations = (
                (*self._cards_of(end), replace(end, interface=None))
                for end in (flow.source, flow.destination)
            )
            mine = tuple(
                flow._replace(source=source, destination=destination)
                for source in sources
                for destination in destinations
                if source.interface or destination.interface
            )
            self._mine[id(flow)] = flow, mine
        return self._mine[id(flow)][1]

    def _cards_of(self, end: End) -> Iterator[End]:
        """The cards of ours that an end of another deployment, which runs elsewhere there, is."""
        for card in self._cards if end.interface is None else ():
            own = (*card.private, *card.public)
            addresses = tuple(network for network in end.addresses if network in own)
            if addresses:
                yield replace(end, interface=card, addresses=addresses)

    def line(self, line: Line, idle: Idle | None = None) -> PlayedLine:
        """What becomes of the packets of one row here, whose connection may be `idle`."""
        refused = next(filter(None, map(self._refused, line.flows)), None)
        if refused is None:
            if untold := self._untold(line.flows):
                return PlayedLine(row=line.row, judged=True, untold=untold)
            # What the switches keep closed and another row opens gets through all the same.
            conditions = () if line.flows else line.conditions
            forgotten = self._forgotten(line.flows, idle)
            return PlayedLine(
                row=line.row, judged=bool(line.flows), conditions=conditions, forgotten=forgotten
            )
        if line.conditions:
            return PlayedLine(row=line.row, judged=True, conditions=line.conditions)
        if refused.beside is not None:
            return PlayedLine(row=line.row, judged=True, conditions=(refused.beside,))
        return PlayedLine(
            row=line.row, judged=True, conditions=(), cut=self._followed(line.row, refused)
        )

    def _refused(self, flow: Flow) -> _Refused | None:
        if id(flow) not in self._known:
            self._known[id(flow)] = flow, next(self._judged(flow, self._reach), None)
        return self._known[id(flow)][1]

    def _forgotten(self, flows: Iterable[Flow], idle: Idle | None) -> tuple[str, ...]:
        """What has to be set where a stateful filter forgets a connection before it is used from
        the other side, and no rule lets these packets pass without it."""
        found: dict[str, None] = {}
        for flow in flows if idle is not None else ():
            seconds = self._remembered.get(flow.protocol)
            if idle is None or seconds is None or idle.seconds < seconds:
                continue
            for point, demands in compile_policy((), (flow,)).demands.items():
                passing = self._reach.passing(point.opposite)
                if any(demand.packets.replies() - passing for demand in demands):
                    told = f"a keepalive is shorter than {seconds} s: {idle.why}"
                    found[f"{told}, and the filters here forget {flow.protocol.label} by then"] = (
                        None
                    )
        return tuple(found)

    def _untold(self, flows: Iterable[Flow]) -> tuple[str, ...]:
        """What decides over packets of `flows` and was not read, told or found."""
        if self._bounds is None or self._surely is None:
            return ()
        reasons = self._bounds.reasons
        open_at = [
            point
            for flow in flows
            for refused in self._judged(flow, self._surely)
            for point in (refused.point, refused.point.opposite)
        ]
        return tuple(dict.fromkeys(word for point in open_at for word in reasons.get(point, ())))

    def _judged(self, flow: Flow, reach: Reach) -> Iterator[_Refused]:
        """What of a flow is refused, at our cards before other hosts' subnets."""
        for point, demands in compile_policy((), (flow,)).demands.items():
            for demand in demands:
                packet = _left(reach, point, demand.packets)
                if packet is not None:
                    yield _Refused(flow, point, packet)
        ways = (
            (flow.source, Direction.EGRESS, flow.destination, flow.source_ports),
            (flow.destination, Direction.INGRESS, flow.source, flow.arriving_ports),
        )
        for own, way, peer, ports in ways:
            for subnet in self._subnets(own.addresses) if own.interface is None else ():
                seen = tuple(n for n in peer.addresses if n.version in subnet.families)
                asked = PacketSet.of(seen, flow.protocol, ports, flow.destination_ports)
                packet = _left(reach, Point(subnet.key, way), asked)
                if packet is not None:
                    words = _beside(own.party, subnet.key, way)
                    yield _Refused(flow, Point(subnet.key, way), packet, words)

    def _subnets(self, addresses: Sequence[Network]) -> Iterator[Interface]:
        """The subnets of ours in which a party that runs elsewhere stands whole or in part."""
        for anyone in self._around:
            if any(
                network.version == own.version and network.subnet_of(own)  # type: ignore[arg-type]
                for network in addresses
                for own in anyone.private
            ):
                yield anyone

    def _followed(self, row: str, refused: _Refused, *, known: bool = True) -> Cut:
        """`known`: the parties of the flow are those of this deployment."""
        flow, packet = refused.flow, refused.packet
        leaving = refused.point.direction is Direction.EGRESS
        other = flow.source if leaving else flow.destination
        version = packet.peer.version
        own = host(next(each for each in other.addresses if each.version == version))
        mine = own.network_address
        ends = (mine, packet.peer) if leaving else (packet.peer, mine)
        sample = Sample(*ends, packet.protocol, packet.source_port, packet.destination_port)
        sender, receiver = (
            end.key if known or end.interface else str(address)
            for end, address in zip((flow.source, flow.destination), ends, strict=True)
        )
        meeting = Meeting(
            source=flow.source.interface,
            destination=flow.destination.interface,
            sources=flow.source.addresses,
            destinations=flow.destination.addresses,
            source_label=sender,
            destination_label=receiver,
        )
        question = Question(
            sender,
            receiver,
            flow.protocol,
            flow.destination_ports,
            flow.source_ports,
        )
        trace = self._tracer.followed(question, meeting, sample)
        return Cut(self.name, row, trace, live=self._bounds is not None)


def _left(reach: Reach, point: Point, asked: PacketSet) -> Packet | None:
    """A packet that does not pass `point`, or whose answer does not pass it."""
    left = asked - reach.passing(point)
    if not left:
        back = reach.replying(point.opposite)
        left = left if back == ALL else (asked.replies() - back).requests()
    return left.example() if left else None


def _beside(party: str, subnet: str, way: Direction) -> str:
    does = "send" if way is Direction.EGRESS else "receive"
    return (
        f"{subnet} lets {party} {does} this, which its filter, being ours, refuses: list {party} "
        "with its tier, or keep it in a subnet that no tier names"
    )


@dataclass(frozen=True, slots=True)
class _Refused:
    """A packet of a flow that does not pass `point`. `beside`: the end there is no card of the
    deployment, in words."""

    flow: Flow
    point: Point
    packet: Packet
    beside: str | None = None


def rehearse(
    played: Sequence[tuple[Stage, Sequence[Conversation]]], accepted: Mapping[str, str]
) -> tuple[FeatureAnswer, ...]:
    """Every feature of deployments that belong together: the same conversations in each of them.

    `accepted` are the words in which a feature's failing is accepted, by its id.
    """
    together = zip(*(conversations for _, conversations in played), strict=True)
    stages = [stage for stage, _ in played]
    return tuple(
        FeatureAnswer(
            versions[0].id,
            versions[0].service,
            versions[0].title,
            tuple(_step(stages, steps) for steps in zip(*(v.steps for v in versions), strict=True)),
            accepted.get(versions[0].id),
        )
        for versions in together
    )


def _step(stages: Sequence[Stage], versions: Sequence[PlayedStep]) -> StepAnswer:
    """One step as each of the deployments plays it: the best way of any of them decides."""
    first = versions[0]
    ways: dict[tuple[str, ...], dict[str, list[PlayedLine]]] = {}
    for stage, version in zip(stages, versions, strict=True):
        for way in version.ways:
            lines = ways.setdefault(tuple(line.row for line in way), {})
            for line in way:
                played = lines.setdefault(line.row, [])
                played.append(stage.line(line, version.idle))
                others = (other.of_others(line) for other in stages if other is not stage)
                played.extend(each for each in others if each is not None)
    if not ways:
        reasons = tuple(dict.fromkeys(filter(None, (version.reason for version in versions))))
        return StepAnswer(
            does=first.does, media=first.media, answer=Answer.NOT_HERE, rows=(), conditions=reasons
        )
    answers = [
        _way(first, rows, [_together(lines[row]) for row in rows]) for rows, lines in ways.items()
    ]
    # A way that is open and hangs on a keepalive goes before ways that have to be switched on.
    open_ways = [
        answer
        for (rows, lines), answer in zip(ways.items(), answers, strict=True)
        if answer.answer is Answer.CONDITION
        and not any(_together(lines[row]).conditions for row in rows)
    ]
    if open_ways and not any(answer.answer is Answer.WORKS for answer in answers):
        return open_ways[0]
    for wanted in (Answer.WORKS, Answer.UNTOLD, Answer.FAILS, Answer.NOT_HERE):
        for answer in answers:
            if answer.answer is wanted:
                return answer
    either = " or ".join(dict.fromkeys("; ".join(each.conditions) for each in answers))
    rows = tuple(row for each in answers for row in each.rows)
    return StepAnswer(
        does=first.does, media=first.media, answer=Answer.CONDITION, rows=rows, conditions=(either,)
    )


def _together(lines: Sequence[PlayedLine]) -> PlayedLine:
    """One row in several deployments: what any of them cuts is cut; a party that one does not list
    and another does is there."""
    cut = next((line for line in lines if line.cut is not None), None)
    if cut is not None:
        return cut
    untold = next((line for line in lines if line.untold), None)
    if untold is not None:
        return untold
    judged = [line for line in lines if line.judged]
    if judged:
        hanging = (line for line in judged if line.conditions or line.forgotten)
        return next(hanging, judged[0])
    return next((line for line in lines if line.conditions), lines[0])


def _way(step: PlayedStep, rows: tuple[str, ...], lines: Sequence[PlayedLine]) -> StepAnswer:
    found = {line.answer for line in lines}
    order = (Answer.FAILS, Answer.UNTOLD, Answer.CONDITION, Answer.WORKS)
    answer: Answer = next(each for each in order if each in found)
    if answer is Answer.WORKS and not any(line.judged for line in lines):
        answer = Answer.NOT_HERE
    return StepAnswer(
        does=step.does,
        media=step.media,
        answer=answer,
        rows=rows,
        conditions=tuple(dict.fromkeys(each for line in lines for each in _hangs_on(line))),
        cuts=tuple(line.cut for line in lines if line.cut is not None),
    )


def _hangs_on(line: PlayedLine) -> tuple[str, ...]:
    return (*line.untold, *line.conditions, *line.forgotten)
