"""`flowbridge check`: validation, refusals, quotas, tests and the proof in one go.

Of several deployments it also says where one opens what the other does not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

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
from flowbridge.sites import MANY, named_sites, no_cache_option, sites_argument, with_bar

if TYPE_CHECKING:
    from flowbridge.catalog.reading.located_yaml import Problem
    from flowbridge.deployment.finding import Finding
    from flowbridge.fleet.run import Fleet
    from flowbridge.fleet.site_answer import DisagreementAnswer, RehearsalAnswer, SiteAnswer
    from flowbridge.providers.live.contract import Access, Preflight
    from flowbridge.stacks.pipeline import Built, Checked
    from flowbridge.stacks.rehearsal import Rehearsal


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
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="At most so many processes for many files; default one for each core.",
)
@no_cache_option
@click.option(
    "--shard",
    metavar="I/N",
    help="Judge only the I-th of N shares of the files, and answer in JSON for `flowbridge merge`: "
    "for a matrix of machines.",
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
    jobs: int | None,
    shard: str | None,
    endpoint_url: str | None,
    timeout: float,
    attempts: int,
    at_once: int,
    answer_format: AnyFormat,
) -> None:

    checked_url(endpoint_url, answer_format)
    if everything and quiet:
        refuse(answer_format, "--all and --quiet: give one of the two")
    files = named_sites(files, answer_format)
    _one_stack_at_most(files, synthesized, place, answer_format)
    if shard is not None:
        if everything or live or synthesized or quiet:
            refuse(
                answer_format, "--shard goes with --jobs and --no-cache alone; see flowbridge merge"
            )
        _say_shard(files, shard, jobs, answer_format)
        return
    if len(files) >= MANY and not (everything or live or synthesized):
        answer = _of_many(files, jobs, answer_format, keep_going=keep_going)
    else:
        answer = _of_few(
            files,
            synthesized,
            place,
            answer_format,
            keep_going=keep_going,
            ahead=partial(
                _ahead,
                access=access_for(endpoint_url, timeout, attempts) if live else None,
                at_once=at_once,
            ),
        )
    say_answer(answer, answer_format, everything=everything, quiet=quiet)


def _say_shard(files: Sequence[Path], text: str, jobs: int | None, form: AnyFormat) -> None:
    """The answer of one shard; its exit code says only that it is there."""
    from flowbridge.answer import json_text
    from flowbridge.fleet.run import check_shard
    from flowbridge.fleet.shard import Shard

    try:
        shard = Shard.parse(text)
    except ValueError as error:
        refuse(form, f"--shard {text!r}: {error}")
    with refusing(form):
        found = check_shard(files, shard, jobs=jobs or 0)
    click.echo(json_text(found.as_plain()), nl=False)


def say_answer(
    answer: Answer, answer_format: AnyFormat, *, everything: bool = False, quiet: bool = False
) -> NoReturn:
    """Say it in that form, and end with its exit code."""
    worst = answer.exit_code
    if answer_format in FORMATS:
        from flowbridge.results.check_results import check_outcome
        from flowbridge.results.say import say_outcome

        outcome = check_outcome(answer.sites, answer.disagreements, answer.told, answer.refused)
        say_outcome(outcome, answer_format)
    elif answer_format == "json":
        say_json(
            {
                "holds": worst == HOLDS,
                "deployments": [each.plain for each in answer.sites],
                "disagreements": [each.plain for each in answer.disagreements],
                "rehearsals": [each.plain for each in answer.rehearsals],
                **(
                    {"problems": list(map(plain_problem, answer.refused))} if answer.refused else {}
                ),
            },
            "check",
        )
    else:
        _print(answer, everything=everything, quiet=quiet)
        _print_end(answer)
    sys.exit(worst)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is known of all files. `checked` and `played` are there for few files, and with --all;
    `ahead` is what the accounts say against an apply, by label, and `told` the same by file."""

    sites: Sequence[SiteAnswer]
    rehearsals: Sequence[RehearsalAnswer]
    disagreements: Sequence[DisagreementAnswer]
    refused: Sequence[Problem]
    checked: Sequence[Checked] = ()
    played: Sequence[Rehearsal] = ()
    ahead: Mapping[str, Preflight] = field(default_factory=dict)
    told: Mapping[str, Sequence[Finding]] = field(default_factory=dict)

    @property
    def cut(self) -> bool:
        """Whether a feature fails."""
        return not all(each.holds for each in self.rehearsals)

    @property
    def exit_code(self) -> int:
        return (
            (BAD_INPUT if self.refused else HOLDS)
            or max((each.exit_code for each in self.sites), default=HOLDS)
            or (FINDING if self.cut or self.disagreements else HOLDS)
            or _exit_code(self.ahead.values())
            # A finding, though it stops no synth: what is accepted ran out.
            or (FINDING if any(each.ran_out for each in self.sites) else HOLDS)
        )


def _of_many(
    files: Sequence[Path], jobs: int | None, form: AnyFormat, *, keep_going: bool
) -> Answer:
    from flowbridge.fleet.run import check_fleet

    with refusing(form):
        fleet = check_fleet(files, plain=form == "json", keep_going=keep_going, jobs=jobs or 0)
    return answer_of(fleet)


