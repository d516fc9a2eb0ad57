"""Witnesses: one packet for each row that a step of a feature goes by, to be shown to a cloud.

What the rehearsal says of whole packet sets a cloud's own analyser can check one packet at a time.
A witness is that packet, with the cards of ours that it meets and what it is expected to do there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from ipaddress import ip_network
from typing import Any, Final

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.interface import Network
from flowbridge.deployment.selection.conversations import Conversation, Line, PlayedStep
from flowbridge.policy.compiled import compile_policy
from flowbridge.policy.packets.packet import Address, Packet
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction
from flowbridge.policy.questions.rehearsal import Answer, Cut, FeatureAnswer, StepAnswer

# Addresses that a person knows for the internet, where the packets are for anybody there.
_WELL_KNOWN: Final = (ip_network("8.8.8.8/32"), ip_network("2001:4860:4860::8888/128"))


class Expected(StrEnum):
    """What the rehearsal says becomes of a witness."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    UNTOLD = "cannot be told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card of ours that a witness leaves or arrives at; `attachment` where the file names it."""

    interface: str
    name: str  # of the card: `external`, `internal`, `single`
    tier: str
    private: Address
    public: Address | None
    attachment: str | None

    @property
    def host(self) -> str:
        return f"{self.interface} {self.private}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One packet. `steps` are those that need it, as `mra/sign-in: The client asks …`, by `rows`;
    at least one of its cards is ours."""

    steps: tuple[str, ...]
    rows: tuple[str, ...]
    expected: Expected
    protocol: Protocol
    source: Address
    destination: Address
    source_port: int
    port: int
    source_card: Card | None
    destination_card: Card | None

    @property
    def name(self) -> str:
        """From its content, so that a file of it keeps its name: `expressway-16-1-1f3a9c`."""
        ends = (self.source, self.destination, self.source_port, self.port, int(self.protocol))
        digest = sha256(" ".join(map(str, ends)).encode()).hexdigest()[:6]
        return f"{self.rows[0].replace('/', '-').replace('+', 'x')}-{digest}"

    @property
    def packet(self) -> str:
        """In words: `tcp 10.0.1.11:1024 to 8.8.8.8:443`."""
        if not self.protocol.has_ports:
            return f"{self.protocol.label} {self.source} to {self.destination}"
        return (
            f"{self.protocol.label} {self.source}:{self.source_port} "
            f"to {self.destination}:{self.port}"
        )

    def as_plain(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "steps": list(self.steps),
            "rows": list(self.rows),
            "packet": self.packet,
            "expected": str(self.expected),
            "from": self.source_card.interface if self.source_card else None,
            "to": self.destination_card.interface if self.destination_card else None,
        }


def witnesses(
    deployment: str, features: Iterable[FeatureAnswer], played: Sequence[Conversation]
) -> tuple[Witness, ...]:
    """One for each packet, in the order of features. Steps that hang on a condition, or are not
    here, have none: nothing is expected of their packets."""
    found: dict[tuple[object, ...], Witness] = {}
    conversations = {each.id: each for each in played}
    for feature in features:
        steps = zip(feature.steps, conversations[feature.id].steps, strict=True)
        for answer, step in steps:
            for each in _of_step(deployment, f"{feature.id}: {step.does}", answer, step):
                key = (each.expected, each.packet, each.source_card, each.destination_card)
                known = found.get(key, each)
                found[key] = replace(
                    known,
                    steps=tuple(dict.fromkeys((*known.steps, *each.steps))),
                    rows=tuple(dict.fromkeys((*known.rows, *each.rows))),
                )
    return tuple(found.values())


