"""`flowbridge catalog …`: rows, notes, errata, features, guide rules, editions and differences."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from flowbridge.answers.part import Answer, Bilingual, Json, Part, Provenance

Condition = dict[str, Json]
"""Facts of a deployment that all have to hold (`{size: [large]}`); empty: always."""


class Table(Part):
    """A table of a document (`catalog list`)."""

    id: str
    """`expressway/11`."""
    service: str | None
    """The service that requests it; null where none does by itself."""
    title: str
    title_ja: str | None
    rows: int


class DestinationPorts(Part):
    """One range of destination ports."""

    ports: str | None
    """A range; null where the deployment supplies it."""
    when: Condition
    parameter: str | None = None
    """The parameter of the deployment that supplies it."""
    bracketed: bool | None = None
    """Printed in brackets: off by default."""
    example: bool | None = None
    """Printed as an example."""


class Evidence(Part):
    """Where a document shows that a row is wrong."""

    document: str
    edition: str
    table: int | None
    row: int | None
    section: str | None
    line: int | None
    quote: str
    """The words, as printed."""
    cited: str
    """The place in words."""
    address: str | None
    """The public address of the page."""


class Erratum(Part):
    """A correction beside a row."""

    id: str
    what: str
    why: str
    evidence: list[Evidence]
    filled_by: list[str]
    """Rows that stand in for one that the document lacks."""
    correction: dict[str, Json]
    """Whole cells that are used instead, by name; empty where a contradiction is recorded only."""
    adds: str | None = None
    """The id of the row that it adds."""


class Row(Part):
    """A printed row (`catalog export`, `catalog list SERVICE`, `catalog show ID`)."""

    id: str
    document: str
    table: int
    row: int
    title: str
    """Of the table."""
    purpose: Bilingual
    source: str | None
    """As printed; null where nothing is."""
    source_ports: str | None
    protocols: list[str]
    """Layer 4."""
    protocol_printed: str | None
    destination: str | None
    destination_ports: list[DestinationPorts]
    enabled_by_default: bool
    notes: list[str]
    errata: list[Erratum]
    line: int | None
    """The line in the edition's text."""
    service: str | None
    when: Condition
    source_parties: list[str]
    destination_parties: list[str]
    source_ports_printed: str | None
    destination_ports_printed: str | None
    icmp_types: list[int]
    management: bool
    signalling: bool
    disposition: str
    """Whether a firewall can carry it: `network`, or why not."""
    host_names: list[str]
    protocols_when: dict[str, Condition]
    """Protocols that hold on a condition only."""
    title_ja: str | None
    notes_ja: list[str]
    corrected: dict[str, Json]
    """The cells that errata replace, as they are used."""
    cited: str
    address: str | None
    closed: str | None
    """Why an overlay or an edition closes it."""
    replaced: str | None
    """The overlay that gives some of its cells, and why."""
    sources: list[str]
    """Public sources of a row of ours."""
    doubtful_source_ports: str | None
    """Why its source ports are not taken at their word."""


class ShownRow(Row):
    """One row by itself."""

    provenance: Provenance


class Note(Part):
    """A note below a table (`catalog notes`)."""

    table: str
    mark: str
    line: int | None
    text: Bilingual
    rows: list[str]
    """The rows that print its mark."""


class ListedErratum(Part):
    """An erratum with its row (`catalog errata`)."""

    id: str
    row: str
    corrects: bool
    """Whether a cell is replaced."""
    adds: str | None
    what: str
    why: str
    evidence: list[Evidence]
    correction: dict[str, Json]


class FeatureRow(Part):
    """A row of a step of a feature."""

    row: str
    source: list[str] = Field(alias="from")
    destination: list[str] = Field(alias="to")
    protocols: list[str]
    source_ports: str
    ports: str
    sources: list[str]


class Source(Part):
    """Where anybody can read it."""

    title: str
    section: str


class Idle(Part):
    """How long the connection of a step is silent at most."""

    seconds: int
    why: str
    source: Source


class FeatureStep(Part):
    """A step: who sends what to whom."""

    does: str
    media: bool
    idle: Idle | None
    """Null where its connection does not have to outlast a silence."""
    ways: list[list[FeatureRow]]
    """One of these is enough; each needs all of its rows."""


class Feature(Part):
    """What people use (`catalog features`)."""

    id: str
    service: str
    title: Bilingual
    steps: list[FeatureStep]


class Place(Part):
    """A place in an edition."""

    document: str
    edition: str
    table: int | None
    row: int | None
    section: str | None
    line: int | None


class GuideRule(Part):
    """What the documents ask for outside their tables (`catalog guide`)."""

    id: str
    statement: Bilingual
    source: Place
    english: Place | None
    """Where the English sentence is printed; null: it is our translation."""
    chapter: str
    kind: str
    when: Condition
    message: str
    key: str
    """The key of the deployment file that it is about."""
    enforced: Literal["resolving", "reading", "cloud"]
    findings: list[str]
    alternatives: list[list[str]]
    cited: str
    address: str | None


class ShownGuideRule(GuideRule):
    """One guide rule by itself (`catalog show guide/…`)."""

    provenance: Provenance


CatalogShow = ShownRow | ShownGuideRule


class Releases(Part):
    """The releases that an edition is for."""

    first: str | None
    last: str | None


class Edition(Part):
    """An edition of a document."""

    id: str
    name: str
    language: str
    date: str | None
    releases: Releases | None
    address: str | None
    held: bool
    """Whether its rows are in this catalog."""
    note: str | None
    used: bool


class Document(Part):
    """A document with its editions (`catalog editions`)."""

    document: str
    title: str
    title_ja: str | None
    publisher: str
    product: str | None
    editions: list[Edition]


class Opened(Part):
    """Ports that a row opens on a condition."""

    ports: str
    when: list[Condition]


class ReleaseChange(Part):
    """A row that two releases of a product differ in (`catalog diff X12.5 X15.0`)."""

    change: Literal["opens", "closes", "changes"]
    id: str
    purpose: str
    what: str
    defaults: list[str]
    """Options whose default is a part of it."""
    before: list[Opened]
    after: list[Opened]


class VersionChange(Part):
    """A row that two versions of the catalog differ in (`catalog diff 1.0 2.0`)."""

    change: Literal["new", "gone", "changes"]
    id: str
    purpose: str
    what: str
    before: dict[str, str] | None
    """Its cells as text."""
    after: dict[str, str] | None


CatalogDiff = list[ReleaseChange] | list[VersionChange]


class Validate(Answer):
    """Whether the catalog is consistent."""

    holds: bool
    problems: list[str]


class IngestedTable(Part):
    """A table of the source: its rows in the order in which they are printed."""

    table: int
    title: str
    rows: list[int | str]
    """The number of a known row, or `new`."""


class Draft(Answer):
    """What a source prints against the edition that is known."""

    source: str
    document: str
    title: str
    against: str
    """The edition that it is compared with."""
    edition: dict[str, Json]
    """The new edition, to be filled in."""
    found: dict[str, int]
    """How many rows are the same, changed, gone, new or unsure."""
    tables: list[IngestedTable]
    changes: list[dict[str, Json]]
    """Each with `what` (`changed`, `gone`, `new`) and `accept`, which a person decides."""
    unsure: list[dict[str, Json]]
    share: float
    """The part of the cells that is the same, 0 to 1."""


class Accepted(Answer):
    """With `--accept`: the files that were written."""

    written: list[str]


CatalogIngest = Draft | Accepted
