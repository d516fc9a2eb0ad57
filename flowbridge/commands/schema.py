"""`flowbridge schema`: the JSON Schemas of what a user writes, and of what the command answers."""

from __future__ import annotations

from typing import get_args

import click

from flowbridge.answer import AnswerName, Format, answer_format, refusing, say_raw


@click.command("schema", help="The JSON Schema of the deployment file, or of an answer.")
@click.option(
    "--of",
    "kind",
    type=click.Choice(["deployment", "overlay", "table", "edition"]),
    default="deployment",
    show_default=True,
    help="Of which file: a deployment file, an overlay, a table or an edition of the catalog.",
)
@click.option(
    "--answer",
    "answer",
    type=click.Choice(get_args(AnswerName)),
    help="Of the JSON answer of a command, in the place of a file.",
)
@answer_format
def command(kind: str, answer: AnswerName | None, answer_format: Format) -> None:
    if answer is not None:
        from flowbridge.answers.contract import answer_schema_text

        say_raw(answer_schema_text(answer))
        return
    from flowbridge.catalog.load import load
    from flowbridge.catalog.schema import schema_text as catalog_schema
    from flowbridge.deployment.pages.schema import schema_text

    with refusing(answer_format):
        say_raw(schema_text(load()) if kind == "deployment" else catalog_schema(kind, load()))
