"""`flowbridge synth`: Terraform JSON without Node, as a root configuration or as a module."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from flowbridge.answer import HOLDS, Format, answer_format, refuse, refusing, say_json
from flowbridge.sites import sites_argument

if TYPE_CHECKING:
    from flowbridge.stacks.synthesis import Synthesized


@click.command(
    "synth",
    help="Terraform JSON without Node: a root configuration or a module. Without FILE the "
    "deployments of FLOWBRIDGE_DEPLOYMENTS or cdktf.json.",
)
@sites_argument
@click.option(
    "--as",
    "form",
    type=click.Choice(["stack", "module"]),
    default="stack",
    show_default=True,
    help="stack: a root configuration with provider and backend; module: variables instead.",
)
@click.option(
    "-o",
    "--output",
    "output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to; default that of cdktf.json, else cdktf.out. A stack goes to "
    "DIR/stacks/NAME, a module to DIR/modules/NAME.",
)
@answer_format
def command(
    files: tuple[Path, ...],
    form: Literal["stack", "module"],
    output: Path | None,
    answer_format: Format,
) -> None:
    from flowbridge.stacks.pipeline import build_all, deployment_files
    from flowbridge.stacks.plain.form import ModuleForm, RootForm
    from flowbridge.stacks.project import read_project
    from flowbridge.stacks.synthesis import synthesize_as
    from flowbridge.synth import files_of

    if output is not None and not output.name and str(output) not in (".", "/"):
        refuse(answer_format, "-o names no folder: write one such as terraform")
    with refusing(answer_format):
        project = read_project(Path())
        chosen = RootForm() if form == "stack" else ModuleForm()
        named = (
            files_of(project)
            if not files
            else deployment_files([str(file) for file in files], Path(), "the command line")
        )
        built = build_all(named, chosen.stacks)
        done = synthesize_as(chosen, built, output or project.outdir)
    if answer_format == "json":
        say_json(_plain(done, form), "synth")
    else:
        _print(done)
    sys.exit(done.exit_code)


def _plain(done: Synthesized, form: str) -> dict[str, object]:
    return {
        "holds": done.exit_code == HOLDS,
        "as": form,
        "written": [str(path) for path in done.files],
        "deployments": [
            {
                "file": each.built.resolution.file,
                "name": each.built.resolution.site.name,
                "cloud": str(each.built.resolution.site.cloud),
                "holds": each.exit_code == HOLDS,
                "failures": list(each.failures),
            }
            for each in done.checked
        ],
    }


def _print(done: Synthesized) -> None:
    for each in done.checked:
        for failure in each.failures:
            click.echo(f"error: {each.built.resolution.file}: {failure}", err=True)
    for path in done.files:
        click.echo(f"Wrote {path}")
    if not done.files:
        click.echo("Nothing was written.", err=True)
