"""What closed rows would ask for: each port and protocol of theirs, with what keeps it closed.

A candidate comes with every setting that is in its way, so that one who does all of what its reason
says gets what was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowbridge.catalog.condition import ALWAYS, Facts
from flowbridge.catalog.load import OURS, Entry
from flowbridge.catalog.party import Party
from flowbridge.catalog.port_set import port_mask, port_ranges
from flowbridge.catalog.ports import ANY_PORT, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.catalog.row import (
    Disposition,
    PartyCell,
    PartyReference,
    PortAlternative,
    PortCell,
    ProtocolCell,
    Row,
    Side,
)
from flowbridge.deployment.closed.ports import (
    in_the_way,
    outcome_of,
    printed_ports,
    settings_for,
    unopened_ports,
)
from flowbridge.deployment.interfaces import EDGE
from flowbridge.deployment.selection.facts import facts_of
from flowbridge.deployment.selection.parameters import Ranges, parameters_of, ports_of
from flowbridge.deployment.selection.parties import CLUSTER_PARTIES, Placement, Places
from flowbridge.deployment.selection.resolution import Outcome, Resolution, Selected

NOT_REQUESTED = "not-requested"
_LEFT_OUT = "options.errata is printed, and no document prints this row; the row needs corrected"
_NOT_ASKED = (Outcome.CARRIED, Outcome.LOCAL, Outcome.REPLY)


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Some ports of a closed row.

    `source_cards` and `destination_cards` are those of Expressway-E that the row means; none where
    it is not an end of it. `unlisted` are parties that the deployment would have to list, where one
    of them is the end that is asked about; `closed` does not say so yet (`listing`).
    """

    closed: ClosedRow
    protocol: Protocol
    ports: Ranges  # none: neither the row nor the deployment says which
    source_ports: Ranges
    sources: frozenset[str]
    destinations: frozenset[str]
    source_cards: frozenset[str]
    destination_cards: frozenset[str]
    unlisted: frozenset[str]

    def listing(self, *ends: frozenset[str]) -> ClosedRow:
        """The closed row, with the parties to list at each of `ends`: one of them, for each."""
        if not self.unlisted:
            return self.closed
        needed = [" or ".join(sorted(end)) for end in ends if end]
        words = (*self.closed.reason.split("; "), *(f"list {n} under `systems`" for n in needed))
        missing = tuple(sorted({name for end in ends for name in end}))
        return replace(self.closed, reason=_joined(filter(None, words)), missing=missing)


def _in_words(row: Row) -> str:
    """What a row means once its errata fill the cells: `tcp, admin-pc to expressway-c`."""
    ends = [
        " or ".join(part.party for part in cell.parties) for cell in (row.source, row.destination)
    ]
    return f"{'/'.join(each.label for each in row.protocol.l4)}, {' to '.join(ends)}"


