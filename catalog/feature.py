"""Features: what people use, as conversations between parties (`catalog/features/<service>.yaml`).

A row is a packet; a feature is the ordered steps that have to work for somebody to hear something.
Each step names the rows that print it, so parties, ports and who sends first stand in one place
only; where no document prints it, the row is one of ours (`catalog/ours`), with its public source.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Final

from pydantic import Field, model_validator

from flowbridge.catalog.load import FEATURES, ROOT
from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.record import Entries, Record
from flowbridge.catalog.row import Bilingual, PublicSource

FOLDER: Final = ROOT / FEATURES
_NOT_CONVERSATIONS: Final = FOLDER / "not-conversations.yaml"

FeatureName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
RowIds = Annotated[tuple[str, ...], Field(min_length=1)]


class Idle(Record):
    """How long the connection of a step is silent at most, before the side that did not open it
    has something to send. `seconds`: with the defaults of the products."""

    seconds: int = Field(gt=0)
    why: str
    source: PublicSource


class Step(Record):
    """One packet of a conversation and its answers: the source of its rows sends first.

    `rows`: all of them have to get through, those that are for another release, size or topology
    left out. `either`: ways that serve the same end, in the order in which systems prefer them; one
    is enough. `media`: a stream of its own that starts from this side, and no answer to another.
    `idle`: its connection stays open, and is used from the other side after a silence.
    """

    does: str
    rows: tuple[str, ...] = ()
    either: tuple[RowIds, ...] = ()
    media: bool = False
    idle: Idle | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Step:
        if bool(self.rows) == bool(self.either):
            raise ValueError("a step has `rows`, or the ways of `either`")
        return self

    @property
    def ways(self) -> tuple[tuple[str, ...], ...]:
        """The ways of the step, one of which is enough; each the ids of its rows."""
        return self.either or (self.rows,)


class Feature(Record):
    """What people use. Its id is `<service>/<name>`."""

    title: Bilingual
    steps: tuple[Step, ...] = Field(min_length=1)

    def rows(self) -> Iterator[str]:
        """The ids of all rows that its steps name, each as often as it is named."""
        for step in self.steps:
            for way in step.ways:
                yield from way


class FeatureFile(Record):
    """The features of one service."""

    service: str
    features: dict[FeatureName, Feature] = Field(min_length=1)


class NotConversations(Entries[dict[str, str]]):
    """Printed rows of services that belong to no feature, each with the reason."""


def features_of(service: str) -> dict[str, Feature]:
    """The features of a service by id, in the order of its file; none for a service of a user's
    own. BadFileError where the file is faulty."""
    path = FOLDER / f"{service}.yaml"
    if not path.is_file():
        return {}
    return {f"{service}/{name}": one for name, one in _read(service).features.items()}


def services_with_features() -> tuple[str, ...]:
    """The services that have a file of features, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml") if path != _NOT_CONVERSATIONS))


@cache
def not_conversations() -> dict[str, str]:
    """The reason for each printed row that belongs to no feature."""
    return read_model(_NOT_CONVERSATIONS, NotConversations).root


@cache
def _read(service: str) -> FeatureFile:
    return read_model(FOLDER / f"{service}.yaml", FeatureFile)
