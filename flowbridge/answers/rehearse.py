"""`flowbridge rehearse`."""

from __future__ import annotations

from pydantic import Field

from flowbridge.answers.finding import Unread
from flowbridge.answers.part import Answer, Bilingual, Part
from flowbridge.answers.trace import Hop
from flowbridge.deployment.file.site import Cloud
from flowbridge.policy.point import Direction
from flowbridge.policy.questions.rehearsal import Answer as Fate
from flowbridge.policy.questions.witness import Expected


class Cut(Part):
    """A packet of a row that does not get through."""

    deployment: str
    row: str
    packet: str
    filter: str | None
    """The filter that cuts it; null where none does by itself."""
    interface: str | None
    direction: Direction | None
    why: str
    opens: list[str]
    """What would open it, in words."""
    hops: list[Hop]


class Step(Part):
    """A step of a feature: who sends what to whom."""

    does: str
    media: bool
    answer: Fate
    rows: list[str]
    conditions: list[str]
    cuts: list[Cut]


class Feature(Part):
    """What people use, played through the filters of every hop."""

    id: str
    service: str
    title: Bilingual
    answer: Fate
    conditions: list[str]
    """What it hangs on, or why it is not here."""
    accepted: str | None
    """The words in which a deployment file accepts that it fails."""
    steps: list[Step]


class Rehearsal(Part):
    """The features of deployments that belong together."""

    deployments: list[str]
    files: list[str]
    holds: bool
    complete: bool
    """Whether everything was read and every feature can be told."""
    counts: dict[str, int]
    """How many features, by their answer."""
    features: list[Feature]
    unread: list[Unread]
    """Of a live estate: calls without an answer."""


class Witness(Part):
    """A packet that a cloud's own analyser can be asked about."""

    name: str
    """From its content."""
    steps: list[str]
    """The steps of features that need it."""
    rows: list[str]
    packet: str
    expected: Expected
    """What the rehearsal says of it."""
    source: str | None = Field(alias="from")
    """The interface; null where the end is not of this deployment."""
    destination: str | None = Field(alias="to")


class Call(Part):
    """One call of the analyser."""

    call: str
    """As permissions spell it."""
    file: str
    """Its input, in the folder of `--witness`."""


class WitnessCheck(Witness):
    """A witness that is asked about."""

    covers: str
    """Which part of the way the analyser judges."""
    needs: list[str]
    """What has to be filled in before it is sent."""
    calls: list[Call]


class UnaskedWitness(Witness):
    """A witness that the analyser does not take."""

    why: str


class Examination(Part):
    """What to ask the analyser of one deployment's cloud."""

    deployment: str
    cloud: Cloud
    tool: str
    cost: str
    checks: list[WitnessCheck]
    not_asked: list[UnaskedWitness]
    unread: list[Unread]


class CloudVerdict(Part):
    """What the analyser says."""

    check: str
    covers: str
    expected: Expected
    passes: bool | None
    """Null where it cannot tell."""
    agrees: bool | None
    """Whether it says what the rehearsal says; null where one of them cannot tell."""
    by: str
    """What decided, or why nothing was."""


class Rehearse(Answer):
    """Which features work through what is emitted, and what cuts the others."""

    holds: bool
    rehearsals: list[Rehearsal]
    witness: list[Examination] | None = None
    """With `--witness`."""
    verdicts: list[CloudVerdict] | None = None
    """With `--witness`; empty unless the analysers were asked."""
