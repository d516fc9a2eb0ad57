"""`flowbridge catalog`: the documented rows, for people and for programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from flowbridge.answer import FINDING, Format, answer_format, refuse, refusing, say_json

if TYPE_CHECKING:
    from flowbridge.catalog.load import Catalog


@click.group("catalog", help="The documented rows.")
def command() -> None:
    """The group itself does nothing."""


def _load() -> Catalog:
    from flowbridge.catalog.load import load

    return load()


@command.command("export", help="Every row, as JSON or CSV.")
@click.option("--format", "form", type=click.Choice(["json", "csv"]), default="json")
@click.option(
    "--all", "platform", is_flag=True, help="Also the rows of our own: what the clouds need."
)
def export(form: str, platform: bool) -> None:
    from flowbridge.catalog.export import to_csv, to_json

    with refusing("json" if form == "json" else "text"):
        write = to_json if form == "json" else to_csv
        click.echo(write(_load(), platform=platform), nl=False)


@command.command("list", help="The tables, or the rows of one service or table.")
@click.argument("which", required=False, metavar="[SERVICE|DOCUMENT/TABLE]")
@answer_format
def list_rows(which: str | None, answer_format: Format) -> None:
    from flowbridge.catalog.export import export_rows

    with refusing(answer_format):
        rows = export_rows(_load(), platform=True)
    if which is None:
        tables = _tables(rows)
        if answer_format == "json":
            say_json(tables)
        else:
            _print_table(
                ("table", "service", "rows", "title"),
                [(t["id"], t["service"] or "", str(t["rows"]), t["title"]) for t in tables],
            )
        return
    chosen = [r for r in rows if which in (r["service"], f"{r['document']}/{r['table']}")]
    if not chosen:
        import difflib

        names = sorted(
            {str(r["service"]) for r in rows if r["service"]}
            | {f"{r['document']}/{r['table']}" for r in rows}
        )
        near = difflib.get_close_matches(which, names, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        refuse(answer_format, f"there is no service or table {which!r}.{hint}")
    if answer_format == "json":
        say_json(chosen)
    else:
        _print_table(
            ("id", "purpose", "from", "protocol", "to", "ports"),
            [
                (
                    r["id"],
                    r["purpose"]["en"],
                    ", ".join(r["source_parties"]),
                    "/".join(r["protocols"]),
                    ", ".join(r["destination_parties"]),
                    _ports(r["destination_ports"]) + ("" if r["enabled_by_default"] else " (off)"),
                )
                for r in chosen
            ],
        )


@command.command("notes", help="The notes below the tables: of all, or of one table.")
@click.argument("which", required=False, metavar="[DOCUMENT/TABLE]")
@answer_format
def notes(which: str | None, answer_format: Format) -> None:
    from flowbridge.catalog import reference

    with refusing(answer_format):
        catalog = _load()
        every = reference.notes(catalog)
        tables = {f"{table.document}/{table.table}" for table in catalog.tables}
    if which is not None and which not in tables:
        refuse(answer_format, f"there is no table {which!r}; `flowbridge catalog list` names them")
    found = [note for note in every if which in (None, note["table"])]
    if answer_format == "json":
        say_json(found)
        return
    for note in found:
        click.secho(f"{note['table']} {note['mark']}", bold=True, nl=False)
        click.echo(f"  (line {note['line']})  {note['text']['en']}")
        if note["rows"]:
            click.echo(f"    of {', '.join(note['rows'])}")
    if not found:
        click.echo("There are no notes below this table.")


@command.command("errata", help="Where the documents are wrong, what is used instead, and why.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text")
def errata(form: str) -> None:
    from flowbridge.catalog import reference

    with refusing("json" if form == "json" else "text"):
        catalog = _load()
        found = reference.errata(catalog)
    if form == "json":
        say_json(found)
    elif form == "markdown":
        click.echo(reference.errata_markdown(catalog), nl=False)
    else:
        _print_table(("erratum", "what is wrong"), [(each["id"], each["what"]) for each in found])


@command.command("guide", help="What the documents ask for outside their tables.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text")
def guide_rules(form: str) -> None:
    from flowbridge.catalog import reference
    from flowbridge.catalog.guide_rule import guide

    with refusing("json" if form == "json" else "text"):
        rules = guide()
    if form == "json":
        say_json(reference.rules(rules))
    elif form == "markdown":
        click.echo(reference.rules_markdown(rules), nl=False)
    else:
        _print_table(
            ("rule", "kind", "what the document says", "source"),
            [(name, rule.kind, rule.statement.en, rule.cited) for name, rule in rules.root.items()],
        )


@command.command("show", help="One row, or one guide rule, with everything said of it.")
@click.argument("row_id", metavar="ID")
@answer_format
def show(row_id: str, answer_format: Format) -> None:
    from flowbridge.catalog.export import export_rows

    with refusing(answer_format):
        if row_id.startswith("guide/") and _show_rule(row_id, answer_format):
            return
        rows = {row["id"]: row for row in export_rows(_load(), added=True, platform=True)}
    if row_id not in rows:
        import difflib

        near = difflib.get_close_matches(row_id, rows, n=3)
        hint = f" Near: {', '.join(near)}." if near else ""
        refuse(answer_format, f"there is no row {row_id!r}; ids look like expressway/11/5.{hint}")
    row = rows[row_id]
    if answer_format == "json":
        say_json(row)
    else:
        _print_row(row)


@command.command("diff", help="What an upgrade opens and closes: rows of two releases.")
@click.argument("before", metavar="RELEASE")
@click.argument("after", metavar="RELEASE")
@answer_format
def diff(before: str, after: str, answer_format: Format) -> None:
    from flowbridge.catalog.diff import difference
    from flowbridge.catalog.release import Release

    for text in (before, after):
        try:
            Release.parse(text)
        except ValueError as error:
            refuse(answer_format, str(error))
    with refusing(answer_format):
        changes = difference(_load(), before, after)
    if answer_format == "json":
        say_json(changes)
    elif not changes:
        click.echo(f"The documents make no difference between {before} and {after}.")
    else:
        for change in changes:
            click.echo(f"{change['change']:8} {change['id']:20} {change['what']}")


@command.command("validate", help="Check the catalog's own consistency.")
@answer_format
def validate(answer_format: Format) -> None:
    from flowbridge.catalog.validate import problems

    with refusing(answer_format):
        found = problems(_load())
    if answer_format == "json":
        say_json({"holds": not found, "problems": [str(problem) for problem in found]})
    else:
        for problem in found:
            click.echo(str(problem))
        if not found:
            click.echo("The catalog is consistent.")
    sys.exit(FINDING if found else 0)


def _show_rule(name: str, answer_format: Format) -> bool:
    """Say what a guide rule is; False where there is none of this name."""
    from flowbridge.catalog.guide_rule import guide

    rule = guide().root.get(name)
    if rule is None:
        return False
    if answer_format == "json":
        say_json({"id": name, **rule.model_dump(mode="json")})
        return True
    click.secho(name, bold=True, nl=False)
    click.echo(f"  {rule.kind.value}")
    click.echo(f"  {rule.statement.en}\n  {rule.statement.ja}\n")
    click.echo(f"  {'source':<14}{rule.cited}")
    if rule.when.root:
        click.echo(f"  {'applies when':<14}{rule.when}")
    if rule.key:
        click.echo(f"  {'about':<14}{rule.key}")
    return True


def _ports(cell: list[dict[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(str(a["ports"]) for a in cell if a["ports"])) or "-"


def _tables(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = {}
    for row in rows:
        entry = tables.setdefault(
            f"{row['document']}/{row['table']}",
            {
                "id": f"{row['document']}/{row['table']}",
                "service": row["service"],
                "title": row["title"],
                "title_ja": row["title_ja"],
                "rows": 0,
            },
        )
        entry["rows"] += 1
    return list(tables.values())


def _print_table(columns: tuple[str, ...], lines: list[tuple[str, ...]]) -> None:
    from flowbridge.terminal import print_table

    print_table(columns, lines)


def _print_row(row: dict[str, Any]) -> None:
    from flowbridge.catalog.reference import evidence, used

    click.secho(row["id"], bold=True, nl=False)
    click.echo(f"  {row['purpose']['en']}")
    if row["purpose"]["ja"]:
        click.echo(f"  {row['purpose']['ja']}")
    click.echo(f"  {row['title']} (line {row['line']} of the document)\n")
    for label, key in (("from", "source"), ("to", "destination")):
        parties = ", ".join(row[f"{key}_parties"]) or "-"
        click.echo(f"  {label:<14}{row[key] or '(nothing printed)'}  [{parties}]")
    click.echo(f"  {'source ports':<14}{row['source_ports'] or '-'}")
    click.echo(
        f"  {'protocol':<14}{row['protocol_printed'] or '(nothing printed)'}"
        f"  [{', '.join(row['protocols'])}]"
    )
    for number, alternative in enumerate(row["destination_ports"]):
        label = "ports" if number == 0 else ""
        when = f"  when {_when(alternative['when'])}" if alternative["when"] else ""
        click.echo(f"  {label:<14}{alternative['ports'] or '(the deployment supplies it)'}{when}")
    if not row["enabled_by_default"]:
        bracketed = "" if "+" in row["id"] else ": the documents print its port in brackets"
        click.echo(f"  off by default{bracketed}")
    if row["when"]:
        click.echo(f"  {'applies when':<14}{_when(row['when'])}")
    for note in row["notes"]:
        click.echo(f"  note: {note}")
    for erratum in row["errata"]:
        click.secho(f"\n  erratum {erratum['id']}", bold=True)
        click.echo(f"    wrong: {erratum['what']}\n    why:   {erratum['why']}")
        added = row["id"] if erratum["id"] == row["id"] else None
        click.echo(f"    used:  {used({**erratum, 'adds': added})}")
        click.echo(f"    shown: {evidence(erratum['evidence'])}")


def _when(when: object) -> str:
    from flowbridge.catalog.condition import Condition

    return str(Condition.model_validate(when))