def _of_step(
    deployment: str, named: str, answer: StepAnswer, step: PlayedStep
) -> Iterator[Witness]:
    if answer.answer not in (Answer.WORKS, Answer.FAILS, Answer.UNTOLD):
        return
    cuts = {cut.row: cut for cut in answer.cuts if cut.deployment == deployment}
    lines = [line for way in step.ways for line in way if line.row in answer.rows]
    for line in {line.row: line for line in lines}.values():
        if (cut := cuts.get(line.row)) is not None:
            yield from _refused(named, line, cut)
        elif line.flows:
            untold = answer.answer is Answer.UNTOLD
            expected = Expected.UNTOLD if untold else Expected.ALLOWED
            flow = next((f for f in line.flows if _four(f)), line.flows[0])
            yield from _witness(named, line.row, expected, flow)


def _refused(named: str, line: Line, cut: Cut) -> Iterator[Witness]:
    """The very packet that is cut, of the flow that it belongs to."""
    sample = cut.trace.sample
    for flow in line.flows:
        ends = flow.source, flow.destination
        if flow.protocol == sample.protocol and all(
            any(address in network for network in _networks(end))
            for address, end in zip((sample.source, sample.destination), ends, strict=True)
        ):
            packet = Packet(sample.destination, flow.protocol, sample.source_port, sample.port)
            yield _made(named, line.row, Expected.REFUSED, flow, sample.source, packet)
            return


def _networks(end: End) -> tuple[Network, ...]:
    own = (*end.interface.private, *end.interface.public) if end.interface else ()
    return (*own, *end.addresses)


def _four(flow: Flow) -> bool:
    """Whether a packet of it is one of IPv4, which every analyser takes."""
    return all(
        any(n.version == 4 for n in end.addresses) for end in (flow.source, flow.destination)
    )


def _witness(named: str, row: str, expected: Expected, flow: Flow) -> Iterator[Witness]:
    demands = compile_policy((), (flow,)).demands
    for way in (Direction.EGRESS, Direction.INGRESS):
        for point, found in demands.items():
            if point.direction is not way:
                continue
            packet = _example(demand.packets for demand in found)
            own = flow.source if way is Direction.EGRESS else flow.destination
            if packet is None or own.interface is None:
                continue
            mine = _own_address(own, packet.peer)
            if mine is None:
                continue
            if way is Direction.EGRESS:
                yield _made(named, row, expected, flow, mine, packet)
            else:
                yield _made(named, row, expected, flow, packet.peer, replace(packet, peer=mine))
            return


def _example(sets: Iterable[PacketSet]) -> Packet | None:
    every = PacketSet.union(sets)
    known = every & PacketSet.of(_WELL_KNOWN[:1], None)
    four = every & PacketSet.of((ip_network("0.0.0.0/0"),), None)
    for packets in (known, four, every):
        if packets:
            return packets.example()
    return None


def _own_address(end: End, peer: Address) -> Address | None:
    """The address of a card of the end; of peers of one cluster not the one it talks to."""
    interface = end.interface
    if interface is None:
        return None
    own = [n.network_address for n in interface.private if n.version == peer.version]
    return next((address for address in own if address != peer), own[0] if own else None)


def _made(
    named: str, row: str, expected: Expected, flow: Flow, source: Address, packet: Packet
) -> Witness:
    return Witness(
        steps=(named,),
        rows=(row,),
        expected=expected,
        protocol=flow.protocol,
        source=source,
        destination=packet.peer,
        source_port=packet.source_port,
        port=packet.destination_port,
        source_card=_card(flow.source, source),
        destination_card=_card(flow.destination, packet.peer),
    )


def _card(end: End, address: Address) -> Card | None:
    """The card of ours that has `address`, its own or one that is translated to it."""
    interface = end.interface
    if interface is None:
        return None
    for member in interface.members:
        if any(address in network for network in (*member.private, *member.public)):
            private = [n for n in member.private if n.version == address.version]
            if not private:
                continue
            public = [n for n in member.public if n.version == address.version]
            own = address if any(address in n for n in private) else private[0].network_address
            return Card(
                interface=interface.key,
                name=interface.name,
                tier=interface.tier,
                private=own,
                public=public[0].network_address if public else None,
                attachment=member.attachment,
            )
    return None
