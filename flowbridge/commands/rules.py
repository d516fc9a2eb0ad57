"""`flowbridge rules`: the compiled rules, each with the rows that ask for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from flowbridge.answer import (
    Format,
    TableFormat,
    refuse,
    refusing,
    say_csv,
    say_json,
    table_format,
)
from flowbridge.completion import places, rows
from flowbridge.deployment.interface_key import workload_of

if TYPE_CHECKING:
    from flowbridge.providers.provider import LoweredRule
    from flowbridge.stacks.pipeline import Built

Network = IPv4Network | IPv6Network
# So many addresses of one block are looked up one by one.
_FEW: Final = 16


@click.command(
    "rules",
    help="The compiled rules with their rows.",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--scope",
    shell_complete=places,
    help="Only this interface or tier, for instance expressway-e/external.",
)
@click.option(
    "--row",
    "row_id",
    shell_complete=rows,
    help="Only rules that carry this row, for instance expressway/11/5.",
)
@table_format
def command(file: Path, scope: str | None, row_id: str | None, table_format: TableFormat) -> None:
    from flowbridge.providers.provider import LoweredRule
    from flowbridge.stacks.pipeline import build_all
    from flowbridge.stacks.seen import in_place

    answer_format: Format = "json" if table_format == "json" else "text"
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
        near = get_close_matches(scope, scopes, n=1)
        hint = f": did you mean {near[0]}?" if near else "."
        refuse(answer_format, f"--scope {scope!r} names nothing here{hint} Write one of: {known}")
    closed = None if row_id is None else _closed(built[0], row_id, answer_format)
    rules = [
        rule
        for rule in every
        if (scope is None or scope in _names(rule.scope))
        and (row_id is None or row_id in rule.rows)
    ]
    if answer_format == "json":
        say_json([rule._asdict() for rule in rules], "rules")
        return
    if table_format == "csv":
        say_csv(list(LoweredRule._fields), [rule._asdict() for rule in rules])
        return
    from flowbridge.terminal import print_by_group

    with_sources = any(rule.source_ports not in ("", "any") for rule in rules)
    columns = ["scope", "direction", "rule", "peer", "protocol", "ports", "rows"]
    if with_sources:
        columns.insert(5, "source ports")
    lines = []
    names = _Names(built)
    for rule in _in_reading_order(rules):
        number = "" if rule.priority is None else f" {rule.priority}"
        line = [
            rule.scope,
            rule.direction,
            f"{rule.stage} {rule.action}{number}",
            names.of(rule.peer),
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
    own = local, workload_of(local)
    return (scope, place, *own) if place else own


def _in_reading_order(rules: Iterable[LoweredRule]) -> list[LoweredRule]:
    """By place; a network ACL as the cloud reads it, what only allows by protocol and port."""
    every = list(rules)
    first: dict[tuple[str, str, str], int] = {}
    for rule in every:
        if rule.action == "allow" and rule.priority is not None:
            place = (rule.scope, rule.direction, rule.stage)
            first[place] = min(first.get(place, rule.priority), rule.priority)

    def order(rule: LoweredRule) -> tuple[object, ...]:
        number = -1 if rule.priority is None else rule.priority
        if rule.action == "allow" and rule.stage != "network-acl":
            number = first.get((rule.scope, rule.direction, rule.stage), number)
        ports = [int(port) for port in re.findall(r"\d+", rule.destination_ports)]
        inward = rule.direction != "ingress"
        return rule.scope, inward, rule.stage, number, rule.protocol, ports, rule.peer

    return sorted(every, key=order)


class _Names:
    """What the addresses of rules are called: parties of the file, interfaces, the internet."""

    def __init__(self, stacks: Iterable[Built]) -> None:
        self._known: dict[Network, str] = {}
        for built in stacks:
            for name, system in built.resolution.site.systems.items():
                self._known.update(dict.fromkeys(system.addresses, name))
            for card in built.policy.interfaces:
                self._known.update(dict.fromkeys((*card.private, *card.public), card.key))

    def of(self, peer: str) -> str:
        """`admin-pc 10.9.0.0/24`: who it is, and the addresses."""
        said = [name for part in peer.split(",") for name in self._one(part.strip())]
        return " ".join([*dict.fromkeys(said), peer])

    def _one(self, text: str) -> Iterator[str]:
        try:
            network = ip_network(text)
        except ValueError:
            return
        if network.prefixlen == 0:
            yield "internet"
        elif network in self._known:
            yield self._known[network]
        elif network.num_addresses <= _FEW:
            hosts = [self._known.get(ip_network(host)) for host in network]
            yield from (name for name in hosts if name is not None)


def _closed(built: Built, row_id: str, answer_format: Format) -> str:
    """Why no rule carries this row, should none; refused where there is no such row."""
    whole = built.estate.whole if built.estate is not None else built.resolution
    for selected in whole.selected:
        if selected.id == row_id:
            return f"{row_id}: {selected.outcome}: {selected.reason}"
    from flowbridge.stacks.pipeline import catalog_of

    try:
        known = catalog_of(built.resolution)
        service = known.entry(row_id).table.service
    except KeyError:
        near = get_close_matches(row_id, [entry.id for entry in known.entries()], n=3)
        hint = f"near: {', '.join(near)}" if near else "see `flowbridge catalog list`"
        refuse(answer_format, f"--row {row_id!r}: there is no such row; {hint}")
    request = f"; add {service} to `services`" if service else ""
    return f"{row_id}: no service that is requested here has this row{request}"
