"""`flowbridge schema`: the JSON Schema of the deployment file, for editors."""

from __future__ import annotations

import click

from flowbridge.answer import Format, answer_format, refusing, say_raw


@click.command("schema", help="The JSON Schema of the deployment file, for editors.")
@answer_format
def command(answer_format: Format) -> None:
    from flowbridge.catalog.load import load
    from flowbridge.deployment.pages.schema import schema_text

    with refusing(answer_format):
        say_raw(schema_text(load()))
