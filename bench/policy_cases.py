"""The policies that `bench/policy.py` gives to both sides; only the standard library is needed.

A policy is what one interface lets in: 200 flows from 20 systems, ten each, which is how the
documents have it (`edge-cluster.yaml` has a system for every nine flows). `apart` gives every flow
a system of its own, the hardest case for rules that are made for each system.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

FLOWS = 200
EACH = 10
RANGES = 3
WORKLOAD = ("10.1.0.11", "10.1.0.12")
TCP, UDP = "tcp", "udp"

# What systems are asked for in the documents: single ports, ranges, signalling and media.
_SERVICES = (
    (TCP, ((22, 22), (443, 443))),
    (TCP, ((5060, 5062),)),
    (UDP, ((5060, 5060),)),
    (TCP, ((7001, 7002), (2222, 2222))),
    (TCP, ((8443, 8443), (9443, 9443), (6970, 6972))),
    (UDP, ((36000, 59999),)),
    (UDP, ((3478, 3483),)),
    (TCP, ((1719, 1720), (15000, 19999))),
    (UDP, ((53, 53), (123, 123), (161, 162))),
    (TCP, ((4369, 4380),)),
)


class Case(NamedTuple):
    """One flow into the workload: `ports` are (first, last), both included."""

    name: str
    party: str
    networks: tuple[str, ...]
    protocol: str
    ports: tuple[tuple[int, int], ...]


def flows(number: int, *, apart: bool = False, ranges: int = RANGES) -> Iterator[Case]:
    """The flows of policy `number`, whose systems have addresses of their own."""
    networks: tuple[str, ...] = ()
    for index in range(FLOWS):
        party = index if apart else index // EACH
        protocol, ports = _SERVICES[index % EACH]
        if apart or index % EACH == 0:
            base = f"10.{10 + number % 200}.{party}"
            networks = tuple(f"{base}.{16 * place}/29" for place in range(ranges))
        yield Case(f"flow-{index}", f"party-{party}", networks, protocol, ports)


def packets(count: int) -> list[tuple[str, str, int, int]]:
    """Random (source, protocol, source port, port) about the flows of policy 0: about half hit."""
    dice = random.Random(5)  # noqa: S311
    cases = list(flows(0))
    found: list[tuple[str, str, int, int]] = []
    for _ in range(count):
        case = dice.choice(cases)
        host = dice.choice((0, 7, 8, 17, 33, 39, 200))
        base = case.networks[0].rpartition(".")[0]
        first, last = dice.choice(case.ports)
        port = dice.choice((first, last, dice.randint(first, last), dice.randint(1, 65535)))
        protocol = dice.choice((case.protocol, case.protocol, TCP, UDP))
        found.append((f"{base}.{host}", protocol, dice.randint(1024, 65535), port))
    return found


@dataclass(frozen=True)
class Planted:
    """One rule of the redundancy case. `kind`: needed, single (covered by one other rule), union
    (covered by several together), other-target (the same packets for other machines)."""

    name: str
    kind: str
    target: str
    networks: tuple[str, ...]
    protocol: str
    ports: tuple[tuple[int, int], ...]


OUTER, INNER = "fb-bench-edge-external", "fb-bench-core-single"


def planted() -> tuple[Planted, ...]:
    """15 rules that change nothing and 3 that only look so, each behind what covers it."""

    def rule(
        name: str, kind: str, networks: str, protocol: str, *ports: int, target: str = OUTER
    ) -> Planted:
        pairs = tuple(zip(ports[::2], ports[1::2], strict=True))
        return Planted(name, kind, target, tuple(networks.split()), protocol, pairs)

    need, one, many, other = "needed", "single", "union", "other-target"
    return (
        rule("web", need, "10.0.0.0/16", TCP, 443, 443, 8443, 8443),
        rule("media", need, "10.0.0.0/8", UDP, 36000, 59999),
        rule("sip", need, "10.2.0.0/16 10.3.0.0/16", TCP, 5060, 5062),
        rule("admin", need, "10.9.0.0/24", TCP, 22, 22),
        # A narrower address, narrower ports, both, one of several ports, one of several ranges.
        rule("one-address", one, "10.0.4.0/24", TCP, 443, 443, 8443, 8443),
        rule("one-port", one, "10.0.0.0/16", TCP, 443, 443),
        rule("one-host-port", one, "10.0.9.9/32", TCP, 8443, 8443),
        rule("one-span", one, "10.0.0.0/8", UDP, 40000, 49999),
        rule("one-span-host", one, "10.77.0.1/32", UDP, 36000, 36001),
        rule("one-of-two", one, "10.3.0.0/16", TCP, 5060, 5062),
        rule("one-middle", one, "10.2.0.0/16", TCP, 5061, 5061),
        rule("one-admin", one, "10.9.0.128/25", TCP, 22, 22),
        rule("one-two-spans", one, "10.5.0.0/16", UDP, 36000, 40000, 50000, 59999),
        # Halves of addresses, neighbouring ports, steps, three parts, a mixture.
        rule("left", need, "10.20.0.0/25", TCP, 1000, 1999),
        rule("right", need, "10.20.0.128/25", TCP, 1000, 1999),
        rule("many-addresses", many, "10.20.0.0/24", TCP, 1500, 1600),
        rule("low", need, "10.30.0.0/24", TCP, 2000, 2499),
        rule("high", need, "10.30.0.0/24", TCP, 2500, 2999),
        rule("many-ports", many, "10.30.0.0/24", TCP, 2400, 2600),
        rule("step-a", need, "10.40.0.0/24", UDP, 3000, 3500),
        rule("step-b", need, "10.40.0.0/24", UDP, 3400, 3900),
        rule("many-steps", many, "10.40.0.0/25", UDP, 3100, 3800),
        rule("third-a", need, "10.50.0.0/26", TCP, 4000, 4999),
        rule("third-b", need, "10.50.0.64/26", TCP, 4000, 4999),
        rule("third-c", need, "10.50.0.128/25", TCP, 4000, 4999),
        rule("many-thirds", many, "10.50.0.0/24", TCP, 4500, 4500),
        rule("many-of-two-kinds", many, "10.0.7.0/24 10.20.0.0/26", TCP, 443, 443),
        rule("wide-443", need, "10.20.0.0/24", TCP, 443, 443),
        rule("corner-a", need, "10.60.0.0/25", TCP, 6000, 6999),
        rule("corner-b", need, "10.60.0.128/25", TCP, 6000, 6499),
        rule("corner-c", need, "10.60.0.128/25", TCP, 6500, 6999),
        rule("many-corners", many, "10.60.0.64/26 10.60.0.128/26", TCP, 6400, 6600),
        # The same packets, for other machines: not redundant.
        rule("other-web", other, "10.0.4.0/24", TCP, 443, 443, target=INNER),
        rule("other-media", other, "10.0.0.0/8", UDP, 40000, 49999, target=INNER),
        rule("other-sip", other, "10.2.0.0/16", TCP, 5060, 5060, target=INNER),
    )
