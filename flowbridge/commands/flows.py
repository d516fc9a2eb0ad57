"""`flowbridge flows`: every flow by address, for a firewall that Flowbridge does not make."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from flowbridge.answer import Format, json_text, refuse, refusing, say_json
from flowbridge.completion import places
from flowbridge.sites import named_sites, sites_argument
from flowbridge.written import write_whole

if TYPE_CHECKING:
    from flowbridge.catalog.load import Catalog
    from flowbridge.deployment.file.site import Site
    from flowbridge.deployment.flow import Flow

ListFormat = Literal["text", "json", "csv", "md", "xlsx"]


@click.command("flows")
@sites_argument
@click.option(
    "--at",
    metavar="PARTY",
    shell_complete=places,
    help="Only flows with an end at this party, workload or interface, as it sees them: before the "
    "NAT on its own side, behind the NAT of the other. Of a firewall of the file: what crosses it.",
)
@click.option(
    "--format",
    "list_format",
    type=click.Choice(["text", "json", "csv", "md", "xlsx"]),
    default="text",
    show_default=True,
    help="How to answer.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write; without it stdout.",
)
def command(
    files: tuple[Path, ...], at: str | None, list_format: ListFormat, output: Path | None
) -> None:
    """Every flow by address, for the firewall on the other side.

    A line is one flow in the direction of its first packet, with the documented rows that ask for
    it. Flows whose two ends both run elsewhere are in it where a service of the file needs them.

    \b
    flowbridge flows site.yaml --format xlsx -o flows.xlsx
    flowbridge flows site.yaml --at dns
    flowbridge flows site.yaml --at expressway-e/external --format csv
    flowbridge flows site.yaml --at premises     (a firewall of the file: what crosses it)
    """
    from flowbridge.flow_list.formats import as_csv, as_markdown, as_xlsx
    from flowbridge.flow_list.records import COLUMNS, record
    from flowbridge.policy.crossing.lines import lines_at
    from flowbridge.policy.crossing.zones import zones_of
    from flowbridge.policy.questions.flow_list import flow_lines, places

    answer: Format = "json" if list_format == "json" else "text"
    if list_format == "xlsx" and output is None:
        refuse(answer, "an XLSX workbook is no text: write -o flows.xlsx (or -o - for a pipe)")
    sites = _sites(named_sites(files, answer, "flows"), answer)
    named = {name for site, flows, _ in sites for name in (*places(flows), *site.firewalls)}
    if at is not None and at not in named:
        near = difflib.get_close_matches(at, named, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        refuse(
            answer, f"--at {at!r} has no flows here; {hint}write one of: {', '.join(sorted(named))}"
        )
    records: list[dict[str, Any]] = [
        {"site": site.name, **record(line, catalog), "managed": line.managed}
        for site, flows, catalog in sites
        for line in (
            lines_at(flows, site.firewalls[at], zones_of(site, site.firewalls[at]))
            if at in site.firewalls and at not in places(flows)
            else flow_lines(flows, at)
        )
    ]
    columns = ["site", *COLUMNS, "managed"]
    match list_format:
        case "json":
            if output is None:
                say_json(records, "flows")
            else:
                write_whole(output, json_text(records), answer)
        case "csv":
            write_whole(output or Path("-"), as_csv(columns, records), answer)
        case "md":
            write_whole(output or Path("-"), as_markdown(columns, records), answer)
        case "xlsx":
            write_whole(output or Path("-"), as_xlsx({"flows": (columns, records)}), answer)
        case "text":
            _print(records, several=len(sites) > 1)


def _sites(files: tuple[Path, ...], answer: Format) -> list[tuple[Site, tuple[Flow, ...], Catalog]]:
    """Site, flows and catalog of each file; exit code 2 for one that cannot be used."""
    from flowbridge.deployment.selection.elsewhere import flows_elsewhere
    from flowbridge.stacks.pipeline import build_all, catalog_of

    found = []
    with refusing(answer):
        for built in build_all(files):
            if not built.leads:
                continue
            whole = built.estate.whole if built.estate is not None else built.resolution
            site, catalog = whole.site, catalog_of(whole)
            flows = (*whole.flows, *flows_elsewhere(site, catalog))
            found.append((site, flows, catalog))
    return found


def _print(records: list[dict[str, Any]], *, several: bool) -> None:
    from flowbridge.flow_list.table import COLUMNS, table_line
    from flowbridge.terminal import print_table

    columns, lines = list(COLUMNS), [table_line(each) for each in records]
    if several:
        columns.insert(0, "site")
        for line, each in zip(lines, records, strict=True):
            line.insert(0, each["site"])
    print_table(columns, lines)
    click.echo(f"{len(records)} flows.", err=True)
