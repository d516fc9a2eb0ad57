"""`flowbridge report`: a self-contained page with the connection map."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from flowbridge.answer import Format, answer_format, refuse, refusing, say_json
from flowbridge.places import of_place, place_option
from flowbridge.written import write_whole


@click.command("report", help="A self-contained page with the connection map.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the page; default NAME.html. `-` prints it.",
)
@place_option
@answer_format
def command(file: Path, output: Path | None, place: str | None, answer_format: Format) -> None:
    from flowbridge.report.page import page
    from flowbridge.stacks.pipeline import build_all, judge

    if output is not None and not output.name:
        refuse(answer_format, "-o names no file: write one such as site.html")
    with refusing(answer_format):
        built = of_place(build_all([file]), place, answer_format)
        checked = judge(built)
    target = output or Path(f"{built.resolution.site.name}.html")
    text = page(checked)
    if str(target) == "-":
        if answer_format == "json":
            say_json({"written": None, "holds": checked.exit_code == 0, "content": text})
        else:
            click.echo(text, nl=False)
        sys.exit(checked.exit_code)
    write_whole(target, text, answer_format)
    if answer_format == "json":
        say_json({"written": str(target), "holds": checked.exit_code == 0})
    sys.exit(checked.exit_code)
