"""What the documents lack and a deployment feels, and what it lists that nothing meets.

Rows that no table prints, open here or not; systems that no row of the requested services meets;
what stands open for TURN, which a fresh Expressway-E has switched off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from flowbridge.catalog.load import OURS, Catalog, Entry, entries_of
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.row import Erratum
from flowbridge.deployment.addresses import shown
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.interface import Network
from flowbridge.deployment.interfaces import EDGE, interfaces_of
from flowbridge.deployment.selection.resolution import Outcome, Selected

_LINE_SIDE: Final = (5060, 5061)
_TURN_SWITCHES: Final = ("turn.sip_calls", "mra.ice_passthrough")


def gap_findings(site: Site, catalog: Catalog, selected: tuple[Selected, ...]) -> Iterator[Finding]:
    """See the module's opening."""
    yield from _missing_rows(site, catalog, selected)
    yield from _rows_of_ours(selected)
    yield from _met_by_no_row(site, catalog, selected)
    yield from _several_parts(site)
    yield from _turn(selected)
    yield from _trunk_on_the_line_side(site)


def _missing_rows(site: Site, catalog: Catalog, selected: Iterable[Selected]) -> Iterator[Finding]:
    """One warning for each service whose tables lack rows: which, and the switch of each."""
    outcomes = {each.id: each for each in selected}
    for service in sorted(set(site.services)):
        told = [
            f"{words} (erratum {erratum.id})"
            for table in catalog.tables_of(service)
            for entry in entries_of(table)
            for erratum, rows in _lacking(entry)
            if (words := _fates(catalog, rows, service, outcomes))
        ]
        if told:
            yield Finding(
                id="deployment/row-missing",
                severity=Severity.WARNING,
                message=f"the tables of {service} lack rows that what they describe needs: "
                f"{'; '.join(told)}",
                source=f"errata of {service} (docs/errata.md)",
                key="services",
            )


def _lacking(entry: Entry) -> Iterator[tuple[Erratum, tuple[str, ...]]]:
    """The errata by which a row is missing, each with the rows that stand in."""
    if entry.added is not None:
        yield entry.added, (entry.id,)
    for erratum in entry.row.errata:
        if erratum.filled_by:
            yield erratum, erratum.filled_by


def _fates(
    catalog: Catalog, rows: Iterable[str], service: str, outcomes: Mapping[str, Selected]
) -> str:
    """What became of the rows that stand in; nothing where all are for other deployments."""
    fates: dict[str, list[str]] = {}
    for row_id in rows:
        entry = catalog.entry(row_id)
        of = entry.table.service
        chosen = outcomes.get(row_id)
        if chosen is None and entry.table.document == OURS and of != service:
            continue  # the erratum speaks of several tables, and this row is for another
        fate = (
            f"closed until the service {of} is requested"
            if chosen is None and of != service
            else _fate(chosen)
        )
        if fate:
            fates.setdefault(fate, []).append(f"{row_id} {entry.row.purpose.en}")
    return "; ".join(f"{', '.join(names)}: {fate}" for fate, names in fates.items())


def _fate(selected: Selected | None) -> str:
    if selected is None:
        return "closed by options.errata: printed; corrected opens it"
    match selected.outcome:
        case Outcome.CARRIED:
            return "open; options.errata: printed closes it"
        case Outcome.OFF | Outcome.ABSENT:
            return f"closed: {selected.reason}"
        case _:
            return ""


def _rows_of_ours(selected: Iterable[Selected]) -> Iterator[Finding]:
    ours = [
        each for each in selected if each.table.document == OURS and each.outcome is Outcome.CARRIED
    ]
    if ours:
        rows = "; ".join(f"{each.id} {each.row.purpose.en}" for each in ours)
        sources = dict.fromkeys(source.title for each in ours for source in each.row.sources)
        yield Finding(
            id="deployment/rows-of-ours",
            severity=Severity.NOTE,
            message=f"rows of ours, which no port table prints and features need, are open: "
            f"{rows}. "
            "options.errata: printed closes them (`flowbridge catalog show ID` has the source)",
            source="; ".join(sources),
            key="options.errata",
        )


