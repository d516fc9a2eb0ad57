"""`flowbridge init`: a first deployment file that `flowbridge check` accepts, to be edited."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import click

from flowbridge.answer import Format, answer_format, refuse, say_json
from flowbridge.deployment.checks.cloud import example_region
from flowbridge.deployment.file.site import Cloud

TOPOLOGIES: Final = ("one-network", "on-premises", "two-networks", "two-clusters")
TEMPLATES = Path(__file__).parent.parent / "templates"
# Where the file itself lies: in the repository the folder is a link.
SCHEMA = (Path(__file__).parent.parent / "schemas" / "deployment.schema.json").resolve()


@click.command("init", help="Write a first deployment file.")
@click.option(
    "--cloud", type=click.Choice([cloud.value for cloud in Cloud]), default="aws", show_default=True
)
@click.option("--name", default="my-edge", show_default=True, help="Becomes the stack's name.")
@click.option("--nics", type=click.Choice(["dual", "single"]), default="dual", show_default=True)
@click.option(
    "--topology",
    type=click.Choice(TOPOLOGIES),
    help="Where things stand: one network; one network and half of Unified CM on premises; two "
    "networks that meet over a transit; two named clusters (MRA and B2B). Asked on a terminal, "
    "else one network.",
)
@click.option(
    "--turn/--no-turn",
    default=None,
    help="Whether SIP calls use TURN; asked on a terminal, else left open as printed.",
)
@click.option(
    "--ice-passthrough/--no-ice-passthrough",
    default=None,
    help="Whether MRA uses ICE passthrough; asked on a terminal, else left open as printed.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write; default NAME.yaml. `-` prints it.",
)
@click.option(
    "--from-plan",
    "plan",
    type=click.Path(path_type=Path),
    metavar="PLAN.json",
    help="Propose the file from a plan or state (`terraform show -json`): every line says "
    "why, and what the plan does not tell stands as a question.",
)
@answer_format
def command(
    cloud: str,
    name: str,
    nics: str,
    topology: str | None,
    turn: bool | None,
    ice_passthrough: bool | None,
    output: Path | None,
    plan: Path | None,
    answer_format: Format,
) -> None:
    import re

    if not re.fullmatch(r"[a-z][a-z0-9-]{0,38}[a-z0-9]", name):
        refuse(
            answer_format,
            f"--name {name!r}: write 2 to 40 of a-z, 0-9 and '-', beginning with a letter",
        )
    target = output or Path(f"{name}.yaml")
    if plan is None:
        topology = topology or _topology()
        if topology == "two-networks" and nics == "single":
            refuse(answer_format, "--topology two-networks has a card in each: leave --nics out")
        turn = _asked(turn, "Do SIP calls use TURN on Expressway-E (off on a fresh one)?")
        ice_passthrough = _asked(ice_passthrough, "Does MRA use ICE passthrough (off likewise)?")
        text = _example(
            target,
            cloud=cloud,
            region=example_region(Cloud(cloud)),
            name=name,
            nics=nics,
            topology=topology,
            turn=turn,
            ice_passthrough=ice_passthrough,
        )
    else:
        text = _proposed(plan, name, target, answer_format)
    if str(target) == "-":
        if answer_format == "json":
            say_json({"written": None, "content": text}, "init")
        else:
            click.echo(text, nl=False)
        return
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        refuse(answer_format, f"{target} is there already; name another file with -o")
    except OSError as error:
        refuse(answer_format, f"{target} cannot be written: {error.strerror}")
    if answer_format == "json":
        say_json({"written": str(target)}, "init")
    else:
        from flowbridge.invocation import file_argument, own_command

        then = f"{own_command()} check {file_argument(target)}"
        click.echo(f"Wrote {target}. Put your addresses in, then: {then}")


def _topology() -> str:
    """The answer on a terminal; else the smallest."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return TOPOLOGIES[0]
    question = "Where do things stand?"
    return str(
        click.prompt(question, type=click.Choice(TOPOLOGIES), default=TOPOLOGIES[0], err=True)
    )


def _asked(given: bool | None, question: str) -> bool:
    """The answer given as an option, or on a terminal; else as the tables print it: open."""
    if given is not None:
        return given
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return click.confirm(question, default=True, err=True)


def _example(target: Path, **given: object) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - the template is YAML, and every value is checked above
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = templates.get_template("deployment.yaml.j2")
    return template.render(**given, schema=_schema_from(target))


def _proposed(plan: Path, name: str, target: Path, form: Format) -> str:
    from flowbridge.commands.judge import read_document
    from flowbridge.stacks.proposal import propose

    try:
        return propose(read_document(plan, form), name, _schema_from(target))
    except ValueError as error:
        refuse(form, f"{plan}: {error}")


def _schema_from(target: Path) -> str:
    """The schema's path as an editor finds it from the folder of `target`."""
    folder = Path() if str(target) == "-" else target.parent
    try:
        path = os.path.relpath(SCHEMA, folder.resolve())
    except ValueError:  # on another drive
        return SCHEMA.as_uri()
    return Path(path).as_posix() if path.startswith("..") else f"./{Path(path).as_posix()}"
