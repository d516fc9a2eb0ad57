"""`flowbridge check`: validation, refusals, quotas, tests and the proof in one go.

Of several deployments it also says where one opens what the other does not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowbridge.answer import (
    BAD_INPUT,
    FINDING,
    HOLDS,
    AnyFormat,
    pipeline_format,
    plain_problem,
    refuse,
    refusing,
    say_json,
)
from flowbridge.feature_text import print_failing, print_rehearsal
from flowbridge.places import of_place, place_option
from flowbridge.preflight_text import plain_preflight, print_preflights
from flowbridge.reaching import access_for, checked_url, reaching, with_progress
from flowbridge.results.formats import FORMATS
from flowbridge.sites import MANY, named_sites, sites_argument, with_bar

if TYPE_CHECKING:
    from flowbridge.catalog.reading.located_yaml import Problem
    from flowbridge.deployment.finding import Finding
    from flowbridge.policy.questions.between_deployments import Disagreement
    from flowbridge.providers.live.contract import Preflight
    from flowbridge.stacks.pipeline import Built, Checked


@click.command(
    "check",
    help="Validate deployment files: refusals, quotas, tests and the proof. FILE may be a folder "
    "or a glob; without one it is the deployments of FLOWBRIDGE_DEPLOYMENTS or cdktf.json.",
)
@sites_argument
@click.option(
    "--synthesized",
    type=click.Path(path_type=Path),
    help="Judge this cdk.tf.json instead of what FILE would be synthesized to.",
)
@place_option
@click.option(
    "--live",
    is_flag=True,
    help="Also compare with the account: quotas, used slots, names, subnets, interfaces. Says what "
    "would fail half-way through an apply.",
)
@click.option(
    "--all", "everything", is_flag=True, help="Text: each finding, row and feature in full."
)
@click.option(
    "-q",
    "--quiet",
    is_flag=True,
    help="Text: only what fails, is cut off, or warns and is not accepted.",
)
@click.option(
    "--keep-going", is_flag=True, help="Judge the other files where one of several is refused."
)
@reaching
@pipeline_format
def command(
    files: tuple[Path, ...],
    synthesized: Path | None,
    place: str | None,
    live: bool,
    everything: bool,
    quiet: bool,
    keep_going: bool,
    endpoint_url: str | None,
    timeout: float,
    attempts: int,
    at_once: int,
    answer_format: AnyFormat,
) -> None:
    from flowbridge.stacks.agreement import disagreements_of
    from flowbridge.stacks.pipeline import judge
    from flowbridge.stacks.rehearsal import rehearsals

    checked_url(endpoint_url, answer_format)
    if everything and quiet:
        refuse(answer_format, "--all and --quiet: give one of the two")
    files = named_sites(files, answer_format)
    _one_stack_at_most(files, synthesized, place, answer_format)
    with refusing(answer_format):
        built, refused = _built(files, keep_going=keep_going)
        document = None
        if synthesized is not None:
            document = _document(synthesized, answer_format)
            built = (of_place(built, place, answer_format),)
        checked = [
            _judge(each, document, judge, synthesized, answer_format)
            for each in with_bar(built, "checking")
        ]
    ahead: dict[str, Preflight] = {}
    if live:
        access = access_for(endpoint_url, timeout, attempts)
        ahead = {
            each.built.resolution.label: _with_acceptances(each.preflight(), each.built)
            for each in with_progress(built, access, asides=True, at_once=at_once)
        }
    played = rehearsals(checked)
    found = disagreements_of(built)
    apart = FINDING if found else HOLDS
    cut = HOLDS if all(each.holds for each in played) else FINDING
    worst = (
        (BAD_INPUT if refused else HOLDS)
        or max((each.exit_code for each in checked), default=HOLDS)
        or cut
        or apart
        or _exit_code(ahead.values())
        or (FINDING if any(map(_ran_out, built)) else HOLDS)
    )
    if answer_format in FORMATS:
        from flowbridge.results.check_results import check_outcome
        from flowbridge.results.say import say_outcome

        told: dict[str, list[Finding]] = {}
        for each in built:
            if (preflight := ahead.get(each.resolution.label)) is not None:
                told.setdefault(each.resolution.file, []).extend(preflight.findings)
        say_outcome(check_outcome(checked, found, told, refused), answer_format)
    elif answer_format == "json":
        deployments = [
            _plain(each) | plain_preflight(ahead.get(each.built.resolution.label))
            for each in checked
        ]
        apart_plain = [each.as_plain() for each in found]
        say_json(
            {
                "holds": worst == HOLDS,
                "deployments": deployments,
                "disagreements": apart_plain,
                "rehearsals": [each.as_plain() for each in played],
                **({"problems": list(map(plain_problem, refused))} if refused else {}),
            },
            "check",
        )
    else:
        _print(checked, found, everything=everything, quiet=quiet)
        for rehearsal in played:
            if quiet or (len(checked) >= MANY and not everything):
                print_failing(rehearsal)
            else:
                print_rehearsal(rehearsal, everything=everything)
        print_preflights(ahead, everything=everything)
        for problem in refused:
            click.echo(f"error: {problem}", err=True)
        _print_end(checked, found, worst, cut == HOLDS, refused)
    sys.exit(worst)


def _built(
    files: Sequence[Path], *, keep_going: bool
) -> tuple[tuple[Built, ...], tuple[Problem, ...]]:
    """What can be judged, and with `keep_going` what is wrong with the rest; else BadFileError."""
    from flowbridge.stacks.pipeline import build_all, build_kept

    shown = with_bar(files, "reading")
    return build_kept(shown) if keep_going else (build_all(shown), ())


def _one_stack_at_most(
    files: Sequence[Path], synthesized: Path | None, place: str | None, form: AnyFormat
) -> None:
    """What is judged in the place of what would be synthesized is one stack's."""
    if synthesized is not None and len(files) != 1:
        refuse(form, "--synthesized judges one file against one deployment: name one FILE")
    if place is not None and synthesized is None:
        refuse(form, "--place says whose stack --synthesized is: give both, or neither")


