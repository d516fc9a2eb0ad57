"""What people will notice of a change: the features that start, stop or hang on something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowbridge.policy.questions.rehearsal import Answer, FeatureAnswer
from flowbridge.stacks.pipeline import Built, judge

NOT_REQUESTED: Final = "not requested"
"""The service of the feature is not in the deployment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFeature:
    """A feature whose answer, or what it hangs on, is another. `conditions` are those of now."""

    id: str
    service: str
    title: str
    before: str
    after: str
    conditions: tuple[str, ...]

    @property
    def starts(self) -> bool:
        return self.after == Answer.WORKS

    @property
    def stops(self) -> bool:
        """Whether it fails now, or did more before than it is known to do now."""
        did = self.before in (Answer.WORKS, Answer.CONDITION)
        return self.after == Answer.FAILS or (
            did and self.after not in (Answer.WORKS, Answer.CONDITION)
        )

    def __str__(self) -> str:
        if self.before == self.after:
            said = f"{self.after}, now on other conditions"
        else:
            said = f"{self.before} becomes {self.after}"
        on = f": {'; '.join(self.conditions)}" if self.conditions else ""
        return f"{self.title} ({self.id}): {said}{on}"

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.id,
            "service": self.service,
            "title": self.title,
            "before": self.before,
            "after": self.after,
            "conditions": list(self.conditions),
            "message": str(self),
        }


def changed_features(before: Sequence[Built], after: Sequence[Built]) -> tuple[ChangedFeature, ...]:
    """The features of either side that are not as they were, in the order of the new side."""
    return tuple(_changes(_features(before), _features(after)))


def _features(stacks: Sequence[Built]) -> dict[str, FeatureAnswer]:
    """Those of one file by id, through what is emitted for all its places."""
    return {each.id: each for stack in stacks for each in judge(stack).features}


def _changes(
    old: dict[str, FeatureAnswer], new: dict[str, FeatureAnswer]
) -> Iterator[ChangedFeature]:
    for name in dict.fromkeys((*new, *old)):
        was, now = old.get(name), new.get(name)
        shown = now or was
        if shown is None or _said(was) == _said(now):
            continue
        yield ChangedFeature(
            id=name,
            service=shown.service,
            title=shown.title.en,
            before=NOT_REQUESTED if was is None else str(was.answer),
            after=NOT_REQUESTED if now is None else str(now.answer),
            conditions=() if now is None else _conditions(now),
        )


def _said(feature: FeatureAnswer | None) -> tuple[str, tuple[str, ...]] | None:
    return None if feature is None else (str(feature.answer), _conditions(feature))


def _conditions(feature: FeatureAnswer) -> tuple[str, ...]:
    """What it hangs on, or the first packet that is cut."""
    if feature.answer is Answer.FAILS:
        return tuple(str(cut) for step in feature.steps for cut in step.cuts[:1])[:1]
    return feature.conditions
