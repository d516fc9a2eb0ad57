"""An explanation: why a port is open, down to the documented rows; or what would open it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowbridge.catalog.party import Party
from flowbridge.deployment.closed.candidates import ClosedRow
from flowbridge.deployment.closed.rows import ClosedRows
from flowbridge.deployment.selection.resolution import Resolution
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.packets.as_json import plain_packets, plain_ports
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.packets.packet_set import EMPTY, EVERY_ADDRESS, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.questions.directory import Directory, Place
from flowbridge.policy.questions.question import Question
from flowbridge.policy.questions.reach import Reach
from flowbridge.policy.surrounding import Surrounding, with_surroundings

if TYPE_CHECKING:
    from flowbridge.catalog.load import Entry


@dataclass(frozen=True, slots=True)
class Opening:
    """One reason: peers that may use the port, the rows that ask for it, the rules that carry it.

    `rows` empty: excess, which the rules allow and no row asks for.
    """

    point: Point
    peer: str
    packets: PacketSet
    rows: tuple[str, ...]
    rules: tuple[str, ...]

    def __str__(self) -> str:
        rows = ", ".join(self.rows) or "no row asks for this"
        return (
            f"{self.point}: {self.peer}: {rows} (carried by {', '.join(self.rules) or 'no rule'})"
        )

    def as_plain(self) -> dict[str, Any]:
        return {
            "interface": self.point.interface,
            "direction": self.point.direction,
            "peer": self.peer,
            "rows": list(self.rows),
            "rules": list(self.rules),
            "packets": plain_packets(self.packets),
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """`openings` say why it is open; `closed` are rows that would open it (further)."""

    question: Question
    openings: tuple[Opening, ...]
    closed: tuple[ClosedRow, ...]

    @property
    def open(self) -> bool:
        return bool(self.openings)

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        rows = sorted({row for opening in self.openings for row in opening.rows})
        return {
            "to": self.question.destination,
            "protocol": self.question.protocol.label,
            "ports": plain_ports(self.question.ports),
            "open": self.open,
            "rows": rows,
            "openings": [opening.as_plain() for opening in self.openings],
            "would_open": [row.as_plain() for row in self.closed],
        }


def explain(
    resolution: Resolution,
    policy: Policy,
    enforcement: Enforcement,
    question: Question,
    documented: Iterable[Entry] = (),
    parties: Mapping[str, Party] | None = None,
    around: Iterable[Surrounding] = (),
) -> Explanation:
    """Why the packets of `question` are let through. Its source may be `any`.

    The question is put at the destination's interfaces; where the destination is not managed
    here, at the interfaces that send to it. UnknownPlaceError (a ValueError) for a bad name.
    """
    around = tuple(around)
    directory = Directory.of(policy, resolution.site, parties, around)
    enforcement = with_surroundings(enforcement, around)
    reach = Reach(policy, enforcement)
    sources = directory.places(question.source)
    destinations = directory.places(question.destination)
    openings: list[Opening] = []
    for place in destinations:
        if place.interface is not None:
            point = Point(place.interface.key, Direction.INGRESS)
            peers = _addresses(sources, place)
            openings += _openings(
                point, question.packets(peers), policy, enforcement, reach, directory
            )
        else:
            for card in _senders(sources, policy):
                point = Point(card, Direction.EGRESS)
                asked = question.packets(place.addresses or EVERY_ADDRESS)
                openings += _openings(point, asked, policy, enforcement, reach, directory)
    if any(place.interface in directory.around for place in destinations):
        return Explanation(question, tuple(openings), ())  # rows are for the parties listed
    closed = ClosedRows(resolution, documented, parties)
    receivers = [place.label for place in destinations]
    if question.source == "any":
        found = closed.at(question.protocol, question.ports, receivers)
    else:
        senders = [place.label for place in sources]
        found = closed.asking_for(question.protocol, question.ports, senders, receivers)
    return Explanation(question, tuple(openings), found)


def _addresses(sources: tuple[Place, ...], towards: Place) -> tuple[Network, ...]:
    """By what `towards` may see the sources: every address they are known by."""
    out: list[Network] = []
    for place in sources:
        if place.addresses is not None:
            out.extend(place.addresses)
        elif place.interface is not None:
            out.extend((*place.interface.private, *place.interface.public))
    families = towards.interface.families if towards.interface else {4, 6}
    return tuple(network for network in out if network.version in families)


def _senders(sources: tuple[Place, ...], policy: Policy) -> tuple[str, ...]:
    named = tuple(place.interface.key for place in sources if place.interface is not None)
    return named or tuple(card.key for card in policy.interfaces)


def _openings(
    point: Point,
    asked: PacketSet,
    policy: Policy,
    enforcement: Enforcement,
    reach: Reach,
    directory: Directory,
) -> list[Opening]:
    passing = asked & reach.passing(point)
    out: list[Opening] = []
    left = passing
    by_reason: dict[tuple[str, tuple[str, ...]], PacketSet] = {}
    for demand in policy.demands.get(point, ()):
        if mine := demand.packets & passing:
            reason = demand.peer.key, demand.flow.rows
            by_reason[reason] = by_reason.get(reason, EMPTY) | mine
            left = left - mine
    for (peer, rows), packets in by_reason.items():
        out.append(Opening(point, peer, packets, rows, _rules(point, packets, enforcement)))
    if left:
        peers = ", ".join(directory.called(p for box in left.boxes() for p in box.peers))
        out.append(Opening(point, peers, left, (), _rules(point, left, enforcement)))
    return out


def _rules(point: Point, packets: PacketSet, enforcement: Enforcement) -> tuple[str, ...]:
    """The rules that let any of `packets` through, each filter's in its order."""
    found: list[str] = []
    for stage in enforcement.get(point, ()):
        decided = stage.decided()
        found.extend(
            rule.name
            for rule, share in zip(stage.rules, decided.shares, strict=True)
            if rule.allow and share & packets
        )
    return tuple(found)
