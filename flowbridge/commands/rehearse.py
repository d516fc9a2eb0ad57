"""`flowbridge rehearse`: which features work through what is emitted, and what cuts the others."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from flowbridge.answer import FINDING, HOLDS, refusing, say_json
from flowbridge.feature_text import print_rehearsal

if TYPE_CHECKING:
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
def command(
    files: tuple[Path, ...], form: Literal["text", "json", "junit"], wanted: tuple[str, ...]
) -> None:
    from flowbridge.answer import refuse
    from flowbridge.stacks.pipeline import build_all, judge
    from flowbridge.stacks.rehearsal import rehearsals

    answer_format: Literal["text", "json"] = "json" if form == "json" else "text"
    with refusing(answer_format):
        checked = [judge(each) for each in build_all(files)]
    found = rehearsals(checked)
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
    if form == "json":
        say_json({"holds": holds, "rehearsals": [each.as_plain() for each in found]})
    elif form == "junit":
        click.echo(junit(found), nl=False)
    else:
        for each in found:
            print_rehearsal(each)
    sys.exit(HOLDS if holds else FINDING)


def junit(rehearsals: Sequence[Rehearsal]) -> str:
    """JUnit: a suite for each rehearsal, a case for each feature. What fails unaccepted is a
    failure; what works on a condition only, or is not here, is skipped with the reason."""
    from xml.etree import ElementTree as ET

    root = ET.Element("testsuites", name="flowbridge rehearse")
    for rehearsal in rehearsals:
        suite = ET.SubElement(root, "testsuite", name=", ".join(rehearsal.names))
        failures = skipped = 0
        for feature in rehearsal.features:
            case = ET.SubElement(suite, "testcase", classname=feature.service, name=feature.id)
            if feature.is_finding:
                failures += 1
                told = "\n".join(f"{step.does}: {cut}" for step, cut in feature.cuts)
                failure = ET.SubElement(case, "failure", message=str(feature))
                failure.text = told
            elif feature.answer != "works":
                skipped += 1
                ET.SubElement(case, "skipped", message=str(feature))
        suite.set("tests", str(len(rehearsal.features)))
        suite.set("failures", str(failures))
        suite.set("errors", "0")
        suite.set("skipped", str(skipped))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'
