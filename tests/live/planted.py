"""What a planted live situation has to end in, the same for every cloud.

A situation is planted behind Terraform's back. A harmful one never ends in a clean word, one rule
never leaves the estate unread, and what is harmless never ends in a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import pytest
from _pytest.mark.structures import ParameterSet

from flowbridge.policy.audit.audit import Audit, Verdict

Cloud = TypeVar("Cloud")


@dataclass(frozen=True, kw_only=True)
class Situation(Generic[Cloud]):
    """`says` is in what the audit tells; `verdict` what it ends in."""

    name: str
    plant: Callable[[Cloud], object]
    verdict: Verdict = Verdict.DRIFT
    says: str = ""


def parameters(situations: Iterable[Situation[Cloud]]) -> list[ParameterSet]:
    listed = list(situations)
    assert len({each.name for each in listed}) == len(listed)
    return [pytest.param(each, id=each.name) for each in listed]


def told(found: Audit) -> str:
    """Everything that an audit says, in one text."""
    return "\n".join(
        (
            *(each.text for each in found.untold),
            *(each.message for each in found.deviations),
            *map(str, found.absent),
            *(f"{each.rule.id}: {each.rule.text}" for each in found.opened if each.rule),
            *(f"{each.point}: {each.why}" for each in found.refused),
            *found.notes,
        )
    )


def opened_by(found: Audit) -> set[str]:
    return {each.rule.id for each in found.opened if each.rule}


def check(found: Audit, situation: Situation[Cloud]) -> None:
    """The law, for one situation."""
    assert found.unread == ()
    assert found.verdict is situation.verdict, told(found)
    assert situation.says in told(found)
