"""What an observation is evidence of: features at work, and rules that nothing used.

"Not seen" says something only of a whole log, and only of interfaces that the log has records of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from flowbridge.policy.compiled import Policy
from flowbridge.policy.point import Direction
from flowbridge.policy.questions.observation import Observation


class Sighting(StrEnum):
    """What a log shows of a feature or a rule."""

    AT_WORK = "at work"  # every step that the log can show
    IN_PART = "in part"
    NEVER = "never seen"
    UNTOLD = "cannot be told"  # the log is not whole, or has no records of its interfaces


@dataclass(frozen=True, slots=True)
class FeatureSeen:
    """A feature and its rows that can be seen here: those that were, and those that were not."""

    id: str
    sighting: Sighting
    seen: tuple[str, ...]
    unseen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Closable:
    """A rule whose rows no record used, while its interface had `records` in the log."""

    rule: str
    interface: str
    direction: str
    rows: tuple[str, ...]
    records: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """`silent` are interfaces without records, or with records of one direction alone (`x egress`).

    `untold_rows` are rows that were not seen where nothing could be seen.
    """

    features: tuple[FeatureSeen, ...]
    closable: tuple[Closable, ...]
    silent: tuple[str, ...]
    never_seen: tuple[str, ...]
    untold_rows: tuple[str, ...]


# A rule: its address, the interface, the direction, its rows.
RuleLine = tuple[str, str, str, tuple[str, ...]]


def evidence(
    found: Observation,
    policy: Policy,
    features: Mapping[str, Iterable[tuple[str, ...]]],
    rules: Iterable[RuleLine],
) -> Evidence:
    """`features` are the rows of each step by feature."""
    records: dict[str, int] = {}
    ways: set[tuple[str, Direction]] = set()
    for tally in found.tallies:
        at = tally.point.interface
        records[at] = records.get(at, 0) + tally.records
        ways.add((at, tally.point.direction))
    at_rows: dict[str, set[str]] = {}
    for point, demands in policy.demands.items():
        for demand in demands:
            for row in demand.flow.rows:
                at_rows.setdefault(row, set()).add(point.interface)
    visible = {row for row, cards in at_rows.items() if cards & records.keys()}
    used = found.used_rows.keys()
    never = [row for row in found.never_seen if row in visible and found.conclusive]
    silent = [card.key for card in policy.interfaces if card.key not in records]
    for card in policy.interfaces:
        if card.key in records:
            missing = [way for way in Direction if (card.key, way) not in ways]
            silent += [f"{card.key} {way}" for way in missing]
    closable = (
        Closable(address, card, way, rows, records[card])
        for address, card, way, rows in rules
        if found.conclusive and rows and card in records and not used & set(rows)
    )
    return Evidence(
        tuple(
            _feature(name, steps, set(used), visible if found.conclusive else set())
            for name, steps in features.items()
        ),
        tuple(sorted(closable, key=lambda each: (each.interface, each.direction, each.rule))),
        tuple(sorted(silent)),
        tuple(never),
        tuple(row for row in found.never_seen if row not in set(never)),
    )


def _feature(
    name: str, steps: Iterable[tuple[str, ...]], used: set[str], visible: set[str]
) -> FeatureSeen:
    """A step is at work where a row of it is: its rows are several ways of one packet."""
    listed = [step for step in steps if step]
    seen = sorted({row for step in listed for row in step if row in used})
    unseen = sorted({row for step in listed if not used & set(step) for row in step})
    if listed and not unseen:
        sighting = Sighting.AT_WORK
    elif seen:
        sighting = Sighting.IN_PART
    else:
        told = any(visible & set(step) for step in listed)
        sighting = Sighting.NEVER if told else Sighting.UNTOLD
    return FeatureSeen(name, sighting, tuple(seen), tuple(unseen))