def _met_by_no_row(site: Site, catalog: Catalog, selected: Iterable[Selected]) -> Iterator[Finding]:
    met = {
        part.party
        for each in selected
        if each.outcome is not Outcome.OTHER
        for cell in (each.row.source, each.row.destination)
        for part in cell.parties
    }
    met |= {player for name in met if (player := catalog.parties[name].played_by) is not None}
    met |= {end for test in site.tests for end in (test.from_, test.to)}
    met |= {name for name, system in site.systems.items() if met & set(system.roles)}
    for name in sorted(set(site.systems) - met):
        services = [each for each in catalog.services_naming(name) if each not in site.services]
        if not services:
            continue
        yield Finding(
            id="deployment/met-by-no-row",
            severity=Severity.WARNING,
            message=f"no row of the requested services meets {name}, so nothing is opened for it; "
            f"services "
            f"that would: {', '.join(services)}",
            source="rows of the requested services",
            key=f"systems.{name}",
        )


def _several_parts(site: Site) -> Iterator[Finding]:
    """Hosts that are listed for one system and run here as another: they play both parts."""
    cards = {
        network: card.workload
        for card in interfaces_of(site)
        if card.workload in site.systems
        for network in card.private
    }
    for name, system in sorted(site.systems.items()):
        shared: dict[str, list[Network]] = {}
        for network in system.addresses if system.tier is None else ():
            if network in cards:
                shared.setdefault(cards[network], []).append(network)
        for workload, hosts in sorted(shared.items()):
            yield Finding(
                id="deployment/several-parts",
                severity=Severity.NOTE,
                message=f"{', '.join(map(shown, hosts))} of {name} runs here as {workload}: what "
                f"rows ask "
                f"of {name} is opened at the card of {workload} as well, for all its hosts",
                source=f"systems.{name}",
                key=f"systems.{name}.addresses",
            )


def _turn(selected: Iterable[Selected]) -> Iterator[Finding]:
    """One line: what is open at Expressway-E for TURN and ICE, and how it is closed."""
    open_for: dict[str, set[PortRange]] = {}
    for each in selected:
        if each.outcome is Outcome.CARRIED:
            for switch in _switches(each):
                spans = open_for.setdefault(switch, set())
                for flow in each.flows:
                    if flow.destination.party == EDGE and each.id in flow.rows:
                        spans.update(flow.destination_ports)
    spans = set().union(*open_for.values()) if open_for else set()
    if spans:
        ports = ", ".join(map(str, sorted(spans)))
        closing = " and ".join(f"options.{switch}: false" for switch in sorted(open_for))
        yield Finding(
            id="deployment/turn-is-open",
            severity=Severity.NOTE,
            message=f"ports {ports} of Expressway-E are open for TURN and ICE passthrough, which "
            f"are off "
            f"on a fresh Expressway-E; if you do not use them, {closing} closes them",
            source="port guide, tables 11 and 16",
            key="options",
        )


def _trunk_on_the_line_side(site: Site) -> Iterator[Finding]:
    """A SIP trunk on the ports where Unified CM has the lines of MRA."""
    if not {"mra", "sip-trunk"} <= set(site.services):
        return
    for name in ("sip-trunk", "sip-trunk-tcp"):
        for span in site.options.ports.get(name, ()):
            if any(port in span for port in _LINE_SIDE):
                yield Finding(
                    id="deployment/sip-trunk-port",
                    severity=Severity.REFUSAL,
                    message=f"options.ports.{name} has 5060 or 5061, where Unified CM takes the "
                    f"lines of "
                    "MRA from the same Expressway-C: give the trunk another listening port, such "
                    "as 6061",
                    source="port guide, note with table 18",
                    key=f"options.ports.{name}",
                )


def _switches(selected: Selected) -> Iterator[str]:
    facts: Mapping[str, object] = selected.row.when.root
    return (switch for switch in _TURN_SWITCHES if f"option.{switch}" in facts)
