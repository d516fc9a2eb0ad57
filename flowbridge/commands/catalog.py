"""`flowbridge catalog`: the documented rows, for people and for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from flowbridge.answer import FINDING, Format, answer_format, refuse, refusing, say_json, say_raw
from flowbridge.commands.catalog_ingest import command as ingest
from flowbridge.completion import rows_and_rules, services

if TYPE_CHECKING:
    from flowbridge.catalog.load import Catalog


Function = TypeVar("Function", bound=Callable[..., Any])


@click.group("catalog", help="The documented rows.")
def command() -> None:
    """The group itself does nothing."""


command.add_command(ingest)


def catalog_choice(function: Function) -> Function:
    """The options that every one of these commands takes: `--overlay` and `--release`."""
    overlay = click.option(
        "--overlay",
        "overlays",
        multiple=True,
        type=click.Path(path_type=Path),
        help="With the rows of this overlay, and what it closes and replaces. Repeatable.",
    )
    release = click.option(
        "--release",
        "releases",
        multiple=True,
        metavar="PRODUCT=RELEASE",
        help="By the editions for this release, for instance X14.0 or cucm=14. Repeatable.",
    )
    return overlay(release(function))


def _load(
    answer_format: Format, overlays: Sequence[Path] = (), releases: Sequence[str] = ()
) -> Catalog:
    """The catalog that the options choose. BadFileError for a faulty overlay."""
    from flowbridge.catalog.load import load

    catalog = load()
    if overlays:
        from flowbridge.catalog.overlay import with_overlays
        from flowbridge.deployment.selection.facts import option_paths

        catalog = with_overlays(catalog, overlays, option_paths())
    if releases:
        wanted = dict(_release(answer_format, text) for text in releases)
        catalog = catalog.at(wanted)
    return catalog


def _release(answer_format: Format, text: str) -> tuple[str, str]:
    """`cucm=14` as product and release; a plain release is Expressway's."""
    from flowbridge.catalog.document import PRODUCTS
    from flowbridge.catalog.release import release_order

    product, equals, release = text.partition("=")
    if not equals:
        product, release = "expressway", text
    if product not in PRODUCTS:
        refuse(
            answer_format,
            f"there is no product {product!r}; write one of {', '.join(PRODUCTS)}, as in cucm=14",
        )
    try:
        release_order(product, release)
    except ValueError as error:
        hint = "" if equals else "; other products are written like cucm=14"
        refuse(answer_format, f"{error}{hint}")
    return product, release


@command.command("export", help="Every row, as JSON or CSV.")
@click.option("--format", "form", type=click.Choice(["json", "csv"]), default="json")
@click.option(
    "--all", "platform", is_flag=True, help="Also the rows of our own: what the clouds need."
)
@catalog_choice
def export(
    form: str, platform: bool, overlays: tuple[Path, ...], releases: tuple[str, ...]
) -> None:
    from flowbridge.catalog.export import to_csv, to_json

    answer: Format = "json" if form == "json" else "text"
    with refusing(answer):
        write = to_json if form == "json" else to_csv
        say_raw(write(_load(answer, overlays, releases), platform=platform))


@command.command("list", help="The tables, or the rows of one service or table.")
@click.argument(
    "which", required=False, metavar="[SERVICE|DOCUMENT/TABLE]", shell_complete=services
)
@catalog_choice
@answer_format
def list_rows(
    which: str | None,
    overlays: tuple[Path, ...],
    releases: tuple[str, ...],
    answer_format: Format,
) -> None:
    from flowbridge.catalog.export import export_rows

    with refusing(answer_format):
        rows = export_rows(_load(answer_format, overlays, releases), platform=True)
    if which is None:
        tables = _tables(rows)
        if answer_format == "json":
            say_json(tables, "catalog-list")
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
        say_json(chosen, "catalog-list")
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
@catalog_choice
@answer_format
def notes(
    which: str | None,
    overlays: tuple[Path, ...],
    releases: tuple[str, ...],
    answer_format: Format,
) -> None:
    from flowbridge.catalog import reference

    with refusing(answer_format):
        catalog = _load(answer_format, overlays, releases)
        every = reference.notes(catalog)
        tables = {f"{table.document}/{table.table}" for table in catalog.tables}
    if which is not None and which not in tables:
        refuse(answer_format, f"there is no table {which!r}; `flowbridge catalog list` names them")
    found = [note for note in every if which in (None, note["table"])]
    if answer_format == "json":
        say_json(found, "catalog-notes")
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
@catalog_choice
def errata(form: str, overlays: tuple[Path, ...], releases: tuple[str, ...]) -> None:
    from flowbridge.catalog import reference

    answer: Format = "json" if form == "json" else "text"
    with refusing(answer):
        catalog = _load(answer, overlays, releases)
        found = reference.errata(catalog)
    if form == "json":
        say_json(found, "catalog-errata")
    elif form == "markdown":
        say_raw(reference.errata_markdown(catalog))
    else:
        _print_table(("erratum", "what is wrong"), [(each["id"], each["what"]) for each in found])


@command.command("features", help="What people use, as steps: who sends what to whom.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text")
def features_(form: str) -> None:
    from flowbridge.catalog.feature_page import features, features_markdown

    answer_format: Format = "json" if form == "json" else "text"
    with refusing(answer_format):
        catalog = _load(answer_format)
        found = features(catalog)
    if form == "json":
        say_json(found, "catalog-features")
    elif form == "markdown":
        click.echo(features_markdown(catalog), nl=False)
    else:
        _print_table(("feature", "title"), [(each["id"], each["title"]["en"]) for each in found])


