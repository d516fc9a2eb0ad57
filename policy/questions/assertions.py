"""Assertions: the `tests:` of a deployment file, run against what is enforced.

`denied` holds when none of the packets asked about gets through, by any pair of the ends'
interfaces and by any addresses (their own or translated ones).

`allowed` holds when all of them get through (and their replies) between one pair of interfaces.
Source ports that a test leaves out are the senders' choice: every address must reach every port
from some source port, and from each that a row asks for.

Of ICMP the `ports` are types; left out, `allowed` means echo requests, and `denied` all types.
What names stand for, `internet` above all, is said in `policy.questions.directory`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowbridge.catalog.party import Party
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.closed.rows import ClosedRows
from flowbridge.deployment.file.site import Assertion
from flowbridge.deployment.selection.resolution import Resolution
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.packets.packet import icmp_code
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.questions.directory import Directory
from flowbridge.policy.questions.question import Meeting, Question
from flowbridge.policy.questions.reach import Part
from flowbridge.policy.questions.trace import Trace, Tracer
from flowbridge.policy.surrounding import Surrounding, with_surroundings

_ECHO = {Protocol.ICMP: 8, Protocol.ICMPV6: 128}


@dataclass(frozen=True, slots=True)
class AssertionResult:
    """One test's outcome. A failed one has the `trace` of a packet that shows it, or, where the
    question itself is wrong (an unknown name), `problem` in words."""

    assertion: Assertion
    question: str
    holds: bool
    trace: Trace | None = None
    problem: str | None = None

    def __str__(self) -> str:
        """`udp from internet to expressway-e port 3478 is allowed, as expected`, or why not."""
        expected = self.assertion.expect
        if self.holds:
            return f"{self.question}: {expected}, as expected"
        if self.trace is None:
            return f"{self.question}: {self.problem}"
        by = str(self.trace.decided_by or "no filter is in the way")
        if expected == "denied":
            rows = f" (rows {', '.join(self.trace.rows)})" if self.trace.rows else ""
            much = f" ({self.trace.covers} get through)" if self.trace.covers else ""
            passing = f"{self.trace.sample} passes{much}"
            return f"{self.question}: expected denied, but {passing}: {by}{rows}"
        would = "; ".join(map(str, self.trace.closed[:3]))
        row = f"; it would take {would}" if would else "; no documented row asks for it"
        if self.trace.rows:
            row = f"; not served: {', '.join(self.trace.rows)}"
        much = f" ({self.trace.covers} get through)" if self.trace.covers else ""
        lost = f"{self.trace.sample} is refused{much}"
        return f"{self.question}: expected allowed, but {lost}: {by}{row}"

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "test": self.assertion.model_dump(mode="json", by_alias=True),
            "holds": self.holds,
            "message": str(self),
            "trace": self.trace.as_plain() if self.trace else None,
        }


def run_assertions(
    resolution: Resolution,
    policy: Policy,
    enforcement: Enforcement,
    parties: Mapping[str, Party] | None = None,
    around: Iterable[Surrounding] = (),
) -> tuple[AssertionResult, ...]:
    """Every line of `tests:`, in the order of the file. Raises nothing for a bad name: such a
    test fails and says so. `parties` are the catalog's, for names that the site leaves out."""
    tests = resolution.site.tests
    if not tests:
        return ()
    around = tuple(around)
    directory = Directory.of(policy, resolution.site, parties, around)
    everywhere = with_surroundings(enforcement, around)
    tracer = Tracer(policy, everywhere, directory, ClosedRows(resolution, (), parties))
    return tuple(judge_assertion(test, tracer) for test in tests)


def judge_assertion(test: Assertion, tracer: Tracer) -> AssertionResult:
    """One test; see the module's opening."""
    words = f"{test.protocol} from {test.from_} to {test.to}"
    try:
        question = Question.ask(test.from_, test.to, test.protocol, test.ports, test.source_ports)
        if test.expect == "allowed" and not test.ports and question.protocol in _ECHO:
            question = replace(question, ports=(icmp_code(_ECHO[question.protocol], 0),))
        meetings = tracer.meetings.of(question)
    except ValueError as problem:
        return AssertionResult(test, words, False, problem=str(problem))
    if test.expect == "denied":
        failure = _first_passing(question, meetings, tracer)
    else:
        failure = _first_refused(question, meetings, tracer, any_source_port=not test.source_ports)
    return AssertionResult(test, str(question), failure is None, failure)


def _first_passing(question: Question, meetings: Iterable[Meeting], tracer: Tracer) -> Trace | None:
    for meeting in meetings:
        for part in tracer.reach.parts(meeting, question):
            packet = part.passing.example()
            if packet is not None:
                return tracer.follow(question, meeting, part, packet)
    return None


def _first_refused(
    question: Question, meetings: Iterable[Meeting], tracer: Tracer, *, any_source_port: bool
) -> Trace | None:
    """None where one pair of interfaces lets everything through, in every IP family it has.

    Of the pairs that do not, the one that lets most through shows the failure.
    """
    pairs: dict[tuple[str, str], dict[int, list[tuple[Meeting, tuple[Part, ...]]]]] = {}
    for meeting in meetings:
        families = pairs.setdefault((meeting.source_label, meeting.destination_label), {})
        parts = tuple(tracer.reach.parts(meeting, question))
        families.setdefault(meeting.sources[0].version, []).append((meeting, parts))
    best: tuple[int, Trace] | None = None
    for families in pairs.values():
        failed: Trace | None = None
        reached = 0
        for ways in families.values():
            lost = [_refused(parts, any_source_port=any_source_port) for _, parts in ways]
            reached += sum(bool(part.passing) for _, parts in ways for part in parts)
            if all(lost) and failed is None:
                (meeting, _), found = ways[0], lost[0]
                if found is not None and (packet := found[1].example()) is not None:
                    failed = tracer.follow(question, meeting, found[0], packet)
        if failed is None:
            return None
        if best is None or reached > best[0]:
            best = reached, failed
    return best[1] if best else None


def _refused(parts: Iterable[Part], *, any_source_port: bool) -> tuple[Part, PacketSet] | None:
    """The first part with packets that should get through and do not."""
    for part in parts:
        if any_source_port:
            served = part.passing.without_source_ports()
            lost = (part.intended - part.passing) | (part.asked - served)
        else:
            lost = part.asked - part.passing
        if lost:
            return part, lost
    return None
