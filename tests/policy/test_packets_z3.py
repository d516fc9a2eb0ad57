"""The packet sets against an independent solver: z3 over bit vectors, IPv4."""

from __future__ import annotations

import random
from ipaddress import ip_network

import pytest
import z3  # type: ignore[import-untyped]

from flowbridge.catalog.ports import Parity, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.packets.packet_set import PacketSet

PEER = z3.BitVec("peer", 32)
PROTOCOL = z3.BitVec("protocol", 8)
SOURCE = z3.BitVec("source", 16)
DESTINATION = z3.BitVec("destination", 16)

Spec = tuple[str, int | None, str, str]


def formula(spec: Spec) -> z3.BoolRef:
    """The meaning of a block, from its words, without the engine."""
    network, protocol, sources, destinations = spec
    terms = [in_network(network)]
    if protocol is not None:
        terms.append(protocol == PROTOCOL)
        terms += [in_ports(SOURCE, sources), in_ports(DESTINATION, destinations)]
    return z3.And(*terms)


def in_network(text: str) -> z3.BoolRef:
    network = ip_network(text)
    mask = z3.BitVecVal(int(network.netmask), 32)
    return (PEER & mask) == z3.BitVecVal(int(network.network_address), 32)


def in_ports(port: z3.BitVecRef, text: str) -> z3.BoolRef:
    span = PortRange.parse(text)
    terms = [z3.UGE(port, span.first), z3.ULE(port, span.last)]
    if span.parity is not None:
        terms.append(z3.Extract(0, 0, port) == (0 if span.parity is Parity.EVEN else 1))
    return z3.And(*terms)


def engine_formula(packets: PacketSet) -> z3.BoolRef:
    """The set that the engine holds, from its boxes."""
    parts = []
    for box in packets.boxes():
        terms = [z3.Or(*(in_network(str(peer)) for peer in box.peers))]
        if box.protocol is None:
            terms += [number != PROTOCOL for number in box.but]
        else:
            terms.append(box.protocol == PROTOCOL)
        if box.protocol in (Protocol.TCP, Protocol.UDP):
            terms.append(z3.Or(*(in_ports(SOURCE, str(span)) for span in box.source_ports)))
            terms.append(
                z3.Or(*(in_ports(DESTINATION, str(span)) for span in box.destination_ports))
            )
        parts.append(z3.And(*terms))
    return z3.Or(*parts)


def random_spec(dice: random.Random) -> Spec:
    network = dice.choice(
        ["0.0.0.0/0", "10.0.0.0/8", "10.0.1.0/24", "10.0.1.128/25", "203.0.113.7/32"]
    )
    protocol = dice.choice([Protocol.TCP, Protocol.UDP, Protocol.TCP, Protocol.UDP, None])

    def span() -> str:
        first = dice.randrange(65536)
        last = dice.randrange(first, 65536)
        return dice.choice(["any", str(first), f"{first}-{last}", f"{first}-{last} even"])

    return network, protocol, span(), span()


def engine_of(spec: Spec) -> PacketSet:
    network, protocol, sources, destinations = spec
    return PacketSet.of(
        [ip_network(network)], protocol, [PortRange.parse(sources)], [PortRange.parse(destinations)]
    )


def differs(one: z3.BoolRef, other: z3.BoolRef) -> object:
    """A packet on which the two disagree; None where there is none."""
    solver = z3.Solver()
    solver.add(PROTOCOL != 1, PROTOCOL != 58, PROTOCOL != 132, one != other)
    solver.set("timeout", 20_000)
    verdict = solver.check()
    assert verdict != z3.unknown
    return solver.model() if verdict == z3.sat else None


@pytest.mark.parametrize("seed", range(8))
def test_the_solver_finds_no_packet_that_the_engine_judges_otherwise(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    left = [random_spec(dice) for _ in range(3)]
    right = [random_spec(dice) for _ in range(3)]
    a, b = (PacketSet.union(map(engine_of, specs)) for specs in (left, right))
    fa, fb = (z3.Or(*map(formula, specs)) for specs in (left, right))
    assert differs(engine_formula(a | b), z3.Or(fa, fb)) is None
    assert differs(engine_formula(a & b), z3.And(fa, fb)) is None
    assert differs(engine_formula(a - b), z3.And(fa, z3.Not(fb))) is None


def test_the_solver_would_notice_one_port() -> None:
    spec: Spec = ("10.0.0.0/8", Protocol.TCP, "any", "100-200")
    wider: Spec = ("10.0.0.0/8", Protocol.TCP, "any", "100-201")
    assert differs(engine_formula(engine_of(wider)), formula(spec)) is not None
