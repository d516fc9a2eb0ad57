"""`flowbridge catalog ingest`: a new edition of a document as a reviewed change."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowbridge.answer import FINDING, Format, answer_format, refuse, refusing, say_json
from flowbridge.written import write_whole

if TYPE_CHECKING:
    from flowbridge.catalog.ingest.compare import Comparison


@click.command("ingest", help="A new edition of a document, as a draft and a review.")
@click.argument("source", required=False, type=click.Path(path_type=Path))
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for review.yaml and review.md; without it they are not written.",
)
@click.option(
    "--accept",
    "review_file",
    type=click.Path(path_type=Path),
    help="Write what this decided review says into the catalog.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="The catalog's folder that --accept writes to.",
)
@answer_format
def command(
    source: Path | None,
    output: Path | None,
    review_file: Path | None,
    into: Path | None,
    answer_format: Format,
) -> None:
    if (source is None) == (review_file is None):
        refuse(answer_format, "name a SOURCE to read, or a review with --accept, not both")
    if review_file is not None:
        _accept(review_file, into, answer_format)
    elif source is not None:
        _draft(source, output, answer_format)


def _draft(source: Path, output: Path | None, answer_format: Format) -> None:
    from flowbridge.catalog.ingest.compare import compare
    from flowbridge.catalog.ingest.review import review, review_page, review_text
    from flowbridge.catalog.ingest.source import UnreadableSourceError, read_source
    from flowbridge.catalog.load import load

    try:
        comparison = compare(read_source(source))
    except UnreadableSourceError as error:
        refuse(answer_format, str(error))
    with refusing(answer_format):
        data = review(comparison, load())
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        write_whole(output / "review.yaml", review_text(data), answer_format)
        write_whole(output / "review.md", review_page(data), answer_format)
    different = comparison.of("changed", "gone", "new", "unsure")
    if answer_format == "json":
        say_json({**data, "share": round(comparison.share, 4)}, "catalog-ingest")
    else:
        _print(comparison, data, output)
    sys.exit(FINDING if different else 0)


def _print(comparison: Comparison, data: dict[str, Any], output: Path | None) -> None:
    edition = comparison.edition
    click.secho(f"{comparison.document.title.en}", bold=True, nl=False)
    click.echo(f", compared with {edition.name} ({edition.date or 'undated'}, {edition.language})")
    counts = ", ".join(f"{number} {status}" for status, number in data["found"].items() if number)
    click.echo(f"Rows: {counts}; {comparison.share:.1%} cell for cell.")
    for each in comparison.of("changed", "gone", "new", "unsure"):
        place = f" ({each.place})" if each.place else ""
        row = each.row or f"table {each.table or '?'}"
        what = each.why or (", ".join(each.cells) if each.cells else "")
        if each.status == "new" and each.line is not None:
            what = " | ".join(each.line.cells.values())
        click.echo(f"  {each.status:8} {row}{place}" + (f": {what}" if what else ""))
    if output is not None:
        click.echo(
            f"Decide each in {output / 'review.yaml'}; {output / 'review.md'} is for reading."
        )
    elif comparison.of("changed", "gone", "new", "unsure"):
        click.echo("With -o FOLDER a review is written, in which each of them is decided.")


def _accept(review_file: Path, into: Path | None, answer_format: Format) -> None:
    from flowbridge.catalog.ingest.review import accepted, with_edition
    from flowbridge.catalog.load import load

    if into is None or not (into / "documents.yaml").is_file():
        refuse(answer_format, "say with --into which catalog folder (the one with documents.yaml)")
    with refusing(answer_format):
        file, text, entry = accepted(review_file, load())
    target, documents = into / file, into / "documents.yaml"
    if target.exists():
        refuse(answer_format, f"{target} exists; give the edition another id, or remove the file")
    changed = with_edition(documents.read_text("utf-8"), file.split("/")[0], entry)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, text, answer_format)
    write_whole(documents, changed, answer_format)
    if answer_format == "json":
        say_json({"written": [str(target), str(documents)]}, "catalog-ingest")
    else:
        click.echo(f"Written: {target}, {documents}. `flowbridge catalog validate` checks them.")
