"""The features of a rehearsal as a person reads them: a line each, and what is cut below."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import click

from flowbridge.terminal import print_line

if TYPE_CHECKING:
    from flowbridge.policy.questions.rehearsal import FeatureAnswer
    from flowbridge.stacks.rehearsal import Rehearsal

_MARKS: Final = {
    "works": "+",
    "works only if": "?",
    "fails": "x",
    "not here": "-",
    "cannot be told": "!",
}
_COLOURS: Final = {
    "works": "green",
    "works only if": "yellow",
    "fails": "red",
    "not here": None,
    "cannot be told": "yellow",
}


def print_rehearsal(rehearsal: Rehearsal, *, everything: bool = True) -> None:
    """The features of deployments that belong together, and how many of them work.

    Without `everything` those that work, or are not here, are counted only.
    """
    print_line(f"Features of {', '.join(rehearsal.names)}", bold=True)
    _print_features(
        feature
        for feature in rehearsal.features
        if everything or str(feature.answer) not in ("works", "not here")
    )
    counts = rehearsal.as_plain()["counts"]
    click.echo(", ".join(f"{number} {answer}" for answer, number in counts.items() if number))
    for unread in rehearsal.unread:
        click.echo(f"  not read: {unread}")
    click.echo()


def print_failing(rehearsal: Rehearsal) -> None:
    """The features that fail, a line each with the first packet that is cut; nothing where none
    does."""
    open_ = ("fails", "cannot be told")
    failing = [feature for feature in rehearsal.features if str(feature.answer) in open_]
    if failing:
        print_line(f"Features of {', '.join(rehearsal.names)} that fail", bold=True)
        for feature in failing:
            answer = str(feature.answer)
            print_line(f"{_MARKS[answer]} {feature}", 2, _COLOURS[answer])


def _print_features(features: Iterable[FeatureAnswer]) -> None:
    """A line for each feature, and below one that fails each packet that is cut."""
    for feature in features:
        answer = str(feature.answer)
        text = f"{_MARKS[answer]} {feature.id}  {feature.title.en}: {answer}"
        if answer != "fails" and feature.conditions:
            colon = ":" if answer == "cannot be told" else ""
            text += f"{colon} {'; '.join(feature.conditions)}"
        if feature.accepted is not None:
            text += f". Accepted: {feature.accepted}"
        print_line(text, 2, _COLOURS[answer])
        for step, cut in feature.cuts:
            print_line(f"{step.does}: {cut}", 6)
