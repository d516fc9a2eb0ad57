"""When a row, or one of its ports, applies: `{size: large, release: ">=X12.5"}`.

All keys of a condition must hold. A list means any of its members. `not` and `any` nest.
Facts are what a deployment says of itself; the catalog only names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from flowbridge.catalog.record import Entries
from flowbridge.catalog.release import ReleaseRange

CloudName = Literal["aws", "azure", "gcp"]
"""What a condition on `cloud` may name."""

FactValue = str | int | bool | frozenset[str]
Facts = Mapping[str, FactValue]
"""`size`, `release`, `platform`, `nics`, one fact an option (`option.sip_udp`), and so on."""


def _spell(value: object) -> object:
    """YAML reads yes/no/3478 as bool and int; a condition compares texts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


Wanted = Annotated[str, BeforeValidator(_spell)]


@dataclass(frozen=True, slots=True)
class Unmet:
    """One fact that keeps a condition from holding: what it is and what it would have to be.

    `instead`: other ways, each the facts that would do in the place of this one (`any`).
    """

    fact: str
    wanted: str
    actual: str
    instead: tuple[tuple[Unmet, ...], ...] = ()

    def __str__(self) -> str:
        return f"{self.fact} is {self.actual}, not {self.wanted}"


class Condition(Entries[dict[str, "Wanted | list[Wanted] | Condition | list[Condition]"]]):
    """See the module's opening. The empty condition always holds."""

    root: dict[str, Wanted | list[Wanted] | Condition | list[Condition]] = Field(
        default_factory=dict
    )

    def unmet(self, facts: Facts) -> tuple[Unmet, ...]:
        """The facts that are in the way; empty where the condition holds.

        KeyError for a fact that the deployment does not state: a mistake in the catalog.
        """
        out: list[Unmet] = []
        for fact, wanted in self.root.items():
            if fact == "any":
                if not isinstance(wanted, list):
                    raise ValueError("`any` takes a list of conditions")
                branches = [part.unmet(facts) for part in wanted if isinstance(part, Condition)]
                if all(branches):
                    first, *others = branches
                    out.extend((*first[:-1], replace(first[-1], instead=tuple(others))))
            elif fact == "not":
                if not isinstance(wanted, Condition):
                    raise ValueError("`not` takes a condition")
                if not wanted.unmet(facts):
                    names = sorted(wanted.facts())
                    actual = ", ".join(_actual(facts[name]) for name in names)
                    single = len(names) == 1 and wanted.root.get(names[0])
                    excluded = _text(single) if single else str(wanted)
                    out.append(Unmet(", ".join(names), f"other than {excluded}", actual))
            elif not _holds(fact, wanted, facts[fact]):
                out.append(Unmet(fact, _text(wanted), _actual(facts[fact])))
        return tuple(out)

    def holds(self, facts: Facts) -> bool:
        return not self.unmet(facts)

    def facts(self) -> frozenset[str]:
        """The names of all facts in the condition, at any depth."""
        names: set[str] = set()
        for fact, wanted in self.root.items():
            if fact in ("any", "not"):
                for part in wanted if isinstance(wanted, list) else [wanted]:
                    names |= part.facts() if isinstance(part, Condition) else set()
            else:
                names.add(fact)
        return frozenset(names)

    def __str__(self) -> str:
        return ", ".join(f"{fact} {_text(wanted)}" for fact, wanted in self.root.items())


def _holds(fact: str, wanted: object, actual: FactValue) -> bool:
    choices = wanted if isinstance(wanted, list) else [wanted]
    if fact == "release":
        return any(str(actual) in ReleaseRange.parse(str(choice)) for choice in choices)
    if isinstance(actual, frozenset):
        return any(choice in actual for choice in choices)
    return _actual(actual) in choices


def _actual(value: FactValue) -> str:
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "none"
    return str(_spell(value))


def _text(wanted: object) -> str:
    if isinstance(wanted, list):
        return " or ".join(_text(part) for part in wanted)
    if isinstance(wanted, Condition):
        return f"({wanted})"
    return str(wanted)


ALWAYS = Condition.model_construct({})
