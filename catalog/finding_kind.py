"""What each id of a finding means, in a sentence, with a public page where there is one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from pydantic import Field

from flowbridge.catalog.guide_rule import guide
from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.record import Record

FILE: Final = Path(__file__).with_name("findings.yaml")


class _Kinds(Record):
    help: dict[str, str] = Field(default_factory=dict)
    kinds: dict[str, str]


@cache
def finding_kinds() -> dict[str, str]:
    """A sentence for each id, in the order of the data: ours first, then the guide's."""
    rules = {name: rule.statement.en for name, rule in guide().root.items()}
    return {**_read().kinds, **rules}


def help_address(finding: str) -> str | None:
    """The public page on findings of this id."""
    rule = guide().root.get(finding)
    if rule is not None:
        return rule.source.cited().address
    known = _read().help
    beginnings = [begin for begin in known if finding.startswith(begin)]
    return known[max(beginnings, key=len)] if beginnings else None


@cache
def _read() -> _Kinds:
    return read_model(FILE, _Kinds)
