"""`flowbridge rules`: the compiled rules, each with the rows that ask for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowbridge.answer import Format, answer_format, refuse, refusing, say_json

if TYPE_CHECKING:
    from flowbridge.stacks.pipeline import Built


@click.command("rules", help="The compiled rules with their rows.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--scope", help="Only this interface or tier, for instance expressway-e/external.")
@click.option(
    "--row", "row_id", help="Only rules that carry this row, for instance expressway/11/5."
)
@answer_format
def command(file: Path, scope: str | None, row_id: str | None, answer_format: Format) -> None:
    from flowbridge.stacks.pipeline import build_all
    from flowbridge.stacks.seen import in_place

    with refusing(answer_format):
        built = build_all([file])
    every = [
        rule._replace(scope=in_place(rule.scope, each.resolution.place if each.estate else ""))
        for each in built
        for rule in each.lowered.rules
    ]
    scopes = {name for rule in every for name in _names(rule.scope)}
    if scope is not None and scope not in scopes:
        known = ", ".join(sorted(scopes))
        refuse(answer_format, f"--scope {scope!r} names nothing here. Write one of: {known}")
    closed = None if row_id is None else _closed(built[0], row_id, answer_format)
    rules = [
        rule
        for rule in every
        if (scope is None or scope in _names(rule.scope))
        and (row_id is None or row_id in rule.rows)
    ]
    if answer_format == "json":
        say_json([rule._asdict() for rule in rules])
        return
    from flowbridge.terminal import print_by_group

    with_sources = any(rule.source_ports not in ("", "any") for rule in rules)
    columns = ["scope", "direction", "rule", "peer", "protocol", "ports", "rows"]
    if with_sources:
        columns.insert(5, "source ports")
    lines = []
    for rule in rules:
        number = "" if rule.priority is None else f" {rule.priority}"
        line = [
            rule.scope,
            rule.direction,
            f"{rule.stage} {rule.action}{number}",
            rule.peer,
            rule.protocol,
            rule.destination_ports,
            ", ".join(rule.rows),
        ]
        if with_sources:
            line.insert(5, rule.source_ports)
        lines.append(line)
    print_by_group(columns, lines, shared=2)
    click.echo(f"{len(rules)} rules.", err=True)
    if closed and not rules:
        click.echo(closed, err=True)


def _names(scope: str) -> tuple[str, ...]:
    """What a scope may be called: `dmz-vpc:expressway-e/external` is also `expressway-e/external`,
    `expressway-e` and `dmz-vpc`."""
    place, _, local = scope.rpartition(":")
    own = local, local.split("/")[0]
    return (scope, place, *own) if place else own


def _closed(built: Built, row_id: str, answer_format: Format) -> str:
    """Why no rule carries this row, should none; refused where there is no such row."""
    whole = built.estate.whole if built.estate is not None else built.resolution
    for selected in whole.selected:
        if selected.id == row_id:
            return f"{row_id}: {selected.outcome}: {selected.reason}"
    from flowbridge.stacks.pipeline import catalog_of

    try:
        service = catalog_of(built.resolution).entry(row_id).table.service
    except KeyError:
        refuse(
            answer_format, f"--row {row_id!r}: there is no such row; see `flowbridge catalog list`"
        )
    request = f"; add {service} to `services`" if service else ""
    return f"{row_id}: no service that is requested here has this row{request}"
