"""`flowbridge exposure`: what the internet reaches, riskiest first, and rules that do nothing.

With `--live` by the filters that are in force. Exit codes: 2 where not everything could be read or
told, so that there may be more; 0 otherwise.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowbridge.answer import BAD_INPUT, Format, refuse, refusing, say_csv, say_json
from flowbridge.asking import deployment_in
from flowbridge.completion import places
from flowbridge.reaching import access_for, checked_url, reaching, with_progress
from flowbridge.results.formats import FORMATS

if TYPE_CHECKING:
    from flowbridge.policy.proof.redundancy import Redundancy
    from flowbridge.policy.questions.exposure import Exposure
    from flowbridge.policy.questions.outreach import Reached
    from flowbridge.providers.live.contract import Access
    from flowbridge.stacks.seen import Seen


@click.command(
    "exposure",
    help="What the internet can reach, riskiest first; redundant rules.",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "source",
    shell_complete=places,
    help="What this workload or interface reaches, in the place of what the internet reaches.",
)
@click.option(
    "--live",
    is_flag=True,
    help="By the filters that the cloud has in force, read as `audit` reads them. Exits 2 where "
    "not all of them could be read or told.",
)
@reaching
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv", *FORMATS]),
    default="text",
    show_default=True,
    help="How to answer; the others than text, json and csv are for pipelines.",
)
def command(
    file: Path,
    source: str | None,
    live: bool,
    endpoint_url: str | None,
    timeout: float,
    attempts: int,
    at_once: int,
    form: str,
) -> None:
    from flowbridge.policy.proof.redundancy import redundant_rules
    from flowbridge.policy.questions.directory import Directory
    from flowbridge.policy.questions.exposure import exposure
    from flowbridge.stacks.pipeline import catalog_of

    answer_format: Format = "json" if form == "json" else "text"
    checked_url(endpoint_url, answer_format)
    if endpoint_url is not None and not live:
        refuse(answer_format, "--endpoint-url says where --live reads: give both, or neither")
    gaps: tuple[str, ...] = ()
    with refusing(form if form in FORMATS else answer_format, "exposure"):
        whole = deployment_in(file)
        if live:
            access = access_for(endpoint_url, timeout, attempts)
            whole, gaps = _in_force(file, access, at_once)
        parties = catalog_of(whole.resolution).parties
        directory = Directory.of(whole.policy, whole.resolution.site, parties)
    purposes = {each.id: each.row.purpose.en for each in whole.resolution.selected}
    told = {"live": {"not_told": list(gaps)}} if live else {}
    if source is not None:
        from flowbridge.policy.questions.outreach import outreach

        try:
            stolen = outreach(whole.policy, whole.enforcement, directory, source, purposes)
        except ValueError as error:
            refuse(answer_format, str(error))
        if form in FORMATS or form == "csv":
            _say_elsewhere(whole, stolen, form, gaps)
        else:
            _say_reached(source, stolen, answer_format, told)
            _say_gaps(gaps, answer_format)
        return
    reached = exposure(whole.policy, whole.enforcement, directory, purposes)
    if form in FORMATS or form == "csv":
        _say_elsewhere(whole, reached, form, gaps)
        return
    redundant = () if live else redundant_rules(whole.enforcement)
    if answer_format == "json":
        say_json(
            {
                "exposure": [each.as_plain() for each in reached],
                "redundant": [each.as_plain() for each in redundant],
                **told,
            },
            "exposure",
        )
        _say_gaps(gaps, answer_format)
        return
    from flowbridge.terminal import print_by_group

    click.secho("The internet reaches:" if reached else "The internet reaches nothing.", bold=True)
    lines = []
    for each in reached:
        plain = each.as_plain()
        ports = ", ".join(map(str, each.ports))
        reason = "; ".join(each.purposes) or "no row asks for it: excess of the cloud"
        notes = [] if each.whole_internet else ["part of the internet"]
        notes += [] if each.reachable else ["no public address"]
        lines.append(
            (
                plain["risk"],
                each.interface,
                plain["protocol"],
                ports,
                ", ".join(each.rows),
                reason + (f" ({', '.join(notes)})" if notes else ""),
            )
        )
    if lines:
        print_by_group(("risk", "interface", "protocol", "ports", "rows", "why"), lines, shared=2)
    _print_covered(
        "Rules that others cover (kept, each for its own row):",
        [each for each in redundant if each.removable],
    )
    _print_covered(
        "Covered only as long as some of those are kept:",
        [each for each in redundant if not each.removable],
    )
    _say_gaps(gaps, answer_format)


def _say_elsewhere(
    whole: Seen,
    reached: Sequence[Exposure] | Sequence[Reached],
    form: str,
    gaps: Sequence[str],
) -> None:
    """As CSV, or as results of a pipeline; what cannot be told is said on stderr."""
    for gap in gaps:
        click.echo(f"cannot be told: {gap}", err=True)
    if form == "csv":
        records = [each.as_plain() for each in reached]
        say_csv(list(records[0]) if records else ["interface", "protocol", "ports"], records)
        sys.exit(BAD_INPUT if gaps else 0)
    from flowbridge.results.check_results import lines_of_workloads
    from flowbridge.results.exposure_results import exposure_outcome
    from flowbridge.results.say import say_outcome

    file = whole.resolution.file
    say_outcome(exposure_outcome(file, reached, lines_of_workloads([whole])), form)
    if gaps:
        sys.exit(BAD_INPUT)


def _in_force(file: Path, access: Access, at_once: int) -> tuple[Seen, tuple[str, ...]]:
    """The deployment by the filters that its clouds have, and what of them cannot be told."""
    from flowbridge.stacks.pipeline import build_all
    from flowbridge.stacks.seen import laid_together

    read = [
        (each.built, *each.in_force())
        for each in with_progress(build_all([file]), access, asides=False, at_once=at_once)
    ]
    whole = laid_together([(built, enforcement, ()) for built, enforcement, _ in read])
    return whole, tuple(gap for _, _, gaps in read for gap in gaps)


def _say_gaps(gaps: Sequence[str], form: Format) -> None:
    """What may let more through than is listed; then this is no whole answer."""
    if not gaps:
        return
    if form == "text":
        from flowbridge.legible import one_line

        click.secho("\nThere may be more, since this cannot be told:", bold=True)
        for gap in gaps:
            click.echo(f"  {one_line(gap)}")
    sys.exit(BAD_INPUT)


def _say_reached(
    source: str, reached: tuple[Reached, ...], form: Format, told: Mapping[str, Any]
) -> None:
    if form == "json":
        say_json(
            {"from": source, "reaches": [each.as_plain() for each in reached], **told}, "exposure"
        )
        return
    from flowbridge.terminal import print_table

    nothing = f"Whoever holds {source} reaches nothing."
    click.secho(f"Whoever holds {source} reaches:" if reached else nothing, bold=True)
    lines = [
        (
            each.as_plain()["risk"],
            each.interface,
            each.target,
            each.as_plain()["protocol"],
            each.ports_text,
            ", ".join(each.rows),
            "; ".join(each.purposes) or "no row asks for it: excess of the cloud",
        )
        for each in reached
    ]
    if lines:
        print_table(("risk", "from", "to", "protocol", "ports", "rows", "why"), lines)


def _print_covered(title: str, rules: list[Redundancy]) -> None:
    if rules:
        click.secho(f"\n{title}", bold=True)
    for each in rules:
        click.echo(f"  {each.rule}")
        for other in each.covered_by or ("what happens without any rule",):
            click.echo(f"    by {other}")
