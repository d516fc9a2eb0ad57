"""Closed rows: documented rows that would ask for a packet but do not carry it here, and why.

This is the answer to "what would have to be switched on". Rows of requested services come with
the outcome that the selection gave them, those that carry a part of what they print with the
settings that keep the rest closed; rows of other services come with the service to request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from flowbridge.catalog.party import Party, PartyKind
from flowbridge.catalog.ports import ANY_PORT, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.closed.candidates import Candidate, Candidates, ClosedRow
from flowbridge.deployment.interface_key import workload_of
from flowbridge.deployment.interfaces import EDGE
from flowbridge.deployment.selection.parameters import Ranges
from flowbridge.deployment.selection.parties import CLUSTER_PARTIES
from flowbridge.deployment.selection.resolution import Outcome, Resolution

if TYPE_CHECKING:
    from flowbridge.catalog.load import Entry


class ClosedRows:
    """The closed rows of one deployment, by protocol and destination port."""

    def __init__(
        self,
        resolution: Resolution,
        documented: Iterable[Entry] = (),
        parties: Mapping[str, Party] | None = None,
    ) -> None:
        """`documented` are all rows of the catalog, for services that were not requested; they
        are read when the first packet is asked about."""
        self._managed = frozenset(card.workload for card in resolution.interfaces)
        self._internet = frozenset(
            name for name, party in (parties or {}).items() if party.kind is PartyKind.INTERNET
        ) | {"internet", "any"}
        self._present = frozenset(self._managed | set(resolution.site.systems))
        self._candidates = Candidates(resolution, documented, parties or {})
        self._by_protocol: dict[int, list[Candidate]] | None = None

    def asking_for(
        self,
        protocol: int,
        ports: Iterable[PortRange],
        sources: Iterable[str],
        destinations: Iterable[str],
        source_ports: Iterable[PortRange] = (ANY_PORT,),
    ) -> tuple[ClosedRow, ...]:
        """Closed rows for packets of `protocol` to some of `ports`, between ends that are called
        so, that leave from some of `source_ports`.

        Switches come before missing parties, and those before services not requested.
        """
        named, there, asked = tuple(sources), tuple(destinations), tuple(source_ports)
        senders, receivers = self._called(named), self._called(there)
        return tuple(
            candidate.listing(
                self._unlisted(candidate, candidate.sources, senders),
                self._unlisted(candidate, candidate.destinations, receivers),
            )
            for candidate in self._to(protocol, tuple(ports), there)
            if self._is(candidate.sources, senders)
            and _at_card(candidate.source_cards, named)
            and (not candidate.source_ports or _meet(candidate.source_ports, asked))
        )

    def at(
        self, protocol: int, ports: Iterable[PortRange], destinations: Iterable[str]
    ) -> tuple[ClosedRow, ...]:
        """As `asking_for`, from anywhere."""
        there = tuple(destinations)
        receivers = self._called(there)
        return tuple(
            candidate.listing(
                # Anyone who is listed may be the sender.
                candidate.sources if candidate.sources <= candidate.unlisted else frozenset(),
                self._unlisted(candidate, candidate.destinations, receivers),
            )
            for candidate in self._to(protocol, tuple(ports), there)
        )

    def _unlisted(
        self, candidate: Candidate, printed: frozenset[str], names: frozenset[str]
    ) -> frozenset[str]:
        """The parties of an end of which one has to be listed, if it is to be what `names` call."""
        missing = printed & candidate.unlisted
        if printed & names or (printed - missing) & self._internet:
            return frozenset()
        return missing

    def _to(self, protocol: int, ports: Ranges, destinations: tuple[str, ...]) -> list[Candidate]:
        receivers = self._called(destinations)
        order = {Outcome.OFF.value: 0, Outcome.OTHER.value: 1, Outcome.ABSENT.value: 2}
        return sorted(
            (
                candidate
                for candidate in self._at(protocol, ports, receivers)
                if self._is(candidate.destinations, receivers)
                and _at_card(candidate.destination_cards, destinations)
            ),
            key=lambda candidate: order.get(candidate.closed.outcome, 3),
        )

    def _called(self, names: Iterable[str]) -> frozenset[str]:
        """Names of one end as rows print them: `expressway-c/single` is also `this-peer`."""
        plain = {workload_of(name) for name in names}
        if plain & {"expressway-e", "expressway-c"}:
            plain |= set(CLUSTER_PARTIES)
        return frozenset(plain)

    def _is(self, printed: frozenset[str], names: frozenset[str]) -> bool:
        """Whether an end of the row may be what `names` call it: by name, as the internet, or as
        a party whose addresses the deployment does not say."""
        if printed & names:
            return True
        if names & self._present:
            return False
        # A peer of a cluster is always known: it is an Expressway, and those have names here.
        known = self._present | set(CLUSTER_PARTIES)
        return bool(printed & self._internet) or not printed <= known

    def _at(self, protocol: int, ports: Ranges, receivers: frozenset[str]) -> Iterator[Candidate]:
        if self._by_protocol is None:
            self._by_protocol = {}
            for candidate in self._candidates.all():
                self._by_protocol.setdefault(candidate.protocol, []).append(candidate)
        with_numbers = Protocol(protocol).has_numbers
        for candidate in self._by_protocol.get(protocol, ()):
            if not with_numbers or _meet(candidate.ports, ports):
                yield candidate
            elif not candidate.ports and candidate.destinations & (receivers - self._managed):
                # The row is for some port of that very system, and only its owner knows which.
                yield candidate


def _at_card(meant: frozenset[str], names: Iterable[str]) -> bool:
    """Whether `names` name a card of Expressway-E that the row means, or none."""
    asked = {name for name in names if "/" in name and workload_of(name) == EDGE}
    return not asked or not meant or bool(asked & meant)


def _meet(some: Ranges, others: Ranges) -> bool:
    return any(_share(a, b) for a in some for b in others)


def _share(one: PortRange, other: PortRange) -> bool:
    """Whether two ranges have a port in common."""
    first, last = max(one.first, other.first), min(one.last, other.last)
    # Where two ports or more overlap, an even and an odd one do; a parity then finds its own.
    return any(port in one and port in other for port in range(first, min(last, first + 1) + 1))
