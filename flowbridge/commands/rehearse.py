"""`flowbridge rehearse`: which features work through what is emitted, and what cuts the others.

With `--live` through what is there. Exit codes: 1 where a feature fails, 2 where none does and one
cannot be told or something was not read, 0 otherwise.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from flowbridge.answer import BAD_INPUT, FINDING, HOLDS, refusing, say_json
from flowbridge.completion import features
from flowbridge.feature_text import print_rehearsal, print_verdicts, print_written
from flowbridge.reaching import access_for, checked_url, reaching, with_progress
from flowbridge.results.formats import FORMATS
from flowbridge.sites import named_sites, sites_argument, with_bar

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from flowbridge.providers.live.contract import Access
    from flowbridge.providers.live.examination import Verdict
    from flowbridge.stacks.examination import Examination
    from flowbridge.stacks.live import Live
    from flowbridge.stacks.pipeline import Built
    from flowbridge.stacks.rehearsal import Rehearsal


@click.command(
    "rehearse",
    help="Play every feature of the requested services, packet by packet, through the emitted "
    "filters of every hop. Files that hold each other's workloads are rehearsed together.",
)
@sites_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", *FORMATS]),
    default="text",
    show_default=True,
    help="How to answer.",
)
@click.option(
    "--feature",
    "wanted",
    multiple=True,
    shell_complete=features,
    help="Only this feature, such as mra/sign-in.",
)
@click.option(
    "--live",
    is_flag=True,
    help="Through what the clouds have, read as `audit` reads it. Exits 1 where a feature fails, "
    "2 where one cannot be told.",
)
@click.option(
    "--before-machines",
    is_flag=True,
    help="With --live: no machine of the deployments exists yet.",
)
@click.option(
    "--witness",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write a witness packet for each row of each step as inputs of the cloud's own analyser "
    "(Reachability Analyzer, IP flow verify, Connectivity Tests). With --live they are run, which "
    "costs money: it says how much, and asks.",
)
@click.option("--yes", is_flag=True, help="With --live --witness: do not ask.")
@reaching
def command(
    files: tuple[Path, ...],
    form: str,
    wanted: tuple[str, ...],
    live: bool,
    before_machines: bool,
    folder: Path | None,
    yes: bool,
    endpoint_url: str | None,
    timeout: float,
    attempts: int,
    at_once: int,
) -> None:
    from flowbridge.answer import refuse
    from flowbridge.stacks.pipeline import build_all, judge
    from flowbridge.stacks.rehearsal import rehearsals

    answer_format: Literal["text", "json"] = "json" if form == "json" else "text"
    checked_url(endpoint_url, answer_format)
    _refuse_odd(answer_format, live, before_machines, endpoint_url, folder, yes)
    access = replace(access_for(endpoint_url, timeout, attempts), before_machines=before_machines)
    refusal = form if form in FORMATS else answer_format
    files = named_sites(files, refusal, "rehearse")
    with refusing(refusal, "rehearse"):
        built = build_all(with_bar(files, "reading"))
        lives = _read(built, access, at_once) if live else {}
        found = _live(built, lives) if live else rehearsals([judge(each) for each in built])
    if wanted:
        known = {feature.id for each in found for feature in each.features}
        for name in wanted:
            if name not in known:
                from difflib import get_close_matches

                near = get_close_matches(name, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                refuse(answer_format, f"no requested service has the feature {name!r}{hint}")
        found = tuple(each.only(frozenset(wanted)) for each in found)
    examinations: list[Examination] = []
    verdicts: list[Verdict] = []
    if folder is not None:
        from flowbridge.stacks.examination import index_of
        from flowbridge.witness_folder import write_folder

        examinations = _examinations(built, found, lives)
        inputs = {name: text for each in examinations for name, text in each.files().items()}
        write_folder(folder, inputs, index_of(examinations), answer_format)
        print_written(folder, examinations)
        if live and _agreed(examinations, yes):
            verdicts = [verdict for each in examinations for verdict in each.run(access)]
    holds = all(each.holds for each in found)
    complete = all(each.complete for each in found)
    holds &= not any(verdict.agrees is False for verdict in verdicts)
    complete &= not any(verdict.passes is None for verdict in verdicts)
    if form == "json":
        answer: dict[str, Any] = {
            "holds": holds and complete,
            "rehearsals": [each.as_plain() for each in found],
        }
        if folder is not None:
            answer["witness"] = [each.as_plain() for each in examinations]
            answer["verdicts"] = [each.as_plain() for each in verdicts]
        say_json(answer, "rehearse")
    elif form == "junit":
        click.echo(junit(found, verdicts), nl=False)
    elif form in FORMATS:
        from flowbridge.results.rehearsal_results import rehearsal_outcome
        from flowbridge.results.say import say_outcome

        say_outcome(rehearsal_outcome(found), form)
    else:
        for each in found:
            print_rehearsal(each)
        print_verdicts(verdicts)
    sys.exit(FINDING if not holds else HOLDS if complete else BAD_INPUT)


def _refuse_odd(
    answer_format: Literal["text", "json"],
    live: bool,
    before_machines: bool,
    endpoint_url: str | None,
    folder: Path | None,
    yes: bool,
) -> None:
    """Refuse options that say nothing together, and money that nobody agrees to."""
    from flowbridge.answer import refuse

    if not live and (before_machines or endpoint_url):
        name = "--before-machines" if before_machines else "--endpoint-url"
        refuse(answer_format, f"{name} is about a live estate: add --live")
    if yes and not (live and folder):
        refuse(answer_format, "--yes answers what --live --witness DIR asks: add both")
    if live and folder and not yes and not sys.stdin.isatty():
        refuse(
            answer_format,
            "--live --witness costs money, and nobody is here to be asked: add --yes, or leave "
            "--live away to write the inputs alone",
        )


def _read(built: tuple[Built, ...], access: Access, at_once: int) -> dict[int, Live]:
    """What the clouds answered, by the identity of each deployment."""
    return {
        id(live.built): live for live in with_progress(built, access, asides=False, at_once=at_once)
    }


def _services(built: tuple[Built, ...]) -> set[str]:
    return {service for each in built for service in each.resolution.site.services}


def _live(built: tuple[Built, ...], lives: dict[int, Live]) -> tuple[Rehearsal, ...]:
    from flowbridge.stacks.rehearsal import rehearsed_live

    services = _services(built)
    return rehearsed_live([lives[id(each)].scene(services) for each in built])


def _examinations(
    built: tuple[Built, ...], found: tuple[Rehearsal, ...], lives: dict[int, Live]
) -> list[Examination]:
    from flowbridge.providers.live.examination import examiner_for
    from flowbridge.stacks.examination import examination

    by_file = {file: rehearsal for rehearsal in found for file in rehearsal.files}
    made = []
    for each in built:
        live, site = lives.get(id(each)), each.resolution.site
        beside = examiner_for(site.cloud).read(site, live.access) if live else None
        rehearsal = by_file[each.resolution.file]
        together = tuple(b for b in built if b.resolution.file in rehearsal.files)
        answers = live.answers if live else None
        made.append(examination(each, rehearsal, _services(together), answers, beside))
    return made


def _agreed(examinations: Sequence[Examination], yes: bool) -> bool:
    """Whether the checks may be run, once it is said what they cost."""
    ready = [each for each in examinations if each.ready]
    for each in ready:
        click.echo(f"{each.name}: {each.cost}", err=True)
    return bool(ready) and (yes or click.confirm("Run them?", err=True))


def junit(rehearsals: Sequence[Rehearsal], verdicts: Sequence[Verdict] = ()) -> str:
    """JUnit: a suite for each rehearsal, a case for each feature. What fails unaccepted is a
    failure, what cannot be told an error; what works on a condition only, or is not here, is
    skipped with the reason."""
    from xml.etree import ElementTree as ET

    root = ET.Element("testsuites", name="flowbridge rehearse")
    for rehearsal in rehearsals:
        suite = ET.SubElement(root, "testsuite", name=", ".join(rehearsal.names))
        failures = skipped = errors = 0
        for feature in rehearsal.features:
            case = ET.SubElement(suite, "testcase", classname=feature.service, name=feature.id)
            if feature.is_finding:
                failures += 1
                told = "\n".join(f"{step.does}: {cut}" for step, cut in feature.cuts)
                failure = ET.SubElement(case, "failure", message=str(feature))
                failure.text = told
            elif feature.is_open:
                errors += 1
                ET.SubElement(case, "error", message=str(feature))
            elif feature.answer != "works":
                skipped += 1
                ET.SubElement(case, "skipped", message=str(feature))
        suite.set("tests", str(len(rehearsal.features)))
        suite.set("failures", str(failures))
        suite.set("errors", str(errors))
        suite.set("skipped", str(skipped))
    if verdicts:
        root.append(_witnessed(verdicts))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _witnessed(verdicts: Sequence[Verdict]) -> Element:
    """A suite with a case for each check: one that disagrees is a failure, one that the cloud
    cannot tell an error."""
    from xml.etree import ElementTree as ET

    suite = ET.Element("testsuite", name="witness", tests=str(len(verdicts)), skipped="0")
    for verdict in verdicts:
        case = ET.SubElement(suite, "testcase", classname="witness", name=verdict.check.name)
        if verdict.agrees is False:
            ET.SubElement(case, "failure", message=verdict.by)
        elif verdict.passes is None:
            ET.SubElement(case, "error", message=verdict.by)
    suite.set("failures", str(sum(each.agrees is False for each in verdicts)))
    suite.set("errors", str(sum(each.passes is None for each in verdicts)))
    return suite
