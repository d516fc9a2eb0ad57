"""A trace: the verdict on one packet, what decided it at each hop, and the way back.

Hops in order: the source's filters going out, the destination's coming in, then what the reply
meets on both sides (a stateful filter lets the replies of what it allowed pass). A packet is
allowed when it and its reply get through.

A question may stand for many packets (a whole subnet, any source port). The trace then follows
one of them, one that gets through and that a flow asks for where there is such a packet, and says
whether all, some or none of the others get through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from flowbridge.catalog.party import Party
from flowbridge.catalog.ports import ANY_PORT, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.closed.candidates import ClosedRow
from flowbridge.deployment.closed.rows import ClosedRows
from flowbridge.deployment.selection.resolution import Resolution
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, Filter, FilterRule, Order
from flowbridge.policy.packets.as_json import plain_packet
from flowbridge.policy.packets.packet import Address, Network, Packet, protocol_label
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.proof.decision import Decision, FilterIndex, Judge
from flowbridge.policy.questions.coverage import covered, served
from flowbridge.policy.questions.directory import Directory
from flowbridge.policy.questions.other_addresses import OtherAddresses
from flowbridge.policy.questions.other_source_ports import OtherSourcePorts, other_source_ports
from flowbridge.policy.questions.question import Meeting, Meetings, Question, host
from flowbridge.policy.questions.reach import Part, Reach
from flowbridge.policy.surrounding import Surrounding, with_surroundings

if TYPE_CHECKING:
    from flowbridge.catalog.load import Entry


class Verdict(StrEnum):
    ALLOWED = "allowed"
    DENIED = "denied"


class Extent(StrEnum):
    """How many of the packets asked about get through."""

    ALL = "all"
    SOME = "some"
    NONE = "none"


class Leg(StrEnum):
    FORWARD = "forward"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Hop:
    """One filter on the way and its decision; `packet` is as that interface sees it."""

    leg: Leg
    point: Point
    packet: Packet
    decision: Decision

    def __str__(self) -> str:
        way = "reply, " if self.leg is Leg.REPLY else ""
        return f"{way}{self.point}, {self.decision.filter.name}: {self.decision.why}"

    def as_plain(self) -> dict[str, Any]:
        decision = self.decision
        rule = decision.rule
        return {
            "leg": self.leg,
            "interface": self.point.interface,
            "direction": self.point.direction,
            "filter": decision.filter.name,
            "kind": decision.filter.kind,
            "verdict": Verdict.ALLOWED if decision.allowed else Verdict.DENIED,
            "rule": rule.name if rule else None,
            "rows": list(rule.rows) if rule else [],
            "description": rule.description if rule else "",
            "why": decision.why,
            "packet": plain_packet(self.packet),
        }


@dataclass(frozen=True, slots=True)
class Sample:
    """One packet with both its addresses."""

    source: Address
    destination: Address
    protocol: int
    source_port: int
    port: int

    def seen_by_source(self) -> Packet:
        return Packet(self.destination, self.protocol, self.source_port, self.port)

    def seen_by_destination(self) -> Packet:
        return Packet(self.source, self.protocol, self.source_port, self.port)

    def __str__(self) -> str:
        name = protocol_label(self.protocol)
        if self.protocol in (Protocol.TCP, Protocol.UDP):
            return f"{name} {self.source}:{self.source_port} to {self.destination}:{self.port}"
        if self.protocol in (Protocol.ICMP, Protocol.ICMPV6):
            kind, code = divmod(self.port, 256)
            name = f"{name} type {kind} code {code}"
        return f"{name} {self.source} to {self.destination}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One followed packet (see the module's opening).

    `rows` ask for this packet; none with an allowed verdict: excess. `closed` are the rows that
    would ask for a refused packet, `near` those that ask for it from other source ports,
    `elsewhere` those that do between other addresses of the two (all of them only where the tracer
    knows the documents). `others` are the remaining ways in which the two ends meet, for instance
    by the other interface of a workload, each with how much gets through. `not_judged` says what
    else an end may be behind, where it is no card of the deployment and stands in one of its
    subnets. `covers` says how much of what was asked about gets through (`all but source ports
    0-1023`), `served` whether every address and port is reached, from some source port where the
    question names none.
    """

    question: Question
    source: str
    destination: str
    sample: Sample
    verdict: Verdict
    extent: Extent
    hops: tuple[Hop, ...]
    rows: tuple[str, ...]
    closed: tuple[ClosedRow, ...] = ()
    others: tuple[tuple[str, Extent], ...] = ()
    near: tuple[OtherSourcePorts, ...] = ()
    elsewhere: tuple[OtherAddresses, ...] = ()
    not_judged: tuple[str, ...] = ()
    covers: str = ""
    served: bool = True

    @property
    def decided_by(self) -> Hop | None:
        """The hop that refused, or the last that the packet met; None: no filter at all."""
        for hop in self.hops:
            if not hop.decision.allowed:
                return hop
        forward = [hop for hop in self.hops if hop.leg is Leg.FORWARD]
        return forward[-1] if forward else None

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        sample, decided = self.sample, self.decided_by
        return {
            "question": str(self.question),
            "verdict": self.verdict,
            "extent": self.extent,
            **({"covers": self.covers} if self.extent is Extent.SOME else {}),
            "from": {"name": self.source, "address": str(sample.source)},
            "to": {"name": self.destination, "address": str(sample.destination)},
            "protocol": protocol_label(sample.protocol),
            "source_port": sample.source_port,
            "port": sample.port,
            "rows": list(self.rows),
            "decided_by": decided.as_plain() if decided else None,
            "hops": [hop.as_plain() for hop in self.hops],
            "would_open": [row.as_plain() for row in self.closed],
            "other_source_ports": [row.as_plain() for row in self.near],
            "other_addresses": [row.as_plain() for row in self.elsewhere],
            "others": [{"path": name, "extent": extent} for name, extent in self.others],
            **({"not_judged": list(self.not_judged)} if self.not_judged else {}),
        }


