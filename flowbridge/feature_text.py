"""The features of a rehearsal as a person reads them: a line each, and what is cut below."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from flowbridge.terminal import print_line

if TYPE_CHECKING:
    from flowbridge.fleet.site_answer import RehearsalAnswer
    from flowbridge.policy.questions.rehearsal import FeatureAnswer
    from flowbridge.providers.live.examination import Verdict
    from flowbridge.stacks.examination import Examination
    from flowbridge.stacks.rehearsal import Rehearsal

_INDEX: Final = "index.json"
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


def print_failing(rehearsal: RehearsalAnswer) -> None:
    """The features that fail, a line each with the first packet that is cut; nothing where none
    does."""
    if rehearsal.failing:
        print_line(f"Features of {', '.join(rehearsal.names)} that fail", bold=True)
        for answer, text in rehearsal.failing:
            print_line(f"{_MARKS[answer]} {text}", 2, _COLOURS[answer])


def print_written(folder: Path, examinations: Iterable[Examination]) -> None:
    """On stderr: how many inputs were written, and what they still need."""
    for each in examinations:
        needing = len(each.checks) - len(each.ready)
        text = f"{each.name}: {len(each.checks)} checks for {each.tool} in {folder}"
        if needing:
            text += f"; {needing} need ids that {_INDEX} names"
        if each.unasked:
            text += f"; {len(each.unasked)} packets are of a kind that it does not take"
        click.echo(text, err=True)
        for unread in each.beside.unread:
            click.echo(f"  not read: {unread}", err=True)


def print_verdicts(verdicts: Iterable[Verdict]) -> None:
    """What the cloud says of each witness, and whether the rehearsal says the same."""
    said = {True: "allowed", False: "refused", None: "cannot be told"}
    for verdict in verdicts:
        witness = verdict.check.witness
        text = (
            f"  {witness.rows[0]} {witness.packet} ({verdict.check.covers}): the cloud says "
            f"{said[verdict.passes]} ({verdict.by})"
        )
        if verdict.agrees is False:
            text += f", the rehearsal {witness.expected}: they disagree"
        click.secho(text, fg={True: "green", False: "red", None: "yellow"}[verdict.agrees])


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
