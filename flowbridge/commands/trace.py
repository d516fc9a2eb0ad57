"""`flowbridge trace`: the verdict on a packet, what decided it at each hop, and its reply."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowbridge.answer import FINDING, HOLDS, Format, answer_format, say_json
from flowbridge.asking import PORTS, ask, destination_option, port_option, protocol_option, question
from flowbridge.completion import places

if TYPE_CHECKING:
    from flowbridge.policy.questions.trace import Trace


@click.command(
    "trace",
    help="The verdict on a packet, or on a set of them, hop by hop, and on its reply.",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "source",
    required=True,
    shell_complete=places,
    help="Workload, interface, system or address.",
)
@destination_option
@protocol_option
@click.option("--source-port", type=PORTS, help="Source port; left out: any.")
@port_option
@click.option(
    "--expect",
    type=click.Choice(["allowed", "denied"]),
    help="Exit 1 unless this is the verdict; `denied`: no packet asked about gets through; "
    "`allowed`: every address and port asked about is reached, from some source port where "
    "--source-port names none.",
)
@answer_format
def command(
    file: Path,
    source: str,
    destination: str,
    protocol: str,
    source_port: object,
    port: object,
    expect: str | None,
    answer_format: Format,
) -> None:
    from flowbridge.policy.questions.trace import trace

    asked = question(answer_format, source, destination, protocol, port, source_port)
    found, _, _ = ask(file, asked, trace, answer_format)
    if answer_format == "json":
        say_json(found.as_plain(), "trace")
    else:
        _print(found)
    kept = str(found.verdict) == expect and (expect == "denied" or found.served)
    if expect is not None and (not kept or found.not_judged):
        click.echo(f"Expected {expect}.", err=True)
        sys.exit(FINDING)
    sys.exit(HOLDS)


def _print(found: Trace) -> None:
    allowed = found.verdict == "allowed"
    click.secho(str(found.verdict).upper(), fg="green" if allowed else "red", bold=True, nl=False)
    if found.extent == "some":
        click.secho(f" for {found.covers}", bold=True)
        click.echo(f"One of them: {found.sample}  ({found.source} to {found.destination})")
    else:
        click.echo(f"  {found.sample}  ({found.source} to {found.destination})")
    for hop in found.hops:
        mark = "+" if hop.decision.allowed else "x"
        click.echo(f"  {mark} {hop}")
    for unknown in found.not_judged:
        click.echo(f"{unknown[0].upper()}{unknown[1:]}.")
    if found.rows:
        click.echo(f"Asked for by {', '.join(found.rows)}.")
    elif allowed:
        click.echo("No row asks for this packet: it is excess, which the cloud cannot say tighter.")
    _print_list("Asked for from other source ports only:", found.near)
    _print_list("Asked for between other addresses of the two:", found.elsewhere)
    for name, extent in found.others:
        click.echo(f"Also: {name}: {extent} get through.")
    _print_list("Rows that would open it:", found.closed)
    if found.not_judged and not allowed:
        click.echo(
            "Rows open nothing for it: list it as a system with its `tier` and its services, or "
            "move it to a subnet that no tier names."
        )
    elif not (allowed or found.closed or found.near or found.elsewhere):
        click.echo("No documented row asks for it; a row of your own could (`overlays`).")


def _print_list(title: str, lines: tuple[object, ...]) -> None:
    if lines:
        click.echo(title)
    for line in lines:
        click.echo(f"  {line}")
