"""Closed rows: documented rows that would ask for a packet but do not carry it here, and why.

This is the answer to "what would have to be switched on". Rows of requested services come with
the outcome that the selection gave them, those that carry a part of what they print with the
settings that keep the rest closed; rows of other services come with the service to request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from catalog.condition import Facts
from catalog.party import Party, PartyKind
from catalog.ports import ANY_PORT, PortRange
from catalog.protocol import Protocol
from catalog.row import Disposition, PortCell, Row
from deployment.facts import facts_of
from deployment.parameters import Ranges, parameters_of, ports_of
from deployment.placement import CLUSTER_PARTIES
from deployment.resolution import Outcome, Resolution, Selected
from policy.unopened_ports import unopened_ports

if TYPE_CHECKING:
    from catalog.load import Entry

NOT_REQUESTED = "not-requested"
_NOT_ASKED = (Outcome.CARRIED, Outcome.LOCAL)


@dataclass(frozen=True, slots=True)
class ClosedRow:
    """`outcome` is the selection's (`off`, `absent`, ...), or `not-requested`; `reason` says in
    words what would change it. `missing` are parties of the row that the deployment lacks."""

    id: str
    service: str
    purpose: str
    outcome: str
    reason: str
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.id} ({self.purpose}): {self.reason}"

    def as_plain(self) -> dict[str, Any]:
        return {
            "row": self.id,
            "service": self.service,
            "purpose": self.purpose,
            "outcome": self.outcome,
            "reason": self.reason,
            "missing_parties": list(self.missing),
        }


@dataclass(frozen=True, slots=True)
class _Candidate:
    closed: ClosedRow
    ports: Ranges  # none: neither the row nor the deployment says which
    source_ports: Ranges
    sources: frozenset[str]
    destinations: frozenset[str]


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
        self._resolution = resolution
        self._documented = documented
        self._corrected = resolution.site.options.errata == "corrected"
        self._parameters = parameters_of(resolution.site)
        self._managed = frozenset(card.workload for card in resolution.interfaces)
        self._internet = frozenset(
            name for name, party in (parties or {}).items() if party.kind is PartyKind.INTERNET
        ) | {"internet", "any"}
        self._present = frozenset(self._managed | set(resolution.site.systems))
        self._by_protocol: dict[int, list[_Candidate]] | None = None

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
        senders, asked = self._called(sources), tuple(source_ports)
        return tuple(
            candidate.closed
            for candidate in self._to(protocol, tuple(ports), destinations)
            if self._is(candidate.sources, senders)
            and (not candidate.source_ports or _meet(candidate.source_ports, asked))
        )

    def at(
        self, protocol: int, ports: Iterable[PortRange], destinations: Iterable[str]
    ) -> tuple[ClosedRow, ...]:
        """As `asking_for`, from anywhere."""
        found = self._to(protocol, tuple(ports), destinations)
        return tuple(candidate.closed for candidate in found)

    def _to(self, protocol: int, ports: Ranges, destinations: Iterable[str]) -> list[_Candidate]:
        receivers = self._called(destinations)
        order = {Outcome.OFF.value: 0, Outcome.OTHER.value: 1, Outcome.ABSENT.value: 2}
        return sorted(
            (
                candidate
                for candidate in self._at(protocol, ports, receivers)
                if self._is(candidate.destinations, receivers)
            ),
            key=lambda candidate: order.get(candidate.closed.outcome, 3),
        )

    def _called(self, names: Iterable[str]) -> frozenset[str]:
        """Names of one end as rows print them: `expressway-c/single` is also `this-peer`."""
        plain = {name.split("/")[0] for name in names}
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

    def _at(self, protocol: int, ports: Ranges, receivers: frozenset[str]) -> Iterator[_Candidate]:
        if self._by_protocol is None:
            self._by_protocol = {}
            for candidate, row in self._closed():
                for number in row.protocol.l4:
                    self._by_protocol.setdefault(number, []).append(candidate)
        with_ports = Protocol(protocol).has_ports
        for candidate in self._by_protocol.get(protocol, ()):
            if not with_ports or _meet(candidate.ports, ports):
                yield candidate
            elif not candidate.ports and candidate.destinations & (receivers - self._managed):
                # The row is for some port of that very system, and only its owner knows which.
                yield candidate

    def _closed(self) -> Iterator[tuple[_Candidate, Row]]:
        requested = set(self._resolution.site.services)
        facts = facts_of(self._resolution.site)
        known: set[str] = set()
        for selected in self._resolution.selected:
            known.add(selected.id)
            if selected.outcome is Outcome.CARRIED:
                yield from self._in_part(selected, facts)
            if selected.outcome not in _NOT_ASKED:
                yield self._candidate(
                    selected.id,
                    selected.table.service or "",
                    self._read(selected.row),
                    selected.outcome.value,
                    selected.reason,
                )
        for entry in self._documented:
            service = entry.table.service
            if entry.id in known or service is None or service in requested:
                continue
            if entry.added is not None and not self._corrected:
                continue
            if entry.row.disposition is Disposition.NETWORK:
                reason = f"the service {service} is not requested: add it to `services`"
                row = self._read(entry.row)
                yield self._candidate(entry.id, service, row, NOT_REQUESTED, reason)

    def _in_part(self, selected: Selected, facts: Facts) -> Iterator[tuple[_Candidate, Row]]:
        """What a carried row prints and the settings here leave closed."""
        for part in unopened_ports(selected, self._resolution.site, facts):
            candidate, row = self._candidate(
                selected.id,
                selected.table.service or "",
                self._read(selected.row),
                part.outcome.value,
                part.reason,
            )
            yield replace(candidate, ports=part.ports), row

    def _read(self, row: Row) -> Row:
        """The row as this deployment reads it."""
        return row.corrected() if self._corrected else row

    def _candidate(
        self, row_id: str, service: str, row: Row, outcome: str, reason: str
    ) -> tuple[_Candidate, Row]:
        sources = frozenset(part.party for part in row.source.parties)
        destinations = frozenset(part.party for part in row.destination.parties)
        named = (sources | destinations) - self._internet - set(CLUSTER_PARTIES)
        missing = tuple(sorted(named - self._present))
        if missing and outcome == NOT_REQUESTED:
            reason += f", with {' and '.join(missing)} under `systems`"
        closed = ClosedRow(row_id, service, row.purpose.en, outcome, reason, missing)
        ports, source_ports = self._ports(row.destination_ports), self._ports(row.source_ports)
        return _Candidate(closed, ports, source_ports, sources, destinations), row

    def _ports(self, cell: PortCell) -> Ranges:
        """The ports of a cell under whatever condition: what is configured here, where that moves
        them, else what is printed. Every port where the cell is empty, none where it names a
        setting that has no value."""
        if not cell.alternatives:
            return (ANY_PORT,)
        found: dict[PortRange, None] = {}
        for alternative in cell.alternatives:
            printed = alternative.ports
            here = ports_of(alternative, self._parameters)
            # An example is printed for want of a number: it is the best guess at the port.
            found.update(dict.fromkeys(printed if here is None else here))
        return tuple(found)


def _meet(some: Ranges, others: Ranges) -> bool:
    return any(_share(a, b) for a in some for b in others)


def _share(one: PortRange, other: PortRange) -> bool:
    """Whether two ranges have a port in common."""
    first, last = max(one.first, other.first), min(one.last, other.last)
    # Where two ports or more overlap, an even and an odd one do; a parity then finds its own.
    return any(port in one and port in other for port in range(first, min(last, first + 1) + 1))
