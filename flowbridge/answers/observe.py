"""`flowbridge observe`."""

from __future__ import annotations

from typing import Literal

from flowbridge.answers.packets import At
from flowbridge.answers.part import Answer, Part
from flowbridge.policy.point import Direction
from flowbridge.policy.questions.evidence import Sighting


class Period(Part):
    """From the first to the last record, ISO 8601 in UTC; null where no record has a time."""

    first: str | None
    last: str | None


class Log(Part):
    """What was read."""

    files: int
    records: int
    of_others: int
    """Records between machines that are none of this deployment."""
    damaged: int
    """Records that say nothing."""
    skipped: int
    """Intervals that the cloud skipped."""
    sampled: bool
    unread: list[str]
    """Files that could not be read, with the reason."""


class Used(Part):
    """A row whose packets were seen."""

    row: str
    purpose: str
    records: int
    last: str | None
    peers: list[str]
    """At most five."""


class NeverSeen(Part):
    """A row of which no packet was seen."""

    row: str
    purpose: str


class Tally(At):
    """Records of the same kind at one point."""

    rows: list[str]
    reply: bool
    records: int
    first: str | None
    last: str | None
    example: str
    peers: list[str]
    """At most five."""


class LetIn(Tally):
    """Records that were let in though no row asks for them."""

    by: Literal["excess of our rules", "no rule of ours"]


class SeenFeature(Part):
    """What the log shows of a feature."""

    id: str
    sighting: Sighting
    seen: list[str]
    """Rows of it that were seen."""
    unseen: list[str]


class Closable(Part):
    """A rule that nothing used while its interface was at work."""

    rule: str
    interface: str
    direction: Direction
    rows: list[str]
    records_of_its_interface: int


class Noise(Part):
    """Records that were refused and nobody asks for."""

    records: int
    most: list[Tally]
    """The ten with the most records."""


class Observed(Answer):
    """What flow logs show of a deployment's rows."""

    period: Period
    log: Log
    conclusive: bool
    """Whether what is not in the log was not used."""
    used: list[Used]
    never_seen: list[NeverSeen]
    not_told: list[NeverSeen]
    """Rows of which the log can tell nothing."""
    features: list[SeenFeature]
    could_be_closed: list[Closable]
    silent: list[str]
    """Interfaces of which the log has nothing."""
    refused: list[Tally]
    """Refused though documented."""
    let_in: list[LetIn]
    noise: Noise


class Asked(Answer):
    """With `--sql`: the question for the cloud's own query engine."""

    dialect: str
    sql: str


Observe = Observed | Asked