def _with_acceptances(found: Preflight, built: Built) -> Preflight:
    """What the account says, with what the deployment accepts of it; nothing that would fail."""
    from flowbridge.deployment.checks.accepted import today, with_acceptances

    acceptances = built.resolution.site.acceptances
    return replace(found, findings=tuple(with_acceptances(found.findings, acceptances, today())))


def _ran_out(built: Built) -> bool:
    """Whether something is accepted whose last day is over: a finding, though it stops no synth."""
    from flowbridge.deployment.checks.accepted import EXPIRED

    return any(finding.id == EXPIRED for finding in built.findings)


def _exit_code(ahead: Iterable[Preflight]) -> int:
    """1 where something would fail, 2 where nothing would and not everything could be read."""
    every = list(ahead)
    if any(finding.severity == "refusal" for each in every for finding in each.findings):
        return FINDING
    return BAD_INPUT if any(each.unread for each in every) else HOLDS


def _judge(
    built: Built,
    document: dict[str, Any] | None,
    judge: Any,
    synthesized: Path | None,
    form: AnyFormat,
) -> Checked:
    from flowbridge.stacks.pipeline import NotJudgedError

    try:
        checked: Checked = judge(built, document)
    except NotJudgedError as error:
        _say_not_judged(built, synthesized, error.reasons, form)
        sys.exit(FINDING)
    except ValueError as error:
        refuse(form, f"{synthesized or built.resolution.file}: {error}")
    return checked


def _say_not_judged(
    built: Built, synthesized: Path | None, reasons: Sequence[str], form: AnyFormat
) -> None:
    """A document whose packets cannot be told: why, and nothing else."""
    file, site = built.resolution.file, built.resolution.site
    if form in FORMATS:
        from flowbridge.results.result import Level, Outcome, Result
        from flowbridge.results.say import say_outcome

        results = [
            Result(rule="failed", level=Level.ERROR, text=reason, file=file) for reason in reasons
        ]
        say_outcome(Outcome(command="check", examined=(file,), results=results), form)
        return
    if form == "json":
        answer = {
            "file": file,
            "name": site.name,
            "cloud": str(site.cloud),
            "holds": False,
            "failures": list(reasons),
            "not_judged": list(reasons),
        }
        say_json({"holds": False, "deployments": [answer], "disagreements": []}, "check")
        return
    for reason in reasons:
        click.secho(f"{synthesized or file}: {reason}", fg="red")
    click.secho("It cannot be told what this document enforces.", fg="red", err=True)


