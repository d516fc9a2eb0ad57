"""The terms of a firewall: what one rule each says, in the order in which the first decides.

A vendor matches lists of networks, and "every address but these" is no list. Where a list would be
long, a term says the whole and a refusal before it leaves out what is not meant; that this comes to
the same packets is compared, and where it does not, the lists are written out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_network, summarize_address_range
from typing import Final, cast

from flowbridge.catalog.port_set import ALL_PORTS, port_runs
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.interface import Network
from flowbridge.policy.crossing.crossing import Crossing
from flowbridge.policy.crossing.path_set import PathRule, PathSet
from flowbridge.policy.packets.line import Intervals, address_at, intervals, without
from flowbridge.policy.packets.relation import ICMP, WITH_PORTS, relation_of

# A list of this many networks is read; a longer one is said as a whole with refusals before it.
_READ: Final = 12
# Runs of ports of one rule: more come from even or odd ports, which no vendor here can say.
_RUNS: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One rule. `protocol` None: every one; ports None: all of them, or none there are.

    `destination_ports` of ICMP are type * 256 + code. `from_zone` and `to_zone` are its place.
    """

    from_zone: str
    to_zone: str
    allow: bool
    sources: tuple[Network, ...]
    destinations: tuple[Network, ...]
    protocol: int | None
    source_ports: tuple[PortRange, ...] | None
    destination_ports: tuple[PortRange, ...] | None
    rows: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """From its content, so that another term changes nothing: `fb-1a2b3c4d5e`."""
        said = repr(replace(self, rows=()))
        return f"fb-{hashlib.sha256(said.encode()).hexdigest()[:10]}"

    @property
    def version(self) -> int:
        """4 or 6: a term has one IP version."""
        return self.sources[0].version

    def rule(self) -> PathRule:
        """What it matches."""
        protocol = self.protocol
        ports = relation_of(
            Protocol.UDP if protocol is None else protocol,
            None if protocol is None else self.source_ports,
            None if protocol is None else self.destination_ports,
        )
        return PathRule(
            self.allow, intervals(self.sources), intervals(self.destinations), protocol, ports
        )


def planned(terms: Iterable[Term]) -> Mapping[tuple[str, str], PathSet]:
    """What passes between each two zones."""
    by_pair: dict[tuple[str, str], list[PathRule]] = {}
    for term in terms:
        by_pair.setdefault((term.from_zone, term.to_zone), []).append(term.rule())
    return {pair: PathSet.allowed(rules) for pair, rules in by_pair.items()}


def terms_of(crossings: Iterable[Crossing], *, met: bool = False) -> tuple[Term, ...]:
    """The terms for exactly `crossings`, in order. `met`: destinations before the NAT.

    The one widening is by ports: more runs than a rule can have are said as one.
    """
    by_pair: dict[tuple[str, str], list[Crossing]] = {}
    for each in crossings:
        by_pair.setdefault((each.from_zone, each.to_zone), []).append(each)
    found: list[Term] = []
    for pair in sorted(by_pair):
        listed = list(_of_pair(by_pair[pair], met))
        exact = [_term(each, _networks(each.sources), _networks(each.to)) for each in listed]
        short = _compact(listed)
        same = len(short) < _size(exact) and planned(short) == planned(exact)
        found += short if same else exact
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    pair: tuple[str, str]
    sources: Intervals
    to: Intervals
    protocol: int
    from_ports: int
    to_ports: int
    rows: tuple[str, ...]


