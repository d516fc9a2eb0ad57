"""`flowbridge report`: a self-contained page with the connection map; of several an overview."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowbridge.answer import FINDING, HOLDS, Format, answer_format, refuse, refusing, say_json
from flowbridge.places import of_place, place_option
from flowbridge.sites import named_sites, sites_argument, with_bar
from flowbridge.written import write_whole

if TYPE_CHECKING:
    from flowbridge.stacks.pipeline import Checked


@click.command(
    "report",
    help="A self-contained page with the connection map. Of several deployments an overview: "
    "services by site, worst exposure, quota headroom, drift, disagreements, editions.",
)
@sites_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the page; default NAME.html, of several fleet.html. `-` prints it.",
)
@click.option(
    "--audit",
    "answers",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="Of several deployments: what `flowbridge audit … --format json` answered. Repeatable.",
)
@place_option
@answer_format
def command(
    files: tuple[Path, ...],
    output: Path | None,
    answers: tuple[Path, ...],
    place: str | None,
    answer_format: Format,
) -> None:
    from flowbridge.report.page import page
    from flowbridge.stacks.pipeline import build_all, judge

    if output is not None and not output.name:
        refuse(answer_format, "-o names no file: write one such as site.html")
    named = named_sites(files, answer_format, "report")
    audits = _audits(answers, answer_format)
    with refusing(answer_format):
        built = build_all(with_bar(named, "reading"))
        if place is not None or len(named) == 1:
            built = (of_place(built, place, answer_format),)
        checked = [judge(each) for each in with_bar(built, "checking")]
    several = len(checked) != 1
    if answers and not several:
        refuse(answer_format, "--audit is for the page over several deployments: name them")
    if several:
        text, code = _fleet(checked, audits)
    else:
        text, code = page(checked[0]), checked[0].exit_code
    default = "fleet" if several else checked[0].built.resolution.site.name
    target = output or Path(f"{default}.html")
    if str(target) == "-":
        if answer_format == "json":
            say_json({"written": None, "holds": code == HOLDS, "content": text}, "report")
        else:
            click.echo(text, nl=False)
        sys.exit(code)
    write_whole(target, text, answer_format)
    if answer_format == "json":
        say_json({"written": str(target), "holds": code == HOLDS}, "report")
    sys.exit(code)


def _fleet(checked: list[Checked], audits: dict[str, dict[str, Any]]) -> tuple[str, int]:
    from flowbridge.report.fleet import fleet_page
    from flowbridge.stacks.agreement import disagreements_of
    from flowbridge.stacks.rehearsal import rehearsals

    apart = disagreements_of(tuple(each.built for each in checked))
    played = rehearsals(checked)
    worst = max((each.exit_code for each in checked), default=HOLDS)
    wrong = bool(apart) or not all(each.holds for each in played)
    return fleet_page(checked, played, apart, audits), worst or (FINDING if wrong else HOLDS)


def _audits(files: tuple[Path, ...], form: Format) -> dict[str, dict[str, Any]]:
    """The answers of audits by the names of their deployments."""
    found: dict[str, dict[str, Any]] = {}
    for file in files:
        try:
            answer = json.loads(file.read_text("utf-8"))
            found |= {
                each["name"]: {"verdict": each["verdict"], **each} for each in answer["deployments"]
            }
        except OSError as error:
            refuse(form, f"{file}: the file cannot be read: {error.strerror}")
        except (ValueError, KeyError, TypeError, RecursionError):
            refuse(
                form,
                f"{file}: this is no answer of an audit; write one with `flowbridge audit FILE… "
                "--format json`",
            )
    return found
