"""A site and the catalog in, a resolution out: flows, and the fate of every row asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from flowbridge.catalog.edition_choice import EditionChoice, Fit
from flowbridge.catalog.load import OURS, PLATFORM, Catalog, Entry, closed_of, entries_of
from flowbridge.catalog.parameter import Parameter
from flowbridge.catalog.row_change import NO_REASON
from flowbridge.deployment.addresses import in_order, is_host, order, shown
from flowbridge.deployment.checks.accepted import today, with_acceptances
from flowbridge.deployment.checks.gaps import gap_findings
from flowbridge.deployment.checks.listening import listening_findings
from flowbridge.deployment.checks.strangers import strangers_findings
from flowbridge.deployment.checks.unusual import CUT_OFF, standing_findings
from flowbridge.deployment.clusters import View, views_of, whole
from flowbridge.deployment.file.site import Site, System
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.guide.findings import guide_findings
from flowbridge.deployment.guide.situation import Situation
from flowbridge.deployment.interfaces import interfaces_of
from flowbridge.deployment.selection.facts import facts_of
from flowbridge.deployment.selection.parameters import Ranges, parameters_of
from flowbridge.deployment.selection.parties import Places
from flowbridge.deployment.selection.reflection import reflection_of
from flowbridge.deployment.selection.resolution import Outcome, Resolution, Selected
from flowbridge.deployment.selection.selection import Choice, Context, Need, choose


def resolve(site: Site, file: str, catalog: Catalog) -> Resolution:
    """Select the rows of the site's services and turn them into flows.

    `file` names the deployment file in messages. Needs a validated site (`deployment.read`);
    KeyError where a row of the catalog names a fact or party that does not exist. The result
    depends on what the site says only, never on the order in which it says it.
    """
    views = [
        (view, _resolved(view.site, file, catalog_at(view, site, catalog)))
        for view in views_of(site)
    ]
    found = views[0][1] if len(views) == 1 else _together(site, file, views)
    findings = sorted(
        with_acceptances(found.findings, site.acceptances, today()),
        key=lambda finding: (finding.id, finding.key, finding.message),
    )
    return replace(found, findings=tuple(findings))


# Findings that say what does not happen: one view's where another view has it happen.
_NOWHERE: Final = frozenset(
    {"deployment/empty-service", "deployment/met-by-no-row", CUT_OFF, "deployment/row-missing"}
)


def catalog_at(view: View, site: Site, catalog: Catalog) -> Catalog:
    """The catalog with the editions for the releases of one view."""
    same = view.site.release == site.release
    return catalog if same else catalog.at(view.site.release.by_product())


def _together(site: Site, file: str, views: list[tuple[View, Resolution]]) -> Resolution:
    """What the views of named clusters open together."""
    every = [found for _, found in views]
    flows = merged(flow for found in every for flow in found.flows)
    chosen: dict[str, Selected] = {}
    for found in every:
        for selected in found.selected:
            if selected.id not in chosen or selected.outcome is Outcome.CARRIED:
                chosen[selected.id] = selected
    carried = {row: [flow for flow in flows if row in flow.rows] for row in chosen}
    selected_rows = tuple(replace(each, flows=tuple(carried[each.id])) for each in chosen.values())
    interfaces = {card.key: card for found in every for card in found.interfaces}
    told = [
        {replace(finding, key=view.key(finding.key)): None for finding in found.findings}
        for view, found in views
    ]
    in_all = [{(finding.id, finding.key) for finding in each} for each in told]
    findings = dict.fromkeys(
        finding
        for each in told
        for finding in each
        if finding.id not in _NOWHERE or all((finding.id, finding.key) in other for other in in_all)
    )
    editions = dict.fromkeys(choice for found in every for choice in found.editions)
    return Resolution(
        site=whole(site),
        file=file,
        interfaces=tuple(interfaces[key] for key in sorted(interfaces)),
        flows=flows,
        selected=selected_rows,
        findings=tuple(findings),
        editions=tuple(editions),
    )


def _resolved(site: Site, file: str, catalog: Catalog) -> Resolution:
    """A site without named clusters."""
    context = context_of(site, catalog)
    places, parameters = context.places, context.parameters
    corrected = site.options.errata == "corrected"
    chosen: list[tuple[str, Entry, Choice]] = []
    for service in sorted(set(site.services)):
        narrow = _narrowed(context, site, service, catalog)
        for table in catalog.tables_of(service):
            if table.document == OURS and not corrected:
                continue
            for entry in (*entries_of(table), *closed_of(table)):
                if entry.added is not None and not corrected:
                    continue
                if corrected:
                    entry = replace(entry, row=entry.row.corrected())
                chosen.append((service, entry, choose(entry, narrow)))
    for table in catalog.platform:
        for entry in entries_of(table):
            choice = choose(entry, context)
            # Of other clouds and what nobody switched on there is nothing to say.
            if choice.outcome not in (Outcome.OTHER, Outcome.OFF):
                chosen.append((table.document, entry, choice))
    flows = merged(flow for _, _, choice in chosen for flow in choice.flows)
    selected = tuple(_selected(entry, choice, flows) for _, entry, choice in chosen)
    editions = editions_of(catalog, (entry for _, entry, _ in chosen))
    findings = (
        *_findings(site, chosen),
        *_edition_findings(editions),
        *_overlay_findings(catalog, chosen),
        *guide_findings(Situation(site, context.facts, flows, selected)),
        *standing_findings(site, catalog, flows),
        *listening_findings(site, parameters, context.facts),
        *strangers_findings(site, parameters, flows),
        *gap_findings(site, catalog, selected),
    )
    return Resolution(
        site=site,
        file=file,
        interfaces=places.interfaces,
        flows=flows,
        selected=selected,
        findings=findings,
        editions=editions,
    )


def _narrowed(context: Context, site: Site, service: str, catalog: Catalog) -> Context:
    """The context of one service, whose peers the file may narrow."""
    peers = site.services[service] if isinstance(site.services, Mapping) else {}
    if not peers:
        return context
    systems = {
        **site.systems,
        **{
            party: (site.systems.get(party) or System.unwritten()).model_copy(
                update={"addresses": addresses}
            )
            for party, addresses in peers.items()
        },
    }
    places = Places(site.model_copy(update={"systems": systems}), catalog.parties)
    return replace(context, places=places)


def context_of(site: Site, catalog: Catalog) -> Context:
    """What rows are judged against in one site."""
    parameters = _parameters(site, catalog.parameters)
    places = Places(site, catalog.parties)
    return Context(facts_of(site), parameters, places, reflection_of(site))


def _parameters(site: Site, known: Mapping[str, Parameter]) -> Mapping[str, Ranges]:
    """What the site configures; for the rest the catalog's default, where it has one."""
    defaults = {name: one.default for name, one in known.items() if one.default}
    return {**defaults, **parameters_of(site)}


