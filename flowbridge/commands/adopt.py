"""`flowbridge adopt`: Terraform import blocks for what already exists, and what would change.

Reads only. Without `-o` the blocks are printed, with the plan as comments, so that the output is a
file that Terraform takes. Exit codes: 1 where something stands in the way, 2 where not everything
could be read: then nothing is printed or written, because half an adoption makes Terraform create
what exists.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowbridge.answer import (
    BAD_INPUT,
    FINDING,
    HOLDS,
    Format,
    answer_format,
    refuse,
    refusing,
    say_json,
)
from flowbridge.legible import one_line
from flowbridge.places import of_place, place_option
from flowbridge.reaching import access_for, checked_url, reaching, with_progress

if TYPE_CHECKING:
    from flowbridge.providers.live.contract import Adoption


@click.command("adopt", help="Terraform import blocks for what already exists; nothing is changed.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write the blocks to this file (.tf, or .tf.json) in place of stdout.",
)
@place_option
@reaching
@answer_format
def command(
    file: Path,
    output: Path | None,
    place: str | None,
    endpoint_url: str | None,
    timeout: float,
    attempts: int,
    at_once: int,
    answer_format: Format,
) -> None:
    from flowbridge.stacks.pipeline import build_all

    checked_url(endpoint_url, answer_format)
    if output is not None and not output.name.endswith((".tf", ".tf.json")):
        refuse(answer_format, f"-o {output}: Terraform reads files that end in .tf or .tf.json")
    with refusing(answer_format):
        built = [of_place(build_all([file]), place, answer_format)]
    access = access_for(endpoint_url, timeout, attempts)
    (live,) = with_progress(built, access, asides=False, at_once=at_once)
    found = live.adoption()
    if found.unread:
        _say_unread(found, answer_format)
        sys.exit(BAD_INPUT)
    if output is not None:
        text = _json(found) if output.name.endswith(".json") else _blocks(found)
        try:
            output.write_text(text, "utf-8")
        except OSError as error:
            refuse(answer_format, f"{output}: the file cannot be written: {error.strerror}")
    if answer_format == "json":
        say_json(_plain(found, live.scope, output), "adopt")
    else:
        if output is None:
            click.echo(_blocks(found), nl=False)
        _print_plan(found, output)
    sys.exit(FINDING if found.conflicts else HOLDS)


def _say_unread(found: Adoption, form: Format) -> None:
    if form == "json":
        say_json({"holds": False, "unread": [each.as_plain() for each in found.unread]}, "adopt")
        return
    for each in found.unread:
        click.echo(f"error: {one_line(str(each))}", err=True)
    click.echo("error: not everything could be read, so nothing is adopted", err=True)


def _blocks(found: Adoption) -> str:
    """Terraform's own language."""
    return "".join(
        f"# {one_line(each.why)}\n"
        f"import {{\n  to = {each.to}\n  id = {json.dumps(_literal(each.id))}\n}}\n\n"
        for each in found.imports
    )


def _literal(text: str) -> str:
    """`text` as Terraform takes it for itself: in ids of the live cloud nothing is evaluated."""
    return text.replace("${", "$${").replace("%{", "%%{")


def _json(found: Adoption) -> str:
    blocks = [{"to": each.to, "id": _literal(each.id)} for each in found.imports]
    return json.dumps({"import": blocks}, indent=2) + "\n"


def _plain(found: Adoption, scope: str, output: Path | None) -> dict[str, Any]:
    return {
        "holds": not found.conflicts,
        "scope": scope,
        "output": str(output) if output else None,
        "imports": [{"to": each.to, "id": each.id, "why": each.why} for each in found.imports],
        "creates": list(found.creates),
        "changes": [{"address": address, "change": change} for address, change in found.changes],
        "destroys": list(found.removes),
        "state_only": list(found.state_only),
        "conflicts": [{"address": address, "why": why} for address, why in found.conflicts],
        "left": list(found.left),
        "unread": [],
    }


def _print_plan(found: Adoption, output: Path | None) -> None:
    """The plan; as comments where the blocks are on stdout, too."""
    mark = "" if output else "# "
    counts = (
        f"{len(found.imports)} imported, {len(found.creates)} created, "
        f"{len(found.changes)} changed, {_removed(found)}"
    )
    click.echo(f"{mark}{counts}")
    for title, lines in (
        ("created, for nothing live stands for it:", found.creates),
        ("changed in place:", [f"{address}: {change}" for address, change in found.changes]),
        ("in Terraform's state alone, nothing in the cloud:", found.state_only),
        ("removed by the apply, for the file asks for sole ownership:", found.removes),
        ("left alone, unknown to Terraform:", found.left),
        ("in the way:", [f"{address}: {why}" for address, why in found.conflicts]),
    ):
        if lines:
            click.echo(f"{mark}{title}")
            for line in lines:
                click.echo(f"{mark}  {one_line(line)}")


def _removed(found: Adoption) -> str:
    return f"{len(found.removes)} removed" if found.removes else "nothing destroyed"
