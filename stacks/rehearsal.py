"""Deployments rehearsed: which features work through what is emitted, and what cuts the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowbridge.catalog.overlay import load_with
from flowbridge.deployment.addresses import is_host
from flowbridge.deployment.closed.rows import ClosedRows
from flowbridge.deployment.selection.conversations import conversations
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.questions.directory import Directory
from flowbridge.policy.questions.rehearsal import Answer, FeatureAnswer, Stage, rehearse
from flowbridge.policy.questions.trace import Tracer
from flowbridge.policy.surrounding import Surrounding

if TYPE_CHECKING:
    from flowbridge.deployment.selection.resolution import Resolution
    from flowbridge.stacks.pipeline import Built, Checked


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The features of deployments that belong together, by the names and files of these."""

    names: tuple[str, ...]
    files: tuple[str, ...]
    features: tuple[FeatureAnswer, ...]

    def only(self, names: frozenset[str]) -> Rehearsal:
        """The features of these ids."""
        return replace(self, features=tuple(f for f in self.features if f.id in names))

    @property
    def holds(self) -> bool:
        return not any(feature.is_finding for feature in self.features)

    def as_plain(self) -> dict[str, Any]:
        counts = {
            str(answer): sum(each.answer is answer for each in self.features) for answer in Answer
        }
        return {
            "deployments": list(self.names),
            "files": list(self.files),
            "holds": self.holds,
            "counts": counts,
            "features": [feature.as_plain() for feature in self.features],
        }


def features_of(
    built: Built, enforcement: Enforcement, around: Iterable[Surrounding] = ()
) -> tuple[FeatureAnswer, ...]:
    """The features of one deployment through `enforcement`: what is emitted, or what is there."""
    return _rehearsed([(built, enforcement, tuple(around))])


def rehearsals(checked: Sequence[Checked]) -> tuple[Rehearsal, ...]:
    """Several deployments; those that hold each other's workloads together."""
    return tuple(
        Rehearsal(
            tuple(each.built.resolution.site.name for each in group),
            tuple(each.built.resolution.file for each in group),
            group[0].features
            if len(group) == 1
            else _rehearsed([(each.built, each.enforcement, each.around) for each in group]),
        )
        for group in _groups(checked)
    )


def _rehearsed(
    parts: Sequence[tuple[Built, Enforcement, tuple[Surrounding, ...]]],
) -> tuple[FeatureAnswer, ...]:
    services = {service for built, _, _ in parts for service in built.resolution.site.services}
    played = []
    accepted: dict[str, str] = {}
    for built, enforcement, around in parts:
        resolution = built.resolution
        catalog = load_with(resolution.site.overlays, Path(resolution.file))
        catalog = catalog.at(resolution.site.release.by_product())
        directory = Directory.of(built.policy, resolution.site, catalog.parties)
        closed = ClosedRows(resolution, _Later(catalog), catalog.parties)
        tracer = Tracer(built.policy, enforcement, directory, closed)
        stage = Stage(resolution.site.name, built.policy, enforcement, tracer, around)
        played.append((stage, conversations(resolution, catalog, services)))
        accepted |= accepted_features(resolution)
    return rehearse(played, accepted)


class _Later:
    """The documented rows, read when somebody asks what would open a packet."""

    def __init__(self, catalog: Any) -> None:
        self._catalog = catalog

    def __iter__(self) -> Any:
        return self._catalog.entries()


def accepted_features(resolution: Resolution) -> Mapping[str, str]:
    """The features whose failing a file accepts, each with its words."""
    accepted = resolution.site.accept
    if isinstance(accepted, Mapping):
        return {name: str(reason) for name, reason in accepted.items()}
    return {each.id: each.reason for each in accepted}


def _groups(checked: Sequence[Checked]) -> list[list[Checked]]:
    """Deployments that belong together, in the order in which they are given."""
    groups: list[list[Checked]] = []
    for each in checked:
        mine = [group for group in groups if any(_meet(each, other) for other in group)]
        joined = [other for group in mine for other in group]
        groups = [group for group in groups if group not in mine]
        groups.append([*joined, each])
    return groups


def _meet(one: Checked, other: Checked) -> bool:
    return _holds(one, other) or _holds(other, one)


def _holds(one: Checked, other: Checked) -> bool:
    """Whether what runs in `other` is a system elsewhere of `one`, by its name and an address."""
    systems = one.built.resolution.site.systems
    return any(
        network in (*card.private, *card.public)
        for card in other.built.resolution.interfaces
        if card.workload in systems and systems[card.workload].tier is None
        for network in (*systems[card.workload].addresses, *systems[card.workload].public)
        if is_host(network)
    )
