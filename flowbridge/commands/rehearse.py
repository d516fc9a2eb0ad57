"""`flowbridge rehearse`: which features work through what is emitted, and what cuts the others.

With `--live` through what is there. Exit codes: 1 where a feature fails, 2 where none does and one
cannot be told or something was not read, 0 otherwise.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from flowbridge.answer import BAD_INPUT, FINDING, HOLDS, refusing, say_json
from flowbridge.feature_text import print_rehearsal
from flowbridge.reaching import access_for, checked_url, reaching, with_progress

if TYPE_CHECKING:
    from flowbridge.providers.live.contract import Access
    from flowbridge.stacks.pipeline import Built
    from flowbridge.stacks.rehearsal import Rehearsal


@click.command(
    "rehearse",
    help="Play every feature of the requested services, packet by packet, through the emitted "
    "filters of every hop. Files that hold each other's workloads are rehearsed together.",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "junit"]),
    default="text",
    show_default=True,
    help="How to answer.",
)
@click.option("--feature", "wanted", multiple=True, help="Only this feature, such as mra/sign-in.")
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
@reaching
def command(
    files: tuple[Path, ...],
    form: Literal["text", "json", "junit"],
    wanted: tuple[str, ...],
    live: bool,
    before_machines: bool,
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
    if not live and (before_machines or endpoint_url):
        name = "--before-machines" if before_machines else "--endpoint-url"
        refuse(answer_format, f"{name} is about a live estate: add --live")
    with refusing(answer_format):
        built = build_all(files)
        if live:
            access = replace(
                access_for(endpoint_url, timeout, attempts), before_machines=before_machines
            )
            found = _live(built, access, at_once)
        else:
            found = rehearsals([judge(each) for each in built])
    if wanted:
        known = {feature.id for each in found for feature in each.features}
        for name in wanted:
            if name not in known:
                from difflib import get_close_matches

                near = get_close_matches(name, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                refuse(answer_format, f"no requested service has the feature {name!r}{hint}")
        found = tuple(each.only(frozenset(wanted)) for each in found)
    holds = all(each.holds for each in found)
    complete = all(each.complete for each in found)
    if form == "json":
        say_json({"holds": holds and complete, "rehearsals": [each.as_plain() for each in found]})
    elif form == "junit":
        click.echo(junit(found), nl=False)
    else:
        for each in found:
            print_rehearsal(each)
    sys.exit(FINDING if not holds else HOLDS if complete else BAD_INPUT)


def _live(built: tuple[Built, ...], access: Access, at_once: int) -> tuple[Rehearsal, ...]:
    from flowbridge.stacks.rehearsal import rehearsed_live

    services = {service for each in built for service in each.resolution.site.services}
    scenes = {
        id(live.built): live.scene(services)
        for live in with_progress(built, access, asides=False, at_once=at_once)
    }
    return rehearsed_live([scenes[id(each)] for each in built])


def junit(rehearsals: Sequence[Rehearsal]) -> str:
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
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'