def _selected(entry: Entry, choice: Choice, flows: Iterable[Flow]) -> Selected:
    mine: tuple[Flow, ...] = ()
    if choice.outcome is Outcome.CARRIED:
        mine = tuple(flow for flow in flows if entry.id in flow.rows)
    why = f"the service {entry.table.service}" if entry.table.service else "the cloud itself"
    reason = choice.reason or f"asked for by {why}"
    if entry.replaced is not None:
        told = entry.replaced
        cells = ", ".join(told.cells)
        reason += f"; the overlay {told.overlay} gives its {cells}: {told.reason}"
    return Selected(
        id=entry.id,
        table=entry.table,
        row=entry.row,
        outcome=choice.outcome,
        reason=reason,
        flows=mine,
    )


def merged(flows: Iterable[Flow]) -> tuple[Flow, ...]:
    """Flows of the same content as one, asked for by the rows of all; in the order of content."""
    by_content: dict[tuple[object, ...], Flow] = {}
    for flow in flows:
        content = _content(flow)
        known = by_content.get(content)
        by_content[content] = flow if known is None else _joined(known, flow)
    return tuple(by_content[content] for content in sorted(by_content, key=repr))


def _joined(one: Flow, other: Flow) -> Flow:
    return one._replace(
        rows=tuple(sorted({*one.rows, *other.rows})),
        management=one.management or other.management,
        signalling=one.signalling or other.signalling,
    )


def _content(flow: Flow) -> tuple[object, ...]:
    return (
        _end(flow.source),
        _end(flow.destination),
        int(flow.protocol),
        tuple(map(str, flow.destination_ports)),
        tuple(map(str, flow.source_ports)),
        tuple(map(str, flow.translated_ports)),
    )


def _end(end: End) -> tuple[object, ...]:
    addresses, inside = (tuple(map(order, each)) for each in (end.addresses, end.inside))
    return end.key, end.party, addresses, end.translated, end.host_names, inside, end.sets


def _findings(site: Site, chosen: list[tuple[str, Entry, Choice]]) -> Iterator[Finding]:
    yield from _missing_values(chosen)
    yield from _unprinted(chosen)
    yield from _shared_addresses(site)
    for service in sorted({service for service, _, _ in chosen} - {PLATFORM}):
        choices = [choice for name, _, choice in chosen if name == service]
        if not any(choice.outcome is Outcome.CARRIED for choice in choices):
            # Where a party is missing, naming it is the answer, and not the row's alternatives.
            absent = [choice for choice in choices if choice.outcome is Outcome.ABSENT]
            reasons = _shortest(choice.reason for choice in absent or choices)
            message = f"the service {service} opens nothing here: {'; '.join(reasons)}"
            yield Finding(
                id="deployment/empty-service",
                severity=Severity.WARNING,
                message=message,
                source=f"service {service}",
                key="services",
            )


