"""Deployments rehearsed: which features work through what is emitted or what is there, and what
cuts the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowbridge.catalog.load import Catalog
from flowbridge.catalog.overlay import load_with
from flowbridge.catalog.row_change import NO_REASON
from flowbridge.deployment.addresses import is_host
from flowbridge.deployment.checks.accepted import in_force, today
from flowbridge.deployment.closed.rows import ClosedRows
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.interface import Network
from flowbridge.deployment.selection.conversations import Conversation, conversations
from flowbridge.policy.audit.estate import Unread
from flowbridge.policy.doubt import Bounds
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.point import Point
from flowbridge.policy.questions.directory import Directory
from flowbridge.policy.questions.rehearsal import Answer, FeatureAnswer, Stage, rehearse
from flowbridge.policy.questions.trace import Tracer
from flowbridge.policy.surrounding import Surrounding
from flowbridge.providers.idle_timer import remembered
from flowbridge.stacks.seen import Seen, in_place, laid_together

if TYPE_CHECKING:
    from flowbridge.deployment.selection.resolution import Resolution
    from flowbridge.stacks.pipeline import Built, Checked


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The features of deployments that belong together, by the names and files of these."""

    names: tuple[str, ...]
    files: tuple[str, ...]
    features: tuple[FeatureAnswer, ...]
    unread: tuple[Unread, ...] = ()  # of a live estate

    def only(self, names: frozenset[str]) -> Rehearsal:
        """The features of these ids."""
        return replace(self, features=tuple(f for f in self.features if f.id in names))

    @property
    def holds(self) -> bool:
        return not any(feature.is_finding for feature in self.features)

    @property
    def complete(self) -> bool:
        """Whether everything was read and every feature can be told; without a live estate, yes."""
        return not self.unread and not any(feature.is_open for feature in self.features)

    def as_plain(self) -> dict[str, Any]:
        counts = {
            str(answer): sum(each.answer is answer for each in self.features) for answer in Answer
        }
        return {
            "deployments": list(self.names),
            "files": list(self.files),
            "holds": self.holds,
            "complete": self.complete,
            "counts": counts,
            "features": [feature.as_plain() for feature in self.features],
            "unread": [each.as_plain() for each in self.unread],
        }


@dataclass(frozen=True, slots=True)
class Scene:
    """One deployment, or one place of it, and the filters to play it through. `bounds`: of a live
    estate, whose `most` is the `enforcement`; `unread` is what of it could not be read."""

    built: Built
    enforcement: Enforcement
    around: tuple[Surrounding, ...] = ()
    bounds: Bounds | None = None
    unread: tuple[Unread, ...] = ()


def features_of(deployment: Seen) -> tuple[FeatureAnswer, ...]:
    """The features of one deployment through its filters."""
    return _rehearsed([(deployment, None)])


def rehearsals(checked: Sequence[Checked]) -> tuple[Rehearsal, ...]:
    """Several deployments; those that hold each other's workloads together."""
    known = {id(each.built): each for each in checked}

    def features(group: Sequence[Built]) -> tuple[FeatureAnswer, ...]:
        one_file = len({built.resolution.file for built in group}) == 1
        leading = next((built for built in group if built.leads), None)
        if one_file and leading is not None:
            return known[id(leading)].features
        return _rehearsed(_whole([_scene(known[id(built)]) for built in group]))

    groups = _groups([each.built for each in checked])
    return tuple(_named(group, features(group)) for group in groups)


def rehearsed_live(scenes: Sequence[Scene]) -> tuple[Rehearsal, ...]:
    """Several deployments through what their clouds were read to have."""
    known = {id(scene.built): scene for scene in scenes}
    return tuple(
        replace(
            _named(group, _rehearsed(_whole([known[id(built)] for built in group]))),
            unread=tuple(each for built in group for each in known[id(built)].unread),
        )
        for group in _groups([scene.built for scene in scenes])
    )


def _scene(checked: Checked) -> Scene:
    return Scene(checked.built, checked.enforcement, checked.around)


def _named(group: Sequence[Built], features: tuple[FeatureAnswer, ...]) -> Rehearsal:
    return Rehearsal(
        tuple(built.resolution.site.name for built in group),
        tuple(dict.fromkeys(built.resolution.file for built in group)),
        features,
    )


def _whole(scenes: Sequence[Scene]) -> list[tuple[Seen, Bounds | None]]:
    """The deployments of a group, each with all its places."""
    files: dict[str, list[Scene]] = {}
    for scene in scenes:
        files.setdefault(scene.built.resolution.file, []).append(scene)
    return [_laid(places) for places in files.values()]


def _laid(places: Sequence[Scene]) -> tuple[Seen, Bounds | None]:
    """The places of one file as one deployment."""
    whole = laid_together([(each.built, each.enforcement, each.around) for each in places])
    bounds = [(each.built, each.bounds) for each in places if each.bounds is not None]
    if not bounds:
        return whole, None
    if len(places) == 1 and places[0].built.estate is None:
        return whole, bounds[0][1]
    least = laid_together([(built, each.least, ()) for built, each in bounds])
    reasons = {
        Point(in_place(point.interface, built.resolution.place), point.direction): words
        for built, each in bounds
        for point, words in each.reasons.items()
    }
    return whole, Bounds(least.enforcement, whole.enforcement, reasons)