def _of_pair(crossings: Iterable[Crossing], met: bool) -> Iterator[_Asked]:
    """Each flow of its own; those whose ports are too many runs joined with their like first."""
    broken: dict[tuple[object, ...], _Asked] = {}
    whole: dict[tuple[object, ...], _Asked] = {}
    for each in crossings:
        pair = each.from_zone, each.to_zone
        to = each.met if met else each.destinations
        for sources, destinations in sorted(each.ports):
            asked = _Asked(
                pair=pair,
                sources=each.sources,
                to=to,
                protocol=int(each.protocol),
                from_ports=sources,
                to_ports=destinations,
                rows=each.rows,
            )
            key = (each.sources, to, int(each.protocol), sources)
            if len(port_runs(destinations)) > _RUNS:
                broken[key] = _joined(asked, broken.get(key))
            else:
                exact = (*key, destinations)
                whole[exact] = _joined(asked, whole.get(exact))
    yield from sorted((*whole.values(), *broken.values()), key=_order)


def _joined(one: _Asked, other: _Asked | None) -> _Asked:
    if other is None:
        return one
    rows = tuple(sorted({*one.rows, *other.rows}))
    return replace(one, to_ports=one.to_ports | other.to_ports, rows=rows)


def _order(each: _Asked) -> tuple[object, ...]:
    return each.protocol, each.to_ports, each.from_ports, each.sources, each.to


def _term(
    each: _Asked, sources: tuple[Network, ...], to: tuple[Network, ...], *, allow: bool = True
) -> Term:
    icmp = each.protocol in ICMP
    from_zone, to_zone = each.pair
    return Term(
        from_zone=from_zone,
        to_zone=to_zone,
        allow=allow,
        sources=sources,
        destinations=to,
        protocol=each.protocol,
        source_ports=_ports(each.from_ports) if each.protocol in WITH_PORTS else None,
        destination_ports=(_ports(each.to_ports) if icmp or each.protocol in WITH_PORTS else None),
        rows=each.rows,
    )


def _ports(mask: int) -> tuple[PortRange, ...] | None:
    if mask == ALL_PORTS:
        return None
    runs = port_runs(mask)
    if len(runs) > _RUNS:
        return (PortRange(runs[0].first, runs[-1].last),)
    return runs


def _compact(listed: Iterable[_Asked]) -> list[Term]:
    """Terms without holes first; then what the holes leave out, then the terms around them."""
    plain: list[Term] = []
    behind: dict[tuple[bool, tuple[Network, ...], int], list[Term]] = {}
    for each in listed:
        whole_from, holes_from = _around(each.sources)
        whole_to, holes_to = _around(each.to)
        term = _term(each, whole_from, whole_to)
        if holes_from and holes_to:
            plain.append(_term(each, _networks(each.sources), _networks(each.to)))
        elif holes_from or holes_to:
            key = bool(holes_from), holes_from or holes_to, term.version
            behind.setdefault(key, []).append(term)
        else:
            plain.append(term)
    for (outward, holes, _), terms in sorted(behind.items(), key=repr):
        first = terms[0]
        others = {n for term in terms for n in (term.destinations if outward else term.sources)}
        listed_others = tuple(sorted(others))
        plain.append(
            replace(
                first,
                allow=False,
                sources=holes if outward else listed_others,
                destinations=listed_others if outward else holes,
                protocol=None,
                source_ports=None,
                destination_ports=None,
                rows=(),
            )
        )
        plain += terms
    return plain


def _around(spans: Intervals) -> tuple[tuple[Network, ...], tuple[Network, ...]]:
    """The networks, or every address of the version and the networks that are not meant."""
    listed = _networks(spans)
    if len(listed) <= _READ:
        return listed, ()
    everyone = (ip_network("0.0.0.0/0" if listed[0].version == 4 else "::/0"),)
    holes = _networks(without(intervals(everyone), spans))
    return (everyone, holes) if len(holes) < len(listed) else (listed, ())


def _networks(spans: Intervals) -> tuple[Network, ...]:
    return tuple(
        network
        for first, last in spans
        for network in cast(
            "Iterable[Network]", summarize_address_range(address_at(first), address_at(last))
        )
    )


def _size(terms: Iterable[Term]) -> int:
    return sum(len(term.sources) * len(term.destinations) for term in terms)
