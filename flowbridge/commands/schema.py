"""`flowbridge schema`: the JSON Schemas of what a user writes, for editors."""

from __future__ import annotations

import click

from flowbridge.answer import Format, answer_format, refusing, say_raw


@click.command("schema", help="The JSON Schema of the deployment file, for editors.")
@click.option(
    "--of",
    "kind",
    type=click.Choice(["deployment", "overlay", "table", "edition"]),
    default="deployment",
    show_default=True,
    help="Of which file: a deployment file, an overlay, a table or an edition of the catalog.",
)
@answer_format
def command(kind: str, answer_format: Format) -> None:
    from flowbridge.catalog.load import load
    from flowbridge.catalog.schema import schema_text as catalog_schema
    from flowbridge.deployment.pages.schema import schema_text

    with refusing(answer_format):
        say_raw(schema_text(load()) if kind == "deployment" else catalog_schema(kind, load()))
