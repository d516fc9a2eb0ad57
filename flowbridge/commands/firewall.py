"""`flowbridge firewall`: what each firewall on the way has to let through, in its own language."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from flowbridge.answer import FINDING, HOLDS, Format, answer_format, refuse, refusing, say_json
from flowbridge.written import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowbridge.policy.crossing.path_set import PathSet
    from flowbridge.providers.firewalls.configuration import Configuration


@click.command("firewall")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="One firewall of the file; without it all of them.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write a file for each firewall to; without it one is printed.",
)
@click.option(
    "--compare",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="A configuration of the firewall --name, as someone changed it: is it still the same?",
)
@answer_format
def command(
    file: Path,
    name: str | None,
    output: Path | None,
    compare: Path | None,
    answer_format: Format,
) -> None:
    """What the firewalls under `firewalls:` have to let through, in the language of each.

    A configuration holds exactly the flows that cross the firewall, with the documented rows in
    remarks. It is read back and compared with the flows; what passes beyond them, because the
    firewall cannot say less, is told. Exit code 1 where a flow cannot be said or cannot be told.

    \b
    flowbridge firewall site.yaml --name premises > premises.asa
    flowbridge firewall site.yaml -o firewalls/
    flowbridge firewall site.yaml --name premises --compare running.asa
    """
    from flowbridge.deployment.mistake import nearest
    from flowbridge.deployment.selection.elsewhere import flows_elsewhere
    from flowbridge.providers.firewalls.configuration import configure
    from flowbridge.stacks.pipeline import build_all, catalog_of

    with refusing(answer_format):
        built, *_ = build_all([file])
    resolution = built.estate.whole if built.estate is not None else built.resolution
    known = resolution.site.firewalls
    if not known:
        refuse(answer_format, f"{file} names no firewalls: write them under `firewalls:`")
    if name is not None and name not in known:
        refuse(answer_format, f"--name {name!r} is no firewall of {file}; {nearest(name, known)}")
    chosen = sorted(known) if name is None else [name]
    flows = (*resolution.flows, *flows_elsewhere(resolution.site, catalog_of(resolution)))
    try:
        made = [configure(resolution.site, each, flows) for each in chosen]
    except ValueError as error:
        refuse(answer_format, str(error))
    if compare is not None:
        if name is None:
            refuse(answer_format, "--compare is for one firewall: write --name beside it")
        _compare(made[0], compare, answer_format)
    written: dict[str, str] = {}
    if output is not None:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            refuse(answer_format, f"-o {output}: {error.strerror}")
        for each in made:
            if each.text:
                write_whole(output / each.file_name, each.text, answer_format)
                written[each.name] = str(output / each.file_name)
    if answer_format == "json":
        say_json(
            {
                "holds": all(each.holds for each in made),
                "firewalls": [_plain(each, written.get(each.name)) for each in made],
            },
            "firewall",
        )
    else:
        _say(made, printed=output is None)
    sys.exit(HOLDS if all(each.holds for each in made) else FINDING)


def _compare(made: Configuration, path: Path, answer_format: Format) -> NoReturn:
    """Answers whether the text at `path` lets through what is asked for; exit code 1 if not."""
    from flowbridge.providers.firewalls.configuration import judged

    try:
        closed, opened = judged(made, path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        refuse(answer_format, f"{path} cannot be told: {error}")
    if answer_format == "json":
        say_json(
            {
                "holds": closed is None and opened is None,
                "refused": None if closed is None else str(closed),
                "let_in": None if opened is None else str(opened),
            },
            "firewall",
        )
    else:
        if closed is not None:
            click.secho(f"{path} does not let through, though asked for: {closed}", fg="red")
        if opened is not None:
            click.secho(f"{path} lets through, and nobody asks for it: {opened}", fg="red")
        if closed is None and opened is None:
            click.echo(f"{path} lets through what {made.name} has to, and nothing else.")
    sys.exit(HOLDS if closed is None and opened is None else FINDING)


def _plain(made: Configuration, written: str | None) -> dict[str, Any]:
    return {
        "name": made.name,
        "kind": str(made.kind.name),
        "holds": made.holds,
        "written": written,
        "terms": [
            {
                "name": term.name,
                "action": "allow" if term.allow else "deny",
                "from": term.from_zone,
                "to": term.to_zone,
                "rows": list(term.rows),
            }
            for term in made.terms
        ],
        "refused": [{"why": each.why, "rows": list(each.term.rows)} for each in made.refused],
        "untold": list(made.untold),
        "elsewhere": list(made.elsewhere),
        "excess": _sets(made.excess),
        "missing": _sets(made.missing),
        "unexplained": _sets(made.unexplained),
        "beside": list(made.kind.beside),
        "configuration": made.text,
    }


def _sets(found: Mapping[tuple[str, str], PathSet]) -> list[dict[str, Any]]:
    return [
        {"from": source, "to": to, "packets": packets.count(), "example": str(packets.example())}
        for (source, to), packets in found.items()
    ]


def _say(made: list[Configuration], *, printed: bool) -> None:
    """The text of one firewall on stdout, and what there is to say of all on stderr."""
    if printed and len(made) == 1:
        click.echo(made[0].text, nl=False)
    for each in made:
        rules = sum(term.allow for term in each.terms)
        proved = "proved to be exactly these" if not each.excess else "proved, with excess"
        click.secho(
            f"{each.name} ({each.kind.name}): {rules} rules, {proved}.", err=True, bold=True
        )
        for refused in each.refused:
            _line(f"left out: {refused.why}: rows {', '.join(refused.term.rows)}", "red")
        for sentence in each.untold:
            _line(f"cannot be told: {sentence}", "red")
        for what, found in (("missing", each.missing), ("unexplained", each.unexplained)):
            for packets in found.values():
                _line(f"{what}: for instance {packets.example()}", "red")
        for packets in each.excess.values():
            _line(f"passes and nobody asks for it: for instance {packets.example()}", "yellow")
        if each.elsewhere:
            _line(f"behind none of its zones: {', '.join(each.elsewhere)}", None)
        for sentence in each.kind.beside:
            _line(sentence, None)
    if printed and len(made) > 1:
        _line("write -o FOLDER for the files, or --name for one of them on stdout", None)


def _line(sentence: str, colour: str | None) -> None:
    click.secho(f"  {sentence}", err=True, fg=colour)
