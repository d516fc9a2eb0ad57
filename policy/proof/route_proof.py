"""The proof end to end: out of one managed interface, into another, and the replies back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flowbridge.deployment.flow import Flow
from flowbridge.policy.compiled import Policy
from flowbridge.policy.packets.as_json import plain_packets
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.packets.packet_set import ALL, EMPTY, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.proof.route import (
    Crossing,
    Route,
    crossings,
    egress_point,
    ingress_point,
    internal_flows,
    routes,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageProof:
    """One route between two managed interfaces.

    `missing` and `missing_replies` must be empty. `excess` passes both ends, and at least one of
    them has no flow that asks for it: what the ends' unavoidable excess comes to in between.
    `rows` ask for something on this route; `unserved` are those of them that something is missing
    of.
    """

    route: Route
    intended: tuple[Crossing, ...]
    missing: tuple[Crossing, ...]
    missing_replies: tuple[Crossing, ...]
    excess: tuple[Crossing, ...]
    rows: tuple[str, ...]
    unserved: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.missing and not self.missing_replies

    def failures(self) -> tuple[str, ...]:
        """One sentence for each way in which this passage fails."""
        name = f"{self.route.source} to {self.route.destination}"
        rows = ", ".join(self.unserved)
        return tuple(
            f"{name}: {what}: {lost[0].packets.example()}, destination {lost[0].destinations[0]}; "
            f"not served: {rows}"
            for what, lost in (
                ("does not arrive", self.missing),
                ("is not answered", self.missing_replies),
            )
            if lost
        )

    def as_plain(self) -> dict[str, Any]:
        return {
            "from": self.route.source,
            "to": self.route.destination,
            "sources": [str(network) for network in self.route.sources],
            "destinations": [str(network) for network in self.route.destinations],
            "holds": self.holds,
            "missing": _plain(self.missing),
            "missing_replies": _plain(self.missing_replies),
            "excess": _plain(self.excess),
            "rows": list(self.rows),
            "unserved": list(self.unserved),
        }


def prove_passages(
    policy: Policy,
    intended: Mapping[Point, PacketSet],
    enforced: Mapping[Point, PacketSet],
    stateless: Mapping[Point, PacketSet],
) -> tuple[PassageProof, ...]:
    """Every route on which something passes or is intended.

    By point: `intended` by its flows, `enforced` by its filters, `stateless` what passes its
    stateless filters alone.
    """
    flows: dict[tuple[str, str], list[Flow]] = {}
    for flow in internal_flows(policy):
        flows.setdefault((flow.source.key, flow.destination.key), []).append(flow)
    proofs = (
        _prove(
            route, flows.get((route.source, route.destination), []), intended, enforced, stateless
        )
        for route in routes(policy)
    )
    return tuple(proof for proof in proofs if proof.intended or proof.excess)


def _prove(
    route: Route,
    flows: list[Flow],
    intended: Mapping[Point, PacketSet],
    enforced: Mapping[Point, PacketSet],
    stateless: Mapping[Point, PacketSet],
) -> PassageProof:
    out: dict[str, list[Crossing]] = {
        "intended": [],
        "missing": [],
        "missing_replies": [],
        "excess": [],
    }
    leaving, arriving = egress_point(route), ingress_point(route)
    passing = crossings(enforced[leaving], enforced[arriving], route)
    for crossing in _split(passing, {flow.destination.addresses for flow in flows}):
        wanted = _intended(flows, crossing.destinations, route)
        for name, packets in (
            ("intended", wanted),
            ("missing", wanted - crossing.packets),
            ("missing_replies", _unanswered(wanted, crossing.destinations, route, stateless)),
        ):
            if packets:
                out[name].append(Crossing(crossing.destinations, packets))
        # Two ends may be let talk by flows of theirs with wider parties (the internet).
        welcome = intended[arriving]
        for destinations, sent in intended[leaving].by_peer(crossing.destinations):
            if packets := crossing.packets - (sent & welcome):
                out["excess"].append(Crossing(destinations, packets))
    rows = _rows(flow for flow in flows if _intended([flow], route.destinations, route))
    unserved = _rows(
        flow
        for flow in flows
        if any(
            _intended([flow], lost.destinations, route) & lost.packets for lost in out["missing"]
        )
        or any(
            _intended([flow], lost.destinations, route).replies() & lost.packets
            for lost in out["missing_replies"]
        )
    )
    found = {name: tuple(crossings_) for name, crossings_ in out.items()}
    return PassageProof(route=route, **found, rows=rows, unserved=unserved)


def _rows(flows: Iterable[Flow]) -> tuple[str, ...]:
    return tuple(sorted({row for flow in flows for row in flow.rows}))


def _intended(flows: Iterable[Flow], destinations: tuple[Network, ...], route: Route) -> PacketSet:
    """What flows send to any of `destinations`."""
    group = PacketSet.of(destinations, None)
    return PacketSet.union(
        PacketSet.of(
            flow.source.addresses, flow.protocol, flow.source_ports, flow.destination_ports
        )
        for flow in flows
        if group & PacketSet.of(flow.destination.addresses, None)
    ).seen_by(route.sources)


def _unanswered(
    wanted: PacketSet,
    destinations: tuple[Network, ...],
    route: Route,
    stateless: Mapping[Point, PacketSet],
) -> PacketSet:
    """The replies to `wanted` that a stateless filter refuses, at either end."""
    leaving = stateless[Point(route.destination, Direction.EGRESS)]
    arriving = stateless[Point(route.source, Direction.INGRESS)]
    if leaving == ALL and arriving == ALL:
        return EMPTY
    replies = wanted.replies()
    return PacketSet.union(
        replies - (leaving & alike) for _, alike in arriving.by_peer(destinations)
    )


def _split(
    passing: Iterable[Crossing], boundaries: set[tuple[Network, ...]]
) -> tuple[Crossing, ...]:
    """The same crossings, cut so that each is inside or outside of every boundary."""
    parts = list(passing)
    for boundary in boundaries:
        inside = PacketSet.of(boundary, None)
        cut: list[Crossing] = []
        for part in parts:
            whole = PacketSet.of(part.destinations, None)
            for piece in (whole & inside, whole - inside):
                cut.extend(Crossing(box.peers, part.packets) for box in piece.boxes())
        parts = cut
    return tuple(parts)


def _plain(crossings_: tuple[Crossing, ...]) -> list[dict[str, Any]]:
    return [
        {"destinations": [str(n) for n in crossing.destinations], **plain_packets(crossing.packets)}
        for crossing in crossings_
    ]