class Candidates:
    """The candidates of one deployment."""

    def __init__(
        self,
        resolution: Resolution,
        documented: Iterable[Entry],
        parties: Mapping[str, Party],
    ) -> None:
        site = resolution.site
        self._resolution = resolution
        self._documented = documented
        self._corrected = site.options.errata == "corrected"
        self._parameters = parameters_of(site)
        self._facts = facts_of(site)
        self._places = Places(site, parties)
        managed = {name for card in resolution.interfaces for name in (card.workload, card.kind)}
        known = {
            n for n, party in parties.items() if party.default == "internet" or party.addresses
        }
        self._listed = frozenset({*managed, *site.systems, *known, *CLUSTER_PARTIES})

    def all(self) -> Iterator[Candidate]:
        """Every closed row of the deployment, by port and protocol."""
        requested = set(self._resolution.site.services)
        known: set[str] = set()
        for selected in self._resolution.selected:
            known.add(selected.id)
            if selected.outcome is Outcome.CARRIED:
                yield from self._in_part(selected)
            if selected.outcome is Outcome.UNPRINTED:
                yield from self._unprinted(selected)
            elif selected.outcome not in _NOT_ASKED:
                yield from self._whole(selected, selected.outcome.value, selected.reason)
        for entry in self._documented:
            if entry.id not in known:
                yield from self._not_selected(entry, requested)

    def _not_selected(self, entry: Entry, requested: set[str]) -> Iterator[Candidate]:
        """A row of a service that is not requested, or one that `errata: printed` leaves out."""
        service = entry.table.service
        if entry.closed is not None:
            yield from self._whole(entry, Outcome.OTHER.value, entry.closed.reason)
        elif not self._corrected and (entry.added is not None or entry.table.document == OURS):
            if service in requested:
                yield from self._whole(entry, Outcome.OFF.value, _LEFT_OUT)
        elif service in requested or entry.row.disposition is not Disposition.NETWORK:
            return
        elif service is not None:
            reason = f"the service {service} is not requested: add it to `services`"
            yield from self._whole(entry, NOT_REQUESTED, reason)
        elif self._only_off(entry):
            yield from self._whole(entry, Outcome.OFF.value, "")

    def _only_off(self, entry: Entry) -> bool:
        """Whether switches alone keep a row of no service closed."""
        unmet = (*entry.table.when.unmet(self._facts), *entry.row.when.unmet(self._facts))
        return bool(unmet) and outcome_of(unmet) is Outcome.OFF

    def _in_part(self, selected: Selected) -> Iterator[Candidate]:
        """What a carried row prints and the settings here leave closed."""
        site, row = self._resolution.site, self._read(selected.row)
        for part in unopened_ports(selected, site, self._facts):
            yield from self._candidates(selected, row, part.outcome, (part.reason,), part.ports)
        for protocol in row.protocol.l4:
            when = row.protocol.when.get(protocol.label, ALWAYS)
            if words := settings_for(when, site, self._facts):
                outcome, ports = outcome_of(when.unmet(self._facts)), (ANY_PORT,)
                yield from self._candidates(selected, row, outcome, words, ports, protocol)

    def _unprinted(self, selected: Selected) -> Iterator[Candidate]:
        """A row of which the document leaves a cell empty. What it prints decides whether it is
        for the packet; where it prints no protocol, it may be for either."""
        row = selected.row.corrected()
        reason = f"{selected.reason}; options.errata: corrected reads it as {_in_words(row)}"
        l4 = selected.row.protocol.l4 or (Protocol.TCP, Protocol.UDP)
        ports = tuple(port for part in row.destination_ports.alternatives for port in part.ports)
        as_printed = row.model_copy(update={"protocol": ProtocolCell(printed=None, l4=l4)})
        yield from self._candidates(
            selected, as_printed, selected.outcome.value, (reason,), ports or (ANY_PORT,)
        )

    def _whole(self, of: Entry | Selected, outcome: str, reason: str) -> Iterator[Candidate]:
        """A row that carries nothing, for the reason of its outcome; and every setting that would
        still be in the way, so that one who does what is said gets what was asked for."""
        site, row = self._resolution.site, self._read(of.row)
        facts = self._facts_with(of.table.service, row)
        gate = (
            *settings_for(of.table.when, site, facts),
            *settings_for(row.when, site, facts),
            *self._alone(row),
        )
        cells = [
            (settings_for(part.when, site, facts) and in_the_way(part, site, facts), part)
            for part in row.destination_ports.alternatives
        ]
        if reason == _joined(word for words, _ in cells for word in words):
            reason = ""  # said of each port by itself
        for words, ports in self._by_setting(cells):
            said = (reason, *(word for word in (*gate, *words) if word not in reason))
            yield from self._candidates(of, row, outcome, filter(None, said), ports)

    def _alone(self, row: Row) -> Iterator[str]:
        """What keeps a row between the peers of a cluster closed where there is no cluster."""
        of = next((end.of for end in row.source.parties if end.party in CLUSTER_PARTIES), "none")
        if of != "none" and not list(self._places.peers(of)):
            yield f"no {of or 'Expressway'} here has two or more peers: list each under `peers`"

    def _by_setting(
        self, cells: list[tuple[tuple[str, ...], PortAlternative]]
    ) -> Iterator[tuple[tuple[str, ...], Ranges]]:
        """The ports of a cell, each once with the fewest settings that it needs: what is
        configured here, where that moves them; what is printed where it does not, or where other
        settings would choose them. Every port where the cell is empty, none where it names a
        setting that has no value."""
        if not cells:
            yield (), (ANY_PORT,)
            return
        known, named = 0, False
        for words, part in sorted(cells, key=lambda cell: len(cell[0])):
            here = None if words else ports_of(part, self._parameters)
            # An example is printed for want of a number: it is the best guess at the port.
            mask = port_mask(printed_ports(part) if here is None else here)
            if mask & ~known:
                yield words, port_ranges(mask & ~known)
                named = True
            known |= mask
        if not named:
            yield cells[0][0], ()

    def _facts_with(self, service: str | None, row: Row) -> Facts:
        """The facts once the row's service is requested and its parties are listed."""
        facts = dict(self._facts)
        if service is not None:
            facts["service"] = frozenset({*self._resolution.site.services, service})
        facts["system"] = frozenset({*self._resolution.site.systems, *self._missing(row)})
        return facts

    def _read(self, row: Row) -> Row:
        """The row as this deployment reads it."""
        return row.corrected() if self._corrected else row

    def _missing(self, row: Row) -> tuple[str, ...]:
        """The parties of the row that the deployment lacks."""
        named = _parties(row.source) | _parties(row.destination)
        return tuple(sorted(named - self._listed))

    def _candidates(
        self,
        of: Entry | Selected,
        row: Row,
        outcome: str,
        words: Iterable[str],
        ports: Ranges,
        protocol: Protocol | None = None,
    ) -> Iterator[Candidate]:
        """One for each protocol (or for `protocol` alone), with the settings that it needs."""
        missing, said = self._missing(row), tuple(words)
        here = () if outcome == Outcome.ABSENT else missing  # the reason of ABSENT names them
        source_ports = self._ports(row.source_ports)
        cards = self._edge_cards(row)
        for number in row.protocol.l4 if protocol is None else (protocol,):
            when = row.protocol.when.get(number.label, ALWAYS)
            also = settings_for(when, self._resolution.site, self._facts)
            reason = _joined((*said, *(word for word in also if word not in said)))
            service = of.table.service or ""
            closed = ClosedRow(
                id=of.id,
                service=service,
                purpose=row.purpose.en,
                outcome=outcome,
                reason=reason,
                missing=missing,
            )
            source_cards, destination_cards = cards
            yield Candidate(
                closed=closed,
                protocol=number,
                ports=ports,
                source_ports=source_ports,
                sources=_parties(row.source),
                destinations=_parties(row.destination),
                source_cards=source_cards,
                destination_cards=destination_cards,
                unlisted=frozenset(here),
            )

    def _edge_cards(self, row: Row) -> tuple[frozenset[str], frozenset[str]]:
        """The cards of Expressway-E that the row means as its source and as its destination."""
        found: tuple[set[str], set[str]] = set(), set()
        for source in row.source.parties:
            for destination in row.destination.parties:
                ends = self._ends(row, source, destination)
                for cards, end in zip(found, ends, strict=True):
                    if end is not None and end.interface is not None and end.party == EDGE:
                        cards.add(end.interface.key)
        return frozenset(found[0]), frozenset(found[1])

    def _ends(
        self, row: Row, source: PartyReference, destination: PartyReference
    ) -> tuple[Placement | None, Placement | None]:
        """Where two parties of a row meet; None for one that is absent, or a peer of a cluster."""
        if source.party == EDGE == destination.party:  # TURN relays: by one card (`pairing`)
            public = Side.PUBLIC in (source.side, destination.side)
            both = PartyReference(party=EDGE, side=Side.PUBLIC if public else Side.PRIVATE)
            end = self._places.place(both, row.source.nic, both)
            return end, end
        return (
            self._places.place(source, row.source.nic, destination),
            self._places.place(destination, row.destination.nic, source),
        )

    def _ports(self, cell: PortCell) -> Ranges:
        """The source ports of a cell under whatever condition."""
        if not cell.alternatives:
            return (ANY_PORT,)
        found: dict[PortRange, None] = {}
        for alternative in cell.alternatives:
            here = ports_of(alternative, self._parameters)
            found.update(dict.fromkeys(alternative.ports if here is None else here))
        return tuple(found)


def _parties(end: PartyCell) -> frozenset[str]:
    return frozenset(part.party for part in end.parties)


def _joined(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(words))
