"""What became of the features, as results: one that fails at the line of the services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.deployment.file.extended import read_deployment
from flowbridge.policy.questions.rehearsal import FeatureAnswer
from flowbridge.results.result import Level, Outcome, Result
from flowbridge.stacks.rehearsal import Rehearsal

_KINDS: Final = {
    "feature-fails": "A feature of a requested service cannot work through these filters",
    "feature-cannot-be-told": "Whether a feature works here cannot be told",
    "feature-on-condition": "A feature works only with another setting or system",
}


def rehearsal_outcome(rehearsals: Iterable[Rehearsal]) -> Outcome:
    """The outcome; what several files play together stands at the first of them."""
    every = tuple(rehearsals)
    return Outcome(
        command="rehearse",
        examined=tuple(file for each in every for file in each.files),
        results=tuple(result for each in every for result in _results(each)),
        rules=_KINDS,
        incomplete=tuple(str(unread) for each in every for unread in each.unread),
    )


def _results(rehearsal: Rehearsal) -> Iterator[Result]:
    file = rehearsal.files[0]
    where, line = _place_of_services(file)
    for feature in rehearsal.features:
        kind, level = _kind(feature)
        if kind:
            yield Result(
                rule=kind,
                level=level,
                text=str(feature),
                file=where,
                line=line,
                key="services",
                subject=feature.id,
                accepted=feature.accepted,
            )


def _kind(feature: FeatureAnswer) -> tuple[str, Level]:
    if feature.is_finding:
        return "feature-fails", Level.ERROR
    if feature.is_open:
        return "feature-cannot-be-told", Level.ERROR
    match str(feature.answer):
        case "fails":
            return "feature-fails", Level.NOTE
        case "works only if":
            return "feature-on-condition", Level.NOTE
    return "", Level.NOTE


def _place_of_services(file: str) -> tuple[str, int | None]:
    try:
        return read_deployment(Path(file)).place_of(("services",))
    except BadFileError:
        return file, None
