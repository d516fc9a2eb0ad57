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

from flowbridge.answer import Format, refuse, refusing, say_json
from flowbridge.reaching import access_for, checked_url, reaching, with_progress
from flowbridge.results.formats import FORMATS

if TYPE_CHECKING:
    from flowbridge.policy.audit.audit import Audit
    from flowbridge.providers.live.contract import Access
    from flowbridge.stacks.pipeline import Built


@click.command(
    "audit",
    help="Live state against intent, as packets. Exits 1 for drift, 2 where something could not "
    "be read, told or found and the rest shows no drift, 0 where everything was read and holds.",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--interface",
    "placed",
    multiple=True,
    metavar="KEY=ID[,ID]",
    help="Judge these existing cards or groups as the interface KEY, for estates that Flowbridge "
    "did not make: expressway-e/external=eni-0a1b. Repeatable.",
)
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
@reaching
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", *FORMATS]),
    default="text",
    show_default=True,
    help="How to answer; the others than text and json are for pipelines.",
)
def command(
    files: tuple[Path, ...],
    placed: tuple[str, ...],
    watch: float | None,
    rounds: int | None,
    before_machines: bool,
    endpoint_url: str | None,
    timeout: float,
    attempts: int,
    at_once: int,
    form: str,
) -> None:
    from flowbridge.pipe import reader_left
    from flowbridge.stacks.live import worst
    from flowbridge.stacks.pipeline import build_all

    plain: Format = "json" if form == "json" else "text"
    checked_url(endpoint_url, plain)
    if rounds is not None and watch is None:
        refuse(plain, "--rounds counts the rounds of --watch: give both, or neither")
    with refusing(plain if form == "text" else form, "audit"):
        built = build_all(files)
    access = replace(
        access_for(endpoint_url, timeout, attempts, _placed(placed, built, plain)),
        before_machines=before_machines,
    )
    last: dict[str, Any] = {}
    count = 0
    code = 0
    try:
        while True:
            audits = _round(built, access, at_once)
            code = worst(audits.values())
            count += 1
            _answer(built, audits, last, form, watching=watch is not None)
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
        refuse(form, "--interface is about one deployment: name one FILE")
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
    """The audit of every deployment, by file, in the order of the files."""
    found = {
        live.built.resolution.file: live.audit()
        for live in with_progress(built, access, asides=False, at_once=at_once)
    }
    return {each.resolution.file: found[each.resolution.file] for each in built}


def _answer(
    built: tuple[Built, ...],
    audits: dict[str, Audit],
    last: dict[str, Any],
    form: str,
    *,
    watching: bool,
) -> None:
    say = _say_line if watching else say_json
    if form not in ("text", "json"):
        from flowbridge.results.audit_results import audit_outcome
        from flowbridge.results.check_results import lines_of_workloads
        from flowbridge.results.say import say_outcome

        outcome = audit_outcome(audits, lines_of_workloads(built))
        say_outcome(outcome, form, one_line=watching)
        return
    if form == "json":
        say(_plain(built, audits))
        return
    from flowbridge.live_text import print_audit, print_totals

    if watching:
        click.secho(time.strftime("%Y-%m-%d %H:%M:%S"), bold=True)
    for each in built:
        name = each.resolution.file
        if not watching or last.get(name) != audits[name].as_plain():
            print_audit(each, audits[name])
    print_totals(audits.values())


def _plain(built: tuple[Built, ...], audits: dict[str, Audit]) -> dict[str, Any]:
    return {
        "holds": all(each.as_plain()["holds"] for each in audits.values()),
        "deployments": [
            {
                "file": each.resolution.file,
                "name": each.resolution.site.name,
                "cloud": str(each.resolution.site.cloud),
                **audits[each.resolution.file].as_plain(),
            }
            for each in built
        ],
    }


def _say_line(data: object) -> None:
    """One line of JSON a round, so that a reader can follow."""
    import json

    click.echo(json.dumps(data, ensure_ascii=False, default=str))
