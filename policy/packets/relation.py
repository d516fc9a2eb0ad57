"""Relations of source and destination ports: which pairs are allowed, in one canonical form.

A relation is a set of (source ports, destination ports) pairs, both bit masks of ports, with
distinct source ports, disjoint destination ports, and neither empty: there is one such form for
each set of pairs of ports, so equal relations are equal objects. For ICMP the destination "port"
is `type * 256 + code`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache, reduce
from typing import Final

from flowbridge.catalog.port_set import ALL_PORTS, port_mask, port_runs
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol

ICMP: Final = (Protocol.ICMP, Protocol.ICMPV6)
_CODES: Final = (1 << 256) - 1  # every code of ICMP type 0
_SCTP: Final = 132
WITH_PORTS: Final = (Protocol.TCP, Protocol.UDP, _SCTP)

Relation = frozenset[tuple[int, int]]
NOTHING: Final[Relation] = frozenset()
EVERYTHING: Final[Relation] = frozenset({(ALL_PORTS, ALL_PORTS)})


def canonical(pairs: Iterable[tuple[int, int]]) -> Relation:
    """The relation of pairs whose destination ports are disjoint."""
    grouped: dict[int, int] = {}
    for sources, destinations in pairs:
        if sources and destinations:
            grouped[sources] = grouped.get(sources, 0) | destinations
    return frozenset(grouped.items())


@lru_cache(maxsize=8192)
def _relation(
    sources: tuple[PortRange, ...] | None, destinations: tuple[PortRange, ...] | None
) -> Relation:
    """Every pair of these ports; None: all ports. The same rules come again and again."""
    return canonical(
        [
            (
                ALL_PORTS if sources is None else port_mask(sources),
                ALL_PORTS if destinations is None else port_mask(destinations),
            )
        ]
    )


def relation_of(
    protocol: int,
    source_ports: tuple[PortRange, ...] | None,
    destination_ports: tuple[PortRange, ...] | None,
) -> Relation:
    """Every pair of these ports; None: all. Ports that the protocol does not have are ignored."""
    if protocol not in WITH_PORTS:
        source_ports = None
    if protocol not in WITH_PORTS and protocol not in ICMP:
        destination_ports = None
    return _relation(source_ports, destination_ports)


def joined(relations: Iterable[Relation]) -> Relation:
    """What any of them allows."""
    return reduce(join, relations, NOTHING)


@lru_cache(maxsize=8192)
def destination_runs(relation: Relation, within: PortRange | None = None) -> tuple[PortRange, ...]:
    """The destination ports as maximal runs, in rising order; of those in `within` where given."""
    window = ALL_PORTS if within is None else port_mask([within])
    reached = 0
    for _, destinations in relation:
        reached |= destinations & window
    return port_runs(reached)


@lru_cache(maxsize=8192)
def join(left: Relation, right: Relation) -> Relation:
    """What either allows."""
    if left == right or not right:
        return left
    if not left:
        return right
    pairs: list[tuple[int, int]] = []
    rest_right = dict(right)
    for left_sources, left_destinations in left:
        for right_sources, right_destinations in right:
            both = left_destinations & right_destinations
            if both:
                pairs.append((left_sources | right_sources, both))
                left_destinations ^= both
                rest_right[right_sources] ^= both
        pairs.append((left_sources, left_destinations))
    pairs.extend(rest_right.items())
    return canonical(pairs)


@lru_cache(maxsize=8192)
def meet(left: Relation, right: Relation) -> Relation:
    """What both allow."""
    if left == right:
        return left
    return canonical((ls & rs, ld & rd) for ls, ld in left for rs, rd in right)


@lru_cache(maxsize=8192)
def minus(left: Relation, right: Relation) -> Relation:
    """What `left` allows and `right` does not."""
    if left == right:
        return NOTHING
    pairs: list[tuple[int, int]] = []
    for left_sources, left_destinations in left:
        for right_sources, right_destinations in right:
            both = left_destinations & right_destinations
            if both:
                pairs.append((left_sources & ~right_sources, both))
                left_destinations ^= both
        pairs.append((left_sources, left_destinations))
    return canonical(pairs)


@lru_cache(maxsize=8192)
def swap(relation: Relation) -> Relation:
    """The relation of the replies: source and destination ports change places."""
    swapped = NOTHING
    for sources, destinations in relation:
        swapped = join(swapped, frozenset({(destinations, sources)}))
    return swapped


@lru_cache(maxsize=8192)
def from_any_port(relation: Relation) -> Relation:
    """The same destination ports, from every source port."""
    reached = 0
    for _, destinations in relation:
        reached |= destinations
    free = canonical([(ALL_PORTS, reached)])
    return relation if free == relation else free  # the same object is compared at once


def answer(answers: Mapping[int, int], relation: Relation) -> Relation:
    """The relation of the ICMP replies; `answers` maps a request's type to its reply's."""
    asked = 0
    for _, destinations in relation:
        asked |= destinations
    replies = 0
    for request, reply in answers.items():
        if asked >> request * 256 & _CODES:
            replies |= 1 << reply * 256
    return canonical([(ALL_PORTS, replies)])


def request(answers: Mapping[int, int], relation: Relation) -> Relation:
    """The relation of the ICMP requests, of any code, that these replies answer."""
    given = 0
    for _, destinations in relation:
        given |= destinations
    requests = 0
    for request, reply in answers.items():
        if given >> reply * 256 & 1:
            requests |= _CODES << request * 256
    return canonical([(ALL_PORTS, requests)])
