"""`flowbridge check`."""

from __future__ import annotations

from typing import Literal

from flowbridge.answers.bystander import Bystander
from flowbridge.answers.finding import Finding, Unread, Usage
from flowbridge.answers.packets import At, Packets
from flowbridge.answers.part import Answer, Json, Part
from flowbridge.answers.proof import Proof
from flowbridge.answers.refusal import Problem
from flowbridge.answers.rehearse import Rehearsal
from flowbridge.answers.trace import TracePart
from flowbridge.catalog.edition_choice import Fit
from flowbridge.deployment.file.site import Cloud
from flowbridge.deployment.selection.resolution import Outcome
from flowbridge.policy.point import Direction


class FileFinding(Finding):
    """A finding at its line of the deployment file."""

    line: int | None
    file: str | None = None
    """The file of that line, where it is another one."""


class Row(Part):
    """A row of a requested service and what becomes of it."""

    id: str
    outcome: Outcome
    reason: str
    """Why it opens nothing; empty where it is carried."""


class Edition(Part):
    """The edition of a document that the rows are read from."""

    document: str
    title: str
    publisher: str
    product: str | None
    release: str | None
    """The release that the file names; null where it names none."""
    edition: str
    date: str | None
    fit: Fit
    """How well the edition stands for the release."""
    address: str | None


class Excess(Part):
    """Packets that rules allow and no flow asks for."""

    where: str
    reason: str
    packets: int
    """How many."""
    boxes: list[str]
    """Which, in words."""


class Test(Part):
    """A line of `tests:` and whether it holds."""

    test: dict[str, Json]
    """The line itself."""
    holds: bool
    message: str
    trace: TracePart | None
    """The packet that decided; null where none could be asked about."""


class Account(Part):
    """With `--live`: what would fail in the account half-way through an apply."""

    findings: list[Finding]
    usage: list[Usage]
    unread: list[Unread]
    beside: list[Bystander]
    """Who else stands in the subnets."""


class Deployment(Part):
    """The verdict on one deployment file, or on one place of it."""

    file: str
    name: str
    place: str | None = None
    """Of a file with `places`: which of them it is about."""
    cloud: Cloud
    holds: bool
    failures: list[str]
    """Everything that keeps it from holding, as sentences."""
    findings: list[FileFinding]
    rows: list[Row]
    editions: list[Edition]
    usage: list[Usage]
    excess: list[Excess]
    notes: list[str]
    """What cannot be told from the file alone."""
    tests: list[Test]
    proof: Proof
    not_judged: list[str] | None = None
    """With `--synthesized`: what else the document has that reaches ours and is not judged."""
    beside: int | None = None
    """With `--synthesized`: how many resources of it touch nothing of ours."""
    live: Account | None = None


class Disagreement(At):
    """What one deployment opens and the deployment at its other end does not."""

    opens: str
    """The deployment that opens it, at `interface` and `direction`."""
    closed: str
    """The deployment that does not."""
    closed_interface: str
    closed_direction: Direction
    rows: list[str]
    reason: str
    packets: Packets
    example: str
    message: str


class Checked(Answer):
    """Validation, refusals, quotas, tests and the proof."""

    holds: bool
    deployments: list[Deployment]
    disagreements: list[Disagreement]
    rehearsals: list[Rehearsal]
    problems: list[Problem] | None = None
    """Of several files: what keeps some of them from being used; the others are judged."""


class NotJudged(Part):
    """A document of which it cannot be told what it enforces."""

    file: str
    name: str
    cloud: Cloud
    holds: Literal[False]
    failures: list[str]
    not_judged: list[str]
    """Why, as sentences."""


class CheckedNothing(Answer):
    """With `--synthesized`: the document cannot be judged."""

    holds: Literal[False]
    deployments: list[NotJudged]
    disagreements: list[Disagreement]


Check = Checked | CheckedNothing
