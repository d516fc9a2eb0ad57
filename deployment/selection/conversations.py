"""The features of the requested services as one deployment plays them: packets, step by step.

What has to get through comes from the rows that a step names, with their errata applied and with
the rows of ours, whatever `options.errata` says: that is how the products behave. Which of it is
let through is for others to judge (`policy.questions.rehearsal`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from flowbridge.catalog.condition import FactValue, Unmet
from flowbridge.catalog.feature import Feature, Idle, Step, features_of
from flowbridge.catalog.load import Catalog, Entry
from flowbridge.catalog.row import Bilingual
from flowbridge.deployment.clusters import views_of
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.resolve import catalog_at, context_of
from flowbridge.deployment.selection.parties import CLUSTER_PARTIES
from flowbridge.deployment.selection.resolution import Outcome, Resolution
from flowbridge.deployment.selection.selection import Choice, Context, choose, wanted_in_words


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a way, as it is played here.

    `flows` are its packets; none where no packet of it meets this deployment (`outside`) or a
    party is not there. `conditions` say what has to be set or listed for the row to be in use
    here.
    """

    row: str
    flows: tuple[Flow, ...] = ()
    conditions: tuple[str, ...] = ()
    outside: bool = False


@dataclass(frozen=True, slots=True)
class PlayedStep:
    """A step of a feature. `ways`: one is enough; each is the lines that are all needed.

    Lines for another release, size or topology are left out; a way without lines is, too. A step
    without ways is none here, and `reason` says why.
    """

    does: str
    media: bool
    ways: tuple[tuple[Line, ...], ...]
    reason: str = ""
    idle: Idle | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A feature of a service as it is played here."""

    id: str
    service: str
    title: Bilingual
    steps: tuple[PlayedStep, ...]


def conversations(
    resolution: Resolution, catalog: Catalog, services: Iterable[str] | None = None
) -> tuple[Conversation, ...]:
    """Every feature of `services`, by default those that are requested, in the order of ids.

    `catalog` has the overlays and the editions of the deployment. Of named clusters a row is
    played for each of them that has it.
    """
    wanted = sorted(set(resolution.site.services if services is None else services))
    stage = _Stage(resolution, catalog)
    return tuple(
        Conversation(name, service, feature.title, tuple(stage.steps(feature)))
        for service in wanted
        for name, feature in features_of(service).items()
    )


class _Stage:
    """One deployment; each row is looked at once."""

    def __init__(self, resolution: Resolution, catalog: Catalog) -> None:
        options = resolution.site.options
        self._as_printed = options.errata == "printed" or options.source_ports is not None
        self._resolution = resolution
        self._catalog = catalog
        self._selected = {each.id: each for each in resolution.selected}
        self._lines: dict[str, Line | str] = {}

    @cached_property
    def _views(self) -> tuple[tuple[Context, Catalog], ...]:
        """What rows are judged against, for each view of the site."""
        site = _believing(self._resolution.site)
        return tuple(
            (context_of(view.site, at), at)
            for view in views_of(site)
            for at in (catalog_at(view, site, self._catalog),)
        )

    def steps(self, feature: Feature) -> Iterator[PlayedStep]:
        for step in feature.steps:
            yield self._step(step)

    def _step(self, step: Step) -> PlayedStep:
        ways: list[tuple[Line, ...]] = []
        reasons: list[str] = []
        for rows in step.ways:
            found = [self._line(row) for row in rows]
            lines = tuple(line for line in found if isinstance(line, Line))
            reasons.extend(line for line in found if isinstance(line, str))
            if lines:
                ways.append(lines)
        reason = "" if ways else "; ".join(dict.fromkeys(reasons))
        return PlayedStep(step.does, step.media, tuple(ways), reason, step.idle)

    def _line(self, row_id: str) -> Line | str:
        if row_id not in self._lines:
            self._lines[row_id] = self._played(row_id)
        return self._lines[row_id]

    def _played(self, row_id: str) -> Line | str:
        """The row as it is played; where it is for another kind of deployment, why."""
        selected = self._selected.get(row_id)
        if selected is not None and selected.flows and not self._as_printed:
            return Line(row_id, selected.flows)
        found = [_in_view(row_id, context, catalog) for context, catalog in self._views]
        lines = [line for line in found if isinstance(line, Line)]
        if not lines:
            return next(line for line in found if isinstance(line, str))
        unconditional = [line for line in lines if line.flows and not line.conditions]
        best = unconditional or [line for line in lines if line.flows] or lines
        flows = tuple(flow for line in best for flow in line.flows)
        return replace(best[0], flows=flows)


def _in_view(row_id: str, context: Context, catalog: Catalog) -> Line | str:
    try:
        entry = catalog.entry(row_id)
    except KeyError:
        return f"{row_id} is in another edition of its document"
    if entry.closed is not None and entry.closed.overlay is None:
        return entry.closed.reason
    entry = replace(entry, row=entry.row.corrected(), closed=None)
    choice = choose(entry, context)
    if choice.outcome in (Outcome.OTHER, Outcome.REPLY):
        return choice.reason
    conditions: tuple[str, ...] = ()
    if choice.outcome is Outcome.OFF:
        unmet = _in_the_way(entry, context.facts)
        conditions = tuple(map(wanted_in_words, unmet)) or (choice.reason,)
        choice = _switched_on(entry, choice, context)
    if choice.outcome is Outcome.ABSENT:
        absent = tuple(_absent(entry, context)) or (choice.reason,)
        return Line(row_id, (), tuple(dict.fromkeys((*conditions, *absent))))
    return _line_of(row_id, choice, conditions)


def _absent(entry: Entry, context: Context) -> Iterator[str]:
    """What to write so that the parties of a row are there: `you add systems.phone.addresses`."""
    ends = entry.row.source, entry.row.destination
    for cell, other in (ends, ends[::-1]):
        towards = other.parties[0]
        missing = [
            part.party
            for part in cell.parties
            if part.party not in CLUSTER_PARTIES
            and not context.places.placements(part, cell.nic, towards)
        ]
        if missing and len(missing) == len(cell.parties):
            yield " or ".join(f"you {context.places.missing(name)}" for name in missing)


def _switched_on(entry: Entry, choice: Choice, context: Context) -> Choice:
    """What the row would be with its switches as it needs them."""
    facts: dict[str, FactValue] = dict(context.facts)
    for _ in range(_SWITCHES):
        unmet = _in_the_way(entry, facts)
        if not unmet:
            break
        facts.update({each.fact: each.wanted.split(" or ")[0] for each in unmet})
    found = choose(entry, replace(context, facts=facts))
    return choice if found.outcome is Outcome.OFF else found


_SWITCHES = 4
"""Switches of one row that may depend on each other before we give up."""


def _in_the_way(entry: Entry, facts: Mapping[str, FactValue]) -> tuple[Unmet, ...]:
    """The switches that keep a row, or all of its ports or protocols, from being in use."""
    row = entry.row
    unmet = [*entry.table.when.unmet(facts), *row.when.unmet(facts)]
    for cell in (row.source_ports, row.destination_ports):
        closed = [part.when.unmet(facts) for part in cell.alternatives]
        if closed and all(closed):
            unmet.extend(closed[0])
    labels = [protocol.label for protocol in row.protocol.l4]
    refused = [
        row.protocol.when[label].unmet(facts) for label in labels if label in row.protocol.when
    ]
    if labels and len(refused) == len(labels) and all(refused):
        unmet.extend(refused[0])
    return tuple(each for each in unmet if each.fact.startswith("option."))


def _line_of(row_id: str, choice: Choice, conditions: tuple[str, ...]) -> Line:
    match choice.outcome:
        case Outcome.CARRIED:
            return Line(row_id, choice.flows, conditions)
        case Outcome.ELSEWHERE | Outcome.LOCAL:
            return Line(row_id, (), conditions, outside=True)
        case _:
            return Line(row_id, (), tuple(dict.fromkeys((*conditions, choice.reason))))


def _believing(site: Site) -> Site:
    """The site as its products behave, whatever of the documents it believes."""
    options = site.options.model_copy(update={"errata": "corrected", "source_ports": None})
    return site.model_copy(update={"options": options})