class Tracer:
    """Answers many questions about one policy and one enforcement.

    What an answer needs (indexes of the filters and of the rows) is made when first needed.
    """

    def __init__(
        self,
        policy: Policy,
        enforcement: Enforcement,
        directory: Directory | None = None,
        closed: ClosedRows | None = None,
    ) -> None:
        """Without `closed` a refused packet's trace names no closed rows."""
        self._policy = policy
        self._enforcement = enforcement
        self._directory = directory or Directory.of(policy)
        self._closed = closed
        self._judge = Judge()
        self.meetings = Meetings(policy, self._directory)
        self.reach = Reach(policy, enforcement)
        self._asking = _Asking(policy)

    def trace(self, question: Question) -> Trace:
        """UnknownPlaceError or UnanswerableError (both ValueError) where there is no answer."""
        traces = [self._meet(meeting, question) for meeting in self.meetings.of(question)]
        best = max(traces, key=lambda t: (t.extent is not Extent.NONE, bool(t.rows), bool(t.near)))
        others = tuple((_path(other), other.extent) for other in traces if other is not best)
        return self._with_closed(replace(best, others=others))

    def follow(self, question: Question, meeting: Meeting, part: Part, packet: Packet) -> Trace:
        """The trace of one packet of a part of `question` (`policy.questions.reach`)."""
        sample = _sample(part, packet)
        found = self._with_closed(self._judge_sample(question, meeting, sample, None))
        return replace(found, covers=self._covered(meeting, question))

    def followed(self, question: Question, meeting: Meeting, sample: Sample) -> Trace:
        """The trace of one packet of `question`, where two ends meet."""
        return self._with_closed(self._judge_sample(question, meeting, sample, None))

    def _with_closed(self, found: Trace) -> Trace:
        if found.verdict is Verdict.ALLOWED or self._closed is None or found.not_judged:
            return found  # rows are for the parties that are listed
        sample = found.sample
        closed = self._closed.asking_for(
            sample.protocol,
            (PortRange(sample.port, sample.port),),
            (
                found.source,
                *self._directory.holding(sample.source),
                *self._directory.leaving_by(sample.source),
            ),
            (found.destination, *self._directory.holding(sample.destination)),
            found.question.source_ports,
        )
        return replace(found, closed=closed, elsewhere=self._elsewhere(found))

    def _elsewhere(self, found: Trace) -> tuple[OtherAddresses, ...]:
        """The rows that ask for a refused packet between other addresses of its two interfaces."""
        asked = replace(found.question, source=found.source, destination=found.destination)
        rows: dict[str, OtherAddresses] = {}
        for meeting in () if found.rows else self.meetings.of(asked):
            source, destination = (
                host(ends[0]).network_address for ends in (meeting.sources, meeting.destinations)
            )
            sample = replace(found.sample, source=source, destination=destination)
            both = meeting.source is not None and meeting.destination is not None
            if both and found.sample.destination.version == destination.version:
                for row in self._rows(meeting, sample):
                    rows.setdefault(row, OtherAddresses(row, source, destination))
        return tuple(rows[row] for row in sorted(rows))

    def _meet(self, meeting: Meeting, question: Question) -> Trace:
        sample = _only_packet(meeting, question)
        if sample is not None:
            return self._judge_sample(question, meeting, sample, None)
        sample, extent, parts = self._choose(meeting, question)
        found = self._judge_sample(question, meeting, sample, extent)
        free = question.source_ports == (ANY_PORT,)
        return replace(
            found,
            covers=covered(parts, icmp=_is_icmp(question)),
            served=served(parts, any_source_port=free),
        )

    def _covered(self, meeting: Meeting, question: Question) -> str:
        return covered(self.reach.parts(meeting, question), icmp=_is_icmp(question))

    def _judge_sample(
        self, question: Question, meeting: Meeting, sample: Sample, extent: Extent | None
    ) -> Trace:
        """`extent` None: the sample is all there is."""
        hops = self._hops(meeting, sample)
        passes = all(hop.decision.allowed for hop in hops)
        rows = self._rows(meeting, sample)
        near: tuple[OtherSourcePorts, ...] = ()
        if self._closed is not None and not rows and Protocol(sample.protocol).has_ports:
            near = other_source_ports(self._policy, _ends(meeting, sample))
        return Trace(
            question=question,
            source=meeting.source_label,
            destination=meeting.destination_label,
            sample=sample,
            verdict=Verdict.ALLOWED if passes else Verdict.DENIED,
            extent=extent or (Extent.ALL if passes else Extent.NONE),
            hops=hops,
            rows=rows,
            near=near,
            not_judged=tuple(self._not_judged(meeting, sample)),
        )

    def _not_judged(self, meeting: Meeting, sample: Sample) -> Iterator[str]:
        ends = (meeting.source, sample.source), (meeting.destination, sample.destination)
        for card, address in ends:
            if card is not None and card in self._directory.around:
                yield (
                    f"{address} is no card of this deployment: only its subnet's filter is judged, "
                    "not what it has of its own"
                )

    def _choose(
        self, meeting: Meeting, question: Question
    ) -> tuple[Sample, Extent, tuple[Part, ...]]:
        """A telling packet of many, and how many of them get through, in their parts."""
        parts = tuple(self.reach.parts(meeting, question))
        passing = any(part.passing for part in parts)
        refused = any(part.passing != part.asked for part in parts)
        extent = Extent.NONE if not passing else Extent.SOME if refused else Extent.ALL
        candidates = (
            *((part, part.passing & part.intended) for part in parts),
            *((part, part.passing) for part in parts),
            *((part, part.intended) for part in parts),
            *((part, part.asked) for part in parts),
        )
        for part, packets in candidates:
            packet = packets.example()
            if packet is not None:
                return _sample(part, packet), extent, parts
        raise ValueError(f"{question} asks about no packet")

    def _hops(self, meeting: Meeting, sample: Sample) -> tuple[Hop, ...]:
        """What the packet meets, up to the refusal; then, where it passed, what its reply meets."""
        ends = _ends(meeting, sample)
        hops: list[Hop] = []
        for point, packet in ends:
            for stage in self._enforcement.get(point, ()):
                hops.append(Hop(Leg.FORWARD, point, packet, self._judge.decide(stage, packet)))
                if not hops[-1].decision.allowed:
                    return tuple(hops)
        for point, packet in reversed(ends):
            back = Point(point.interface, point.direction.opposite)
            reply = packet.reply()
            if reply is None:
                break
            for stage in self._enforcement.get(back, ()):
                if stage.stateful:
                    decision = Decision(stage, True, None, reply=True)
                else:
                    decision = self._judge.decide(stage, reply)
                hops.append(Hop(Leg.REPLY, back, reply, decision))
                if not decision.allowed:
                    return tuple(hops)
        return tuple(hops)

    def _rows(self, meeting: Meeting, sample: Sample) -> tuple[str, ...]:
        """The rows that ask for the packet at every managed end."""
        asked = [self._asking.rows(point, packet) for point, packet in _ends(meeting, sample)]
        return tuple(sorted(frozenset.intersection(*asked)))


