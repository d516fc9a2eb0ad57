"""What a guide rule is judged on: a resolved deployment, and what a rule finds in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from flowbridge.catalog.condition import Facts
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.selection.resolution import Outcome, Selected


@dataclass(frozen=True)
class Situation:
    """A site with its facts, its flows, and the fate of each row of its services."""

    site: Site
    facts: Facts
    flows: tuple[Flow, ...]
    selected: tuple[Selected, ...]

    @property
    def carried(self) -> Iterator[Selected]:
        """The rows that became flows."""
        return (each for each in self.selected if each.outcome is Outcome.CARRIED)


@dataclass(frozen=True, slots=True)
class Case:
    """One case in which a rule is not kept, or obliges.

    `words` fill the message of the rule; `key` takes the place of the rule's own.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    key: str = ""


Check = Callable[[Situation], Iterator[Case]]
"""Looks for the cases of a rule whose condition holds; each becomes a finding."""


def rows_in_words(ids: Iterable[str]) -> str:
    """`row expressway/6/4`, `rows expressway/6/4, expressway/6/5`."""
    listed = sorted(set(ids))
    return f"{'row' if len(listed) == 1 else 'rows'} {', '.join(listed)}"