def _rehearsed(parts: Sequence[tuple[Seen, Bounds | None]]) -> tuple[FeatureAnswer, ...]:
    services = {each for part, _ in parts for each in part.resolution.site.services}
    played = []
    accepted: dict[str, str] = {}
    for part, bounds in parts:
        resolution = part.resolution
        catalog = _catalog(resolution)
        directory = Directory.of(part.policy, resolution.site, catalog.parties)
        closed = ClosedRows(resolution, _Later(catalog), catalog.parties)
        tracer = Tracer(part.policy, part.enforcement, directory, closed)
        stage = Stage(
            resolution.site.name,
            part.policy,
            part.enforcement,
            tracer,
            part.around,
            bounds,
            remembered(resolution.site.cloud),
        )
        played.append((stage, conversations(resolution, catalog, services)))
        accepted |= accepted_features(resolution)
    closed_in_words = _closed_in_words([part.resolution for part, _ in parts])
    return tuple(_given_up(each, closed_in_words) for each in rehearse(played, accepted))


def _closed_in_words(every: Iterable[Resolution]) -> dict[str, str]:
    """The rows that an overlay closes with a reason, each with its words."""
    return {
        change.row_id: change.reason
        for resolution in every
        for change in _catalog(resolution).changes
        if not change.cells and change.reason != NO_REASON
    }


def _given_up(feature: FeatureAnswer, closed: Mapping[str, str]) -> FeatureAnswer:
    """`feature`, accepted where nothing cuts it but rows that an overlay closes with a reason."""
    rows = dict.fromkeys(cut.row for _, cut in feature.cuts)
    if not feature.is_finding or not rows or not rows.keys() <= closed.keys():
        return feature
    return replace(feature, accepted="; ".join(dict.fromkeys(closed[row] for row in rows)))


def conversations_of(built: Built, services: Iterable[str]) -> tuple[Conversation, ...]:
    """The features of `services` as one deployment plays them."""
    return conversations(built.resolution, _catalog(built.resolution), services)


def played_flows(built: Built, services: Iterable[str]) -> tuple[Flow, ...]:
    """Every flow that the features of `services` need here, asked for or not."""
    found = {
        id(flow): flow
        for conversation in conversations_of(built, services)
        for step in conversation.steps
        for way in step.ways
        for line in way
        for flow in line.flows
    }
    return tuple(found.values())


def _catalog(resolution: Resolution) -> Catalog:
    catalog = load_with(resolution.site.overlays, Path(resolution.file))
    return catalog.at(resolution.site.release.by_product())


class _Later:
    """The documented rows, read when somebody asks what would open a packet."""

    def __init__(self, catalog: Any) -> None:
        self._catalog = catalog

    def __iter__(self) -> Any:
        return self._catalog.entries()


def accepted_features(resolution: Resolution) -> Mapping[str, str]:
    """The features whose failing a file accepts, each with its words."""
    return {each.id: each.sentence for each in in_force(resolution.site.acceptances, today())}


def _groups(every: Sequence[Built]) -> list[list[Built]]:
    """Deployments that belong together, in the order in which they are given.

    Private addresses are used again in networks that never meet, so one that names a deployment
    by them belongs to that one which names it too, where there is one.
    """
    held = _held(every)
    settled = [
        frozenset(
            name for (i, k), names in held.items() if i == n and (k, i) in held for name in names
        )
        for n in range(len(every))
    ]

    def meet(n: int, m: int) -> bool:
        one, other = every[n], every[m]
        if one.resolution.place and one.resolution.file == other.resolution.file:
            return True
        there, back = held.get((n, m), frozenset()), held.get((m, n), frozenset())
        return bool((there and back) or there - settled[n] or back - settled[m])

    groups: list[list[int]] = []
    for each in range(len(every)):
        mine = [group for group in groups if any(meet(each, other) for other in group)]
        joined = [other for group in mine for other in group]
        groups = [group for group in groups if group not in mine]
        groups.append([*joined, each])
    return [[every[n] for n in group] for group in groups]


def _held(every: Sequence[Built]) -> dict[tuple[int, int], frozenset[str]]:
    """By (holder, other), the systems elsewhere of the one that run in the other: by what each is
    (its name, or a role of it) and an address."""
    running: dict[Network, list[tuple[int, set[str]]]] = {}
    for n, each in enumerate(every):
        for card in each.resolution.interfaces:
            for network in (*card.private, *card.public):
                running.setdefault(network, []).append((n, {card.workload, card.kind}))
    found: dict[tuple[int, int], set[str]] = {}
    for n, each in enumerate(every):
        for name, system in each.resolution.site.systems.items():
            if system.tier is not None:
                continue
            for network in filter(is_host, (*system.addresses, *system.public)):
                for other, kinds in running.get(network, ()):
                    if other != n and kinds & {name, *system.roles}:
                        found.setdefault((n, other), set()).add(name)
    return {pair: frozenset(names) for pair, names in found.items()}
