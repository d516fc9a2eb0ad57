"""Guide rules: what the documents ask for outside their tables (`catalog/guide.yaml`).

A rule is a sentence of a document with its place, what it is to a deployer, and when it applies.
Who looks whether a deployment keeps it stands under `enforced`: the reader of the file, the
resolution, or the cloud.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import Annotated, Final, Literal

from pydantic import Field

from flowbridge.catalog.citation import Citation, cited
from flowbridge.catalog.condition import ALWAYS, Condition
from flowbridge.catalog.load import ROOT
from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.record import Entries, Record
from flowbridge.catalog.row import Bilingual

FILE: Final = ROOT / "guide.yaml"
RuleId = Annotated[str, Field(pattern=r"^guide/[a-z0-9-]+$")]


class GuideKind(StrEnum):
    """What breaking the rule means."""

    REFUSAL = "refusal"  # cannot work or is unsafe: nothing is synthesized
    WARNING = "warning"  # advised against
    OBLIGATION = "obligation"  # no firewall of a cloud can do it: the deployer must
    NOTE = "note"  # worth knowing


class Place(Record):
    """Where the sentence stands: the edition, the table or section, and the line of its text."""

    document: str
    edition: str
    table: int | None = Field(None, ge=1)
    row: int | None = Field(None, ge=1)
    section: str | None = None
    line: int | None = Field(None, ge=1)

    def cited(self) -> Citation:
        return cited(
            self.document, self.edition, table=self.table, row=self.row, section=self.section
        )


class GuideRule(Record):
    """`statement.ja` is as printed at `source`; `english` is where `statement.en` is printed.

    Where no English edition has the sentence, `statement.en` is our translation. `chapter` names
    the place for a person. `message` says what it means for a deployment; a `{name}` in it is
    filled by the check of the rule. `key` is the key of the deployment file that it is about.
    `findings` are the ids under which the clouds report a rule that they enforce. `alternatives`
    are groups of switches (as facts) that serve one task.
    """

    statement: Bilingual
    source: Place
    english: Place | None = None
    chapter: str
    kind: GuideKind
    when: Condition = ALWAYS
    message: str
    key: str = ""
    enforced: Literal["resolving", "reading", "cloud"] = "resolving"
    findings: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()

    @property
    def cited(self) -> str:
        """The place as a finding names it."""
        place = self.source.cited()
        return f"{place.title}, {place.edition}, {self.chapter}"


class Guide(Entries[dict[RuleId, GuideRule]]):
    """All rules by id, in the order of the file."""

    def enforced(self, where: str) -> Iterator[tuple[str, GuideRule]]:
        """The rules that are looked after in one place."""
        return ((name, rule) for name, rule in self.root.items() if rule.enforced == where)


@cache
def guide() -> Guide:
    """The rules. BadFileError where the data is faulty."""
    return read_model(FILE, Guide)
