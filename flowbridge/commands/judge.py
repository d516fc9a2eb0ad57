"""`flowbridge judge`: any Terraform plan, state or JSON, in packets against the documents."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from flowbridge.places import of_place, place_option
from flowbridge.results.formats import FORMATS

if TYPE_CHECKING:
    from flowbridge.policy.unknown import Unknown
    from flowbridge.stacks.judging import Judged
    from flowbridge.stacks.proposed import Proposed


@click.command("judge", help="Any Terraform plan, state or JSON, in packets against the documents.")
@click.argument("plan", type=click.Path(path_type=Path), metavar="PLAN.json")
@click.option(
    "--deployment",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The deployment file that says what the documents ask for. Without it names and addresses "
    "of the plan say who is who; what they do not tell cannot be told.",
)
@click.option(
    "--map",
    "mapping",
    type=click.Path(path_type=Path),
    metavar="MAPPING.yaml",
    help="Which card, group, NSG or tag of the plan is which interface. Without it flowbridge: "
    "tags, cards, addresses and names decide.",
)
@click.option(
    "--changes", is_flag=True, help="Also say what the plan opens and closes, and by which rule."
)
@place_option
@pipeline_format
def command(
    plan: Path,
    deployment: Path | None,
    mapping: Path | None,
    changes: bool,
    place: str | None,
    answer_format: AnyFormat,
) -> None:
    from flowbridge.providers.meaning.foreign import BadMappingError, Wearing
    from flowbridge.providers.terraform.shown.resources import is_plan
    from flowbridge.stacks.judging import judge_plan
    from flowbridge.stacks.mapping import bad_mapping, read_mapping
    from flowbridge.stacks.pipeline import build_all

    document = read_document(plan, answer_format)
    if changes and not is_plan(document):
        refuse(answer_format, f"{plan}: --changes is about a plan, and this is none")
    guesses: tuple[str, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    with refusing(answer_format, "judge"):
        if deployment is None:
            proposed = _proposed(plan, document, answer_format)
            built, guesses, unknown = proposed.built, proposed.guesses, proposed.unknown
        else:
            built = of_place(build_all([deployment]), place, answer_format)
        wearing = Wearing()
        if mapping is not None:
            wearing = read_mapping(mapping, built.policy, built.resolution.site)
        try:
            judged = judge_plan(built, document, wearing, changes=changes)
        except BadMappingError as error:
            raise bad_mapping(mapping, error.key, str(error), plan) from None
        except ValueError as error:
            refuse(answer_format, f"{plan}: {error}")
    judged = judged.on(guesses, unknown)
    if answer_format in FORMATS:
        from flowbridge.results.judge_results import judge_outcome
        from flowbridge.results.say import say_outcome

        say_outcome(judge_outcome(str(plan), judged), answer_format)
    elif answer_format == "json":
        say_json({"plan": str(plan), **judged.as_plain()}, "judge")
    else:
        _print(plan, judged)
    sys.exit(HOLDS if judged.holds else FINDING)


def _proposed(plan: Path, document: dict[str, Any], answer_format: AnyFormat) -> Proposed:
    """What the plan tells by itself; exit code 2 where that is no deployment."""
    from flowbridge.catalog.reading.located_yaml import BadFileError
    from flowbridge.stacks.proposed import proposed_of

    advice = (
        f"write one with `flowbridge init --from-plan {plan} -o site.yaml`, answer its questions, "
        "and name it with --deployment"
    )
    try:
        proposed = proposed_of(document, str(plan))
    except ValueError as error:
        refuse(answer_format, f"{plan}: {error}")
    except BadFileError as error:
        problems = "; ".join(f"{each.key}: {each.message}" for each in error.problems[:3])
        refuse(answer_format, f"{plan} does not tell a deployment ({problems}): {advice}")
    refused = "; ".join(each.message for each in proposed.built.refused())
    if refused:
        refuse(answer_format, f"{plan} tells a deployment that is refused ({refused}): {advice}")
    return proposed


def read_document(path: Path, answer_format: AnyFormat) -> dict[str, Any]:
    """The JSON object in `path`; ends with exit code 2 where there is none."""
    import json

    from flowbridge.catalog.reading.located_yaml import BadFileError, read_text

    try:
        text = read_text(path, max_bytes=_LARGEST)
        data = json.loads(text)
    except BadFileError as error:
        refuse(answer_format, str(error))
    except (ValueError, RecursionError) as error:
        refuse(
            answer_format,
            f"{path}: this is no JSON ({error}); write one with `terraform show -json PLAN`",
        )
    if not isinstance(data, dict):
        refuse(
            answer_format, f"{path}: this is JSON, and no object; name a plan, state or cdk.tf.json"
        )
    if "lineage" in data and "serial" in data:
        refuse(
            answer_format,
            f"{path}: this is a state file as Terraform keeps it: write `terraform show -json`",
        )
    return data


_LARGEST = 200_000_000


def _print(plan: Path, judged: Judged) -> None:
    from flowbridge.legible import one_line

    site = judged.built.resolution.site
    click.secho(f"{site.name} in {plan}", bold=True)
    for key, worn in judged.estate.worn.items():
        click.echo(f"  {key}: {', '.join(map(one_line, worn.what))} (by {worn.how})")
    click.echo(f"  open as documented: {_rows(judged)} rows")
    for title, lines in (
        ("missing:", _missing(judged)),
        ("open beyond the documents:", _opened(judged)),
        ("cannot be told:", map(str, judged.untold)),
        ("taken for granted:", judged.estate.assumed),
        ("what the plan changes:", _changes(judged)),
        ("features:", map(str, judged.features or ())),
    ):
        listed = [one_line(line) for line in lines]
        if listed:
            click.secho(f"  {title}", bold=True)
            for line in listed:
                click.echo(f"    {line}")
    if judged.effects is not None and not judged.effects:
        click.echo("  The plan changes no packet.")
    if judged.holds:
        click.secho("Everything holds.", fg="green")
    else:
        click.secho("This does not hold.", fg="red", err=True)


def _rows(judged: Judged) -> int:
    return len({row for each in judged.open for row in each.rows})


def _missing(judged: Judged) -> list[str]:
    return [
        f"{each.point}: {'replies to ' if each.replies else ''}{each.peer}: "
        f"{'; '.join(map(str, each.packets.boxes()))} ({', '.join(each.rows)}): {each.why}"
        + (" (unless what cannot be told lets it pass)" if each.point in judged.uncertain else "")
        for each in judged.missing
    ]


def _opened(judged: Judged) -> list[str]:
    return [
        f"{each.point}: {'; '.join(map(str, each.packets.boxes()))}: "
        f"{each.rule.id if each.rule else each.filter + ' by default'}"
        for each in judged.opened
    ]


def _changes(judged: Judged) -> list[str]:
    return [
        f"{each.flow} by {', '.join(each.by) or 'what it is attached to'}"
        for each in judged.effects or ()
    ]
