"""What a live estate leaves open, and what that does to the verdict: it is never nothing.

Everything that the filters of an estate leave open (`Filter.unknown`) comes out of here with a
standing, whatever its reader did with it, so that no reader can forget to tell one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flowbridge.policy.audit.estate import Departure, Deviation, Estate, LiveRule
from flowbridge.policy.filter import Enforcement, unknown_of
from flowbridge.policy.unknown import Unknown, Why


class Standing(StrEnum):
    """What something that cannot be told means for the verdict."""

    FINDING = "finding"  # a rule, or a group of rules, that the plan does not have: drift
    OPEN = "open"  # of ours or of nobody, and the plan knows what the estate does not: incomplete
    AS_PLANNED = "as-planned"  # the plan leaves the very same open


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """`rule` is None where no live rule leaves it open, but what holds rules."""

    unknown: Unknown
    rule: LiveRule | None
    standing: Standing
    interfaces: tuple[str, ...]

    @property
    def text(self) -> str:
        """In words, for people."""
        who = self.rule.text if self.rule else self.unknown.rule
        if self.unknown.why is Why.MEANING:
            return f"{who}: {self.unknown.what}: what it does cannot be told"
        if self.unknown.why is Why.RULES:
            return (
                f"{self.unknown.what} is on {who}, and what its rules do cannot be told from here"
            )
        return f"{who}: {self.unknown.what} cannot be told from here"

    def deviation(self) -> Deviation:
        return Deviation(
            Departure.UNRESOLVED,
            self.unknown.rule,
            self.text,
            drift=self.standing is Standing.FINDING,
            interfaces=self.interfaces,
        )

    def as_plain(self) -> dict[str, Any]:
        return {
            "rule": self.rule.id if self.rule else None,
            "holder": self.rule.holder if self.rule else self.unknown.rule,
            "what": self.unknown.what,
            "why": str(self.unknown.why),
            "standing": str(self.standing),
            "text": self.text,
            "interfaces": list(self.interfaces),
        }


def untold(plan: Enforcement, estate: Estate) -> tuple[Untold, ...]:
    """Everything that `estate` leaves open at the points that were read, once each."""
    where: dict[Unknown, dict[str, None]] = {}
    for point, filters in estate.enforcement.items():
        for stage in filters:
            for each in stage.unknown:
                where.setdefault(each, {})[point.interface] = None
    known = {(each.rule, each.why) for each in unknown_of(plan)}
    return tuple(_standing(each, where[each], known, estate) for each in _telling(where))


def _telling(where: dict[Unknown, dict[str, None]]) -> Iterator[Unknown]:
    """A rule without a target is for the machines of the deployment, too, and judged for them."""
    return (each for each in sorted(where) if each.why is not Why.EVERY_MACHINE)


def _standing(
    unknown: Unknown, interfaces: dict[str, None], known: set[tuple[str, Why]], estate: Estate
) -> Untold:
    rule = estate.rules.get(unknown.rule)
    if rule is not None and rule.planned is not None:
        same = (rule.planned, unknown.why) in known
        standing = Standing.AS_PLANNED if same else Standing.OPEN
    elif unknown.why is Why.RULES:
        standing = Standing.FINDING
    elif rule is None or unknown.why is Why.UNREAD:
        standing = Standing.OPEN
    else:
        standing = Standing.FINDING
    return Untold(unknown=unknown, rule=rule, standing=standing, interfaces=tuple(interfaces))
