"""`flowbridge request`: what firewalls have to open and to close between two versions of a file."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any, Final, Literal

import click

from flowbridge.answer import Format, json_text, refuse, refusing, say_json
from flowbridge.written import write_whole

RequestFormat = Literal["text", "json", "md", "html", "xlsx"]
_HEADINGS: Final = {True: "To open", False: "To close"}


@click.command("request")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--at", metavar="PARTY", help="Only what ends at this party, workload or interface.")
@click.option("--approver", help="Who approves; left as a blank line where it is not said.")
@click.option(
    "--format",
    "request_format",
    type=click.Choice(["text", "json", "md", "html", "xlsx"]),
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
    old: Path,
    new: Path,
    at: str | None,
    approver: str | None,
    request_format: RequestFormat,
    output: Path | None,
) -> None:
    """A change request: what to open and what to close, by address, with its way back.

    Every change names the ends, ports and documented rows. Openings come first, so that nothing is
    cut while the change is made.

    \b
    flowbridge request site.yaml site-with-a-second-edge.yaml --format md
    flowbridge request before.yaml after.yaml --format xlsx -o change.xlsx --approver "A. Nunez"
    """
    answer: Format = "json" if request_format == "json" else "text"
    if request_format == "xlsx" and output is None:
        refuse(answer, "an XLSX workbook is no text: write -o change.xlsx (or -o - for a pipe)")
    with refusing(answer):
        plain = _request(old, new, at, approver)
    match request_format:
        case "json":
            if output is None:
                say_json(plain, "request")
            else:
                write_whole(output, json_text(plain), answer)
        case "xlsx":
            write_whole(output or Path("-"), _workbook(plain), answer)
        case "md" | "html":
            write_whole(output or Path("-"), _page(plain, request_format), answer)
        case "text":
            _print(plain)


def _request(old: Path, new: Path, at: str | None, approver: str | None) -> dict[str, Any]:
    """The request as plain data: what `--format json` prints."""
    import importlib.metadata

    from flowbridge.catalog.load import data_version
    from flowbridge.deployment.selection.elsewhere import flows_elsewhere
    from flowbridge.flow_list.records import record
    from flowbridge.policy.questions.flow_list import changes, flow_lines
    from flowbridge.stacks.pipeline import catalog_of, load_all

    resolved = [load_all(old).whole, load_all(new).whole]
    catalogs = [catalog_of(each) for each in resolved]
    lines = [
        flow_lines((*each.flows, *flows_elsewhere(each.site, catalog)), at)
        for each, catalog in zip(resolved, catalogs, strict=True)
    ]
    found = changes(*lines)
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "before": _version(old, resolved[0].site.name),
        "after": _version(new, resolved[1].site.name),
        "flowbridge": importlib.metadata.version("flowbridge"),
        "catalog": data_version(),
        "approver": approver,
        "at": at,
        "open": [record(c.line, catalogs[1], c.ports) for c in found if c.opens],
        "close": [record(c.line, catalogs[0], c.ports) for c in found if not c.opens],
        "roll_back": f"flowbridge request {new} {old}",
    }


def _version(file: Path, name: str) -> dict[str, str]:
    return {
        "file": str(file),
        "site": name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }


def _print(plain: dict[str, Any]) -> None:
    from flowbridge.flow_list.table import COLUMNS, table_line
    from flowbridge.terminal import print_table

    if not plain["open"] and not plain["close"]:
        click.echo("Nothing has to be opened or closed.")
        return
    for opens, heading in _HEADINGS.items():
        records = plain["open" if opens else "close"]
        if records:
            click.secho(f"{heading} ({len(records)})", bold=True)
            print_table(COLUMNS, [table_line(each, whole=True) for each in records])
    click.echo(f"Way back: {plain['roll_back']}")


def _page(plain: dict[str, Any], wanted: Literal["md", "html"]) -> str:
    from flowbridge.flow_list.formats import as_markdown
    from flowbridge.flow_list.records import COLUMNS
    from flowbridge.report.page import templates

    tables = {
        heading: (COLUMNS, plain["open" if opens else "close"])
        for opens, heading in _HEADINGS.items()
    }
    marked = {heading: as_markdown(*table) for heading, table in tables.items()}
    return (
        templates()
        .get_template(f"request.{wanted}.j2")
        .render(request=plain, tables=tables, marked=marked)
    )


def _workbook(plain: dict[str, Any]) -> bytes:
    from flowbridge.flow_list.formats import as_xlsx
    from flowbridge.flow_list.records import COLUMNS

    facts = [
        {"what": "date", "value": plain["date"]},
        *(
            {"what": f"{when} {key}", "value": value}
            for when in ("before", "after")
            for key, value in plain[when].items()
        ),
        {"what": "flowbridge", "value": plain["flowbridge"]},
        {"what": "catalog", "value": plain["catalog"]},
        {"what": "approver", "value": plain["approver"] or ""},
        {"what": "way back", "value": plain["roll_back"]},
    ]
    return as_xlsx(
        {
            "request": (("what", "value"), facts),
            "open": (COLUMNS, plain["open"]),
            "close": (COLUMNS, plain["close"]),
        }
    )
