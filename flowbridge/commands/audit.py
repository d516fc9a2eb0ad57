"""`flowbridge audit`: live state against intent, as packets.

Exit codes: 1 for drift, also where something else could not be read; 2 where nothing was found and
not everything could be read or told, or a declared member is nowhere (silence would be no proof);
0 where all was read and holds.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowbridge.answer import (
    BAD_INPUT,
    FINDING,
    HOLDS,
    Format,
    refuse,
    refusing,
    say_csv,
    say_json,
)
from flowbridge.places import of_place, place_option
from flowbridge.reaching import access_for, checked_url, reaching, with_progress
from flowbridge.results.formats import FORMATS
from flowbridge.sites import named_sites, sites_argument, with_bar

if TYPE_CHECKING:
    from flowbridge.policy.audit.audit import Audit
    from flowbridge.providers.live.contract import Access
    from flowbridge.results.baseline import Known
    from flowbridge.results.result import Outcome, Result
    from flowbridge.stacks.pipeline import Built


@click.command(
    "audit",
    help="Live state against intent, as packets. Exits 1 for drift, 2 where something could not "
    "be read, told or found and the rest shows no drift, 0 where everything was read and holds.",
)
@sites_argument
@click.option(
    "--interface",
    "placed",
    multiple=True,
    metavar="KEY=ID[,ID]",
    help="Judge these existing cards or groups as the interface KEY, for estates that Flowbridge "
    "did not make: expressway-e/external=eni-0a1b. Repeatable.",
)
@place_option
@click.option(
    "--watch",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="Repeat every so many seconds; then only what changed is told.",
)
@click.option(
    "--rounds", type=click.IntRange(min=1), help="With --watch: stop after so many rounds."
)
@click.option(
    "--before-machines",
    is_flag=True,
    help="No machine of the deployments exists yet: those that are not there are no finding.",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What was known before: it is counted, and only what is new fails.",
)
@click.option(
    "--write-baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what is found now as the baseline of later audits.",
)
@click.option(
    "--all", "everything", is_flag=True, help="Text: also in full what is known or accepted."
)
@reaching
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv", *FORMATS]),
    default="text",
    show_default=True,
    help="How to answer; csv is a line a finding, the formats after it are for pipelines.",
)
def command(
    files: tuple[Path, ...],
    placed: tuple[str, ...],
    place: str | None,
    watch: float | None,
    rounds: int | None,
    before_machines: bool,
    baseline: Path | None,
    write_baseline: Path | None,
    everything: bool,
    endpoint_url: str | None,
    timeout: float,
    attempts: int,
    at_once: int,
    form: str,
) -> None:
    from flowbridge.pipe import reader_left
    from flowbridge.results.audit_results import audit_outcome
    from flowbridge.results.baseline import with_known
    from flowbridge.results.check_results import lines_of_workloads
    from flowbridge.stacks.pipeline import build_all

    plain: Format = "json" if form == "json" else "text"
    checked_url(endpoint_url, plain)
    if rounds is not None and watch is None:
        refuse(plain, "--rounds counts the rounds of --watch: give both, or neither")
    if write_baseline is not None and watch is not None:
        refuse(plain, "--write-baseline writes one audit: leave --watch out")
    refusal = form if form in FORMATS else plain
    files = named_sites(files, refusal, "audit")
    with refusing(refusal, "audit"):
        built = build_all(with_bar(files, "reading"))
        known = _known(built, baseline)
        if place is not None:
            built = (of_place(built, place, plain),)
    access = replace(
        access_for(endpoint_url, timeout, attempts, _placed(placed, built, plain)),
        before_machines=before_machines,
    )
    lines = lines_of_workloads(built)
    about = {
        each.resolution.label: (each.resolution.file, each.resolution.site.name) for each in built
    }
    last: dict[str, Any] = {}
    count = 0
    code = 0
    try:
        while True:
            audits = _round(built, access, at_once)
            outcome = with_known(audit_outcome(audits, lines, about), known)
            if write_baseline is not None:
                known = _write(write_baseline, outcome, known, plain)
                outcome = with_known(outcome, known)
            code = _code(audits, outcome)
            count += 1
            shown = None if everything else outcome
            _answer(built, audits, last, form, outcome, shown, watching=watch is not None)
            last = {name: each.as_plain() for name, each in audits.items()}
            if watch is None or count == rounds or reader_left():
                break
            time.sleep(watch)
    except KeyboardInterrupt:
        if not count:
            raise
        click.echo("stopped", err=True)
    sys.exit(code)


def _placed(
    placed: tuple[str, ...], built: tuple[Built, ...], form: Format
) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    if placed and len(built) != 1:
        refuse(form, "--interface is about one stack: name one FILE, and of several places --place")
    for text in placed:
        key, equals, ids = text.partition("=")
        known = [interface.key for interface in built[0].policy.interfaces]
        if not equals or not ids.strip():
            refuse(form, f"--interface {text!r}: write KEY=ID, for instance {known[0]}=eni-0a1b")
        if key not in known:
            refuse(form, f"--interface {text!r}: the interfaces are {', '.join(known)}")
        found[key] = (*found.get(key, ()), *(part.strip() for part in ids.split(",")))
    return found


def _round(built: tuple[Built, ...], access: Access, at_once: int) -> dict[str, Audit]:
    """The audit of every deployment, by its label, in the order of the files."""
    found = {
        live.built.resolution.label: live.audit()
        for live in with_progress(built, access, asides=False, at_once=at_once)
    }
    return {each.resolution.label: found[each.resolution.label] for each in built}


def _known(built: tuple[Built, ...], baseline: Path | None) -> Known:
    """What is no news: what the baseline has, and what the files accept today."""
    from flowbridge.deployment.checks.accepted import in_force, today
    from flowbridge.results.baseline import Known, read_baseline

    sites = {each.resolution.file: each.resolution.site for each in built}
    return Known(
        frozenset() if baseline is None else read_baseline(baseline),
        {file: tuple(in_force(site.acceptances, today())) for file, site in sites.items()},
    )


def _write(file: Path, outcome: Outcome, known: Known, form: Format) -> Known:
    """`known` with all that `outcome` has, which is written to `file`."""
    from flowbridge.results.baseline import fingerprint, written_baseline
    from flowbridge.written import write_whole

    write_whole(file, written_baseline(outcome), form)
    found = set(map(fingerprint, outcome.results))
    return replace(known, fingerprints=known.fingerprints | found)


def _code(audits: dict[str, Audit], outcome: Outcome) -> int:
    """As `stacks.live.worst`, but that what is known is no drift."""
    from flowbridge.policy.audit.audit import Verdict
    from flowbridge.results.baseline import is_drift

    if any(map(is_drift, outcome.results)):
        return FINDING
    # What could not be read, told or found is nothing that anybody knew.
    unseen = (
        replace(each, opened=(), refused=(), changed=(), unmanaged=(), deviations=())
        for each in audits.values()
    )
    return HOLDS if all(each.verdict is Verdict.CLEAN for each in unseen) else BAD_INPUT


def _answer(
    built: tuple[Built, ...],
    audits: dict[str, Audit],
    last: dict[str, Any],
    form: str,
    outcome: Outcome,
    shown: Outcome | None,
    *,
    watching: bool,
) -> None:
    """`shown`: what is known is counted, and not told again."""
    if form == "csv":
        records = [_plain_result(each) for each in outcome.results]
        say_csv(["file", "finding", "about", "text", "accepted"], records)
        return
    if form not in ("text", "json"):
        from flowbridge.results.say import say_outcome

        say_outcome(outcome, form, one_line=watching)
        return
    if form == "json":
        if watching:
            _say_line(_plain(built, audits, outcome))
        else:
            say_json(_plain(built, audits, outcome), "audit")
        return
    from flowbridge.live_text import print_audit, print_new, print_totals

    if watching:
        click.secho(time.strftime("%Y-%m-%d %H:%M:%S"), bold=True)
    for each in built:
        name = each.resolution.label
        if not watching or last.get(name) != audits[name].as_plain():
            told = () if shown is None else _of(each, shown)
            if any(result.accepted for result in told):
                print_new(each, audits[name], told)
            else:
                print_audit(each, audits[name])
    if any(result.accepted for result in outcome.results):
        new = sum(map(_is_new, outcome.results))
        click.secho(
            f"{len(built)} audited: {new} new, {len(outcome.results) - new} known or accepted"
        )
    else:
        print_totals(audits.values())


def _of(built: Built, outcome: Outcome) -> tuple[Result, ...]:
    name = built.resolution.site.name
    return tuple(each for each in outcome.results if each.deployment == name)


def _is_new(result: Result) -> bool:
    return result.accepted is None


def _plain(built: tuple[Built, ...], audits: dict[str, Audit], outcome: Outcome) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "holds": _code(audits, outcome) == HOLDS,
        "deployments": [
            {
                "file": each.resolution.file,
                "name": each.resolution.site.name,
                "cloud": str(each.resolution.site.cloud),
                **audits[each.resolution.label].as_plain(),
            }
            for each in built
        ],
    }
    if any(result.accepted for result in outcome.results):
        answer["new"] = [_plain_result(each) for each in outcome.results if _is_new(each)]
        answer["known"] = [_plain_result(each) for each in outcome.results if not _is_new(each)]
    return answer


def _plain_result(result: Result) -> dict[str, Any]:
    return {
        "file": result.file,
        "finding": f"audit/{result.rule}",
        "about": result.subject,
        "text": result.text,
        "accepted": result.accepted,
    }


def _say_line(data: object) -> None:
    """One line of JSON a round, so that a reader can follow."""
    import json

    click.echo(json.dumps(data, ensure_ascii=False, default=str))