def editions_of(catalog: Catalog, entries: Iterable[Entry]) -> tuple[EditionChoice, ...]:
    """The editions that these rows are read from, one a document, in the order of the documents."""
    used = {entry.table.document for entry in entries}
    found: dict[tuple[str, str], EditionChoice] = {}
    for name, choice in catalog.editions.items():
        if name in used and choice.document.product is not None:
            # A chapter's own list of ports is part of the same document for a reader.
            found.setdefault((choice.document.title.en, choice.edition.name), choice)
    return tuple(found.values())


def _overlay_findings(
    catalog: Catalog, chosen: list[tuple[str, Entry, Choice]]
) -> Iterator[Finding]:
    """Rows of requested services that overlays close or give anew; a reason that is missing."""
    asked = {entry.id for _, entry, _ in chosen}
    for change in catalog.changes:
        if change.row_id in asked:
            done = f"gives its {', '.join(change.cells)}" if change.cells else "closes it"
            missing = change.reason == NO_REASON
            yield Finding(
                id="deployment/overlay-changes-row",
                severity=Severity.WARNING if missing else Severity.NOTE,
                message=f"{change.row_id}: the overlay {change.overlay} {done}: {change.reason}"
                + ("; write a `reason` beside it" if missing else ""),
                source=f"row {change.row_id}",
                key="overlays",
            )


def _edition_findings(editions: Iterable[EditionChoice]) -> Iterator[Finding]:
    """Releases that no edition is for."""
    for choice in editions:
        severity = _FITS.get(choice.fit)
        if severity is not None:
            key = f"release.{choice.document.product}"
            advice = "" if severity is Severity.NOTE else "; look for its own before you rely on it"
            yield Finding(
                id="deployment/undocumented-release",
                severity=severity,
                message=f"{choice.sentence()}{advice}",
                source=choice.document.title.en,
                key="release" if choice.document.product == "expressway" else key,
            )


_FITS = {
    Fit.BETWEEN: Severity.NOTE,
    Fit.NEWER: Severity.WARNING,
    Fit.OLDER: Severity.WARNING,
}


def _shortest(reasons: Iterable[str]) -> tuple[str, ...]:
    """Each reason once, without those that say another one and more beside."""
    several = tuple(dict.fromkeys(reasons))
    return tuple(one for one in several if not any(o != one and o in one for o in several))


def _missing_values(chosen: list[tuple[str, Entry, Choice]]) -> Iterator[Finding]:
    rows: dict[Need, list[str]] = {}
    for _, entry, choice in chosen:
        for need in choice.needs:
            rows.setdefault(need, []).append(entry.id)
    for need, ids in rows.items():
        yield Finding(
            id="deployment/missing-value",
            severity=need.severity,
            message=need.reason,
            source=f"row {', '.join(sorted(ids))}",
            key=need.key,
        )


def _unprinted(chosen: list[tuple[str, Entry, Choice]]) -> Iterator[Finding]:
    """Rows as printed that say too little to be opened."""
    rows: dict[str, list[str]] = {}
    for _, entry, choice in chosen:
        if choice.outcome is Outcome.UNPRINTED:
            rows.setdefault(choice.reason, []).append(f"{entry.id} {entry.row.purpose.en}")
    for reason, named in sorted(rows.items()):
        yield Finding(
            id="deployment/unprinted-rows",
            severity=Severity.WARNING,
            message=f"{reason}, so nothing is opened for it: {'; '.join(named)}. "
            "options.errata: corrected fills in what is missing, with its evidence",
            source="rows as printed",
            key="options.errata",
        )


def _shared_addresses(site: Site) -> Iterator[Finding]:
    """Systems without a tier at the address of an Expressway, which plays no part but its own."""
    cards = {
        network: interface.key
        for interface in interfaces_of(site)
        if interface.workload not in site.systems
        for network in interface.private
    }
    for name, system in sorted(site.systems.items()):
        for network in in_order(system.addresses if system.tier is None else ()):
            if is_host(network) and network in cards:
                yield Finding(
                    id="deployment/shared-address",
                    severity=Severity.WARNING,
                    message=f"{shown(network)} is {cards[network]} here: what rows ask of {name} "
                    f"is "
                    f"opened towards this address, and not at {cards[network]} itself. Write "
                    f"the address of {name}, where it has one of its own",
                    source=f"systems.{name}",
                    key=f"systems.{name}.addresses",
                )
