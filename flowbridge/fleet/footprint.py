"""By what a deployment may meet another: names, addresses, and which of many have some in common.

What is said of several deployments together (names that are taken, subnets that two have, whether
they agree, features that span them) can only differ from what is said of each alone where one of
these is in both. It is asked more than is needed: deployments that share something are judged
together, and then their own rules say whether they have to do with each other.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

from flowbridge.deployment.addresses import is_host

if TYPE_CHECKING:
    from flowbridge.deployment.interface import Network
    from flowbridge.stacks.pipeline import Built

Named = tuple[str, str]
"""A party or workload, and a CIDR."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """`own` are things that only one deployment may have; `runs` are the addresses of what runs
    here, by workload and by what it is; `meets` are those that the policy or a system names."""

    own: tuple[str, ...]
    runs: tuple[Named, ...]
    meets: tuple[Named, ...]

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Footprint:
        """What `as_plain` gave, after JSON."""
        return cls(
            tuple(data["own"]),
            tuple((name, cidr) for name, cidr in data["runs"]),
            tuple((name, cidr) for name, cidr in data["meets"]),
        )

    def as_plain(self) -> dict[str, Any]:
        return {"own": list(self.own), "runs": list(self.runs), "meets": list(self.meets)}


NOTHING: Final = Footprint((), (), ())
"""Of files that could not be read."""


def footprint(every: Iterable[Built]) -> Footprint:
    """That of all stacks of one file."""
    built = tuple(every)
    return Footprint(
        tuple(sorted({name for each in built for name in _own(each)})),
        tuple(sorted({named for each in built for named in _runs(each)})),
        tuple(sorted({named for each in built for named in _meets(each)})),
    )


def _own(built: Built) -> Iterator[str]:
    from flowbridge.stacks.backends import backend_kinds
    from flowbridge.stacks.taken_names import names_of

    site = built.resolution.site
    yield f"name {site.name}"
    state = backend_kinds()[site.backend.type].block(site)
    yield f"state {json.dumps(state, sort_keys=True)}"
    for name in names_of(built.document):
        yield f"made {json.dumps(name)}"
    for place, *_ in built.lowered.occupied:
        yield f"holds {site.cloud} {place}"


def _runs(built: Built) -> Iterator[Named]:
    tiers = built.resolution.site.network.tiers
    for card in built.resolution.interfaces:
        for network in (*card.private, *card.public, *tiers[card.tier].nat):
            for name in {card.workload, card.kind}:
                yield name, str(network)


def _meets(built: Built) -> Iterator[Named]:
    for demands in built.policy.demands.values():
        for demand in demands:
            if demand.peer.interface is None:
                for network in demand.peer.addresses:
                    if network.prefixlen:
                        yield demand.peer.party, str(network)
    for name, system in built.resolution.site.systems.items():
        for network in (*system.addresses, *system.public):
            for word in {name, *system.roles}:
                yield word, str(network)


def meeting(footprints: Sequence[Footprint]) -> list[list[int]]:
    """The numbers of those that may meet each other, by the last of each group; most are alone."""
    groups = _Groups(len(footprints))
    owners: dict[str, int] = {}
    hosts: defaultdict[Network, set[int]] = defaultdict(set)
    named: defaultdict[str, list[tuple[Network, int]]] = defaultdict(list)
    ranges: list[tuple[Network, int]] = []
    for number, each in enumerate(footprints):
        for name in each.own:
            groups.join(owners.setdefault(name, number), number)
        for word, cidr in each.runs:
            network = ip_network(cidr)
            named[word].append((network, number))
            if is_host(network):
                hosts[network].add(number)
            else:
                ranges.append((network, number))
    for number, each in enumerate(footprints):
        for word, cidr in each.meets:
            network = ip_network(cidr)
            wide = () if is_host(network) else named[word]
            for other in hosts.get(network, ()):
                groups.join(other, number)
            for there, other in (*wide, *ranges):
                near = other != number and there.version == network.version
                if near and there.overlaps(network):
                    groups.join(other, number)
    return groups.all()


class _Groups:
    """Numbers that were joined, directly or by others between them."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def join(self, one: int, other: int) -> None:
        self._above[self._top(one)] = self._top(other)

    def _top(self, number: int) -> int:
        while self._above[number] != number:
            self._above[number] = self._above[self._above[number]]
            number = self._above[number]
        return number

    def all(self) -> list[list[int]]:
        found: defaultdict[int, list[int]] = defaultdict(list)
        for number in range(len(self._above)):
            found[self._top(number)].append(number)
        return sorted(found.values(), key=lambda group: group[-1])
