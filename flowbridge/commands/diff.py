"""`flowbridge diff`: which packets become allowed or refused and which features change, never which
rules moved."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowbridge.answer import (
    FINDING,
    HOLDS,
    AnyFormat,
    pipeline_format,
    refuse,
    refusing,
    say_json,
)
from flowbridge.completion import settings
from flowbridge.results.formats import FORMATS

if TYPE_CHECKING:
    from flowbridge.policy.questions.difference import ChangedFlow, Side
    from flowbridge.stacks.feature_changes import ChangedFeature
    from flowbridge.stacks.pipeline import Built


@click.command("diff", help="Which packets become allowed or refused, and which features change.")
@click.argument("before", type=click.Path(path_type=Path), metavar="FILE")
@click.argument("after", type=click.Path(path_type=Path), metavar="[FILE_B]", required=False)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=settings,
    help="Compare FILE with itself after this change, for instance --set size=medium. Repeatable.",
)
@click.option(
    "--emitted",
    is_flag=True,
    help="Compare what the cloud would let through, its excess included, not what flows ask for.",
)
@click.option("--exit-code", is_flag=True, help="Exit 1 where a packet fares differently.")
@pipeline_format
def command(
    before: Path,
    after: Path | None,
    changes: tuple[str, ...],
    emitted: bool,
    exit_code: bool,
    answer_format: AnyFormat,
) -> None:
    from flowbridge.policy.questions.difference import difference

    if (after is None) == (not changes):
        refuse(answer_format, "name a second FILE, or say with --set what to change, not both")
    wanted: dict[str, str] = {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not key or not equals:
            refuse(answer_format, f"--set {change!r}: write KEY=VALUE, for instance size=medium")
        wanted[key.strip()] = value.strip()
    from flowbridge.stacks.feature_changes import changed_features
    from flowbridge.stacks.pipeline import build_estate, load_all

    with refusing(answer_format, "diff"):
        old = build_estate(load_all(before))
        new = build_estate(load_all(before, wanted) if after is None else load_all(after))
        changed = difference(_side(old, emitted), _side(new, emitted))
        features = changed_features(old, new)
    if answer_format in FORMATS:
        from flowbridge.results.check_results import lines_of_workloads
        from flowbridge.results.diff_results import diff_outcome
        from flowbridge.results.say import say_outcome

        file = new[0].resolution.file
        outcome = diff_outcome(file, changed, lines_of_workloads(new), features)
        say_outcome(outcome, answer_format)
    elif answer_format == "json":
        say_json(
            {
                "before": old[0].resolution.file,
                "after": new[0].resolution.file,
                "set": wanted,
                "changes": [flow.as_plain() for flow in changed],
                "features": [each.as_plain() for each in features],
                "refused": {"before": _refused(old), "after": _refused(new)},
            },
            "diff",
        )
    else:
        _print(changed)
        _print_features(features)
        for when, built in (("before", old), ("after", new)):
            for reason in _refused(built):
                click.echo(f"{click.style('Refused', fg='red')} {when}: {reason}")
    sys.exit(FINDING if exit_code and changed else HOLDS)


def _print_features(features: Sequence[ChangedFeature]) -> None:
    from flowbridge.terminal import print_line

    if features:
        click.secho("Features", bold=True)
    for each in features:
        mark, colour = (
            ("+", "green") if each.starts else ("x", "red") if each.stops else ("?", None)
        )
        print_line(f"{mark} {each}", 2, colour)


def _refused(stacks: tuple[Built, ...]) -> list[str]:
    """Why it cannot be synthesized, whatever its packets are."""
    return [str(problem) for built in stacks for problem in built.refused()]


def _side(stacks: tuple[Built, ...], emitted: bool) -> Side:
    from flowbridge.policy.questions.difference import of_enforcement, of_policy
    from flowbridge.policy.questions.directory import Directory
    from flowbridge.stacks.pipeline import judge
    from flowbridge.stacks.seen import seen

    first = stacks[0]
    policy = first.estate.policy if first.estate is not None else first.policy
    if not emitted:
        return of_policy(policy)
    whole = seen([judge(each) for each in stacks])
    directory = Directory.of(policy, whole.resolution.site)
    return of_enforcement(whole.enforcement, policy, directory)


def _print(changed: tuple[ChangedFlow, ...]) -> None:
    if not changed:
        click.echo("No packet fares differently.")
        return
    point = None
    for flow in changed:
        if flow.point != point:
            point = flow.point
            click.secho(str(point), bold=True)
        allowed = str(flow.change) == "becomes allowed"
        mark = (
            click.style("+ allowed", fg="green") if allowed else click.style("- refused", fg="red")
        )
        rows = ", ".join(flow.rows) or "no row: excess of the cloud"
        click.echo(f"  {mark}  {flow.peer}  ({rows})")
        for box in flow.packets.boxes():
            click.echo(f"      {box}")