def answer_of(fleet: Fleet) -> Answer:
    return Answer(
        sites=fleet.sites,
        rehearsals=fleet.rehearsals,
        disagreements=fleet.disagreements,
        refused=fleet.refused,
    )


def _of_few(
    files: Sequence[Path],
    synthesized: Path | None,
    place: str | None,
    form: AnyFormat,
    *,
    keep_going: bool,
    ahead: Callable[[Sequence[Built]], Mapping[str, Preflight]],
) -> Answer:
    from flowbridge.fleet.plain_deployment import plain_deployment
    from flowbridge.fleet.site_answer import disagreement_answers, rehearsal_answer, site_answer
    from flowbridge.stacks.agreement import disagreements_of
    from flowbridge.stacks.pipeline import judge
    from flowbridge.stacks.rehearsal import rehearsals

    with refusing(form):
        built, refused = _built(files, keep_going=keep_going)
        document = None
        if synthesized is not None:
            document = _document(synthesized, form)
            built = (of_place(built, place, form),)
        checked = [
            _judge(each, document, judge, synthesized, form) for each in with_bar(built, "checking")
        ]
    found = ahead(built)
    played = rehearsals(checked)
    told: dict[str, list[Finding]] = {}
    for each in built:
        if (preflight := found.get(each.resolution.label)) is not None:
            told.setdefault(each.resolution.file, []).extend(preflight.findings)
    plain = form == "json"

    def of_stack(each: Checked) -> dict[str, Any]:
        label = each.built.resolution.label
        return plain_deployment(each) | plain_preflight(found.get(label))

    return Answer(
        sites=[site_answer(each, of_stack(each) if plain else None) for each in checked],
        rehearsals=[rehearsal_answer(each, plain=plain) for each in played],
        disagreements=disagreement_answers(disagreements_of(built)),
        refused=refused,
        checked=checked,
        played=played,
        ahead=found,
        told=told,
    )


def _ahead(
    built: Sequence[Built], *, access: Access | None, at_once: int
) -> Mapping[str, Preflight]:
    """What each account says against an apply; nothing where it is not asked."""
    if access is None:
        return {}
    return {
        each.built.resolution.label: _with_acceptances(each.preflight(), each.built)
        for each in with_progress(built, access, asides=True, at_once=at_once)
    }


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
        from flowbridge.results.check_results import rule_text
        from flowbridge.results.result import Level, Outcome, Result
        from flowbridge.results.say import say_outcome

        rule = "check/not-judged"
        results = [
            Result(rule=rule, level=Level.ERROR, text=reason, file=file) for reason in reasons
        ]
        rules = {rule: rule_text(rule, rule)}
        outcome = Outcome(command="check", examined=(file,), results=results, rules=rules)
        say_outcome(outcome, form)
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


def _print(answer: Answer, *, everything: bool, quiet: bool) -> None:
    from flowbridge.summary import Detail, print_deployment, print_many, print_quietly
    from flowbridge.terminal import print_line, prose

    many = (len(answer.sites) >= MANY and not everything) or not answer.checked
    if many and not quiet:
        print_many(answer.sites, prose())
    elif quiet:
        for site in answer.sites:
            print_quietly(site, prose())
    else:
        for each in answer.checked:
            print_deployment(each, prose(), Detail.ALL if everything else Detail.ORDINARY)
    for pair in answer.disagreements:
        print_line(f"disagreement: {pair}", colour="red")
    if quiet or many:
        for failing in answer.rehearsals:
            print_failing(failing)
    else:
        for rehearsal in answer.played:
            print_rehearsal(rehearsal, everything=everything)
    print_preflights(answer.ahead, everything=everything)
    for problem in answer.refused:
        click.echo(f"error: {problem}", err=True)


def _print_end(answer: Answer) -> None:
    """The last line. Of an account that was asked, its own lines say what is wrong."""
    if answer.refused:
        number = len({problem.file for problem in answer.refused})
        told = f"{len(answer.sites)} judged, {number} refused."
        click.secho(told, fg="red", err=True)
        return
    failed = [each for each in answer.sites if each.exit_code != HOLDS]
    if answer.disagreements and not failed:
        click.secho("Each deployment holds, and they do not agree.", fg="red", err=True)
    elif not failed and answer.cut:
        click.secho("Each deployment holds, and together a feature fails.", fg="red", err=True)
    elif not failed:
        if answer.exit_code == HOLDS:
            click.secho("Everything holds.", fg="green")
        elif any(each.ran_out for each in answer.sites):
            click.secho("Something was accepted for a time that is over.", fg="red", err=True)
        else:
            click.secho("The files hold; the account does not fit or was not read.", err=True)
    elif any(each.exit_code == BAD_INPUT for each in failed):
        click.secho("Refused.", fg="red", err=True)
    elif any(each.exit_code == FINDING for each in failed):
        click.secho(f"{len(failed)} of {len(answer.sites)} do not hold.", fg="red", err=True)
