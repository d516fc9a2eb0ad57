"""`flowbridge explain`: why a port is open, down to the row, or which switch would open it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowbridge.answer import Format, answer_format, say_json
from flowbridge.asking import ask, destination_option, port_option, protocol_option, question

if TYPE_CHECKING:
    from flowbridge.catalog.load import Catalog
    from flowbridge.policy.questions.explain import Explanation, Opening
    from flowbridge.providers.provider import Excess

_BLOCKS = 6  # the JSON answer has all


@click.command("explain", help="Why a port is open, or which switch would open it.")
@click.argument("file", type=click.Path(path_type=Path))
@destination_option
@click.option("--from", "source", default="any", show_default=True, help="Who asks.")
@protocol_option
@port_option
@answer_format
def command(
    file: Path,
    destination: str,
    source: str,
    protocol: str,
    port: object,
    answer_format: Format,
) -> None:
    from flowbridge.policy.questions.explain import explain

    asked = question(answer_format, source, destination, protocol, port)
    found, whole, catalog = ask(file, asked, explain, answer_format)
    if answer_format == "json":
        rows = {row_id for opening in found.openings for row_id in opening.rows}
        changed = {row_id: catalog.entry(row_id).replaced for row_id in sorted(rows)}
        replaced = {row_id: told.model_dump() for row_id, told in changed.items() if told}
        say_json({**found.as_plain(), **({"replaced": replaced} if replaced else {})}, "explain")
    else:
        _print(found, catalog, whole.excess)


def _print(found: Explanation, catalog: Catalog, excess: tuple[Excess, ...]) -> None:
    asked = found.question
    ports = ", ".join(map(str, asked.ports))
    where = f"{asked.destination} {asked.protocol.label} {ports}"
    if not found.open:
        click.secho(f"CLOSED  {where}", fg="red", bold=True)
    else:
        click.secho(f"OPEN  {where}", fg="green", bold=True)
    shown: set[str] = set()
    for opening in found.openings:
        towards = "from" if opening.point.direction == "ingress" else "to"
        click.echo(f"  {opening.point} {towards} {opening.peer}")
        for row_id in opening.rows:
            entry = catalog.entry(row_id)
            again = "" if row_id not in shown else " (above)"
            click.echo(f"    {row_id}  {entry.row.purpose.en}{again}")
            if entry.replaced is not None and not again:
                told = entry.replaced
                click.echo(f"      replaced by the overlay {told.overlay}: {told.reason}")
            shown.add(row_id)
        if not opening.rows:
            _print_excess(opening, excess)
        click.echo(f"    carried by {', '.join(opening.rules)}")
    if found.closed:
        click.echo("Rows that would open it" + (" further:" if found.open else ":"))
        for row in found.closed:
            click.echo(f"  {row}")
    elif not found.open:
        click.echo("No documented row opens it; a row of your own would (`overlays`).")


def _print_excess(opening: Opening, excess: tuple[Excess, ...]) -> None:
    """Which packets are let through beside those that rows ask for, and what makes the cloud."""
    here = [one for one in excess if one.where == str(opening.point)]
    reasons = [one.reason for one in here if one.packets & opening.packets]
    because = f", because {'; '.join(reasons)}" if reasons else ""
    click.echo(f"    excess, which no row asks for{because}:")
    blocks = list(opening.packets.boxes())
    for block in blocks[:_BLOCKS]:
        click.echo(f"      {block}")
    if len(blocks) > _BLOCKS:
        click.echo(f"      and {len(blocks) - _BLOCKS} more blocks (--format json has all)")