def _document(path: Path, answer_format: AnyFormat) -> dict[str, Any]:
    import json

    if path.is_fifo():
        refuse(answer_format, f"{path}: this is a pipe, which may never end; name a cdk.tf.json")
    try:
        data = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except OSError as error:
        refuse(answer_format, f"{path}: the file cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        refuse(answer_format, f"{path}: this is not UTF-8 text; name a cdk.tf.json")
    except (ValueError, RecursionError) as error:
        refuse(answer_format, f"{path}: this is not JSON that can be read: {error}")
    if not isinstance(data, dict):
        refuse(answer_format, f"{path}: a cdk.tf.json is an object with `resource` in it")
    if (what := _shown_by_terraform(data)) is not None:
        refuse(
            answer_format,
            f"{path}: this is {what} as `terraform show -json` writes it, not the configuration "
            "that Terraform reads: name the cdk.tf.json that it was made from",
        )
    return data


def _shown_by_terraform(data: dict[str, Any]) -> str | None:
    """What `terraform show -json` says it is, by the keys of its formats."""
    if "resource_changes" in data or "planned_values" in data:
        return "a plan"
    if "format_version" in data and "terraform_version" in data:
        return "a state"
    if "lineage" in data and "serial" in data:
        return "a state file"
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Of a key that stands twice Python would take the last, and Terraform both."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object; write it once")
    return found


def _plain(checked: Checked) -> dict[str, Any]:
    built = checked.built
    site, lowered = built.resolution.site, built.lowered
    return {
        "file": built.resolution.file,
        "name": site.name,
        **({"place": built.resolution.place} if built.estate is not None else {}),
        "cloud": str(site.cloud),
        "holds": checked.exit_code == HOLDS,
        "failures": list(checked.failures),
        "findings": list(map(_plain_finding, built.findings)),
        "rows": [
            {"id": row.id, "outcome": str(row.outcome), "reason": row.reason}
            for row in built.resolution.selected
        ],
        "editions": [edition.as_plain() for edition in built.resolution.editions],
        "usage": [usage.as_plain() for usage in lowered.usage],
        "excess": [
            {
                "where": excess.where,
                "reason": excess.reason,
                "packets": excess.packets.count(),
                "boxes": [str(box) for box in excess.packets.boxes()],
            }
            for excess in lowered.excess
        ],
        "notes": [str(each) for each in checked.unknown],
        "tests": [outcome.as_plain() for outcome in checked.assertions],
        "proof": checked.proof.as_plain(),
        **_around(checked),
    }


def _plain_finding(finding: Finding) -> dict[str, Any]:
    """`file` where its line is another file's; `accepted` where the deployment accepts it."""
    return {
        "id": finding.id,
        "severity": str(finding.severity),
        "message": finding.message,
        "source": finding.source,
        "key": finding.key,
        "line": finding.line,
        **({"file": finding.file} if finding.file else {}),
        **({"accepted": finding.accepted} if finding.accepted is not None else {}),
    }


def _around(checked: Checked) -> dict[str, Any]:
    """Of a document of others: what is not judged, and how many resources touch nothing of ours."""
    if checked.plan is None:
        return {}
    return {"not_judged": [str(each) for each in checked.not_judged], "beside": checked.beside}


def _print(
    checked: list[Checked], disagreements: Sequence[Disagreement], *, everything: bool, quiet: bool
) -> None:
    from flowbridge.summary import Detail, print_deployment, print_many
    from flowbridge.terminal import print_line, prose

    if len(checked) >= MANY and not everything and not quiet:
        print_many(checked, prose())
    else:
        detail = Detail.ALL if everything else Detail.QUIET if quiet else Detail.ORDINARY
        for each in checked:
            print_deployment(each, prose(), detail)
    for pair in disagreements:
        print_line(f"disagreement: {pair}", colour="red")


def _print_end(
    checked: list[Checked],
    disagreements: Sequence[Disagreement],
    worst: int,
    works: bool,
    refused: Sequence[Problem],
) -> None:
    """The last line. Of an account that was asked, its own lines say what is wrong."""
    if refused:
        number = len({problem.file for problem in refused})
        told = f"{len(checked)} judged, {number} refused."
        click.secho(told, fg="red", err=True)
        return
    failed = [each for each in checked if each.exit_code != HOLDS]
    if disagreements and not failed:
        click.secho("Each deployment holds, and they do not agree.", fg="red", err=True)
    elif not failed and not works:
        click.secho("Each deployment holds, and together a feature fails.", fg="red", err=True)
    elif not failed:
        if worst == HOLDS:
            click.secho("Everything holds.", fg="green")
        elif any(_ran_out(each.built) for each in checked):
            click.secho("Something was accepted for a time that is over.", fg="red", err=True)
        else:
            click.secho("The files hold; the account does not fit or was not read.", err=True)
    elif any(each.exit_code == BAD_INPUT for each in failed):
        click.secho("Refused.", fg="red", err=True)
    elif any(each.exit_code == FINDING for each in failed):
        click.secho(f"{len(failed)} of {len(checked)} do not hold.", fg="red", err=True)