@command.command("guide", help="What the documents ask for outside their tables.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text")
def guide_rules(form: str) -> None:
    from flowbridge.catalog import reference
    from flowbridge.catalog.guide_rule import guide

    with refusing("json" if form == "json" else "text"):
        rules = guide()
    if form == "json":
        say_json(reference.rules(rules), "catalog-guide")
    elif form == "markdown":
        say_raw(reference.rules_markdown(rules))
    else:
        _print_table(
            ("rule", "kind", "what the document says", "source"),
            [(name, rule.kind, rule.statement.en, rule.cited) for name, rule in rules.root.items()],
        )


@command.command("show", help="One row, or one guide rule, with everything said of it.")
@click.argument("row_id", metavar="ID", shell_complete=rows_and_rules)
@catalog_choice
@answer_format
def show(
    row_id: str,
    overlays: tuple[Path, ...],
    releases: tuple[str, ...],
    answer_format: Format,
) -> None:
    from flowbridge.catalog.export import export_row, export_rows

    with refusing(answer_format):
        if row_id.startswith("guide/") and _show_rule(row_id, answer_format):
            return
        catalog = _load(answer_format, overlays, releases)
        one = export_row(catalog, row_id)
        # All of them are read only to say which others there are.
        rows = (
            {row_id: one}
            if one is not None
            else {
                row["id"]: row
                for row in export_rows(catalog, added=True, platform=True, closed=True)
            }
        )
    if row_id not in rows:
        import difflib

        known = list(rows)
        if row_id.startswith("guide/"):
            from flowbridge.catalog.guide_rule import guide

            known = list(guide().root)
        near = difflib.get_close_matches(row_id, known, n=3)
        hint = f" Near: {', '.join(near)}." if near else ""
        refuse(answer_format, f"there is no row {row_id!r}; ids look like expressway/11/5.{hint}")
    row = rows[row_id]
    if answer_format == "json":
        say_json(row, "catalog-show")
    else:
        _print_row(row)


@command.command("editions", help="The documents and their editions, and which are used.")
@catalog_choice
@answer_format
def editions(overlays: tuple[Path, ...], releases: tuple[str, ...], answer_format: Format) -> None:
    from flowbridge.catalog.editions_page import plain_editions

    with refusing(answer_format):
        found = plain_editions(_load(answer_format, overlays, releases))
    if answer_format == "json":
        say_json(found, "catalog-editions")
        return
    for document in found:
        click.secho(f"{document['title']}", bold=True, nl=False)
        click.echo(f"  {document['publisher']}")
        for edition in document["editions"]:
            mark = "*" if edition["used"] else " "
            dated = edition["date"] or "undated"
            click.echo(f"{mark} {edition['name']}  ({dated}, {edition['language']})")
            click.echo(f"    {edition['address'] or edition['note']}")


@command.command("diff", help="What an upgrade opens and closes: rows of two releases.")
@click.argument("before", metavar="RELEASE")
@click.argument("after", metavar="RELEASE")
@catalog_choice
@answer_format
def diff(
    before: str,
    after: str,
    overlays: tuple[Path, ...],
    releases: tuple[str, ...],
    answer_format: Format,
) -> None:
    """Releases are written X15.0, cucm=14, or 2.0 for two versions of the catalog itself."""
    from flowbridge.catalog.diff import difference
    from flowbridge.catalog.released import is_version, version_difference

    if is_version(before) and is_version(after):
        with refusing(answer_format):
            changes = version_difference(_load(answer_format, overlays, releases), before, after)
    else:
        (one, old), (other, new) = (_release(answer_format, text) for text in (before, after))
        if one != other:
            refuse(answer_format, f"these are releases of {one} and of {other}: name one product")
        with refusing(answer_format):
            catalog = _load(answer_format, overlays, releases)
            changes = difference(catalog, old, new, one)
    if answer_format == "json":
        say_json(changes, "catalog-diff")
    elif not changes:
        click.echo(f"The documents make no difference between {before} and {after}.")
    else:
        for change in changes:
            click.echo(f"{change['change']:8} {change['id']:20} {change['what']}")


@command.command("validate", help="Check the catalog's own consistency.")
@catalog_choice
@answer_format
def validate(overlays: tuple[Path, ...], releases: tuple[str, ...], answer_format: Format) -> None:
    from flowbridge.catalog.validate import problems

    with refusing(answer_format):
        found = problems(_load(answer_format, overlays, releases))
    if answer_format == "json":
        say_json(
            {"holds": not found, "problems": [str(problem) for problem in found]},
            "catalog-validate",
        )
    else:
        for problem in found:
            click.echo(str(problem))
        if not found:
            click.echo("The catalog is consistent.")
    sys.exit(FINDING if found else 0)


def _show_rule(name: str, answer_format: Format) -> bool:
    """Say what a guide rule is; False where there is none of this name."""
    from flowbridge.catalog.guide_rule import guide
    from flowbridge.catalog.reference import plain_rule

    rule = guide().root.get(name)
    if rule is None:
        return False
    if answer_format == "json":
        say_json(plain_rule(name, rule), "catalog-show")
        return True
    click.secho(name, bold=True, nl=False)
    click.echo(f"  {rule.kind.value}")
    click.echo(f"  {rule.statement.en}\n  {rule.statement.ja}\n")
    click.echo(f"  {'source':<14}{rule.cited}")
    address = rule.source.cited().address
    if address:
        click.echo(f"  {'':<14}{address}")
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
    click.echo(f"  {row['cited']}")
    click.echo(f"  {row['address']}\n" if row["address"] else "")
    if row["closed"]:
        click.secho(f"  closed: {row['closed']}", fg="red")
    if row["replaced"]:
        click.echo(f"  replaced: {row['replaced']}")
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