class _Asking:
    """Which rows ask for a packet at a point."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._indexes: dict[Point, FilterIndex] = {}

    def rows(self, point: Point, packet: Packet) -> frozenset[str]:
        if point not in self._indexes:
            wishes = tuple(
                FilterRule(
                    name=str(point), allow=True, packets=demand.packets, rows=demand.flow.rows
                )
                for demand in self._policy.demands.get(point, ())
            )
            self._indexes[point] = FilterIndex(
                Filter(name="flows", kind="flows", order=Order.UNION, stateful=True, rules=wishes)
            )
        matching = self._indexes[point].matching(packet)
        return frozenset(row for wish in matching for row in wish.rows)


def trace(
    resolution: Resolution,
    policy: Policy,
    enforcement: Enforcement,
    question: Question,
    documented: Iterable[Entry] = (),
    parties: Mapping[str, Party] | None = None,
    around: Iterable[Surrounding] = (),
) -> Trace:
    """One question about one deployment. `documented` (`Catalog.entries()`) and `parties`
    (`Catalog.parties`) let it name rows of services that were not requested; `around` lets it
    answer about every other host of our subnets.

    UnknownPlaceError or UnanswerableError (both ValueError) where there is no answer. For many
    questions keep a `Tracer`.
    """
    around = tuple(around)
    directory = Directory.of(policy, resolution.site, parties, around)
    closed = ClosedRows(resolution, documented, parties)
    everywhere = with_surroundings(enforcement, around)
    return Tracer(policy, everywhere, directory, closed).trace(question)


def _only_packet(meeting: Meeting, question: Question) -> Sample | None:
    """The packet of a question about one packet only."""
    source, destination = _one_address(meeting.sources), _one_address(meeting.destinations)
    if source is None or destination is None:
        return None
    if not question.protocol.has_ports:
        return None
    source_port, port = question.only_ports
    if source_port is None or port is None:
        return None
    return Sample(source, destination, question.protocol, source_port, port)


def _ends(meeting: Meeting, sample: Sample) -> list[tuple[Point, Packet]]:
    """The managed ends in the order of the way, and the packet as each of them sees it."""
    ends: list[tuple[Point, Packet]] = []
    if meeting.source is not None:
        ends.append((Point(meeting.source.key, Direction.EGRESS), sample.seen_by_source()))
    if meeting.destination is not None:
        point = Point(meeting.destination.key, Direction.INGRESS)
        ends.append((point, sample.seen_by_destination()))
    return ends


def _sample(part: Part, packet: Packet) -> Sample:
    source, destination = part.ends(packet)
    ports = packet.source_port, packet.destination_port
    return Sample(source, destination, packet.protocol, *ports)


def _one_address(networks: tuple[Network, ...]) -> Address | None:
    if len(networks) == 1 and networks[0].num_addresses == 1:
        return networks[0].network_address
    return None


def _is_icmp(question: Question) -> bool:
    return question.protocol in (Protocol.ICMP, Protocol.ICMPV6)


def _path(trace_: Trace) -> str:
    return f"{trace_.source} to {trace_.destination} ({trace_.sample.destination})"
